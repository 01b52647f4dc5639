import { labelOf, numberColumns, shortLabel } from './cards.ts';
import type { Column, Table } from './cards.ts';
import type { Aggregate, Measure } from './plan.ts';
import { headerWords, stemOf, normalise } from './words.ts';

/** What is counted or added: which column a question without one means, and how its values may be put together. */

const moneyWords = new Set([
  'revenue',
  'sale',
  'turnover',
  'umsatz',
  'income',
  'amount',
  'spend',
  'spending',
  'value',
  'takings',
  'earning',
]);
const leadingWords = [
  'revenue',
  'sale',
  'umsatz',
  'turnover',
  'amount',
  'betrag',
  'total',
  'gdp',
  'profit',
  'value',
  'population',
  'price',
  'quantity',
  'unit',
  'count',
];

/** Values of one moment: they add up over places, never over time. */
const levelWords = new Set([
  'gdp',
  'population',
  'inhabitant',
  'einwohner',
  'balance',
  'stock',
  'inventory',
  'headcount',
  'debt',
  'bip',
]);
/** Values that never add up. */
const rateWords = new Set([
  'price',
  'preis',
  'rate',
  'temperature',
  'temp',
  'temperatur',
  'score',
  'rating',
  'age',
  'alter',
  'percent',
  'percentage',
  'pct',
  'ratio',
  'margin',
  'index',
  'speed',
  'humidity',
  'height',
  'weight',
  'width',
  'length',
  'salary',
  'gehalt',
  'wage',
  'per',
  'average',
  'avg',
  'mean',
  'median',
  'expectancy',
  'density',
  'discount',
  'pressure',
  'latitude',
  'longitude',
  'lat',
  'lon',
  'grade',
  'gpa',
  'bmi',
  'share',
  'capita',
  'growth',
  'level',
  'latency',
  'depth',
  'radius',
]);

export function isLevel(measure: Measure): boolean {
  return measure.kind === 'column' && wordsOf(measure).some((word) => levelWords.has(word)) && !isRate(measure);
}

export function isRate(measure: Measure): boolean {
  return (
    measure.kind === 'column' &&
    (wordsOf(measure).some((word) => rateWords.has(word)) || /%|percent|°|\bper\b|\//i.test(measure.unit ?? ''))
  );
}

function wordsOf(measure: Measure): readonly string[] {
  return measure.columns.flatMap((column) => headerWords(column.name));
}

/** Sum, but the mean of what cannot be added. */
export function naturalAggregate(measure: Measure): Aggregate {
  if (measure.kind === 'rows') return 'count';
  return isRate(measure) ? 'mean' : 'sum';
}

export function columnMeasure(column: Column): Measure {
  return { kind: 'column', columns: [column.ref], label: labelOf(column.ref), unit: unitOf(column), aggregate: null };
}

function unitOf(column: Column): string | null {
  return column.ref.unit ?? /[([]\s*([^)\]]{1,24})\s*[)\]]\s*$/.exec(column.ref.name)?.[1] ?? null;
}

export function rowsMeasure(noun: string | null): Measure {
  return { kind: 'rows', columns: [], label: `Number of ${noun ?? 'rows'}`, unit: null, aggregate: null };
}

/** The measure that a question without any means: the amount of the table, found by name, else its first number column. */
export function primaryMeasure(table: Table): Measure | null {
  const columns = numberColumns(table);
  const rank = (column: Column): number => {
    const places = column.words.map((word) => leadingWords.indexOf(word)).filter((place) => place >= 0);
    return places.length === 0 ? leadingWords.length : Math.min(...places);
  };
  const ranked = columns.toSorted((left, right) => rank(left) - rank(right));
  const best = ranked[0];
  if (best === undefined) return null;
  if (rank(best) > 8) return productMeasure(table, ['revenue']) ?? columnMeasure(best);
  return columnMeasure(best);
}

/** "revenue" where the table has a quantity and a price: the product of both. Only for words that mean money. */
export function productMeasure(table: Table, words: readonly string[]): Measure | null {
  const asked = words.find((word) => moneyWords.has(stemOf(normalise(word))));
  if (asked === undefined) return null;
  const columns = numberColumns(table);
  const total = columns.find((column) =>
    column.words.some((word) => ['total', 'amount', 'betrag', 'summe', 'gesamt'].includes(word)),
  );
  if (total !== undefined) return columnMeasure(total);
  const quantity = columns.find(
    (column) =>
      column.words.some((word) => ['quantity', 'qty', 'unit', 'menge', 'piece', 'stuck', 'anzahl'].includes(word)) &&
      !column.words.includes('price'),
  );
  const price = columns.find((column) => column.words.some((word) => ['price', 'preis'].includes(word)));
  if (quantity === undefined || price === undefined) return null;
  const unit = unitOf(price);
  const name = asked.charAt(0).toUpperCase() + asked.slice(1).toLowerCase();
  return {
    kind: 'product',
    columns: [quantity.ref, price.ref],
    label: unit === null ? name : `${name} (${unit})`,
    unit,
    aggregate: null,
  };
}

/** The name the aggregated value has in tables and on axes. */
export function aggregateLabel(measure: Measure, aggregate: Aggregate): string {
  const lower = (text: string): string =>
    /^\p{Lu}\p{Ll}/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  switch (measure.aggregate ?? aggregate) {
    case 'sum':
      return measure.label;
    case 'mean':
      return /^(?:average|avg|mean)\b/i.test(measure.label) ? measure.label : `Average ${lower(measure.label)}`;
    case 'median':
      return `Median ${lower(measure.label)}`;
    case 'min':
      return `Lowest ${lower(measure.label)}`;
    case 'max':
      return `Highest ${lower(measure.label)}`;
    case 'count':
      return measure.kind === 'rows' ? measure.label : `Number of ${lower(shortLabel(measure.label))}`;
    case 'distinct':
      return `Number of different ${lower(shortLabel(measure.label))}`;
    default:
      return measure.label;
  }
}
