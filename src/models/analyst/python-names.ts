import { labelOf, shortLabel } from './cards.ts';
import { aggregateLabel } from './measures.ts';
import type { AnalysisPlan, Dimension, Grain, Measure } from './plan.ts';
import { py } from './python-source.ts';

/** How dimensions and values are named and computed in the generated Python. */

const grainNames: Readonly<Record<Grain, string>> = {
  year: 'Year',
  quarter: 'Quarter',
  month: 'Month',
  week: 'Week',
  day: 'Day',
  weekday: 'Weekday',
  hour: 'Hour',
};

/** What the dimension is called in results and on axes. */
export function dimensionName({ column, grain }: Dimension): string {
  return grain === null ? labelOf(column) : grainNames[grain];
}

/** The group key as a line of Python: `used["Month"] = …`. Dates keep their type, so that they sort as time. */
export function dimensionLines(dimension: Dimension): readonly string[] {
  const { column, grain } = dimension;
  const target = `used[${py(dimensionName(dimension))}]`;
  const from = `used[${py(column.name)}]`;
  const months = '["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]';
  const days = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]';
  if (column.order !== null) {
    return [
      `names = sorted(${from}.unique(), key=lambda name: ${column.order === 'months' ? months : days}.index(name.strip().lower()[:3]))`,
      `${target} = pd.Categorical(${from}, categories=names, ordered=True)`,
    ];
  }
  switch (grain) {
    case null:
      if (column.role === 'year') return [`${target} = ${from}.astype(int)`];
      return target === from ? [] : [`${target} = ${from}`];
    case 'year':
      return [`${target} = ${from}.dt.year`];
    case 'quarter':
      return [`${target} = ${from}.dt.to_period("Q").dt.strftime("%Y Q%q")`];
    case 'month':
      return [`${target} = ${from}.dt.to_period("M").dt.to_timestamp()`];
    case 'week':
      return [`${target} = ${from}.dt.to_period("W").dt.start_time`];
    case 'day':
      return [`${target} = ${from}.dt.normalize()`];
    case 'weekday':
      return [
        `${target} = pd.Categorical(${from}.dt.day_name(), categories=["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], ordered=True)`,
      ];
    case 'hour':
      return [`${target} = ${from}.dt.hour`];
    default:
      return grain satisfies never;
  }
}

/** Turns the group key, `name`, into words: `Jan 2024`. */
export function asText(dimension: Dimension, series: string): string {
  if (dimension.column.role === 'date' && dimension.grain === 'month') return `${series}.dt.strftime("%b %Y")`;
  if (dimension.column.role === 'date' && (dimension.grain === 'day' || dimension.grain === 'week'))
    return `${series}.dt.strftime("%Y-%m-%d")`;
  return `${series}.astype(str)`;
}

/** The key is a timestamp, which a line chart draws on a time axis. */
export function isTimestamp({ column, grain }: Dimension): boolean {
  return column.role === 'date' && (grain === 'month' || grain === 'week' || grain === 'day' || grain === null);
}

export function valueLabel(plan: AnalysisPlan): string {
  const first = plan.measures[0];
  const label = first === undefined ? 'Rows' : aggregateLabel(first, plan.aggregate);
  const noun = shortLabel(label);
  const small = /^\p{Lu}\p{Ll}/u.test(noun) ? noun.charAt(0).toLowerCase() + noun.slice(1) : noun;
  if (plan.compute === 'share') return `Share of ${small} (%)`;
  return plan.compute === 'growth' || plan.compute === 'change' ? `Growth of ${small} (%)` : label;
}

/** The column that a measure aggregates. */
export function measureColumn(measure: Measure): string {
  return measure.kind === 'column' ? (measure.columns[0]?.name ?? '') : measure.label;
}

const methods: Readonly<Record<AnalysisPlan['aggregate'], string>> = {
  sum: 'sum',
  mean: 'mean',
  median: 'median',
  min: 'min',
  max: 'max',
  count: 'count',
  distinct: 'nunique',
};

export function methodOf(plan: AnalysisPlan, measure: Measure): string {
  return methods[measure.aggregate ?? plan.aggregate];
}
