import { numberColumns } from './cards.ts';
import type { Files } from './cards.ts';
import { columnsOf } from './named-columns.ts';
import type { Named } from './named-columns.ts';
import { primaryMeasure } from './measures.ts';
import type { Reading } from './parse-analysis.ts';
import { plainStyle } from './plan.ts';
import type { ColumnRef, ColumnsPlan, RowsPlan } from './plan.ts';
import { sourceFor } from './source.ts';

/** Questions about single values: distributions, relations of two columns, correlation; and about rows as they are. */
export function compileColumns(reading: Reading, named: readonly Named[], files: Files): ColumnsPlan | null {
  const numbers = named.filter(({ column }) => column.ref.role === 'number').map(({ column }) => column.ref);
  const group = named.find(({ column }) => column.ref.role === 'category')?.column.ref ?? null;
  const type = reading.style.style.type;
  const all = numberColumns(reading.table).map(({ ref }) => ref);
  const make = (
    form: ColumnsPlan['form'],
    columns: readonly ColumnRef[],
    by: ColumnRef | null,
    assumptions: readonly string[] = [],
  ): ColumnsPlan => ({
    kind: 'columns',
    form,
    columns,
    by,
    source: sourceFor(
      reading.table,
      [...columns, ...(by === null ? [] : [by]), ...reading.filters.flatMap(columnsOf)],
      files.tables,
    ),
    filters: reading.filters,
    style: { ...plainStyle, ...reading.style.style },
    assumptions,
  });
  const fallback = primaryMeasure(reading.table)?.columns.slice(0, 1) ?? [];
  const assumed =
    fallback.length === 0 || numbers.length > 0
      ? []
      : [`You named no column of numbers, so I took ${fallback[0]?.name ?? ''}.`];

  if (/\bcorrelat\w*|\brelationship\b|\brelated\b/i.test(reading.question)) {
    if (numbers.length === 2) return make('scatter', numbers, group);
    const columns = numbers.length > 2 ? numbers : all;
    return columns.length < 2 ? null : make('correlation', columns.slice(0, 12), null);
  }
  if (type === 'heatmap' && numbers.length === 0 && named.length === 0 && reading.time.grain === null && all.length > 1)
    return make('correlation', all.slice(0, 12), null);
  const versus =
    /\b(?:vs\.?|versus|against)\b/i.test(reading.question) &&
    type === undefined &&
    reading.aggregate === null &&
    group === null;
  if (type === 'scatter' || (versus && numbers.length === 2)) {
    if (numbers.length >= 2) return make('scatter', axesInOrder(reading.question, numbers.slice(0, 2)), group);
    const other = all.find((column) => column.name !== (numbers[0] ?? fallback[0])?.name);
    const one = numbers[0] ?? fallback[0];
    if (one === undefined || other === undefined) return null;
    return make('scatter', [other, one], group, [
      `A scatter chart needs two columns of numbers; I took ${other.name} and ${one.name}.`,
    ]);
  }
  if (
    type === 'histogram' &&
    (numbers.length > 0 || named.length === 0) &&
    (numbers.length > 0 || reading.unknown.length === 0)
  ) {
    const columns = numbers.length > 0 ? numbers.slice(0, 1) : fallback;
    return columns.length === 0 ? null : make('histogram', columns, group, assumed);
  }
  if (type === 'box' && (numbers.length > 0 || reading.unknown.length === 0)) {
    const columns = numbers.length > 0 ? numbers.slice(0, 6) : fallback;
    return columns.length === 0 ? null : make('box', columns, group, assumed);
  }
  return null;
}

/** "price vs units" draws the first upright and the second along the floor; "x and y" the other way round. */
function axesInOrder(question: string, columns: readonly ColumnRef[]): readonly ColumnRef[] {
  return /\b(?:vs\.?|versus|against|over|as a function of)\b/i.test(question) ? columns.toReversed() : columns;
}

export function compileRows(reading: Reading, named: readonly Named[], files: Files): RowsPlan | null {
  const { question, top, superlative } = reading;
  if (
    reading.style.style.type !== undefined ||
    reading.time.grain !== null ||
    reading.aggregate !== null ||
    reading.time.overTime
  )
    return null;
  if (
    named.some(({ mention }) => mention.afterBy && mention.options.some(({ column }) => column.ref.role !== 'number'))
  )
    return null;
  const numbers = named.filter(({ column }) => column.ref.role === 'number');
  const things = named.filter(({ column }) => column.ref.role === 'category' || column.ref.role === 'id');
  const unique = things.find(
    ({ column, table }) => column.card.distinct >= 0.98 * table.rows && table === reading.table,
  );
  const wordRows = /\b(?:rows?|records?|entries|lines|transactions)\b/i.test(question);
  const aboutRows =
    wordRows ||
    (unique !== undefined && unique.column.ref.role === 'id') ||
    (things.length === 0 && reading.unknown.length > 0);
  const make = (
    sortBy: ColumnRef | null,
    order: RowsPlan['order'],
    count: number,
    part: RowsPlan['part'],
  ): RowsPlan => ({
    kind: 'rows',
    source: sourceFor(
      reading.table,
      [
        ...(sortBy === null ? [] : [sortBy]),
        ...named.map(({ column }) => column.ref),
        ...reading.filters.flatMap(columnsOf),
      ],
      files.tables,
    ),
    filters: reading.filters,
    sortBy,
    order,
    count,
    part,
    assumptions: [],
  });
  const ranked = top ?? (superlative === null ? null : { count: 10, order: superlative });
  const sortBy =
    numbers[0]?.column.ref ??
    (ranked !== null && wordRows ? (primaryMeasure(reading.table)?.columns[0] ?? null) : null);
  if (aboutRows && ranked !== null && sortBy !== null) return make(sortBy, ranked.order, ranked.count, 'matching');
  const listing =
    /^\s*(?:please\s+)?(?:show|list|find|give|display|get|filter|print)\b/i.test(question) ||
    /\bwhich (?:rows?|records?|entries|orders|customers|products|people|employees)\b/i.test(question);
  if (
    reading.filters.length > 0 &&
    numbers.length === 0 &&
    (wordRows || (listing && reading.superlative === null && reading.compute === 'value'))
  )
    return make(null, 'desc', 100, 'matching');
  return null;
}
