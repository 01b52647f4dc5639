import { describe, expect, test } from 'vitest';
import type { Json } from '../../adapters/json.ts';
import { markdownLines } from '../../adapters/markdown-lines.ts';
import { progressChunks } from '../../adapters/slack/render-progress.ts';
import { isInlineImage, progressBlockId, renderMessage, uploadComment } from '../../adapters/slack/render.ts';
import type { RenderedPart } from '../../adapters/slack/render.ts';
import type { Artifact, ChartData, Progress, Reply, TableData } from '../../src/types.ts';
import { partProblems } from '../fakes/slack-validator.ts';

const taskId = 'slack-T1-C1-1700000000.000100';
const code = [{ title: 'Read', source: 'print(1)', status: 'ok' as const, durationMs: 5 }];
const file = (name: string, mimeType = 'image/png') => ({ name, mimeType, sizeBytes: 1, sha256: '' });

function artifact(overrides: Partial<Artifact>): Artifact {
  return { kind: 'chart', title: '', file: file('t.png'), altText: '', table: null, chart: null, ...overrides };
}

function tableArtifact(data: Partial<TableData>, overrides: Partial<Artifact> = {}): Artifact {
  const columns = [
    { name: 'month', type: 'text' as const },
    { name: 'revenue', type: 'number' as const },
  ];
  const rows = data.rows ?? [
    ['2026-01', 10],
    ['', null],
  ];
  const table = { columns, rows, rowCount: rows.length, ...data };
  return artifact({ kind: 'table', title: 'Revenue', file: file('revenue.csv', 'text/csv'), table, ...overrides });
}

function chartArtifact(data: Partial<ChartData>, overrides: Partial<Artifact> = {}): Artifact {
  const chart: ChartData = {
    type: 'bar',
    title: 'Revenue by region',
    xLabel: 'Region',
    yLabel: 'EUR',
    xUnit: null,
    yUnit: 'EUR',
    xScale: 'category',
    yScale: 'linear',
    series: [{ name: '', x: ['North', 'South'], y: [3, 4.5] }],
    ...data,
  };
  return artifact({ altText: 'North 3, South 4.5', file: file('chart.png'), chart, ...overrides });
}

function show(overrides: Partial<Reply>, images?: ReadonlyMap<string, string>): readonly RenderedPart[] {
  const reply: Reply = {
    taskId,
    outcome: 'answered',
    text: 'Done.',
    artifacts: [],
    notices: [],
    code: [],
    ...overrides,
  };
  const parts = renderMessage({ kind: 'reply', reply, files: [] }, images);
  expect(parts.flatMap(partProblems)).toEqual([]);
  return parts;
}

const typesOf = (blocks: readonly Json[] | null | undefined): readonly unknown[] =>
  (blocks ?? []).map(({ type }) => type);
const blockOf = (parts: readonly RenderedPart[], type: string): Json | undefined =>
  parts.flatMap(({ blocks }) => blocks).find((block) => block['type'] === type);

describe('buttons under a reply', () => {
  const labels = (overrides: Partial<Reply>): readonly string[] =>
    [...JSON.stringify(show(overrides)[0]?.blocks).matchAll(/"action_id":"plotline-([a-z-]+)"/g)].map(
      ([, id = '']) => id,
    );

  test('what can be pressed depends on what happened', () => {
    expect(labels({ code })).toEqual(['show-code', 'notebook', 'rerun', 'feedback']);
    expect(labels({})).toEqual(['rerun', 'feedback']);
    expect(labels({ outcome: 'failed', code })).toEqual(['show-code', 'notebook', 'rerun']);
    expect(labels({ outcome: 'cancelled', code })).toEqual(['rerun']);
  });

  test('they carry the task and nothing else', () => {
    const [part] = show({ code });
    const values = [...JSON.stringify(part?.blocks).matchAll(/"value":"([^"]*)"/g)].map(([, value]) => value);
    expect(values).toEqual([taskId, taskId, taskId, `good ${taskId}`, `bad ${taskId}`]);
  });

  test('where Slack refuses feedback elements the other buttons stay', () => {
    const [part] = show({ code });
    expect(typesOf(part?.blocks)).toEqual(['markdown', 'actions', 'context_actions']);
    expect(typesOf(part?.plainBlocks)).toEqual(['markdown', 'actions']);
  });

  test('an id that no button can carry leaves them out', () => {
    expect(typesOf(show({ taskId: 'x'.repeat(2001), code })[0]?.blocks)).toEqual(['markdown']);
    expect(show({ taskId: 'x'.repeat(2001) })[0]?.plainBlocks).toBeNull();
  });
});

describe('tables', () => {
  test('a small one is native, with its file named; its stand-in is text', () => {
    const parts = show({ artifacts: [tableArtifact({})] });
    expect(parts).toHaveLength(1);
    expect(blockOf(parts, 'data_table')).toMatchObject({
      caption: 'Revenue',
      rows: [
        [{ text: 'month' }, { text: 'revenue' }],
        [
          { type: 'raw_text', text: '2026-01' },
          { type: 'raw_number', value: 10, text: '10' },
        ],
        [{ type: 'raw_text', text: ' ' }, { text: '–' }],
      ],
    });
    expect(JSON.stringify(parts[0]?.blocks)).toContain('All of it is in revenue.csv.');
    expect(JSON.stringify(parts[0]?.plainBlocks)).toMatch(/month {4}revenue.*All of it is in `revenue\.csv`\./);
    expect(typesOf(parts[0]?.plainBlocks)).not.toContain('data_table');
  });

  const wide = Array.from({ length: 21 }, (_, index) => ({ name: `c${index}`, type: 'text' as const }));
  test.each<[string, Partial<TableData>]>([
    ['of which only the first rows are here', { rowCount: 40 }],
    ['without rows', { rows: [] }],
    ['with 21 columns', { columns: wide }],
    ['with a cell as long as a letter', { rows: [['x'.repeat(301), 1]] }],
    ['with too many characters', { rows: Array.from({ length: 100 }, () => ['x'.repeat(100), 1]) }],
  ])('one %s is a preview in a code block, with its file named', (_what, data) => {
    const parts = show({ artifacts: [tableArtifact(data)] });
    expect(blockOf(parts, 'data_table')).toBeUndefined();
    const shown = JSON.stringify(parts.map(({ blocks }) => blocks));
    expect(shown).toContain('```');
    expect(shown).toContain('ll of it is in `revenue.csv`.');
  });

  test('those that together are too much for one message go into further ones, in order', () => {
    const rows = Array.from({ length: 80 }, (_, index) => [`row ${index} `.repeat(12), index]);
    const artifacts = [1, 2, 3].map((n) => tableArtifact({ rows }, { title: `Table ${n}` }));
    const parts = show({ artifacts });
    expect(parts).toHaveLength(3);
    expect(parts.flatMap(({ blocks }) => blocks.flatMap((block) => block['caption'] ?? []))).toEqual([
      'Table 1',
      'Table 2',
      'Table 3',
    ]);
    expect(parts.flatMap(({ blocks }) => typesOf(blocks)).filter((type) => type === 'actions')).toHaveLength(1);
  });

  test('twenty tables keep to 50 blocks a message', () => {
    const parts = show({ artifacts: Array.from({ length: 20 }, () => tableArtifact({})) });
    expect(parts.flatMap(({ blocks }) => typesOf(blocks)).filter((type) => type === 'data_table')).toHaveLength(20);
  });
});

describe('charts', () => {
  const native = (data: Partial<ChartData>): Json | undefined =>
    blockOf(show({ artifacts: [chartArtifact(data)] }), 'data_visualization');

  test('one that fits is drawn by Slack as well, beside its picture', () => {
    const parts = show({ artifacts: [chartArtifact({})] }, new Map([['chart.png', 'F1']]));
    expect(typesOf(parts[0]?.blocks)).toEqual([
      'markdown',
      'image',
      'data_visualization',
      'actions',
      'context_actions',
    ]);
    expect(blockOf(parts, 'image')).toMatchObject({ slack_file: { id: 'F1' }, alt_text: 'North 3, South 4.5' });
    expect(blockOf(parts, 'data_visualization')).toEqual({
      type: 'data_visualization',
      title: 'Revenue by region',
      chart: {
        type: 'bar',
        series: [
          {
            name: 'EUR',
            data: [
              { label: 'North', value: 3 },
              { label: 'South', value: 4.5 },
            ],
          },
        ],
        axis_config: { categories: ['North', 'South'], x_label: 'Region', y_label: 'EUR' },
      },
    });
    expect(JSON.stringify(parts[0]?.plainBlocks)).toContain('chart.png: North 3, South 4.5 (in chart.png)');
  });

  test('a pie becomes segments', () => {
    expect(native({ type: 'pie' })).toMatchObject({
      chart: {
        type: 'pie',
        segments: [
          { label: 'North', value: 3 },
          { label: 'South', value: 4.5 },
        ],
      },
    });
  });

  const months = ['2026-01-01T00:00:00', '2026-02-01T00:00:00', '2026-03-01T00:00:00'];
  test('a line over months names them as the picture does', () => {
    const series = [{ name: 'a', x: months, y: [1, 2, 3] }];
    expect(native({ type: 'line', xScale: 'date', series })).toMatchObject({
      chart: { axis_config: { categories: ['Jan 2026', 'Feb 2026', 'Mar 2026'] } },
    });
  });

  const series = (x: (string | number | null)[], y: (string | number | null)[], name = 'a') => [{ name, x, y }];
  test.each<[string, Partial<ChartData>]>([
    ['scatter', { type: 'scatter' }],
    ['histogram', { type: 'histogram' }],
    ['logarithmic axis', { yScale: 'log' }],
    ['logarithmic places', { xScale: 'log' }],
    ['line over uneven places', { type: 'line', xScale: 'linear', series: series([1, 2, 10], [1, 2, 3]) }],
    [
      'line over uneven days',
      { type: 'line', xScale: 'date', series: series([...months, '2027-01-01T00:00:00'], [1, 2, 3, 4]) },
    ],
    ['a gap', { series: series(['a', 'b'], [1, null]) }],
    ['a value that is no number', { series: series(['a', 'b'], [1, Number.NaN]) }],
    [
      '21 places',
      {
        series: series(
          Array.from({ length: 21 }, (_, n) => n),
          Array.from({ length: 21 }, () => 1),
        ),
      },
    ],
    ['7 series', { series: 'abcdefg'.split('').flatMap((name) => series(['a'], [1], name)) }],
    ['the same place twice', { series: series(['a', 'a'], [1, 2]) }],
    ['a long label', { series: series(['a place with a long name'], [1]) }],
    ['other places in the second series', { series: [...series(['a'], [1]), ...series(['b'], [1], 'b')] }],
    ['two series of the same name', { series: [...series(['a'], [1]), ...series(['a'], [2])] }],
    ['a pie with nothing in one piece', { type: 'pie', series: series(['a', 'b'], [1, 0]) }],
    ['a pie of 7', { type: 'pie', series: series('abcdefg'.split(''), [1, 1, 1, 1, 1, 1, 1]) }],
    ['no series', { series: [] }],
  ])('%s: the picture alone', (_what, data) => {
    expect(native(data)).toBeUndefined();
  });

  test('Slack takes two native charts a message: of more, the first two', () => {
    const parts = show({ artifacts: [1, 2, 3].map((n) => chartArtifact({}, { file: file(`chart-${n}.png`) })) });
    expect(parts.flatMap(({ blocks }) => typesOf(blocks)).filter((type) => type === 'data_visualization')).toHaveLength(
      2,
    );
  });

  test('one that has a message to itself still has words where Slack refuses it', () => {
    const chart = chartArtifact({ title: 'x'.repeat(50) }, { title: 'A title', altText: 'y'.repeat(985) });
    const overrides = { taskId: 'x'.repeat(2001), text: 'w'.repeat(10_990), artifacts: [chart] };
    const parts = show(overrides, new Map([['chart.png', 'F1']]));
    expect(parts.map(({ blocks }) => typesOf(blocks))).toEqual([['markdown', 'image'], ['data_visualization']]);
    expect(JSON.stringify(parts[1]?.plainBlocks)).toContain('The chart is among the files.');
  });

  test('which can stand in a message', () => {
    expect(isInlineImage(artifact({ file: file('a.gif', 'image/gif') }))).toBe(true);
    expect(isInlineImage(artifact({ file: file('a.svg', 'image/svg+xml') }))).toBe(false);
    expect(isInlineImage(artifact({ kind: 'file' }))).toBe(false);
  });
});

describe('words', () => {
  test('a reply without words says where the answer is', () => {
    expect(show({ text: ' ' })).toMatchObject([{ text: 'Done; there is nothing to show.' }]);
    expect(show({ text: '', outcome: 'cancelled' })).toMatchObject([{ text: 'Stopped; there is nothing to show.' }]);
    expect(show({ text: '', artifacts: [artifact({})] })).toMatchObject([{ text: 'The answer is in the files.' }]);
  });

  test('notices come below, as a quote', () => {
    const [part] = show({ notices: ['2 rows\nwere not used.', 'One file was empty.'] });
    expect(part?.blocks[1]).toEqual({ type: 'markdown', text: '> 2 rows were not used.\n>\n> One file was empty.' });
    expect(part?.text).toBe('Done.\n&gt; 2 rows were not used.\n&gt;\n&gt; One file was empty.');
  });

  test.each(['Look:\n```python\nprint(1)', '~~~~\nx\n```', '- item\n  ```\n  x', '```'])(
    'code that the model left open, as in %j, ends with its words: tables and notices stay outside',
    (text) => {
      const [part] = show({ text, artifacts: [tableArtifact({ rowCount: 40 })], notices: ['2 rows were left out.'] });
      const texts = (part?.blocks ?? []).flatMap((block) =>
        block['type'] === 'markdown' ? [String(block['text'])] : [],
      );
      expect(texts).toHaveLength(3);
      for (const each of [...texts, texts.join('\n')]) expect(markdownLines(each).at(-1)?.fenceAfter).toBeNull();
      const lines = markdownLines(part?.text ?? '').map(({ start, end, fence }) => [
        part?.text.slice(start, end),
        fence,
      ]);
      expect(lines).toContainEqual(['**Revenue**\n', null]);
      expect(lines).toContainEqual(['&gt; 2 rows were left out.', null]);
    },
  );

  test('a card has its details behind a button', () => {
    const [part] = renderMessage({ kind: 'card', text: 'Two tables.', file: 'a.csv' });
    expect(part?.blocks[1]).toMatchObject({ elements: [{ action_id: 'plotline-details', value: 'a.csv' }] });
    expect(part?.plainBlocks).toBeNull();
  });

  test('an upload names each chart with its alternative text, without mentions', () => {
    expect(
      uploadComment([
        artifact({ title: 'Revenue', altText: 'a line,\nrising' }),
        artifact({ kind: 'file', title: '', file: file('a&b.zip') }),
      ]),
    ).toBe('• Revenue: a line, rising\n• a&amp;b.zip');
    expect(uploadComment([artifact({ title: '<!channel>' })])).not.toContain('<!channel>');
  });
});

describe('progress', () => {
  const progress = (overrides: Partial<Progress>): Progress => ({
    taskId,
    personId: 'U1',
    running: true,
    steps: [
      { title: 'Read & count', state: 'done' },
      { title: 'Draw', state: 'running' },
    ],
    note: '',
    ...overrides,
  });

  test('one line for each step, and Stop while it runs', () => {
    const [running] = renderMessage({ kind: 'progress', progress: progress({}) });
    expect(running?.blocks).toMatchObject([
      { block_id: progressBlockId, text: { text: '✅ Read &amp; count\n⏳ Draw' } },
      { elements: [{ action_id: 'plotline-stop', value: taskId }] },
    ]);
    const [ended] = renderMessage({ kind: 'progress', progress: progress({ running: false }) });
    expect(typesOf(ended?.blocks)).toEqual(['section']);
  });

  test('a stream is told what is new since the last time', () => {
    expect(progressChunks(progress({}), null)).toEqual([
      { type: 'plan_update', title: 'Working on it…' },
      { type: 'task_update', id: 'step-1', title: 'Read & count', status: 'complete' },
      { type: 'task_update', id: 'step-2', title: 'Draw', status: 'in_progress' },
    ]);
    expect(progressChunks(progress({}), progress({}))).toEqual([]);
    const ended = progress({
      running: false,
      steps: [
        { title: 'Read & count', state: 'done' },
        { title: 'Draw', state: 'failed' },
      ],
    });
    expect(progressChunks(ended, progress({}))).toEqual([
      { type: 'plan_update', title: 'Stopped' },
      { type: 'task_update', id: 'step-2', title: 'Draw', status: 'error' },
    ]);
    const long = progressChunks(
      progress({ note: '<!here> '.repeat(99), steps: [{ title: 'x'.repeat(999), state: 'done' }] }),
      null,
    );
    for (const { title } of long) expect(String(title).length).toBeLessThanOrEqual(150);
    expect(JSON.stringify(long)).not.toContain('<!here');
  });
});
