import { isTime } from './named-columns.ts';
import { aggregateLabel, isLevel } from './measures.ts';
import type { AnalysisPlan, Dimension, Measure } from './plan.ts';
import { chartLines } from './python-chart.ts';
import {
  asText,
  dimensionLines,
  dimensionName,
  isTimestamp,
  measureColumn,
  methodOf,
  valueLabel,
} from './python-names.ts';
import { cell, printFacts, py, sourceLines, usedLines } from './python-source.ts';
import { twoWayLines } from './python-two-way.ts';

export function analysisCode(plan: AnalysisPlan, coerce: boolean): string {
  const columns = [
    ...plan.measures.flatMap((measure) => measure.columns),
    ...plan.dimensions.map(({ column }) => column),
    ...(plan.latest === null ? [] : [plan.latest.column]),
  ];
  const source = sourceLines(plan.source, plan.filters, { coerce, columns });
  const body = [
    ...usedLines(
      columns.map(({ name }) => name),
      identityOf(plan),
    ),
    ...repeatedLines(plan),
    ...plan.measures.flatMap(productLines),
    ...latestLines(plan),
    ...plan.dimensions.flatMap(dimensionLines),
  ];
  if (plan.dimensions.length === 0)
    return cell(source, [...body, ...wholeLines(plan), printFacts, ...extremeRow(plan)]);
  if (plan.dimensions.length === 2) return cell(source, [...body, '', ...twoWayLines(plan), '', printFacts]);
  return cell(source, [...body, '', ...oneWayLines(plan), '', printFacts]);
}

/** Levels have one value per place and time: an exact copy of a row is a mistake, and adding it would double the value. */
function repeatedLines(plan: AnalysisPlan): readonly string[] {
  if (!plan.measures.some(isLevel) || plan.source.joins.length > 0) return [];
  return [
    'copies = used.duplicated()',
    'facts["copies"] = int(copies.sum())',
    'used = used[~copies].copy()',
    'facts["used"] = len(used)',
  ];
}

/** What names a row that has no value: its categories and its year. Days and ids would name it too closely to be read. */
function identityOf(plan: AnalysisPlan): readonly string[] {
  const parts = [...plan.dimensions, ...(plan.latest === null ? [] : [plan.latest])].map(({ column }) => column);
  const onlyTime = parts.every(({ role }) => role === 'year' || role === 'date');
  return onlyTime || parts.some(({ role }) => role === 'date') || plan.source.joins.length > 0
    ? []
    : parts.map(({ name }) => name);
}

function productLines(measure: Measure): readonly string[] {
  if (measure.kind !== 'product') return [];
  return [`used[${py(measure.label)}] = ${measure.columns.map(({ name }) => `used[${py(name)}]`).join(' * ')}`];
}

/** The newest period that at least half as many rows have as the fullest one. */
function latestLines({ latest }: AnalysisPlan): readonly string[] {
  if (latest === null) return [];
  const column = `used[${py(latest.column.name)}]`;
  return [
    `sizes = ${column}.value_counts()`,
    'newest = sizes[sizes >= sizes.max() / 2].index.max()',
    `used = used[${column} == newest].copy()`,
    latest.column.role === 'year' ? 'facts["newest"] = int(newest)' : 'facts["newest"] = str(newest)[:10]',
    'facts["newest_rows"] = len(used)',
  ];
}

function wholeLines(plan: AnalysisPlan): readonly string[] {
  return plan.measures.flatMap((measure, at) => {
    const label = py(aggregateLabel(measure, plan.aggregate));
    const start = at === 0 ? ['facts["values"] = {}'] : [];
    if (measure.kind === 'rows') return [...start, `facts["values"][${label}] = len(used)`];
    const column = `used[${py(measureColumn(measure))}]`;
    const more =
      measure.columns[0]?.role === 'number' && plan.aggregate !== 'count' && plan.aggregate !== 'distinct'
        ? [
            `facts.setdefault("spread", {})[${label}] = {"min": float(${column}.min()), "mean": float(${column}.mean()), "max": float(${column}.max())}`,
          ]
        : [];
    return [
      ...start,
      // `nunique` gives a number of Python's own, which has no `item`.
      `facts["values"][${label}] = ${column}.${methodOf(plan, measure)}()${methodOf(plan, measure) === 'nunique' ? '' : '.item()'}`,
      ...more,
    ];
  });
}

function extremeRow(plan: AnalysisPlan): readonly string[] {
  const first = plan.measures[0];
  if (first === undefined || first.kind === 'rows' || (plan.aggregate !== 'max' && plan.aggregate !== 'min')) return [];
  return [`display(used.${plan.aggregate === 'max' ? 'nlargest' : 'nsmallest'}(1, ${py(measureColumn(first))}))`];
}

function oneWayLines(plan: AnalysisPlan): readonly string[] {
  const dimension = plan.dimensions[0];
  const first = plan.measures[0];
  if (dimension === undefined || first === undefined) return [];
  const x = py(dimensionName(dimension));
  const labels = plan.measures.map((measure) => aggregateLabel(measure, plan.aggregate));
  const y = labels[0] ?? '';
  const lines: string[] = [];
  if (plan.measures.length > 1) {
    const parts = plan.measures.map(
      (measure, at) =>
        `    ${py(labels[at] ?? '')}: groups[${py(measureColumn(measure))}].${methodOf(plan, measure)}(),`,
    );
    lines.push(`groups = used.groupby(${x}, observed=True)`, 'result = pd.DataFrame({', ...parts, '}).reset_index()');
  } else if (first.kind === 'rows') {
    lines.push(`result = used.groupby(${x}, observed=True).size().reset_index(name=${py(y)})`);
  } else {
    lines.push(
      `result = used.groupby(${x}, observed=True)[${py(measureColumn(first))}].${methodOf(plan, first)}().reset_index(name=${py(y)})`,
    );
  }
  let value = y;
  if (plan.compute === 'share' || plan.compute === 'change') {
    value = valueLabel(plan);
    lines.push(
      'facts["before"] = result.iloc[:, 1].sum().item()',
      plan.compute === 'share'
        ? `result[${py(value)}] = 100 * result[${py(y)}] / result[${py(y)}].sum()`
        : `result[${py(value)}] = 100 * result[${py(y)}].pct_change()`,
    );
  }
  lines.push(...sortLines(plan, dimension, value), ...factLines(plan, dimension, value));
  if (plan.show !== 'table')
    lines.push('', ...chartLines(plan, dimension, plan.measures.length > 1 ? labels : [value]));
  if (plan.show !== 'chart') lines.push('', ...tableLines(dimension));
  return lines;
}

/** Time stays in its order unless the person sorts; categories go by value. Ties keep the order of the names. */
export function effectiveSort(plan: AnalysisPlan, dimension: Dimension): NonNullable<AnalysisPlan['style']['sort']> {
  if (plan.style.sort !== null) return plan.style.sort;
  if (plan.top !== null) return plan.top.order === 'desc' ? 'value-desc' : 'value-asc';
  return isTime(dimension) ? 'time' : 'value-desc';
}

function sortLines(plan: AnalysisPlan, dimension: Dimension, value: string): readonly string[] {
  const x = py(dimensionName(dimension));
  const sort = effectiveSort(plan, dimension);
  const best =
    plan.top === null
      ? []
      : [`result = result.${plan.top.order === 'desc' ? 'nlargest' : 'nsmallest'}(${plan.top.count}, ${py(value)})`];
  const groups = ['facts["groups"] = len(result)'];
  const totals = [
    `facts["total"] = result[${py(value)}].sum().item()`,
    `facts["tied_top"], facts["tied_low"] = (int((result[${py(value)}] == edge).sum()) for edge in (result[${py(value)}].max(), result[${py(value)}].min()))`,
  ];
  switch (sort) {
    case 'value-desc':
    case 'value-asc':
      return [
        ...groups,
        ...totals,
        ...best,
        `result = result.sort_values(${py(value)}, ascending=${sort === 'value-asc' ? 'True' : 'False'}, kind="stable")`,
      ];
    case 'name-asc':
    case 'name-desc':
      return [
        ...groups,
        ...totals,
        ...best,
        `result = result.sort_values(${x}, ascending=${sort === 'name-asc' ? 'True' : 'False'})`,
      ];
    case 'time':
      return [...groups, ...totals, ...best, ...(best.length > 0 ? [`result = result.sort_values(${x})`] : [])];
    default:
      return sort satisfies never;
  }
}

/** The few pairs the answer may name. */
function factLines(plan: AnalysisPlan, dimension: Dimension, value: string): readonly string[] {
  const y = py(value);
  const focus = plan.focus.map((word) => word.toLowerCase());
  return [
    `named = result.assign(name=${asText(dimension, `result[${py(dimensionName(dimension))}]`)}.str.slice(0, 200)).dropna(subset=[${y}])[["name", ${y}]]`,
    'facts["shown"] = len(result)',
    ...(isTime(dimension)
      ? [
          'in_time = named.sort_index()',
          'facts["first"], facts["last"] = in_time.head(1).values.tolist(), in_time.tail(1).values.tolist()',
        ]
      : []),
    `facts["top"], facts["low"] = named.nlargest(5, ${y}).values.tolist(), named.nsmallest(3, ${y}).values.tolist()`,
    ...(focus.length > 0
      ? [`facts["focus"] = named[named["name"].str.lower().isin(${py(focus)})].values.tolist()`]
      : []),
  ];
}

function tableLines(dimension: Dimension): readonly string[] {
  const x = py(dimensionName(dimension));
  const text = isTimestamp(dimension) ? `.assign(**{${x}: ${asText(dimension, `result[${x}]`)}})` : '';
  return [`display(result${text}.reset_index(drop=True))`];
}
