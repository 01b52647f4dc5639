/** One row of the performance table; the JSON that `npm run bench -- --json FILE` writes is a list of these. */
export interface Figure {
  readonly name: string;
  /** The median, again as `p50`. */
  readonly value: number;
  readonly unit: string;
  readonly p50: number;
  readonly p95: number;
  readonly n: number;
  /** The peer or the floor, measured in the same run. */
  readonly beside: { readonly name: string; readonly value: number };
  /** `value` over `beside.value`. */
  readonly ratio: number;
  readonly target: string;
  readonly ok: boolean;
}

/** `samples` and `besideSamples` are in `unit`; `maxValue` is the target for the median. */
export function figure(options: {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
  readonly besideName: string;
  readonly besideSamples: readonly number[];
  readonly maxValue: number;
}): Figure {
  const p50 = quantile(options.samples, 0.5);
  const besideValue = quantile(options.besideSamples, 0.5);
  return {
    name: options.name,
    value: round(p50),
    unit: options.unit,
    p50: round(p50),
    p95: round(quantile(options.samples, 0.95)),
    n: options.samples.length,
    beside: { name: options.besideName, value: round(besideValue) },
    ratio: round(p50 / besideValue),
    target: `p50 <= ${options.maxValue} ${options.unit}`,
    ok: p50 <= options.maxValue,
  };
}

/** The table as a person reads it. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'p50', 'p95', 'n', 'beside', 'ratio', 'target', ''],
    ...figures.map((row) => [
      row.name,
      `${row.p50} ${row.unit}`,
      `${row.p95} ${row.unit}`,
      String(row.n),
      `${row.beside.name}: ${row.beside.value} ${row.unit}`,
      `${row.ratio}x`,
      row.target,
      row.ok ? 'ok' : 'MISSED',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Linear interpolation between the two nearest ranks (the method of numpy's default). */
function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
