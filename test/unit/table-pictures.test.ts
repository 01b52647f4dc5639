import { describe, expect, it } from 'vitest';
import { toCellRecord } from '../../src/conversation/cell-record.ts';
import { compareExecutions } from '../../src/conversation/replay-comparison.ts';
import { tableMime, tablePictureMime } from '../../src/types.ts';
import type { Cell, Execution } from '../../src/types.ts';
import { executionOf } from '../fakes/fake-session.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';

/** Drawn for chats: what a cell gave is the table. */
describe('a picture of a table is no part of what a cell gave', () => {
  const table = { columns: [{ name: 'a', type: 'number' }], rows: [[1]], rowCount: 1 };
  const shows = (picture: Uint8Array | null, csv = 'a\r\n1\r\n'): Execution =>
    executionOf({
      results: [{ [tableMime]: table, 'text/csv': csv, ...(picture === null ? {} : { [tablePictureMime]: picture }) }],
    });
  const compared = async (before: Execution, now: Execution) => {
    const { record } = await toCellRecord(before);
    const cell: Cell = { taskId: 't', index: 0, title: '', source: '', seed: null, startedAtMs: 1, execution: record };
    return compareExecutions(cell, now, createMemoryBlobs(), async () => false);
  };

  it('is not recorded', async () => {
    const { record, parts } = await toCellRecord(shows(Uint8Array.from([1])));
    expect(record.results.map((result) => Object.keys(result))).toEqual([[tableMime, 'text/csv']]);
    expect(parts.size).toBe(2);
  });

  it('a replay with another one, or in an image that draws none, gave the same', async () => {
    const [one, other] = [Uint8Array.from([1]), Uint8Array.from([2])];
    for (const [before, now] of [
      [one, other],
      [one, null],
      [null, one],
    ] as const) {
      expect(await compared(shows(before), shows(now))).toEqual([]);
    }
    expect(await compared(shows(one), shows(one, 'a\r\n2\r\n'))).toEqual([{ kind: 'table', number: 1 }]);
  });
});
