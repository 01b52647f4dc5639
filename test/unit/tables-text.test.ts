import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, fitToWidth } from '../../adapters/display-width.ts';
import { cellText, tableText } from '../../adapters/table-text.ts';
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
