interface OldCell {
  readonly execution: { readonly files: readonly object[] };
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
