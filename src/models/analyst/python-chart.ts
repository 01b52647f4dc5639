import { isTime } from './named-columns.ts';
import { shortLabel } from './cards.ts';
import type { AnalysisPlan, ChartStyle, ChartType, Dimension } from './plan.ts';
import { asText, dimensionName, isTimestamp, valueLabel } from './python-names.ts';
import { py } from './python-source.ts';

/** Python that draws `result`: one category or time column against one or more values. */

/** At most this many bars or slices are drawn; the answer says what is left out. */
export const barsShown = 15;
const slicesShown = 8;

export const shortNumbers: readonly string[] = [
  'def short(value, _=None):',
  '    """1.23M for 1,230,000."""',
  '    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):',
  '        if abs(value) >= size:',
  '            return f"{value / size:,.3g}{letter}"',
  '    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"',
  '',
];

export function chartTypeOf(plan: AnalysisPlan): ChartType {
  const time = plan.dimensions.some(isTime);
  const { type } = plan.style;
  if (
    type !== null &&
    type !== 'histogram' &&
    type !== 'scatter' &&
    type !== 'box' &&
    (type !== 'heatmap' || plan.dimensions.length === 2)
  )
    return type;
  // With two dimensions, a top picks the lines; with one it ranks the years, which are no course any more.
  const ranked = plan.top !== null && plan.dimensions.length === 1;
  return time && plan.compute !== 'change' && plan.compute !== 'growth' && !ranked ? 'line' : 'bar';
}

export function titleOf(plan: AnalysisPlan): string {
  if (plan.style.title !== null) return plan.style.title;
  const names =
    plan.measures.length > 1
      ? plan.measures.map((measure) => shortLabel(measure.label)).join(' and ')
      : shortLabel(valueLabel(plan));
  const lower = (name: string): string =>
    /^\p{Lu}\p{Ll}+/u.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name;
  const by = plan.dimensions.map((dimension) => lower(shortLabel(dimensionName(dimension)))).join(' and ');
  const kept = plan.filters.flatMap((filter) =>
    filter.kind === 'values' &&
    !filter.exclude &&
    filter.values.length <= 3 &&
    !plan.dimensions.some(({ column }) => column.name === filter.columns[0]?.name)
      ? filter.values
      : [],
  );
  for (const filter of plan.filters) {
    if (filter.kind === 'dates') kept.push(filter.words.replace(/^(?:(?:in|for|during|only|just|of)\s+)+/i, ''));
    if (filter.kind === 'compare' && filter.column.role === 'year' && filter.operator === '==')
      kept.push(String(filter.value));
  }
  return `${names} by ${by}${kept.length > 0 ? `, ${kept.join(', ')}` : ''}`;
}

/** The title as Python: the ranking is named only where there are more groups than it keeps. */
function titleExpression(plan: AnalysisPlan): string {
  const title = py(titleOf(plan));
  if (plan.top === null || plan.style.title !== null || plan.dimensions.length !== 1) return title;
  const { count, order } = plan.top;
  return `${title} + (${py(`, ${order === 'desc' ? 'top' : 'lowest'} ${count}`)} if facts["groups"] > ${count} else "")`;
}

/** `plt.subplots` with the house's size unless the person asked for a bigger chart. */
export function figureLine(style: ChartStyle, extra = ''): string {
  const size = style.bigger === true ? ', figsize=(14, 8)' : '';
  return `fig, ax = plt.subplots(layout="constrained"${size}${extra})`;
}

/** What the person asked for, after the drawing itself. */
export function finishLines(style: ChartStyle, valueAxis: 'x' | 'y'): readonly string[] {
  return [
    ...(style.logScale === true ? [`ax.set_${valueAxis}scale("log")`] : []),
    ...(style.grid === null ? [] : [`ax.grid(${style.grid ? 'True' : 'False'})`]),
    ...(style.legend === false ? ['if ax.get_legend() is not None:', '    ax.get_legend().remove()'] : []),
    ...(style.legend === true ? ['ax.legend()'] : []),
  ];
}

export function colourPart(style: ChartStyle): string {
  if (style.manyColours === true) return ', color=plt.get_cmap("tab20").colors';
  return style.colour === null ? '' : `, color=${py(matplotlibColour(style.colour))}`;
}

/** `dark blue` is matplotlib's `darkblue`. */
function matplotlibColour(name: string): string {
  const known: Readonly<Record<string, string>> = {
    lightred: 'lightcoral',
    darkpink: 'deeppink',
    darkpurple: 'indigo',
  };
  return known[name] ?? name;
}

export function chartLines(plan: AnalysisPlan, dimension: Dimension, values: readonly string[]): readonly string[] {
  if (values.length > 1) return panelLines(plan, dimension, values);
  const y = values[0] ?? '';
  const type = chartTypeOf(plan);
  if (type === 'pie') return pieLines(plan, dimension, y);
  if (type === 'bar') return barLines(plan, dimension, y);
  return lineLines(plan, dimension, y, type === 'area');
}

function barLines(plan: AnalysisPlan, dimension: Dimension, y: string): readonly string[] {
  const { style } = plan;
  const x = dimensionName(dimension);
  const flat = style.horizontal ?? !isTime(dimension);
  const cut = plan.top === null && !isTime(dimension) ? `.head(${barsShown})` : '';
  const valueAxis = flat ? 'x' : 'y';
  return [
    ...shortNumbers,
    `shown = result.dropna(subset=[${py(y)}])${cut}`,
    `facts["drawn"] = len(shown)`,
    figureLine(style, flat ? '' : ''),
    `bars = ax.${flat ? 'barh' : 'bar'}(${asText(dimension, `shown[${py(x)}]`)}, shown[${py(y)}]${colourPart(style)})`,
    ...(flat
      ? ['ax.invert_yaxis()']
      : ['if len(shown) > 6:', '    plt.setp(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")']),
    ...(style.labels === true
      ? [
          `ax.bar_label(bars, labels=[short(value) for value in shown[${py(y)}]], padding=3${flat ? '' : ', fontsize=10 if len(shown) <= 8 else 8, rotation=90 if len(shown) > 12 else 0'})`,
          `ax.margins(${valueAxis}=0.12)`,
        ]
      : []),
    ...titleLines(plan, flat ? y : x, flat ? x : y),
    `ax.${valueAxis}axis.set_major_formatter(short)`,
    ...finishLines(style, valueAxis),
  ];
}

function lineLines(plan: AnalysisPlan, dimension: Dimension, y: string, area: boolean): readonly string[] {
  const { style } = plan;
  const x = dimensionName(dimension);
  const ordered = plan.style.sort === null || plan.style.sort === 'time';
  const onTime = isTimestamp(dimension) && ordered;
  const onYears = dimension.column.role === 'year' || dimension.grain === 'year';
  const along = onTime || (onYears && ordered) ? `result[${py(x)}]` : asText(dimension, `result[${py(x)}]`);
  return [
    ...shortNumbers,
    figureLine(style),
    `ax.plot(${along}, result[${py(y)}], marker="o" if len(result) <= 60 else None${colourPart({ ...style, manyColours: null })})`,
    ...(area
      ? [`ax.fill_between(${along}, result[${py(y)}], alpha=0.3${colourPart({ ...style, manyColours: null })})`]
      : []),
    ...(style.labels === true
      ? [
          `for place, value in zip(${along}, result[${py(y)}]):`,
          '    ax.annotate(short(value), (place, value), textcoords="offset points", xytext=(0, 7), ha="center", fontsize=9)',
          'ax.margins(y=0.12)',
        ]
      : []),
    ...titleLines(plan, x, y),
    ...(onYears && ordered ? ['ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))'] : []),
    ...(onTime || onYears
      ? []
      : ['if len(result) > 8:', '    plt.setp(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")']),
    'ax.yaxis.set_major_formatter(short)',
    ...finishLines(style, 'y'),
  ];
}

function pieLines(plan: AnalysisPlan, dimension: Dimension, y: string): readonly string[] {
  const x = dimensionName(dimension);
  return [
    `slices = result.set_axis(${asText(dimension, `result[${py(x)}]`)})[${py(y)}].sort_values(ascending=False)`,
    `if len(slices) > ${slicesShown}:`,
    `    slices = pd.concat([slices.head(${slicesShown - 1}), pd.Series({"Other": slices.iloc[${slicesShown - 1}:].sum()})])`,
    figureLine(plan.style),
    'ax.pie(slices, labels=[name if len(name) <= 60 else f"{name[:59]}…" for name in slices.index], autopct="%1.1f%%", startangle=90, counterclock=False)',
    `ax.set_title(${titleExpression(plan)})`,
  ];
}

/** Several measures: one panel each over the same categories, because their units differ. */
function panelLines(plan: AnalysisPlan, dimension: Dimension, values: readonly string[]): readonly string[] {
  const x = dimensionName(dimension);
  const line = chartTypeOf(plan) === 'line';
  const along = line && isTimestamp(dimension) ? `shown[${py(x)}]` : asText(dimension, `shown[${py(x)}]`);
  return [
    ...shortNumbers,
    isTime(dimension) ? 'shown = result' : `shown = result.head(${barsShown})`,
    `fig, axes = plt.subplots(${values.length}, 1, sharex=True, layout="constrained", figsize=(10, ${2 + 2.6 * values.length}))`,
    `for ax, name in zip(axes, ${py(values)}):`,
    line
      ? `    ax.plot(${along}, shown[name], marker="o" if len(shown) <= 60 else None)`
      : `    ax.bar(${along}, shown[name])`,
    '    ax.set_ylabel(name)',
    '    ax.yaxis.set_major_formatter(short)',
    `axes[0].set_title(${titleExpression(plan)})`,
    `axes[-1].set_xlabel(${py(x)})`,
    ...(line && isTimestamp(dimension)
      ? []
      : [
          'if len(shown) > 6:',
          '    plt.setp(axes[-1].get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")',
        ]),
  ];
}

export function titleLines(plan: AnalysisPlan, xLabel: string, yLabel: string): readonly string[] {
  const title = titleExpression(plan);
  const dated = plan.latest !== null && plan.style.title === null ? `${title} + f", {facts['newest']}"` : title;
  return [`ax.set_title(${dated})`, `ax.set_xlabel(${py(xLabel)})`, `ax.set_ylabel(${py(yLabel)})`];
}
