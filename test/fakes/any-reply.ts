import * as fc from 'fast-check';
import type { Artifact, Cell, ChartData, ExecutionStatus, Reply, TableData } from '../../src/types.ts';

/** Random texts, tables and charts of the kinds that models and files produce, and of the kinds that attackers do. */

const oddPieces = fc.constantFrom(
  '<!channel>',
  '<@U0ADMIN>',
  '<#C0GENERAL|x>',
  '@here',
  '@@everyone',
  'bob@here.example',
  '[bank.example](https://evil.example/a)',
  '[bank.example\nlogin](https://evil.example/b)',
  '[[[bank.example]]](https://evil.example/c)',
  '[ba**nk**.example](https://evil.example/d)',
  '[x](https://bank.example.evil.example)',
  '<https://evil.example|bank.example>',
  '![p](https://evil.example/p.png)',
  '[bank.example]: https://evil.example/e',
  '> - [bank.example]: https://evil.example/f',
  '\\`[bank.example](https://evil.example/g)`',
  '`[bank.example](https://evil.example/h)',
  'f[0](x)',
  '[report.csv](sandbox:/mnt/data/report.csv)',
  '<b>bold</b> <script>alert(1)</script> <!-- a -->',
  'R&D &amp; a < b > c',
  '**bold** _it_ ~~gone~~ `code` ``a ` b``',
  '- a\n  - b\n    1. c',
  '# Heading\n## Next',
  '> quote\n> more',
  '---',
  '     ```',
  '> ```',
  '~~~',
  '👩‍👩‍👧‍👦🏳️‍🌈👍🏽',
  '売上は前年比で増加しました。',
  'مرحبا بالعالم',
  'photo\u202egnp.exe \u2066x\u2069 \u200f\u200e',
  'a\u0000b\u001b[2J\r\nc\rd',
  '\ud800',
  'é́́́',
);
const word = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
  { weight: 2, arbitrary: oddPieces },
);
const sentence = fc.array(word, { maxLength: 30 }).map((words) => words.join(' '));
const fence = fc
  .tuple(
    fc.constantFrom('```', '````', '~~~', '   ```'),
    fc.constantFrom('', 'python'),
    fc.array(sentence, { maxLength: 20 }),
  )
  .map(([marker, info, lines]) => `${marker}${info}\n${lines.join('\n')}\n${marker}`);
const tableText = fc
  .array(fc.tuple(word, word), { minLength: 1, maxLength: 30 })
  .map((rows) => rows.map((row) => `| ${row.map((cell) => cell.replace(/[|\n\r]/g, '')).join(' | ')} |`))
  .map(([head, ...rows]) => [head, '| --- | --- |', ...rows].join('\n'));
const longWord = fc
  .tuple(fc.constantFrom('x', '数', '👍🏽', '`', '[', '@here', '](', '\u200f'), fc.integer({ min: 1, max: 14_000 }))
  .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)));

export const anyText = fc.oneof(sentence, fc.string({ unit: 'binary', maxLength: 60 }), oddPieces);

/** Up to about 100,000 characters. */
export const anyMarkdown = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: sentence },
        { weight: 2, arbitrary: fence },
        { weight: 2, arbitrary: tableText },
        { weight: 1, arbitrary: longWord },
      ),
      { maxLength: 12 },
    ),
    fc.constantFrom('\n', '\n\n'),
    fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 60 }) }),
  )
  .map(([blocks, gap, times]) => `${blocks.join(gap)}${gap}`.repeat(times).slice(0, 100_000));

const cellValue = fc.oneof(
  fc.constantFrom<string | number | boolean | null>('', ' ', null, true, 0, -0, 1e300, Number.NaN, Infinity),
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  anyText,
);

export const anyTable: fc.Arbitrary<TableData> = fc
  .record({
    columns: fc.array(
      fc.record({ name: anyText, type: fc.constantFrom('text' as const, 'number' as const, 'date' as const) }),
      { maxLength: 24 },
    ),
    rows: fc.oneof(
      fc.array(fc.array(cellValue, { maxLength: 6 }), { maxLength: 6 }),
      fc
        .tuple(fc.integer({ min: 0, max: 100 }), fc.array(cellValue, { maxLength: 22 }))
        .map(([n, row]) => Array.from({ length: n }, () => row)),
    ),
    more: fc.oneof(fc.constant(0), fc.nat()),
  })
  .map(({ columns, rows, more }) => ({ columns, rows, rowCount: rows.length + more }));

/** Charts that fit Slack in every way, most of them spoiled in one way or another. */
export const anyChart: fc.Arbitrary<ChartData> = fc
  .record({
    type: fc.constantFrom('line' as const, 'bar' as const, 'pie' as const),
    texts: fc.tuple(anyText, anyText, anyText),
    places: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 7 }),
    names: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 4 }),
    value: fc.double({ min: 0.5, max: 1e9, noNaN: true }),
    spoil: fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 1 }),
    odd: fc.tuple(anyText, cellValue, fc.constantFrom('log' as const, 'other' as const, 'date' as const)),
  })
  .map(({ type, texts, places, names, value, spoil: [spoil = -1], odd }) => {
    const oddValue = typeof odd[1] === 'boolean' ? null : odd[1];
    const x =
      spoil === 0
        ? [...places, places[0] ?? '']
        : spoil === 1
          ? [...places, odd[0]]
          : spoil === 2
            ? places.map(() => oddValue)
            : places;
    const shown = spoil === 3 ? Array.from({ length: 25 }, (_, index) => index) : x;
    const series = (
      spoil === 4
        ? [...names, names[0] ?? '']
        : spoil === 5
          ? [...names, odd[0]]
          : type === 'pie'
            ? names.slice(0, 1)
            : names
    ).map((name) => ({
      name,
      x: shown,
      y: shown.map((_, index) =>
        index === 0 && spoil >= 6 && spoil <= 8 ? ([0, -1, Number.NaN][spoil - 6] ?? null) : value,
      ),
    }));
    return {
      type: spoil === 9 ? ('scatter' as const) : type,
      title: texts[0],
      xLabel: texts[1],
      yLabel: texts[2],
      xUnit: null,
      yUnit: null,
      xScale: spoil === 10 ? odd[2] : ('category' as const),
      yScale: spoil === 11 ? odd[2] : ('linear' as const),
      series:
        spoil === 12 ? [] : spoil === 13 ? [...series, ...series.map((one) => ({ ...one, x: [], y: [] }))] : series,
    };
  });

export const anyArtifact: fc.Arbitrary<Artifact> = fc
  .record({
    kind: fc.constantFrom('chart' as const, 'table' as const, 'file' as const),
    title: anyText,
    name: fc.oneof(
      fc.stringMatching(/^[a-z]{1,8}\.(?:png|csv)$/),
      anyText.map((text) => `${text}.csv`.slice(-200)),
    ),
    altText: anyText,
    table: fc.option(anyTable),
    chart: fc.option(anyChart),
  })
  .map(({ kind, title, name, altText, table, chart }) => ({
    kind,
    title,
    file: { name, mimeType: 'image/png', sizeBytes: 1, sha256: '' },
    altText,
    table: kind === 'table' ? table : null,
    chart: kind === 'chart' ? chart : null,
  }));

const status = fc.constantFrom<ExecutionStatus>('ok', 'error', 'timeout', 'out-of-memory', 'cancelled', 'lost');

export const anyReply: fc.Arbitrary<Reply> = fc.record({
  taskId: fc.oneof(
    fc.constant('slack-T1-C1-1700000000.000100'),
    fc.integer({ min: 1, max: 2100 }).map((n) => 'x'.repeat(n)),
  ),
  outcome: fc.constantFrom('answered' as const, 'partial' as const, 'failed' as const, 'cancelled' as const),
  text: anyMarkdown,
  artifacts: fc.array(anyArtifact, { maxLength: 8 }),
  notices: fc.array(anyText, { maxLength: 6 }),
  code: fc.array(fc.record({ title: anyText, source: anyText, status, durationMs: fc.nat() }), { maxLength: 2 }),
});

export const anyCell: fc.Arbitrary<Cell> = fc
  .record({
    index: fc.nat(),
    title: anyText,
    source: fc.oneof(anyText, anyMarkdown),
    status,
    stdout: fc.oneof(fc.constant(''), anyMarkdown),
    error: fc.option(fc.record({ name: anyText, message: anyText, traceback: anyText })),
    durationMs: fc.nat(),
  })
  .map(({ index, title, source, status: ended, stdout, error, durationMs }) => ({
    taskId: 't',
    index,
    title,
    source,
    seed: null,
    startedAtMs: 0,
    execution: {
      status: ended,
      stdout,
      stdoutSha256: null,
      stderr: '',
      results: [],
      error,
      stateKept: true,
      files: [],
      durationMs,
    },
  }));
