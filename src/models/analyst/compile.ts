import { labelOf, naturalGrain, timeColumn, timeDimension } from './cards.ts';
import type { Column, Files, Table } from './cards.ts';
import { compileColumns, compileRows } from './compile-columns.ts';
import { columnMeasure, isLevel, naturalAggregate, primaryMeasure, productMeasure, rowsMeasure } from './measures.ts';
import type { Mention } from './mentions.ts';
import { readAggregate } from './parse-analysis.ts';
import type { Reading } from './parse-analysis.ts';
import { plainStyle } from './plan.ts';
import type { AnalysisPlan, ColumnRef, Dimension, Filter, Grain, Measure, Plan } from './plan.ts';
import { baseFor, isIn, resolve, sourceFor } from './source.ts';
import { areSynonyms, normalise, stemOf, tokenise } from './words.ts';

/** Decides what a reading means. `null` where a measure was asked for that no column matches. */

export interface Named {
  readonly mention: Mention;
  readonly column: Column;
  readonly table: Table;
}

export function compile(reading: Reading, files: Files): Plan | null {
  const named = namedColumns(reading);
  return (
    compileColumns(reading, named, files) ??
    compileRows(reading, named, files) ??
    compileAnalysis(reading, named, files)
  );
}

export function namedColumns(reading: Reading): readonly Named[] {
  return reading.mentions.flatMap((mention) => {
    const option = resolve(mention, reading.table);
    return option === null ? [] : [{ mention, column: option.column, table: option.table }];
  });
}

function compileAnalysis(reading: Reading, named: readonly Named[], files: Files): AnalysisPlan | null {
  const parts = analysisParts(reading, named, files);
  if (parts.measures.length === 0) return null;
  return finishAnalysis({ ...parts, reading, files, filters: reading.filters });
}

export interface AnalysisParts {
  readonly measures: readonly Measure[];
  readonly aggregate: AnalysisPlan['aggregate'];
  readonly dimensions: readonly Dimension[];
  readonly assumptions: readonly string[];
  /** Whose rows are counted, where a measure names no column of its own. */
  readonly counted?: Table;
}

/** Measures and dimensions that the reading names, with defaults for what it leaves open. */
export function analysisParts(reading: Reading, named: readonly Named[], files: Files): AnalysisParts {
  const { table } = reading;
  const assumptions = named.flatMap(readAs);
  const numbers = named.filter(({ column }) => column.ref.role === 'number');
  const groupers = numbers.filter(({ mention, column }) => mention.afterBy && column.card.distinct <= 40);
  const counting = reading.aggregate === 'count' || reading.aggregate === 'distinct';
  const dimensionNumbers = counting || groupers.length < numbers.length ? groupers : [];
  const groups = named.filter((entry) => entry.column.ref.role !== 'number' || dimensionNumbers.includes(entry));

  const counted = counting
    ? groups.find(({ mention, column }) => !mention.afterBy && column.ref.role !== 'date' && column.ref.role !== 'year')
    : undefined;
  // "employees in Finance: average salary" is no question by employee.
  const isPlural = (entry: Named): boolean =>
    entry.column.ref.role === 'id' && !entry.mention.afterBy && reading.top === null && reading.superlative === null;
  const dimensions = withTime(
    reading,
    groups.filter((entry) => entry !== counted && !isPlural(entry)).map(dimensionOf),
    files,
  );
  if (counted !== undefined) {
    const noun = counted.mention.text.toLowerCase();
    const isRow = counted.column.card.distinct >= counted.table.rows;
    const measure: Measure = isRow ? rowsMeasure(noun) : { ...columnMeasure(counted.column), label: noun };
    return {
      measures: [measure],
      aggregate: isRow ? 'count' : 'distinct',
      dimensions,
      assumptions: isRow ? [] : assumptions,
      counted: counted.table,
    };
  }
  const wanted = ownAggregates(
    reading,
    numbers.filter((entry) => !dimensionNumbers.includes(entry)),
  );
  if (wanted.length > 0 && !(counting && reading.aggregate === 'count')) {
    const first = wanted[0];
    return {
      measures: wanted.slice(0, 4),
      aggregate: reading.aggregate ?? (first === undefined ? 'sum' : naturalAggregate(first)),
      dimensions,
      assumptions,
    };
  }
  if (counting) {
    const noun = reading.unknown[0] ?? null;
    return {
      measures: [rowsMeasure(noun === null ? null : noun.toLowerCase())],
      aggregate: 'count',
      dimensions,
      assumptions,
    };
  }
  const strange = reading.unknown.filter((word) => !namesPlace(word, table));
  const product = productMeasure(table, [...strange, ...reading.unknown]);
  if (product !== null) {
    const how =
      product.kind === 'product'
        ? `I computed ${product.label} as ${product.columns.map((column) => labelOf(column)).join(' × ')}, row by row.`
        : `I read “${strange[0] ?? 'revenue'}” as the column ${product.label}.`;
    return {
      measures: [product],
      aggregate: reading.aggregate ?? 'sum',
      dimensions,
      assumptions: [...assumptions, how],
    };
  }
  const nothingNamed = dimensions.length === 0 && reading.aggregate === null && reading.filters.length === 0;
  if (strange.length > 0 || nothingNamed) return { measures: [], aggregate: 'sum', dimensions, assumptions };
  const primary = primaryMeasure(table);
  if (primary === null)
    return {
      measures: [rowsMeasure(null)],
      aggregate: 'count',
      dimensions,
      assumptions: [...assumptions, 'No column holds numbers to add, so I counted rows.'],
    };
  return {
    measures: [primary],
    aggregate: reading.aggregate ?? naturalAggregate(primary),
    dimensions,
    assumptions: [...assumptions, `You named no column to measure, so I took ${primary.label}.`],
  };
}

/** "total revenue and average price": each measure takes the word before it; without words, what suits it. */
function ownAggregates(reading: Reading, numbers: readonly Named[]): readonly Measure[] {
  if (numbers.length < 2) return numbers.map(({ column }) => columnMeasure(column));
  let from = 0;
  return numbers.map(({ column, mention }) => {
    const measure = columnMeasure(column);
    const own = readAggregate(reading.question.slice(from, mention.start));
    from = mention.end;
    return { ...measure, aggregate: own ?? reading.aggregate ?? naturalAggregate(measure) };
  });
}

function namesPlace(word: string, table: Table): boolean {
  const stem = stemOf(normalise(word));
  return [...tokenise(table.ref.table), ...tokenise(table.ref.file)].some(
    (token) => token.stem === stem || areSynonyms(token.stem, stem),
  );
}

function readAs({ mention, column }: Named): readonly string[] {
  const said = tokenise(mention.text).map((token) => token.stem);
  const whole = column.words.every((word) => said.includes(word));
  return whole ? [] : [`I read “${mention.text}” as the column ${labelOf(column.ref)}.`];
}

function dimensionOf({ column }: Named): Dimension {
  return { column: column.ref, grain: naturalGrain(column) };
}

/** Adds the time that `by month` or `over time` asks for; a date column that is named takes the asked grain. */
function withTime(reading: Reading, dimensions: readonly Dimension[], files: Files): readonly Dimension[] {
  const { grain, overTime } = reading.time;
  if (grain === null && !overTime) return dimensions.slice(0, 2);
  const others = dimensions.filter((dimension) => !isTime(dimension));
  const own = dimensions.find(isTime) ?? timeOf(reading.table, grain);
  const time =
    own ??
    files.tables.map((table) => timeOf(table, grain)).find((found) => found !== null && files.tables.length > 1) ??
    null;
  if (time === null) return others.slice(0, 2);
  const grained = time.column.role === 'date' && grain !== null ? { ...time, grain } : time;
  return [grained, ...others].slice(0, 2);
}

function timeOf(table: Table, grain: Grain | null): Dimension | null {
  const date = table.columns.find((column) => column.ref.role === 'date');
  if (date !== undefined) return { column: date.ref, grain: grain ?? naturalGrain(date) };
  const exact =
    grain === null
      ? undefined
      : table.columns.find((column) => column.words.some((word) => word === grain || areSynonyms(word, grain)));
  return exact === undefined ? timeDimension(table) : { column: exact.ref, grain: null };
}

export function isTime(dimension: Dimension): boolean {
  return dimension.column.role === 'date' || dimension.column.role === 'year' || dimension.column.order !== null;
}

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

export function columnsOf(filter: Filter): readonly ColumnRef[] {
  return filter.kind === 'values' ? filter.columns.slice(0, 1) : [filter.column];
}
