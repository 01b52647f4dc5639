import { describe, expect, it } from 'vitest';
import type { CellArtifact } from '../../src/answer/collect.ts';
import { fitArtifacts } from '../../src/answer/fit.ts';
import { selectArtifacts } from '../../src/answer/select.ts';
import type { Artifact, ChartData, ExecutionStatus } from '../../src/types.ts';

const chart: ChartData = {
  type: 'line',
  title: '',
  xLabel: '',
  yLabel: '',
  xUnit: null,
  yUnit: null,
  xScale: 'linear',
  yScale: 'linear',
  series: [],
};

function entry(
  kind: Artifact['kind'],
  title: string,
  given: Partial<CellArtifact & { bytes: string; size: number }> = {},
): CellArtifact {
  const { path = null, marked = false, formulas = null, bytes = `${kind} ${title} ${Math.random()}`, size = 1 } = given;
  const file = { name: path?.split('/').at(-1) ?? `${title}.bin`, mimeType: 'x/y', sizeBytes: size, sha256: bytes };
  const isDrawn = kind === 'chart' && path === null;
  return {
    artifact: { kind, title, file, altText: '', table: null, chart: isDrawn ? chart : null },
    path,
    marked,
    formulas,
  };
}

const cell = (artifacts: readonly CellArtifact[], status: ExecutionStatus = 'ok') => ({ status, artifacts });
const names = (artifacts: readonly Artifact[]): readonly string[] => artifacts.map(({ title }) => title);

describe('selectArtifacts', () => {
  it('a later chart of the same title replaces the earlier one; charts of cells that failed are left out', () => {
    const [first, second, failed] = [entry('chart', 'Revenue'), entry('chart', 'Revenue'), entry('chart', 'Half')];
    const cells = [cell([first]), cell([failed], 'error'), cell([second, entry('chart', 'Cost')])];
    expect(selectArtifacts(cells, new Set())).toMatchObject([
      { title: 'Revenue', file: { sha256: second.artifact.file.sha256 } },
      { title: 'Cost' },
    ]);
  });

  it('charts of a task whose cells all failed are better than none', () => {
    expect(names(selectArtifacts([cell([entry('chart', 'Half')], 'timeout')], new Set()))).toEqual(['Half']);
  });

  it('takes the tables of the last cell that showed any, and all that were marked', () => {
    const cells = [
      cell([entry('table', 'Looked at'), entry('table', 'Marked', { marked: true })]),
      cell([entry('table', 'Last')]),
      cell([entry('chart', 'Chart')]),
    ];
    expect(names(selectArtifacts(cells, new Set()))).toEqual(['Marked', 'Last', 'Chart']);
  });

  it('lets no file out under a name that turns text around, hides some of it or leads elsewhere', () => {
    const cells = [
      cell(['photo\u202egnp.exe', 'a\u200bb.csv', '..\\up.txt'].map((path) => entry('file', path, { path }))),
    ];
    const sent = selectArtifacts(cells, null).map(({ file }) => file.name);
    expect(sent).toEqual(['photo_gnp.exe', 'a_b.csv', '_up.txt']);
  });

  it('takes the newest version of each file that still exists', () => {
    const cells = [
      cell([entry('file', 'old', { path: 'a.csv' }), entry('file', 'removed', { path: 'b.csv' })]),
      cell([entry('file', 'new', { path: 'a.csv' })]),
    ];
    expect(names(selectArtifacts(cells, new Set(['a.csv'])))).toEqual(['new']);
    expect(names(selectArtifacts(cells, null))).toEqual(['removed', 'new']);
  });

  it('sends equal bytes once and gives equal names numbers', () => {
    const cells = [
      cell([
        entry('file', 'one', { path: 'a/x.csv', bytes: '1' }),
        entry('file', 'same', { path: 'b/x.csv', bytes: '1' }),
        entry('file', 'other', { path: 'c/x.csv', bytes: '2' }),
      ]),
    ];
    expect(selectArtifacts(cells, null).map(({ file }) => file.name)).toEqual(['x.csv', 'x (2).csv']);
  });

  it('a picture of a table is called as its table, unless a file of the reply is', () => {
    const tableOf = (title: string): CellArtifact => {
      const { artifact, ...rest } = entry('table', title);
      const picture = { name: 'x.png', mimeType: 'image/png', sizeBytes: 1, sha256: `picture of ${title}` };
      return { ...rest, artifact: { ...artifact, file: { ...artifact.file, name: 'sales.csv' }, picture } };
    };
    const cells = [cell([tableOf('one'), tableOf('two'), entry('chart', 'saved', { path: 'sales.png' })])];
    expect(selectArtifacts(cells, null).map(({ file, picture }) => [file.name, picture?.name])).toEqual([
      ['sales.csv', 'sales (2).png'],
      ['sales (2).csv', 'sales (2) (2).png'],
      ['sales.png', undefined],
    ]);
  });

  it('puts pictures that nothing is known about behind the files they may have been made for', () => {
    const frames = Array.from({ length: 30 }, (_, index) => entry('chart', `frame${index}`, { path: `f${index}.png` }));
    const cells = [cell([...frames, entry('file', 'film', { path: 'film.mp4' })]), cell([entry('chart', 'Shown')])];
    expect(names(selectArtifacts(cells, null)).slice(0, 2)).toEqual(['Shown', 'film']);
  });
});

describe('fitArtifacts', () => {
  const files = (count: number, size = 1): readonly Artifact[] =>
    Array.from({ length: count }, (_, index) => entry('file', `f${index}`, { path: `f${index}.csv`, size }).artifact);

  it('leaves what fits as it is', () => {
    expect(fitArtifacts(files(20), { fileBytes: 10 })).toEqual({
      artifacts: expect.objectContaining({ length: 20 }),
      notices: [],
    });
  });

  it('posts the first 20 and names the rest with a way to get them', () => {
    const { artifacts, notices } = fitArtifacts(files(33), { fileBytes: 10 });
    expect(artifacts).toHaveLength(20);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(
      /^13 more files were made and not posted \(`f20.csv`, .*`f29.csv` and 3 more\).*20.*zip/,
    );
    expect(fitArtifacts(files(21), { fileBytes: 10 }).notices[0]).toMatch(/^1 more file was .*\(`f20.csv`\)/);
  });

  it('names each file over the platform’s limit, with both sizes', () => {
    const megabyte = 1024 * 1024;
    const { artifacts, notices } = fitArtifacts(files(1, 30 * megabyte), { fileBytes: 10 * megabyte });
    expect(artifacts).toEqual([]);
    expect(notices).toEqual([expect.stringMatching(/`f0.csv` has 30 MB.*10 MB/)]);
  });
});
