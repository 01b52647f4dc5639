import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cardDetails, detailsMarkdown } from '../../src/answer/card-details.ts';
import { cardsLine, cardText } from '../../src/answer/card-text.ts';
import type { CardColumn, CardTable, FileCard } from '../../src/types.ts';
import { plainCard } from '../fakes/fake-sandbox.ts';

const card = (given: Partial<FileCard>): FileCard => ({ ...plainCard('a.csv'), warnings: [], ...given });
const warning = (code: string, message: string): FileCard['warnings'][number] => ({
  code,
  message,
  table: null,
  line: null,
});
const rejected = (...lines: readonly (readonly [number, string])[]): Pick<FileCard, 'rejected' | 'rejected_count'> => ({
  rejected: lines.map(([line, reason]) => ({ table: 'a', line, reason })),
  rejected_count: lines.length,
});

describe('cardText', () => {
  it('says nothing about a sound file, nor about one that the answer itself must refuse', () => {
    expect(cardText(card({}))).toBeNull();
    expect(cardText(card({ warnings: [warning('constant-column', 'Year is 2024 in every row.')] }))).toBeNull();
    expect(cardText(card({ ok: false, error: 'It is locked.', warnings: [warning('totals-row', 'x')] }))).toBeNull();
  });

  it('names rejected lines with their reasons, equal ones together', () => {
    const text = cardText(card(rejected([7, 'has 5 fields'], [9, 'has 5 fields'], [12, 'is a comment'])));
    expect(text).toContain('• 3 lines could not be loaded: lines 7 and 9 have 5 fields; line 12 is a comment.');
    expect(cardText(card(rejected([7, 'is a comment'])))).toContain(
      '• 1 line could not be loaded: line 7 is a comment.',
    );
  });

  it('counts the rejected lines that it does not name', () => {
    const many = rejected(...Array.from({ length: 12 }, (_, index) => [index, 'is a comment'] as const));
    expect(cardText(card({ ...many, rejected_count: 1234 }))).toMatch(/1,234 lines .*and 1,226 more\.$/m);
  });

  it('is at most five short lines, the gravest first, and counts the rest', () => {
    const warnings = [
      'cells-outside',
      'date-order',
      'duplicate-rows',
      'totals-row',
      'instruction-like-text',
      'sampled',
    ].map((code) => warning(code, `${code} ${'x'.repeat(500)}`));
    const lines = cardText(card({ warnings }))?.split('\n') ?? [];
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(/instruction-like-text/);
    expect(lines[4]).toBe('• and 3 more in the details.');
    for (const line of lines) expect(line.length).toBeLessThan(320);
  });

  it('says numbers as a person would', () => {
    const said = (message: string): string | null => cardText(card({ warnings: [warning('duplicate-rows', message)] }));
    expect(said('1 row(s) repeat an earlier row (line 3).')).toContain('• 1 row repeats an earlier row');
    expect(said('2 row(s) repeat an earlier row (line 3).')).toContain('• 2 rows repeat an earlier row');
    expect(
      cardText({ ...plainCard('a.csv'), tables: [{ ...plainCard('a.csv').tables[0]!, rows: 1, columns: 1 }] }),
    ).toMatch(/^`a.csv` \(1 row × 1 column\)/);
  });

  it('does not call a file without tables a table', () => {
    const zip = card({
      file: 'photos.zip',
      kind: 'zip',
      tables: [],
      warnings: [warning('not-read', 'a.png: damaged')],
    });
    expect(cardText(zip)).toMatch(/^`photos.zip`, before I use it:\n• a.png: damaged$/);
  });

  it('says the same finding on several lines once', () => {
    const warnings = [
      warning('mixed-encoding', 'Line 3 is in another encoding.'),
      warning('mixed-encoding', 'The same on line 9.'),
    ];
    expect(cardText(card({ warnings }))?.split('\n')).toHaveLength(2);
  });

  it('knows only warnings that the intake gives', () => {
    const folder = new URL('../../sandbox/python/plotline/intake/', import.meta.url);
    const intake = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.py') && !name.endsWith('line_budget.py'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const source = readFileSync(new URL('../../src/answer/card-text.ts', import.meta.url), 'utf8');
    const codes = [
      ...(/worthSaying: readonly string\[\] = \[([^\]]+)\]/.exec(source)?.[1] ?? '').matchAll(/'([a-z-]+)'/g),
    ];
    expect(codes.length).toBeGreaterThan(10);
    for (const [, code] of codes) expect(intake).toContain(`"${code}"`);
  });
});

const column = (name: string, given: Partial<CardColumn> = {}): CardColumn => ({
  name,
  type: 'text',
  unit: null,
  missing: 0,
  distinct: 2,
  min: null,
  max: null,
  top: [],
  examples: [],
  ...given,
});
const table = (name: string, given: Partial<CardTable> = {}): CardTable => ({
  name,
  hidden: false,
  range: 'lines 1–4',
  rows: 3,
  columns: 1,
  header_rows: 1,
  columns_info: [],
  ...given,
});

const dates = column('day', {
  readings: [
    { reading: 'day-first', min: '2025-02-05', max: '2025-06-01', examples: ['03/04/2025 = 2025-04-03'] },
    { reading: 'month-first', min: '2025-01-06', max: '2025-05-02', examples: ['03/04/2025 = 2025-03-04'] },
  ],
});

describe('two readings', () => {
  const asked = (code: string, found: CardColumn): string | null =>
    cardText(
      card({
        tables: [table('a', { columns_info: [found] })],
        warnings: [{ code, message: `${found.name}: can be read in two ways`, table: 'a', line: null }],
      }),
    );

  it('are both shown, and the person is asked', () => {
    expect(asked('ambiguous-dates', dates)).toContain(
      '• day: 03/04/2025 may be 2025-04-03 or 2025-03-04, and no row decides. I keep these dates as text; tell me which it is.',
    );
  });

  it('of a mark say which one is taken', () => {
    const marked = (written: string, decimal: string, thousands: string): CardColumn =>
      column('v', {
        type: 'number',
        readings: [
          { reading: 'decimal', min: 1, max: 2, examples: [`${written} = ${decimal}`] },
          { reading: 'thousands', min: 1000, max: 2000, examples: [`${written} = ${thousands}`] },
        ],
      });
    expect(asked('ambiguous-decimals', marked('1.234', '1.234', '1234'))).toContain(
      'may be 1.234 or 1,234, and no row decides. I take it as 1.234;',
    );
    expect(asked('ambiguous-decimals', marked('1,234', '1.234', '1234'))).toContain(
      'may be 1.234 or 1,234, and no row decides. I take it as 1,234;',
    );
  });
});

describe('several tables', () => {
  it('are named with their findings', () => {
    const warnings = [
      {
        code: 'duplicate-rows',
        message: '1 row repeats an earlier row in every column (row 9).',
        table: 'Orders',
        line: 9,
      },
      { code: 'totals-row', message: 'Costs has a totals row.', table: 'Costs', line: 3 },
    ];
    const text = cardText(card({ file: 'b.xlsx', kind: 'xlsx', tables: [table('Orders'), table('Costs')], warnings }));
    expect(text?.split('\n')).toEqual([
      '`b.xlsx` (2 tables, 6 rows), before I use it:',
      '• Costs has a totals row.',
      '• Orders: 1 row repeats an earlier row in every column (row 9).',
    ]);
  });
});

describe('cardsLine', () => {
  const fine = card({ file: 'sales.xlsx', tables: [table('A', { rows: 1200, columns: 7 })] });
  const odd = plainCard('b.csv');
  const broken = card({ ok: false, error: 'It is locked.' });

  it('folds a file without findings into one line', () => {
    expect(cardsLine([fine])).toBe('sales.xlsx: 1,200 rows × 7 columns; nothing odd');
    expect(cardsLine([card({ file: 'a.bin', tables: [] })])).toBe('a.bin');
    const image = warning('not-a-table', 'An image (PNG), 20 × 10 pixels, 1.2 kB.');
    expect(cardsLine([card({ file: 'a.png', tables: [], warnings: [image] })])).toBe(
      'a.png: an image (PNG), 20 × 10 pixels, 1.2 kB',
    );
  });

  it('refers to what is said elsewhere', () => {
    expect(cardsLine([odd])).toBe('b.csv: 3 rows × 2 columns; see what I noticed');
    expect(cardsLine([broken])).toBe('a.csv: could not be read');
    expect(cardsLine([fine, odd, broken])).toBe(
      '3 files: 3 tables, 1,206 rows; 1 could not be read, something to know about 1 of them',
    );
  });
});

describe('cardDetails', () => {
  const whole = card({
    file: 'a*b.csv',
    size_bytes: 1234,
    dialect: { encoding: 'utf-8', delimiter: ';', quote: '"', escape: null },
    tables: [
      table('data', {
        header_rows: 2,
        columns: 3,
        columns_info: [
          column('amount', { type: 'number', unit: 'EUR', missing: 2, distinct: 1204, min: 1.5, max: 12345.678 }),
          column('region', {
            top: [
              { value: 'North', count: 1200 },
              { value: 'South_x_*', count: 2 },
            ],
          }),
          dates,
        ],
      }),
    ],
    warnings: [
      warning('constant-column', 'year is “2024” in every row.'),
      warning('mixed-encoding', '2 line(s) are not utf-8 and were read as cp1252: 3, 9.'),
      { ...warning('mixed-encoding', 'The same on line 9.'), line: 9 },
    ],
    ...rejected([7, 'has 5 fields'], [9, 'is a comment']),
    rejected_count: 2500,
  });

  it('holds everything: file, findings, rejected lines, columns, both readings', () => {
    expect(cardDetails(whole)).toEqual({
      file: 'a*b.csv',
      sections: [
        {
          title: 'File',
          lines: ['CSV, 1,234 bytes, 1 table', 'encoding utf-8, values between semicolons, quotes "'],
        },
        {
          title: 'What I noticed',
          lines: [
            '2,500 lines could not be loaded: line 7 has 5 fields; line 9 is a comment; and 2,498 more.',
            'year is “2024” in every row.',
            '2 lines are not utf-8 and were read as cp1252: 3, 9.',
          ],
        },
        {
          title: 'Could not be loaded: 2,500 lines',
          lines: ['line 7 has 5 fields', 'line 9 is a comment', 'and 2,498 more'],
        },
        {
          title: 'data: 3 rows × 3 columns, lines 1–4, 2 header rows',
          lines: [
            'amount: number in EUR; 1,204 different; 2 missing; 1.5 to 12,345.678',
            'region: text; 2 different; North (1,200), South_x_* (2)',
            'day: text; 2 different; two readings: day-first: 2025-02-05 to 2025-06-01, 03/04/2025 = 2025-04-03; or month-first: 2025-01-06 to 2025-05-02, 03/04/2025 = 2025-03-04',
          ],
        },
      ],
    });
  });

  it('is Markdown that shows the text of files as it is', () => {
    const text = detailsMarkdown(cardDetails(whole));
    expect(text).toMatch(/^`a\*b\.csv`\n\n\*\*File\*\*\n- CSV, 1,234 bytes/);
    expect(text).toContain('South_x\\_\\* (2)');
  });
});
