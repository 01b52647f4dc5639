import type { CellRecord, Execution } from '../types.ts';

/** Text kept of one cell's output, in characters: enough to show and to compare a replay with. */
const keptCharacters = 65_536;

/** An execution as it is stored: results are blobs elsewhere, text is capped. */
export function toCellRecord(execution: Execution): CellRecord {
  const { status, stdout, stderr, error, files, durationMs } = execution;
  return { status, stdout: cap(stdout), stderr: cap(stderr), results: [], error, files, durationMs };
}

function cap(text: string): string {
  return text.length <= keptCharacters ? text : text.slice(0, keptCharacters).toWellFormed();
}
