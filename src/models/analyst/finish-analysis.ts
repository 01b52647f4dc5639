import type { AnalysisParts } from './analysis-parts.ts';
import { timeColumn, timeDimension } from './cards.ts';
import type { Files, Table } from './cards.ts';
import { isLevel } from './measures.ts';
import { columnsOf, isTime } from './named-columns.ts';
import type { Reading } from './parse-analysis.ts';
import { plainStyle } from './plan.ts';
import type { AnalysisPlan, Dimension, Filter, Grain } from './plan.ts';
import { baseFor, isIn, sourceFor } from './source.ts';

interface Draft extends AnalysisParts {
  readonly reading: Reading;
  readonly files: Files;
  readonly filters: readonly Filter[];
}

/** Fills what follows from measures, dimensions and filters: source, ranking, share, growth, newest period, kind of display. */
export function finishAnalysis(draft: Draft): AnalysisPlan {
  const { reading, files, measures, aggregate } = draft;
  const measuredColumn = measures[0]?.columns[0];
  const measured =
    draft.counted ??
    files.tables.find((candidate) => measuredColumn !== undefined && isIn(measuredColumn, candidate)) ??
    reading.table;
  const asked = [
    ...measures.flatMap((measure) => measure.columns),
    ...draft.dimensions.map(({ column }) => column),
    ...draft.filters.flatMap(columnsOf),
  ];
  const { table, flipped } = baseFor(measured, asked, files.tables);
  const repeats = flipped
    ? [`Each row of ${measured.ref.table} counts once for every row of ${table.ref.table} that belongs to it.`]
    : [];
  let { compute } = reading;
  let dimensions = splitByValues(draft.dimensions, draft.filters);
  let { filters } = draft;
  let focus: readonly string[] = [];
  const first = measures[0];

  const valueFilter = filters.find(
    (filter) => filter.kind === 'values' && filter.columns.length === 1 && !filter.exclude,
  );
  if (compute === 'share' && dimensions.length === 0 && valueFilter?.kind === 'values') {
    dimensions = valueFilter.columns.map((column) => ({ column, grain: null }));
    filters = filters.filter((filter) => filter !== valueFilter);
    focus = valueFilter.values;
  }
  if (compute === 'share' && dimensions.length === 0) compute = 'value';
  const time = timeDimension(table);
  const hasTime = dimensions.some(isTime);
  if (compute === 'growth' || compute === 'change') {
    if (!hasTime && time !== null)
      dimensions = [
        ...dimensions.slice(0, 1),
        {
          ...time,
          grain: time.column.role === 'date' ? (compute === 'growth' ? growthGrain(table) : time.grain) : null,
        },
      ];
    if (dimensions.length === 1) compute = dimensions.some(isTime) ? 'change' : 'value';
    else if (dimensions.some(isTime))
      dimensions = dimensions.toSorted((left, right) => Number(isTime(left)) - Number(isTime(right)));
    else compute = 'value';
  }
  const timed = filters.some(
    (filter) =>
      filter.kind === 'dates' || filter.kind === 'month' || ('column' in filter && filter.column.role === 'year'),
  );
  const usesTime = dimensions.some(isTime);
  const latest =
    first !== undefined &&
    isLevel(first) &&
    time !== null &&
    !usesTime &&
    !timed &&
    (reading.aggregate === null || reading.aggregate === 'sum')
      ? time
      : null;
  const { superlative } = reading;
  const top =
    reading.top ??
    (superlative !== null && dimensions.length === 1 && !usesTime
      ? { count: 10, order: superlative }
      : superlative !== null && compute === 'growth'
        ? { count: 10, order: superlative }
        : null);
  const extreme =
    dimensions.length === 0 && superlative !== null && reading.aggregate === null
      ? superlative === 'desc'
        ? 'max'
        : 'min'
      : aggregate;
  const columns = [
    ...measures.flatMap((measure) => measure.columns),
    ...dimensions.map(({ column }) => column),
    ...filters.flatMap(columnsOf),
  ];
  return {
    kind: 'analysis',
    source: sourceFor(table, columns, files.tables),
    filters,
    measures,
    aggregate: extreme,
    dimensions,
    top,
    compute,
    latest,
    focus,
    show: displayOf(reading),
    style: { ...plainStyle, ...reading.style.style },
    assumptions: [...new Set([...draft.assumptions, ...repeats])],
  };
}

/** Years where the file covers at least two of them, else months: the first and the last are compared. */
function growthGrain(table: Table): Grain {
  const card = timeColumn(table)?.card;
  const days = (Date.parse(String(card?.max)) - Date.parse(String(card?.min))) / 86_400_000;
  return days >= 700 ? 'year' : 'month';
}

function displayOf(reading: Reading): AnalysisPlan['show'] {
  if (reading.style.asTable || /\bpivot\b/i.test(reading.question)) return 'table';
  if (reading.style.style.type !== undefined || /\b(?:chart|plot|graph|draw|visuali[sz]e)\b/i.test(reading.question))
    return 'chart';
  return 'both';
}

/** "Germany and France over the years": the values that are compared become the series. */
function splitByValues(dimensions: readonly Dimension[], filters: readonly Filter[]): readonly Dimension[] {
  const several = filters.find((filter) => filter.kind === 'values' && filter.values.length > 1 && !filter.exclude);
  const column = several?.kind === 'values' ? several.columns[0] : undefined;
  if (
    column === undefined ||
    dimensions.length > 1 ||
    dimensions.some((dimension) => dimension.column.name === column.name)
  )
    return dimensions;
  return [...dimensions, { column, grain: null }];
}
