import { describe, expect, it } from 'vitest';
import { outputsOf } from '../../src/answer/notebook/outputs.ts';
import type { ShownBundle } from '../../src/answer/notebook/outputs.ts';
import { renderNotebook } from '../../src/answer/notebook/notebook.ts';
import type { NotebookContent, NotebookQuestion, NotebookStep } from '../../src/answer/notebook/notebook.ts';
import type { NotebookCell } from '../../src/answer/notebook/nbformat.ts';
import { importsOf, portableCode, portableOutput } from '../../src/answer/notebook/portable-code.ts';
import { setUpCode } from '../../src/answer/notebook/set-up-code.ts';
import type { Cell, CellRecord } from '../../src/types.ts';
import { plainRecord } from '../fakes/cells.ts';

const cellOf = (index: number, source: string, given: Partial<Cell> = {}, record: Partial<CellRecord> = {}): Cell => ({
  taskId: 't1',
  index,
  title: `Step ${index}`,
  source,
  seed: null,
  startedAtMs: 1000,
  ...given,
  execution: { ...plainRecord, ...record },
});

const stepOf = (cell: Cell, given: Partial<NotebookStep> = {}): NotebookStep => ({
  cell,
  isRun: true,
  outputs: [],
  difference: null,
  raises: false,
  ...given,
});

const questionOf = (given: Partial<NotebookQuestion> = {}): NotebookQuestion => ({
  text: 'Revenue by month',
  personName: 'Ada',
  askedAtMs: Date.UTC(2026, 10, 20, 9, 5),
  cards: [],
  steps: [],
  answer: 'It rises.',
  notices: [],
  ...given,
});

const contentOf = (questions: readonly NotebookQuestion[], given: Partial<NotebookContent> = {}): NotebookContent => ({
  title: questions[0]?.text ?? '',
  reranAtMs: Date.UTC(2026, 10, 21, 9, 5),
  remarks: [],
  files: [{ name: 'sales.csv', sizeBytes: 1234, sha256: 'ab'.repeat(32) }],
  environment: {
    imageName: 'sandbox:latest',
    imageDigest: 'sha256:cd',
    plotlineVersion: '1.2.3',
    python: '3.13.5',
    packages: ['pandas 2.2.3'],
  },
  setUp: { code: 'print("Ready.")', outputs: [], difference: null },
  questions,
  ...given,
});

const textOf = ({ source }: NotebookCell): string => source.join('');

function cellsOf(content: NotebookContent): ReadonlyMap<string, NotebookCell> {
  const { cells } = renderNotebook(content);
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  expect(byId.size).toBe(cells.length);
  for (const id of byId.keys()) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  return byId;
}

function find(content: NotebookContent, id: string): NotebookCell {
  const cell = cellsOf(content).get(id);
  if (cell === undefined) throw new Error(`no cell ${id}`);
  return cell;
}

describe('the notebook', () => {
  it('follows the thread: header, set-up, question, code, answer', () => {
    const questions = [
      questionOf({ steps: [stepOf(cellOf(0, 'a = 1'))] }),
      questionOf({ text: 'And by region?', steps: [stepOf(cellOf(1, 'b = 2'))], notices: ['One file was left out.'] }),
    ];
    const cells = cellsOf(contentOf(questions));
    expect([...cells.keys()]).toEqual(
      'header set-up question-1 title-1 cell-1 answer-1 question-2 title-2 cell-2 answer-2'.split(' '),
    );
    expect([...cells.values()].flatMap((cell) => (cell.cell_type === 'code' ? [cell.execution_count] : []))).toEqual([
      1, 2, 3,
    ]);
    expect(textOf(cells.get('question-1') as NotebookCell)).toContain('Ada, 2026-11-20 09:05 UTC');
    expect(textOf(cells.get('answer-2') as NotebookCell)).toBe('It rises.\n\n- One file was left out.');
  });

  it('says identical, the files with their hashes, and what it was made with', () => {
    const header = textOf(find(contentOf([questionOf({ steps: [stepOf(cellOf(0, 'a = 1'))] })]), 'header'));
    expect(header).toContain('# Revenue by month\n');
    expect(header).toContain('Re-ran, identical.');
    expect(header).toContain('2026-11-21 09:05 UTC');
    expect(header).toContain(`| sales\\.csv | 1,234 | \`${'ab'.repeat(32)}\` |`);
    for (const word of ['1.2.3', '`sandbox:latest`', 'sha256:cd', 'Python 3.13.5', 'pandas 2.2.3']) {
      expect(header).toContain(word);
    }
  });

  it('names the cells that differ as viewers number them', () => {
    const steps = [
      stepOf(cellOf(0, 'a = 1')),
      stepOf(cellOf(1, 'b = 2', { title: 'Draw *lots*' }), { difference: 'printed something else' }),
    ];
    const header = textOf(find(contentOf([questionOf({ steps })]), 'header'));
    expect(header).not.toContain('identical');
    expect(header).toContain('Re-ran, 1 cell differs.');
    expect(header).toContain('- Cell \\[3\\] (Draw \\*lots\\*) printed something else.');
  });

  it('counts a set-up that failed, and claims nothing where nothing ran', () => {
    const setUp = { code: '1', outputs: [], difference: 'did not work: no room' };
    const steps = [stepOf(cellOf(0, 'a = 1'))];
    expect(textOf(find(contentOf([questionOf({ steps })], { setUp }), 'header'))).toContain(
      'Re-ran, 1 cell differs.** On 2026-11-21 09:05 UTC the cells were run again in a fresh container, from top to bottom, the clock set to when each had run first; these gave something else than is shown here:\n\n- Cell \\[1\\] (set\\-up) did not work: no room.',
    );
    expect(textOf(find(contentOf([questionOf()]), 'header'))).toContain('Nothing to run again');
  });

  it('shows killed code without running it, and lets a run go on after an error', () => {
    const killed = cellOf(
      0,
      'while True: pass  # ```',
      {},
      {
        status: 'timeout',
        error: { name: 'Timeout', message: 'The limit is 60 s.', traceback: '' },
      },
    );
    const raised = cellOf(1, '1 / 0', {}, { status: 'error' });
    const content = contentOf([
      questionOf({ steps: [stepOf(killed, { isRun: false }), stepOf(raised, { raises: true })] }),
    ]);
    const shown = find(content, 'step-1');
    expect(shown.cell_type).toBe('markdown');
    expect(textOf(shown)).toContain('The limit is 60 s\\.');
    expect(textOf(shown)).toContain('````python\nwhile True: pass  # ```\n````');
    expect(find(content, 'cell-2').metadata).toEqual({ tags: ['raises-exception'] });
  });

  it('begins random numbers anew where the thread did, before what must come first in a cell too', () => {
    const steps = [
      stepOf(cellOf(0, 'a = 1', { seed: 7 })),
      stepOf(cellOf(1, '%%time\nb = 1', { seed: 8 })),
      stepOf(cellOf(2, '  c = 1', { seed: 9 })),
      stepOf(cellOf(3, 'from __future__ import annotations', { seed: 10 })),
    ];
    const cells = cellsOf(contentOf([questionOf({ steps })]));
    expect(textOf(cells.get('cell-1') as NotebookCell)).toBe('plotline_seed(7)\na = 1');
    expect(textOf(cells.get('cell-2') as NotebookCell)).toBe('%%time\nb = 1');
    expect(textOf(cells.get('seed-2') as NotebookCell)).toBe('plotline_seed(8)');
    expect(textOf(cells.get('seed-3') as NotebookCell)).toBe('plotline_seed(9)');
    expect(textOf(cells.get('seed-4') as NotebookCell)).toBe('plotline_seed(10)');
    expect((cells.get('cell-4') as { execution_count?: number }).execution_count).toBe(8);
  });

  it('takes text of people as text', () => {
    const evil = '# Big\n<script>alert(1)</script> ![x](http://a/b.png) **bold** $1 and $2 `c`\n```\n---';
    const question = textOf(find(contentOf([questionOf({ text: evil, personName: '<b>Eve</b>\n# x' })]), 'question-1'));
    const lines = question.split('\n');
    expect(lines[0]).toMatch(/^## \\# Big &lt;script&gt;alert/);
    expect(lines[2]).toBe('*&lt;b&gt;Eve&lt;/b&gt; \\# x, 2026-11-20 09:05 UTC*');
    expect(lines.slice(4).every((line) => line.startsWith('> '))).toBe(true);
    expect(lines[4]).toBe('> \\# Big  ');
    expect(textOf(find(contentOf([questionOf({ text: 'By month?' })]), 'question-1'))).toBe(
      '## By month?\n\n*Ada, 2026-11-20 09:05 UTC*',
    );
    expect(question.replaceAll(/^\*|\*$/gm, '')).not.toMatch(/<|(?<!\\)[*`$[!]/);
    expect(textOf(find(contentOf([questionOf({ text: evil })]), 'header')).split('\n')[0]).toMatch(
      /^# \\# Big &lt;script/,
    );
  });

  it('keeps prices, code and tables of an answer, and no HTML or foreign picture', () => {
    const answer = 'From $5 to $9: `a<b $x` <img src=x onerror=alert(1)> ![p](http://a/p.png)\n\n```\n<i>$\n```\n2 < 3';
    expect(textOf(find(contentOf([questionOf({ answer })]), 'answer-1'))).toBe(
      'From \\$5 to \\$9: `a<b $x` &lt;img src=x onerror=alert(1)> !\\[p](http://a/p.png)\n\n```\n<i>$\n```\n2 < 3',
    );
  });

  it('makes lists of what was said about a file', () => {
    const cards = ['`a.csv` (3 rows), before I use it:\n• 1 row repeats.\n• 2 lines <odd>.'];
    expect(textOf(find(contentOf([questionOf({ cards })]), 'question-1'))).toContain(
      '`a.csv` (3 rows), before I use it:\n- 1 row repeats.\n- 2 lines &lt;odd>.',
    );
  });
});

describe('outputs', () => {
  const bundle = (parts: Record<string, string | Uint8Array>): ShownBundle =>
    Object.fromEntries(
      Object.entries(parts).map(([mime, value]) => [
        mime,
        { sizeBytes: value.length, read: () => Promise.resolve(value) },
      ]),
    );

  it('are what viewers know: text as lines, bytes as base64, an alternative text, the error last', async () => {
    const outputs = await outputsOf(
      {
        stdout: 'a\nb',
        stderr: 'w\n',
        error: { name: 'ValueError', message: 'no', traceback: 'Traceback\nValueError: no' },
      },
      [
        bundle({
          'image/png': Uint8Array.of(1, 2, 255),
          'text/plain': 'A line chart.',
          'application/vnd.plotline.chart+json': '{}',
        }),
        bundle({ 'text/csv': 'a,b' }),
      ],
      { bytes: 1000 },
    );
    expect(outputs).toEqual([
      { output_type: 'stream', name: 'stdout', text: ['a\n', 'b'] },
      { output_type: 'stream', name: 'stderr', text: ['w\n'] },
      {
        output_type: 'display_data',
        data: { 'image/png': 'AQL/', 'text/plain': ['A line chart.'] },
        metadata: { 'image/png': { alt: 'A line chart.' } },
      },
      { output_type: 'error', ename: 'ValueError', evalue: 'no', traceback: ['Traceback', 'ValueError: no'] },
    ]);
  });

  it('over the room lose their largest parts, named, and those are not read', async () => {
    const room = { bytes: 1000 };
    const large: ShownBundle = {
      'text/html': { sizeBytes: 5_000_000, read: () => Promise.reject(new Error('read')) },
      'text/plain': { sizeBytes: 5, read: () => Promise.resolve('table') },
    };
    const [output] = await outputsOf({ stdout: '', stderr: '', error: null }, [large], room);
    expect(output).toMatchObject({
      data: { 'text/plain': ['[Left out here: text/html of 4.8 MB. Run the cell to see it.]'] },
    });
    expect(room.bytes).toBeLessThan(1000);
  });

  it('cuts a flood of text and says how much', async () => {
    const outputs = await outputsOf({ stdout: 'x'.repeat(100_000), stderr: '', error: null }, [], {
      bytes: 10_000_000,
    });
    const text = JSON.stringify(outputs);
    expect(text.length).toBeLessThan(66_000);
    expect(text).toContain('[34464 more characters were left out]');
  });
});

describe('code that runs elsewhere', () => {
  it('finds files beside the notebook', () => {
    expect(
      portableCode(
        `a("/mnt/data/x.csv"); b('/mnt/data'); c(f"/mnt/data/{n}"); d('/mnt/database'); e("in /mnt/data/.")`,
      ),
    ).toBe(`a("./x.csv"); b('.'); c(f"./{n}"); d('/mnt/database'); e("in ./.")`);
    expect(portableOutput('saved /mnt/data/x.csv', `a("/mnt/data/x.csv")`)).toBe('saved ./x.csv');
    expect(portableOutput('saved /mnt/data/x.csv', `a("x.csv")`)).toBe('saved /mnt/data/x.csv');
  });

  it('names the packages it imports', () => {
    const sources = ['import pandas as pd, numpy\nfrom sklearn.cluster import KMeans', 'x = "import scipy"'];
    expect(importsOf(sources, ['numpy', 'pandas', 'scipy', 'sklearn'])).toEqual(['numpy', 'pandas', 'sklearn']);
  });

  it('has a set-up with only what is needed', () => {
    expect(setUpCode({ files: [], texts: [], archive: null, tableOptions: {}, hasSeeds: false })).toBe(
      '# Written by Plotline. Checks the files and provides what the cells below use.\n\nprint("Ready.")',
    );
    const code = setUpCode({
      files: [{ name: 'a "b"\u2028.csv', sha256: 'ab' }],
      texts: [{ name: '.output-1.txt', text: 'a "1"\r\n😀' }],
      archive: 'UEs=',
      tableOptions: { 'display.width': 200 },
      hasSeeds: true,
    });
    expect(code).toContain('    "a \\"b\\"\u2028.csv": "ab",');
    expect(code).toContain('    ".output-1.txt": "a \\"1\\"\\r\\n😀",');
    expect(code).toContain('_plotline_import("UEs=")');
    expect(code).toContain('pandas.set_option("display.width", 200)');
    expect(code).toContain('def plotline_seed(number):');
  });
});
