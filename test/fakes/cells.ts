import type { CellRecord } from '../../src/types.ts';

/** What a cell leaves that ran well and said nothing. */
export const plainRecord: CellRecord = {
  status: 'ok',
  stdout: '',
  stdoutSha256: null,
  stderr: '',
  results: [],
  error: null,
  stateKept: true,
  files: [],
  durationMs: 1,
};
