import { array, assert, constantFrom, nat, oneof, property, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameFor, safeFileName, uniqueFileName } from '../../src/answer/file-names.ts';

/** Names as senders can write them: any code units, separators, long stems, long extensions. */
const anyName = oneof(
  string({ unit: 'binary', maxLength: 400 }),
  array(constantFrom('.', '/', '\\', ' ', '\n', '..', 'é', '漢', '📊', '\u202e', '\ud800', 'a'), {
    maxLength: 300,
  }).map((parts) => parts.join('')),
  tuple(nat(400), nat(400)).map(([stem, extension]) => `${'s'.repeat(stem)}.${'x'.repeat(extension)}`),
);

function expectSafe(name: string): void {
  expect(Buffer.byteLength(name)).toBeGreaterThan(0);
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  expect(name).not.toMatch(/[/\\\0\n\r\u202a-\u202e]/);
  expect(name).not.toMatch(/^\./);
  expect(name.isWellFormed()).toBe(true);
}

describe('file names', () => {
  it('are one safe segment of at most 255 bytes, whatever came in', () => {
    expect.hasAssertions();
    assert(property(anyName, (name) => expectSafe(safeFileName(name))));
  });

  it('stay as they are when they are safe already', () => {
    assert(
      property(anyName, (name) => {
        expect(safeFileName(safeFileName(name))).toBe(safeFileName(name));
      }),
      { numRuns: 500 },
    );
    expect(safeFileName('Umsätze 2024 (final).xlsx')).toBe('Umsätze 2024 (final).xlsx');
    // The cut falls behind a dot.
    expect(safeFileName(`${'s'.repeat(254)}.${'x'.repeat(30)}`)).toBe('s'.repeat(254));
  });

  it('become unique and stay safe, however many are equal', () => {
    assert(
      property(array(anyName, { minLength: 1, maxLength: 4 }), (names) => {
        const taken = new Set<string>();
        for (const name of [...names, ...names, ...names]) {
          const unique = uniqueFileName(safeFileName(name), taken);
          expectSafe(unique);
          expect(taken.has(unique)).toBe(false);
          taken.add(unique);
        }
      }),
    );
  });

  it('keep their extension when they are cut or numbered', () => {
    expect(safeFileName(`${'x'.repeat(296)}.csv`)).toMatch(/^x{251}\.csv$/);
    expect(uniqueFileName('report.csv', new Set(['report.csv', 'report (2).csv']))).toBe('report (3).csv');
  });

  it('take no long time for long names of blanks and dots', () => {
    const startedAt = performance.now();
    expectSafe(safeFileName(`a${' .'.repeat(500_000)}b`));
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('are made from titles', () => {
    expect(fileNameFor('Revenue (EUR) by month!', 'png')).toBe('revenue-eur-by-month.png');
    expect(fileNameFor('***', 'csv')).toBe('result.csv');
    assert(property(anyName, (title) => expectSafe(fileNameFor(title, 'png'))));
  });
});
