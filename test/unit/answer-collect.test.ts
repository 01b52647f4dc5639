import { describe, expect, it } from 'vitest';
import { collectArtifacts } from '../../src/answer/collect.ts';
import type { CollectLimits } from '../../src/answer/collect.ts';
import { chartMime, tableMime, tablePictureMime } from '../../src/types.ts';
import type { Execution, MimeBundle, OutputFile } from '../../src/types.ts';
import { sandboxLimits } from '../fakes/core.ts';
import { chartOf, createFakeSandbox } from '../fakes/fake-sandbox.ts';
import type { FakeContainer } from '../fakes/fake-sandbox.ts';
import { executionOf } from '../fakes/fake-session.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';

const savedMime = 'application/vnd.plotline.saved+json';
const table = { columns: [{ name: 'a', type: 'number' }], rows: [[1]], rowCount: 1 };
const shownChart = (title: string, saved: readonly string[] = []): MimeBundle => ({
  'image/png': Buffer.from(`png of ${title}`),
  'text/plain': `A line of ${title}.`,
  [chartMime]: chartOf(title),
  ...(saved.length > 0 ? { [savedMime]: { files: saved } } : {}),
});

async function collect(
  given: Partial<Execution>,
  files: Readonly<Record<string, string>> = {},
  limits: CollectLimits = { fileBytes: 1000, filesBytes: 2000 },
  change: (container: FakeContainer) => void = () => {},
) {
  const sandbox = createFakeSandbox();
  await sandbox.acquire(sandboxLimits, AbortSignal.timeout(1000));
  const [container] = sandbox.containers;
  if (container === undefined) throw new Error('no container');
  for (const [name, text] of Object.entries(files)) container.files.set(name, Buffer.from(text));
  change(container);
  const outputs = Object.entries(files).map(([path, text]): OutputFile => ({
    path,
    sizeBytes: text.length,
    sha256: '',
    change: 'new',
    formulas: null,
  }));
  const execution = executionOf({ files: outputs, ...given });
  const signal = AbortSignal.timeout(1000);
  const { artifacts, notices } = await collectArtifacts(
    'Drawing it',
    execution,
    container,
    createMemoryBlobs(),
    limits,
    signal,
  );
  return { artifacts: artifacts.map(({ artifact, path }) => ({ ...artifact, path })), notices };
}

const pngStart = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

describe('collectArtifacts', () => {
  it('a wide table brings its picture along, beside the CSV', async () => {
    const bytes = Uint8Array.from([...pngStart, 1, 2, 3]);
    const bundle = { [tableMime]: table, 'text/csv': 'a\r\n1\r\n', [tablePictureMime]: bytes };
    const { artifacts, notices } = await collect({ results: [bundle] });
    expect(artifacts).toMatchObject([
      {
        kind: 'table',
        file: { name: 'drawing-it.csv', mimeType: 'text/csv' },
        picture: { name: 'drawing-it.png', mimeType: 'image/png', sizeBytes: 11, sha256: expect.any(String) },
      },
    ]);
    expect([artifacts.length, notices]).toEqual([1, []]);
  });

  it.each([
    ['no PNG', Uint8Array.from([1, 2, 3])],
    ['text', 'iVBORw0KGgo='],
    ['larger than any that is drawn', Uint8Array.from([...pngStart, ...new Uint8Array(2 * 1024 * 1024)])],
  ])('what a cell shows as a picture of a table and is %s, is none', async (_, part) => {
    const bundle = { [tableMime]: table, 'text/csv': 'a\r\n1\r\n', [tablePictureMime]: part };
    const { artifacts } = await collect({ results: [bundle] });
    expect(artifacts.map(({ kind, picture }) => [kind, picture])).toEqual([['table', undefined]]);
  });

  it('a chart that was shown and saved is one artifact: the file, with what is known about the chart', async () => {
    const { artifacts } = await collect({ results: [shownChart('Revenue', ['out.png'])] }, { 'out.png': 'saved' });
    expect(artifacts).toMatchObject([
      {
        kind: 'chart',
        title: 'Revenue',
        altText: 'A line of Revenue.',
        path: 'out.png',
        chart: { title: 'Revenue' },
        file: { name: 'out.png' },
      },
    ]);
  });

  it('a chart that was only saved has its title and alt text too', async () => {
    const { 'image/png': _, ...closed } = shownChart('Revenue', ['out.png']);
    const { artifacts } = await collect({ results: [closed] }, { 'out.png': 'saved' });
    expect(artifacts).toMatchObject([{ title: 'Revenue', altText: 'A line of Revenue.', path: 'out.png' }]);
  });

  it('a chart saved in other formats, or to several pictures, is still shown', async () => {
    const pdf = await collect({ results: [shownChart('R', ['out.pdf'])] }, { 'out.pdf': 'saved' });
    expect(pdf.artifacts.map(({ file }) => file.name)).toEqual(['r.png', 'out.pdf']);
    const frames = await collect({ results: [shownChart('R', ['1.png', '2.png'])] }, { '1.png': 'a', '2.png': 'b' });
    expect(frames.artifacts.map(({ file }) => file.name)).toEqual(['r.png', '1.png', '2.png']);
  });

  it('a chart whose file is as it was before is shown', async () => {
    const { artifacts } = await collect({ results: [shownChart('R', ['out.png'])] });
    expect(artifacts).toMatchObject([{ path: null, title: 'R' }]);
  });

  it('a table without a title of its own has that of the chart beside it, else that of the cell', async () => {
    const bundle = { [tableMime]: table, 'text/csv': 'a\n1\n' } as MimeBundle;
    const beside = await collect({ results: [bundle, shownChart('GDP by year')] });
    expect(beside.artifacts[0]).toMatchObject({
      kind: 'table',
      title: 'GDP by year',
      file: { name: 'gdp-by-year.csv' },
    });
    const alone = await collect({ results: [bundle] });
    expect(alone.artifacts[0]).toMatchObject({ title: 'Drawing it' });
    const named = { ...bundle, 'application/vnd.plotline.show+json': { title: 'My table' } } as MimeBundle;
    expect((await collect({ results: [named, shownChart('C')] })).artifacts[0]).toMatchObject({ title: 'My table' });
  });

  it('names each file that is too large, with the limit it met', async () => {
    const files = {
      'big.csv': 'x'.repeat(1500),
      'a.csv': 'a'.repeat(900),
      'b.csv': 'b'.repeat(900),
      'c.csv': 'c'.repeat(900),
    };
    const { artifacts, notices } = await collect({}, files);
    expect(artifacts.map(({ path }) => path)).toEqual(['a.csv', 'b.csv']);
    expect(notices).toEqual([
      expect.stringMatching(/`big.csv` was left in the sandbox: .*one file may have/),
      expect.stringMatching(/`c.csv` was left in the sandbox: .*one step may have/),
    ]);
    expect(notices.join()).not.toMatch(/ 0 MB/);
  });

  it('says once how many files were lost with the sandbox', async () => {
    const { notices } = await collect({}, { 'a.csv': 'a', 'b.csv': 'b' }, undefined, (container) => container.die());
    expect(notices).toEqual(['2 files could not be taken out of the sandbox: the sandbox ended.']);
  });
});
