import { describe, expect, it } from 'vitest';
import { coverageLine, withCoverage } from '../../src/answer/coverage.ts';
import { parseLedger, takeLedger } from '../../src/answer/row-ledger.ts';
import type { LedgerPage, LedgerSource, LedgerStep } from '../../src/answer/row-ledger.ts';
import { ledgerMime } from '../../src/types.ts';
import type { Execution } from '../../src/types.ts';

const source = (changes: Partial<LedgerSource> = {}): LedgerSource => ({
  id: 1,
  file: 'orders.csv',
  table: 'orders',
  rows: 12_440,
  loaded: 12_440,
  rejected: 0,
  lines: [],
  uncounted: false,
  ...changes,
});

const nine = source({ loaded: 12_431, rejected: 9, lines: [88, 91, 102, 140, 205, 311, 400, 512, 601] });

const step = (op: LedgerStep['op'], before: number, after: number, changes: Partial<LedgerStep> = {}): LedgerStep => ({
  op,
  source: 1,
  before,
  after,
  lost: Math.max(0, before - after),
  names: [],
  matched: null,
  extra: 0,
  ...changes,
});

const page = (sources: readonly LedgerSource[], ...steps: readonly LedgerStep[]): LedgerPage => ({
  sources,
  steps,
  more: 0,
});

const join = (matched: number, before: number, extra = 0): LedgerStep =>
  step('join', before, before + extra, { names: ['customer'], matched, extra, lost: 0 });

describe('the line about rows', () => {
  it('says in three words that nothing was lost', () => {
    expect(coverageLine([page([source()])])).toBe('All rows used.');
    const whole = [step('groupby', 12_440, 12_440), join(12_440, 12_440), step('dedupe', 12_440, 12_440)];
    expect(coverageLine([page([source()], ...whole)])).toBe('All rows used.');
  });

  it('says nothing where no table was loaded and no row lost', () => {
    expect(coverageLine([])).toBeNull();
    expect(coverageLine([page([], step('concat', 4, 4, { source: null }))])).toBeNull();
  });

  it('names rejected lines and what a join matched', () => {
    expect(coverageLine([page([nine], join(11_959, 12_431))])).toBe(
      'Used 12,431 of 12,440 rows (9 rejected: lines 88, 91, 102 …); join on customer matched 96.2 %.',
    );
    const one = source({ rows: 10, loaded: 9, rejected: 1, lines: [4] });
    expect(coverageLine([page([one])])).toBe('Used 9 of 10 rows (1 rejected: line 4).');
  });

  it('counts drops from the whole table as unused, one after the other, and others behind', () => {
    const dropped = step('dropna', 12_431, 12_428, { names: ['amount'] });
    const doubles = step('dedupe', 12_428, 12_426);
    const kept = step('filter', 12_426, 4_100);
    const last = step('dedupe', 4_100, 4_099, { names: ['id'] });
    expect(coverageLine([page([nine], dropped, doubles), page([nine], kept, last)])).toBe(
      'Used 12,426 of 12,440 rows (9 rejected: lines 88, 91, 102 …; dropped 3 with missing amount; dropped 2 duplicates); ' +
        'filter kept 4,100 of 12,426; dropped 1 duplicate by id.',
    );
  });

  it('says a filter as what it kept, several of them together', () => {
    const filters = [4_100, 300, 12, 9_000].map((after) => step('filter', 12_440, after));
    expect(coverageLine([page([source()], ...filters.slice(0, 1))])).toBe('Filter kept 4,100 of 12,440.');
    expect(coverageLine([page([source()], ...filters.slice(0, 3))])).toBe('Filters kept 4,100, 300 and 12 of 12,440.');
    expect(coverageLine([page([source()], ...filters)])).toBe('4 filters kept 12 to 9,000 of 12,440.');
  });

  it('does not speak of groups and sums that were filtered, but of tables of code as large as the file', () => {
    const loose = { source: null };
    const groups = [step('filter', 12, 3, loose), step('dropna', 8, 2, loose), step('concat', 20, 10, loose)];
    expect(coverageLine([page([source()], ...groups)])).toBe('All rows used.');
    expect(coverageLine([page([source()], step('filter', 20_000, 9_000, loose))])).toBe('Filter kept 9,000 of 20,000.');
    expect(coverageLine([page([], step('filter', 12, 3, loose))])).toBe('Filter kept 3 of 12.');
  });

  it('counts the same step of two cells once', () => {
    const again = page([nine], step('filter', 12_431, 4_100));
    expect(coverageLine([again, again, page([{ ...nine, id: 7 }], step('filter', 12_431, 4_100, { source: 7 }))])).toBe(
      'Used 12,431 of 12,440 rows (9 rejected: lines 88, 91, 102 …); filter kept 4,100 of 12,431.',
    );
  });

  it('says joins that add rows, never rounds to all or none, and what grouping left out', () => {
    const steps = [join(12_439, 12_440, 3), step('groupby', 12_440, 12_435, { names: ['region', 'day'] })];
    expect(coverageLine([page([source()], ...steps)])).toBe(
      'Join on customer matched 99.9 %; join on customer added 3 rows (repeated keys); ' +
        'grouping left out 5 with missing region or day.',
    );
    expect(coverageLine([page([source()], step('sample', 12_440, 500))])).toBe('Sample of 500 from 12,440.');
    expect(coverageLine([page([source()], join(1, 12_440))])).toBe('Join on customer matched under 0.1 %.');
    expect(coverageLine([page([source()], join(0, 12_440))])).toBe('Join on customer matched 0 %.');
  });

  it('names several tables in brief, and lines that pandas skipped without counting', () => {
    const other = source({ id: 2, file: 'book.xlsx', table: 'May_1', rows: 5, loaded: 5 });
    const third = source({ id: 3, file: 'book.xlsx', table: 'June', rows: 7, loaded: 6, rejected: 1, lines: [3] });
    expect(coverageLine([page([nine, other])])).toBe(
      'Used 12,431 of 12,440 rows of orders.csv (9 rejected: lines 88, 91, 102 …) and all of book.xlsx.',
    );
    expect(coverageLine([page([other, third])])).toBe(
      String.raw`Used 6 of 7 rows of book.xlsx / June (1 rejected: line 3) and all of book.xlsx / May\_1.`,
    );
    expect(coverageLine([page([source({ uncounted: true })])])).toBe(
      'Used 12,440 of 12,440 rows (read in part: lines were skipped, uncounted).',
    );
  });

  it('keeps names from the file from acting in the message', () => {
    const line = coverageLine([page([source()], step('dropna', 12_440, 12_439, { names: ['<@U1>\n**now**'] }))]);
    expect(line).toContain(String.raw`missing \<@U1\> \*\*now\*\*`);
  });

  it('stays short and says that there was more', () => {
    const many = Array.from({ length: 9 }, (_, index) => step('groupby', 100 + index, 99 + index, { names: ['k'] }));
    const line = coverageLine([{ ...page([source()], ...many), more: 4 }]) ?? '';
    expect(line).toMatch(/; and 7 more steps\.$/);
    expect(line.length).toBeLessThan(400);
  });

  it('is put behind an answer, but for one that has such a line already', () => {
    expect(withCoverage('The total is 5.\n', [page([source()])])).toBe('The total is 5.\n\nAll rows used.');
    expect(withCoverage('Hello.', [])).toBe('Hello.');
    for (const own of ['Total: 5.\n\nRows used: 5 of 6. Not used: …', 'Total: 5.\n\nAll rows used.'])
      expect(withCoverage(own, [page([nine])])).toBe(own);
  });
});

describe('the ledger from the sandbox', () => {
  const json = { sources: [nine], steps: [join(5, 6)], more: 0 };

  it('is parsed as what anyone may have written', () => {
    expect(parseLedger(json)).toEqual(json);
    for (const bad of [null, 5, 'x', [], {}, { ...json, more: -1 }, { ...json, sources: 'x' }])
      expect(parseLedger(bad)).toBeNull();
    const half = { sources: [{ ...nine, rows: 1.5 }, nine], steps: [{ op: 'format disk' }, join(5, 6)], more: 0 };
    expect(parseLedger(half)).toEqual(json);
    const huge = Array.from({ length: 500 }, (_, index) => step('filter', index + 1, index));
    expect(parseLedger({ ...json, steps: huge })?.steps).toHaveLength(100);
    expect(parseLedger({ ...json, steps: Array.from({ length: 9000 }, () => join(1, 2)) })).toBeNull();
  });

  it('is taken out of the results; only the last one is believed', () => {
    const results = [{ [ledgerMime]: { ...json, more: 3 } }, { 'text/plain': '5' }, { [ledgerMime]: json }];
    const execution = { status: 'ok', results } as unknown as Execution;
    const taken = takeLedger(execution);
    expect(taken.execution.results).toEqual([{ 'text/plain': '5' }]);
    expect(taken.ledger).toEqual(json);
    expect(takeLedger({ ...execution, results: execution.results.slice(0, 2) }).ledger).toBeNull();
  });
});
