import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { tableWords } from '../../adapters/table-words.ts';
import { anyTable, anyText } from '../fakes/any-reply.ts';

it('says size, columns and first rows, as many as there is room for', () => {
  const table = {
    columns: [
      { name: 'Unnamed: 0', type: 'number' as const },
      { name: 'Region', type: 'text' as const },
    ],
    rows: [
      [1.23456789, 'North'],
      [null, 'a\nb'],
    ],
    rowCount: 1234,
  };
  expect(tableWords('Sales', table, 1024)).toBe(
    'Table “Sales”: 1,234 rows, 2 columns: column 1, Region. Row 1: column 1 1.2346, Region North. Row 2: column 1 –, Region a b.',
  );
  expect(tableWords('Sales', table, 100)).toBe(
    'Table “Sales”: 1,234 rows, 2 columns: column 1, Region. Row 1: column 1 1.2346, Region North.',
  );
  const wide = {
    ...table,
    columns: Array.from({ length: 40 }, (_, index) => ({ name: `metric ${index}`, type: 'number' as const })),
  };
  expect(tableWords('', wide, 300)).toMatch(
    /^Table: 1,234 rows, 40 columns: metric 0, .* and \d+ more\. Row 1: metric 0 1\.2346,.*…$/,
  );
});

it('never takes more than it may, whatever the table holds', () => {
  fc.assert(
    fc.property(anyText, anyTable, fc.integer({ min: 1, max: 2000 }), (title, table, max) => {
      const words = tableWords(title, table, max);
      expect(words.length).toBeLessThanOrEqual(max);
      expect(words).not.toMatch(/[\n\r\u202a-\u202e]/);
    }),
  );
});
