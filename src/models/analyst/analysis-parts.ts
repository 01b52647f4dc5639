import { labelOf, naturalGrain, timeDimension } from './cards.ts';
import type { Files, Table } from './cards.ts';
import { columnMeasure, naturalAggregate, primaryMeasure, productMeasure, rowsMeasure } from './measures.ts';
import { isTime } from './named-columns.ts';
import type { Named } from './named-columns.ts';
import { readAggregate } from './parse-analysis.ts';
import type { Reading } from './parse-analysis.ts';
import type { AnalysisPlan, Dimension, Grain, Measure } from './plan.ts';
import { areSynonyms, normalise, stemOf, tokenise } from './words.ts';

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
    ? groups.find(
        ({ mention, column }) =>
          !mention.afterBy &&
          column.ref.role !== 'date' &&
          column.ref.role !== 'year' &&
          isCounted(reading.question.slice(0, mention.start)),
      )
    : undefined;
  // "employees in Finance: average salary" is no question by employee.
  const isPlural = (entry: Named): boolean =>
    entry.column.ref.role === 'id' && !entry.mention.afterBy && reading.top === null && reading.superlative === null;
  // "how many agree that it was easy": the column only says where the value stands.
  const isKept = ({ mention, column }: Named): boolean =>
    counting &&
    !mention.afterBy &&
    reading.filters.some((filter) => filter.kind === 'values' && filter.columns[0]?.name === column.ref.name);
  const dimensions = withTime(
    reading,
    groups.filter((entry) => entry !== counted && !isPlural(entry) && !isKept(entry)).map(dimensionOf),
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
    const place = reading.unknownPlaces[0]?.start ?? 0;
    const isStrange = noun !== null && !namesPlace(noun, table) && isCounted(reading.question.slice(0, place));
    return {
      measures: [rowsMeasure(noun === null ? null : noun.toLowerCase())],
      aggregate: 'count',
      dimensions,
      assumptions: isStrange ? [...assumptions, `I found no column for “${noun}”, so I counted rows.`] : assumptions,
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

/** `how many different customers`: what is counted stands right behind, at most two words away. */
function isCounted(before: string): boolean {
  return /\b(?:how many|number of|counts?(?: of)?|no\. of|frequenc(?:y|ies)(?: of)?|distinct|unique|different)(?:\s+\S+){0,2}\s*$/i.test(
    before,
  );
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
