import { categoryColumns, timeDimension } from './cards.ts';
import type { Files, Table } from './cards.ts';
import { analysisParts } from './analysis-parts.ts';
import { finishAnalysis } from './finish-analysis.ts';
import { columnsOf, isTime, namedColumns } from './named-columns.ts';
import { naturalAggregate } from './measures.ts';
import { isOnlyStyle } from './parse-style.ts';
import type { Reading } from './parse-analysis.ts';
import type { AnalysisPlan, ChartStyle, ColumnsPlan, Dimension, Filter, RunPlan } from './plan.ts';

/** A question that changes the one before: its look, or one of its parts. `null`: it is a question of its own. */
export function followUp(reading: Reading, previous: RunPlan | null, files: Files): RunPlan | null {
  if (previous === null) return null;
  if (previous.kind === 'columns') return restyleColumns(reading, previous);
  if (previous.kind !== 'analysis') return null;
  if (isTopOnly(reading)) return { ...withStyle(reading, previous), top: reading.top };
  if (isOnlyStyle(reading.style) && reading.top === null && reading.filters.length === 0)
    return restyle(reading, previous);
  return isFragment(reading) ? change(reading, previous, files) : null;
}

function restyleColumns(reading: Reading, previous: ColumnsPlan): ColumnsPlan | null {
  if (!isOnlyStyle(reading.style)) return null;
  const { type, ...look } = reading.style.style;
  const form = type === 'histogram' || type === 'box' || type === 'scatter' ? type : previous.form;
  if (form === 'scatter' && previous.columns.length < 2) return null;
  return { ...previous, form, style: mergeStyle(previous.style, look) };
}

/** `top 3 only`, `only the top 5`, maybe with wishes about the look. */
function isTopOnly(reading: Reading): boolean {
  return (
    reading.top !== null &&
    reading.mentions.length === 0 &&
    reading.filters.length === 0 &&
    reading.unknown.length === 0 &&
    reading.time.grain === null
  );
}

/** Only what was asked changes; sorting that the person chose stays until another is chosen. */
function restyle(reading: Reading, previous: AnalysisPlan): AnalysisPlan {
  const styled = withStyle(reading, previous);
  if (previous.dimensions.length === 0 && reading.style.style.type !== undefined)
    return overSomething(reading.table, styled);
  return reading.style.asShare && previous.dimensions.length > 0 ? { ...styled, compute: 'share' } : styled;
}

/** A single figure cannot be drawn: it is drawn over time, or by the column with the fewest values. */
function overSomething(table: Table, plan: AnalysisPlan): AnalysisPlan {
  const category = categoryColumns(table).find(({ ref }) =>
    plan.filters.every((filter) => !columnsOf(filter).some(({ name }) => name === ref.name)),
  );
  const dimension = timeDimension(table) ?? (category === undefined ? null : { column: category.ref, grain: null });
  return dimension === null ? { ...plan, show: 'table' } : { ...plan, dimensions: [dimension], latest: null };
}

function withStyle(reading: Reading, previous: AnalysisPlan): AnalysisPlan {
  const show = reading.style.asTable ? 'table' : 'chart';
  return { ...previous, style: mergeStyle(previous.style, reading.style.style), show };
}

function mergeStyle(old: ChartStyle, wishes: Partial<ChartStyle>): ChartStyle {
  const horizontal = wishes.type !== undefined && wishes.type !== 'bar' ? null : old.horizontal;
  return { ...old, horizontal, ...wishes };
}

const openers =
  /^\W*(?:and|also|now|then|what about|how about|same|the same|again|only|just|but|instead|without|except|exclude|excluding|for|in|by|per|split|break|broken|group|grouped|filter|show (?:it|them|that|this|the same)|make (?:it|them|that)|do (?:it|that|the same)|use|with|as|compare(?: it)? (?:with|to)|since|before|after|from|between|until|add|remove|drop|sort|rank)\b/i;

/** A question that cannot stand on its own, or that opens like a continuation. */
function isFragment(reading: Reading): boolean {
  const words = reading.question.split(/\s+/).length;
  if (openers.test(reading.question)) return true;
  if (
    /^\W*(?:which|what|who|whose|how|when|where|list|find|give|is|are|does|do|did|has|have|top|bottom)\b/i.test(
      reading.question,
    )
  )
    return false;
  const hasMeasure = namedColumns(reading).some(({ column }) => column.ref.role === 'number');
  return words <= 4 && !hasMeasure && reading.aggregate === null && reading.unknown.length === 0;
}

function change(reading: Reading, previous: AnalysisPlan, files: Files): AnalysisPlan | null {
  const { source } = previous;
  const table =
    files.tables.find(({ ref }) => ref.file === source.table.file && ref.table === source.table.table) ?? reading.table;
  const named = namedColumns({ ...reading, table });
  const parts = analysisParts({ ...reading, table, unknown: [] }, named, files);
  const namesNumber =
    parts.measures.length > 0 &&
    (named.some(({ column }) => column.ref.role === 'number') || reading.aggregate !== null);
  const said =
    namesNumber ||
    parts.dimensions.length > 0 ||
    reading.filters.length > 0 ||
    reading.compute !== 'value' ||
    reading.aggregate !== null ||
    Object.keys(reading.style.style).length > 0 ||
    reading.style.asTable;
  if (!said || reading.unknown.length > 0) return null;

  const newMeasures = named.some(({ column }) => column.ref.role === 'number') ? parts.measures : previous.measures;
  const first = newMeasures[0];
  const aggregate =
    reading.aggregate ??
    (newMeasures === previous.measures
      ? previous.aggregate
      : first === undefined
        ? previous.aggregate
        : naturalAggregate(first));
  const measures = reading.aggregate === 'count' ? parts.measures : newMeasures;
  const dimensions = changedDimensions(reading, parts.dimensions, previous.dimensions);
  const drop =
    /\b(?:all|everything|no filter|without (?:the )?filter|remove (?:the )?filters?)\b/i.test(reading.question) &&
    reading.filters.length === 0;
  const filters = drop ? [] : mergeFilters(previous.filters, reading.filters);
  const plan = finishAnalysis({
    reading: {
      ...reading,
      table,
      top: reading.top ?? previous.top,
      superlative: null,
      compute: reading.compute === 'value' ? previous.compute : reading.compute,
      aggregate,
    },
    files,
    ...(measures[0]?.columns.length === 0 ? { counted: table } : {}),
    measures,
    aggregate,
    dimensions,
    filters,
    assumptions: parts.assumptions.filter((line) => line.startsWith('I read')),
  });
  const sameShape =
    dimensions.length === previous.dimensions.length &&
    dimensions.every((dimension, at) => isTime(dimension) === isTime(previous.dimensions[at] ?? dimension));
  const kept: ChartStyle = {
    ...previous.style,
    title: null,
    ...(sameShape ? {} : { type: null, sort: null, horizontal: null }),
  };
  const show = reading.style.asTable ? 'table' : reading.style.style.type !== undefined ? 'chart' : previous.show;
  return {
    ...plan,
    aggregate: plan.aggregate,
    latest: plan.latest ?? (dimensions.some(isTime) ? null : previous.latest),
    style: mergeStyle(kept, reading.style.style),
    show,
  };
}

function changedDimensions(
  reading: Reading,
  asked: readonly Dimension[],
  previous: readonly Dimension[],
): readonly Dimension[] {
  if (asked.length === 0) return previous;
  const adds = /\b(?:split|break|broken|also|too|as well|additionally|each|stacked|coloured|colored|add)\b/i.test(
    reading.question,
  );
  if (!adds) return asked;
  const others = previous.filter((old) => asked.every((dimension) => dimension.column.name !== old.column.name));
  return [...others, ...asked].slice(0, 2);
}

/** A new condition on a column replaces the old one on it. */
function mergeFilters(old: readonly Filter[], added: readonly Filter[]): readonly Filter[] {
  const names = (filter: Filter): string =>
    filter.kind === 'values' ? filter.columns.map(({ name }) => name).join() : filter.column.name;
  return [...old.filter((filter) => added.every((other) => names(other) !== names(filter))), ...added];
}
