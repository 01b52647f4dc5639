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

/** What a row promises. `over` is the median minus the median beside it; `ratio` is the median over the median beside it. */
export interface Target {
  readonly of: 'p50' | 'p95' | 'p99' | 'ratio' | 'over';
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A row of the table. `samples` and `besideSamples` are in `unit`; the row is `ok` where every target holds. */
export function figure(options: {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
  readonly besideName: string;
  readonly besideSamples: readonly number[];
  readonly targets: readonly Target[];
}): Figure {
  const p50 = quantile(options.samples, 0.5);
  const p95 = quantile(options.samples, 0.95);
  const besideValue = quantile(options.besideSamples, 0.5);
  const measured = {
    p50,
    p95,
    p99: quantile(options.samples, 0.99),
    ratio: p50 / besideValue,
    over: p50 - besideValue,
  };
  return {
    name: options.name,
    value: round(p50),
    unit: options.unit,
    p50: round(p50),
    p95: round(p95),
    n: options.samples.length,
    beside: { name: options.besideName, value: round(besideValue) },
    ratio: round(measured.ratio),
    target: options.targets.map((target) => describe(target, options)).join(', '),
    ok: options.targets.every(({ of, atMost = Infinity, atLeast = -Infinity }) => {
      return measured[of] <= atMost && measured[of] >= atLeast;
    }),
  };
}

/** A row that says how many of `of` things were right, in %, and how many the peer had right. */
export function shareFigure(options: {
  readonly name: string;
  readonly of: number;
  readonly right: number;
  readonly besideName: string;
  readonly besideRight: number;
  readonly atLeast: number;
}): Figure {
  const value = (100 * options.right) / options.of;
  const besideValue = (100 * options.besideRight) / options.of;
  return {
    name: options.name,
    value: round(value),
    unit: '%',
    p50: round(value),
    p95: round(value),
    n: options.of,
    beside: { name: options.besideName, value: round(besideValue) },
    ratio: round(value / besideValue),
    target: `>= ${options.atLeast} %`,
    ok: value >= options.atLeast,
  };
}

function describe(
  { of, atMost, atLeast }: Target,
  row: { readonly unit: string; readonly besideName: string },
): string {
  const unit = of === 'ratio' ? 'x' : ` ${row.unit}`;
  const what = of === 'over' ? `p50 over ${row.besideName}` : of;
  const bounds = [
    atMost === undefined ? '' : `<= ${atMost}${unit}`,
    atLeast === undefined ? '' : `>= ${atLeast}${unit}`,
  ];
  return `${what} ${bounds.filter((bound) => bound !== '').join(' and ')}`;
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
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
