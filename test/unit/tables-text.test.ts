import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, fitToWidth } from '../../adapters/display-width.ts';
import { tablesAsCode } from '../../adapters/markdown-tables.ts';
import { cellText, recordsText, tableText } from '../../adapters/table-text.ts';
import type { TableData } from '../../src/types.ts';

const limits = { maxRows: 15, maxWidth: 60, maxCellWidth: 24, maxCharacters: 3000 };

test.each([
  ['abc', 3],
  ['ä', 1],
  ['e\u0301', 1],
  ['日本語', 6],
  ['한국', 4],
  ['ｱ', 1],
  ['Ａ', 2],
  ['😀', 2],
  ['👩‍🔬', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['مرحبا', 5],
  ['', 0],
])('%s is drawn %i columns wide', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('columns line up: text to the left, numbers to the right, wide characters counted double', () => {
  const table: TableData = {
    columns: [
      { name: 'city', type: 'text' },
      { name: 'people', type: 'number' },
    ],
    rows: [
      ['東京', 37_400_068],
      ['Ulm', 128.5],
      ['😀 x', null],
    ],
    rowCount: 3,
  };
  expect(tableText(table, limits)).toEqual({
    lines: ['city    people', '────  ────────', '東京  37400068', 'Ulm      128.5', '😀 x         –'],
    shownRows: 3,
    shownColumns: 2,
    leftOut: '',
  });
});

test('what is not shown is said', () => {
  const columns = Array.from({ length: 9 }, (_, index) => ({ name: `column number ${index}`, type: 'text' as const }));
  const rows = Array.from({ length: 100 }, () => columns.map(() => 'x'));
  const shown = tableText({ columns, rows, rowCount: 1234 }, limits);
  expect(shown.leftOut).toBe('First 15 of 1,234 rows, 3 of 9 columns');
  expect(shown.lines).toHaveLength(17);
});

test.each([
  [1, '1'],
  [1234567.891, '1234567.891'],
  [0.1 + 0.2, '0.3'],
  [2 / 3, '0.6667'],
  [1e-9, '1e-9'],
  [1e21, '1e+21'],
  [true, 'true'],
  [null, '–'],
  ['a\n\tb', 'a b'],
])('%s is shown as %s', (cell, text) => {
  expect(cellText(cell)).toBe(text);
});

test('any table keeps to its width, characters and rows', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constant('漢字😀'.repeat(30)),
  );
  const table = fc.record({
    columns: fc.array(
      fc.record({ name: fc.string({ unit: 'grapheme' }), type: fc.constantFrom('text' as const, 'number' as const) }),
      { minLength: 1, maxLength: 8 },
    ),
    rows: fc.array(fc.array(cell, { maxLength: 8 }), { maxLength: 20 }),
    rowCount: fc.nat(),
  });
  fc.assert(
    fc.property(table, (data) => {
      const shown = tableText(data, limits);
      expect(shown.shownRows).toBeLessThanOrEqual(limits.maxRows);
      expect(shown.shownColumns).toBeGreaterThanOrEqual(1);
      for (const line of shown.lines) {
        expect(displayWidth(line)).toBeLessThanOrEqual(limits.maxWidth);
        expect(line).not.toContain('\n');
      }
      expect(shown.lines.join('\n').length).toBeLessThanOrEqual(limits.maxCharacters);
    }),
  );
});

test('cut text fits and ends in an ellipsis', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.integer({ min: 1, max: 20 }), (text, width) => {
      const cut = fitToWidth(text, width);
      expect(displayWidth(cut)).toBeLessThanOrEqual(Math.max(1, width));
      expect(displayWidth(text) > width ? cut.endsWith('…') : cut === text).toBe(true);
    }),
  );
});

test('row by row, each cell stands behind its column; rows that do not fit are left out and counted', () => {
  const columns = ['city', '人口'].map((name) => ({ name, type: 'text' as const }));
  const rows = [
    ['Ulm', 128],
    ['a rather long name', null],
  ];
  const table: TableData = { columns, rows, rowCount: 7 };
  const all = recordsText(table, { maxRows: 5, maxCellWidth: 10, maxCharacters: 500 });
  expect(all.lines).toEqual(['city: Ulm', '人口: 128', '', 'city: a rather …', '人口: –']);
  expect(all.leftOut).toBe('First 2 of 7 rows');
  expect(recordsText(table, { maxRows: 5, maxCellWidth: 10, maxCharacters: 20 }).shownRows).toBe(1);
});

test.each([
  ['before\n| a | n |\n|---|--:|\n| x | 1 |\nafter', 'before\n```\na  n\n─  ─\nx  1\n```\nafter'],
  ['a | b\n--- | ---\n**x** | `y`', '```\na  b\n─  ─\nx  y\n```\n'],
  ['| a |\n|---|\n| [l](https://a.b) |', '```\na\n───────────────\nl (https://a.b)\n```\n'],
  ['| n |\n|---|\n| 1,000 |\n| 5 % |', '```\n    n\n─────\n1,000\n  5 %\n```\n'],
  ['```\n| a | b |\n| - | - |\n```', '```\n| a | b |\n| - | - |\n```'],
  ['title | more\n---\ntext', 'title | more\n---\ntext'],
  ['| a | b |\n| - | - |\n', '```\na  b\n─  ─\n```\n'],
])('%j of Markdown becomes an aligned code block where it is a table', (markdown, expected) => {
  expect(tablesAsCode(markdown, 40)).toBe(expected);
});

test('a wide table of Markdown goes row by row, a long one becomes several blocks with the same header', () => {
  const wide = '| first | second |\n|---|---|\n| a value | another value |';
  expect(tablesAsCode(wide, 20)).toBe('```\nfirst: a value\nsecond: another value\n```\n');
  const long = `| id |\n|---|\n${Array.from({ length: 500 }, (_, index) => `| row ${index} |`).join('\n')}`;
  const blocks = tablesAsCode(long, 40).split('```\n```');
  expect(blocks.length).toBeGreaterThan(2);
  for (const block of blocks) expect(block).toContain('id\n──');
});
