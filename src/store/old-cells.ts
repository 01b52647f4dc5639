interface OldCell {
  readonly execution: {
    readonly status: string;
    readonly error: { readonly name: string; readonly message: string } | null;
    readonly files: readonly object[];
    readonly durationMs: number;
  };
}

/**
 * The stored JSON of a cell with what later versions keep of one. What was not kept is marked as unknown: no seed, the clock 0
 * (a replay then takes the real time and compares no results), no formulas looked for in its files.
 */
export function asRepeatableCell(json: string): string {
  const cell = JSON.parse(json) as OldCell;
  const files = cell.execution.files.map((file) => ({ formulas: null, ...file }));
  return JSON.stringify({ ...cell, seed: null, startedAtMs: 0, execution: { ...cell.execution, results: [], files } });
}

/**
 * The same with what became of its Python process, which the error's words of that time tell, and with no hash of what it printed:
 * then only the beginning that was kept is compared.
 */
export function asCellWithItsEnd(json: string): string {
  const cell = JSON.parse(json) as OldCell;
  const execution = { ...cell.execution, stdoutSha256: null, stateKept: stateKeptIn(cell.execution) };
  return JSON.stringify({ ...cell, execution });
}

function stateKeptIn({ status, error, durationMs }: OldCell['execution']): boolean | null {
  switch (status) {
    case 'ok':
      return true;
    case 'error':
      return error?.name !== 'KernelDied';
    case 'timeout':
    case 'cancelled':
      return durationMs === 0 || error?.message.includes('Variables are kept') === true;
    case 'out-of-memory':
      return error?.message.includes('the whole sandbox ended') === true ? null : false;
    default:
      return null;
  }
}
