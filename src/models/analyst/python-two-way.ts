import { isTime } from './named-columns.ts';
import type { AnalysisPlan } from './plan.ts';
import { asText, dimensionName, isTimestamp, measureColumn, methodOf, valueLabel } from './python-names.ts';
import { chartTypeOf, colourPart, figureLine, finishLines, shortNumbers, titleLines } from './python-chart.ts';
import { barsShown } from './python-chart.ts';
import { py } from './python-source.ts';
import { isLevel } from './measures.ts';

/** Python for one measure by two dimensions: a pivot, drawn as lines, grouped or stacked bars, or a heat map; and growth per group. */

/** More lines or bar groups than this cannot be told apart. */
const seriesShown = 8;

export function twoWayLines(plan: AnalysisPlan): readonly string[] {
  const [one, two] = plan.dimensions;
  const measure = plan.measures[0];
  if (one === undefined || two === undefined || measure === undefined) return [];
  if (plan.compute === 'growth' || (plan.compute === 'change' && !isTime(one))) return growthLines(plan);
  const rows = py(dimensionName(one));
  const columns = py(dimensionName(two));
  const value = valueLabel(plan);
  const table =
    measure.kind === 'rows'
      ? [`table = used.groupby([${rows}, ${columns}], observed=True).size().unstack()`]
      : [
          `table = used.pivot_table(index=${rows}, columns=${columns}, values=${py(measureColumn(measure))}, aggfunc=${py(methodOf(plan, measure))}, observed=True)`,
        ];
  const adds = plan.aggregate === 'sum' || plan.aggregate === 'count';
  // Levels are ranked by their newest value, flows by their sum.
  const rank = isTime(one) && isLevel(measure) ? 'table.ffill().iloc[-1]' : adds ? 'table.sum()' : 'table.mean()';
  const keep = plan.top?.count ?? seriesShown;
  const lines = [
    ...table,
    `facts["total"] = table.sum().sum().item()`,
    ...(plan.compute === 'share' ? ['table = 100 * table.div(table.sum(axis=1), axis=0)'] : []),
    `ranked = ${rank}.sort_values(ascending=${plan.top?.order === 'asc' ? 'True' : 'False'})`,
    'facts["series"] = len(ranked)',
    ...(isTime(two)
      ? []
      : plan.show === 'table' && plan.top === null
        ? ['table = table[ranked.index]']
        : [`table = table[ranked.index[:${keep}]]`]),
    ...(isTime(one) ? [] : ['table = table.loc[table.sum(axis=1).sort_values(ascending=False).index]']),
    'facts["rows"], facts["shown"] = len(table), table.shape[1]',
    'facts["ranked"] = [[str(name), float(value)] for name, value in ranked.dropna().head(5).items()]',
    ...extremeLines(plan),
  ];
  if (plan.show !== 'table') lines.push('', ...drawLines(plan, value));
  if (plan.show !== 'chart')
    lines.push(
      '',
      `display(table${isTimestamp(one) ? `.set_axis(table.index${asText(one, '').replace('.dt', '')}).rename_axis(${rows})` : ''}.reset_index())`,
    );
  return lines;
}

function extremeLines(plan: AnalysisPlan): readonly string[] {
  const [one] = plan.dimensions;
  if (one === undefined) return [];
  const index = asText(one, '').replace('.dt', '');
  return [
    `flat = table.set_axis(table.index${index}).stack().dropna()`,
    'facts["best"] = [*map(str, flat.idxmax()), flat.max().item()]',
    'facts["least"] = [*map(str, flat.idxmin()), flat.min().item()]',
    ...(isTime(one) ? [`facts["periods"] = [str(table.index${index}[0]), str(table.index${index}[-1])]`] : []),
  ];
}

function drawLines(plan: AnalysisPlan, value: string): readonly string[] {
  const [one, two] = plan.dimensions;
  if (one === undefined || two === undefined) return [];
  const { style } = plan;
  const x = dimensionName(one);
  const type = chartTypeOf(plan);
  const words = `table.index${asText(one, '').replace('.dt', '')}`;
  if (type === 'heatmap') {
    return [
      ...shortNumbers,
      figureLine(style),
      `shown = table.set_axis(${words}).head(40)`,
      `sns.heatmap(shown, cmap="viridis", annot=shown.map(short) if shown.size <= 100 else False, fmt="", cbar_kws={"label": ${py(value)}, "format": short}, ax=ax)`,
      'ax.tick_params(axis="y", rotation=0)',
      ...titleLines(plan, dimensionName(two), x),
      ...finishLines({ ...style, logScale: null }, 'y'),
    ];
  }
  if (type === 'line') {
    const onYears = one.column.role === 'year' || one.grain === 'year';
    const along = isTimestamp(one) || onYears ? 'table.index' : words;
    return [
      ...shortNumbers,
      figureLine(style),
      'for name in table.columns:',
      `    ax.plot(${along}, table[name], marker="o" if len(table) <= 60 else None, label=str(name)${colourPart({ ...style, manyColours: null })})`,
      ...titleLines(plan, x, value),
      `ax.legend(title=${py(dimensionName(two))}, loc="upper left", bbox_to_anchor=(1, 1))`,
      ...(onYears ? ['ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))'] : []),
      ...(isTimestamp(one) || onYears ? [] : ['if len(table) > 8:', '    ax.tick_params(axis="x", rotation=45)']),
      ...(style.labels === true
        ? [
            'for name in table.columns:',
            '    ax.annotate(short(table[name].dropna().iloc[-1]), (table[name].dropna().index[-1], table[name].dropna().iloc[-1]), textcoords="offset points", xytext=(6, 0), fontsize=9)',
          ]
        : []),
      'ax.yaxis.set_major_formatter(short)',
      ...finishLines(style, 'y'),
    ];
  }
  const flat = style.horizontal === true;
  const axis = flat ? 'x' : 'y';
  const kind = type === 'area' ? 'area' : flat ? 'barh' : 'bar';
  const stacked = style.stacked ?? type === 'area';
  return [
    ...shortNumbers,
    figureLine(style),
    `shown = table.set_axis(${words})${isTime(one) ? '' : `.head(${barsShown})`}`,
    'facts["drawn_rows"] = len(shown)',
    `shown.plot.${kind}(ax=ax, stacked=${stacked ? 'True' : 'False'}${type === 'area' ? '' : ', width=0.8'})`,
    ...(flat
      ? ['ax.invert_yaxis()']
      : [
          'plt.setp(ax.get_xticklabels(), rotation=45 if len(shown) > 6 else 0, ha="right" if len(shown) > 6 else "center", rotation_mode="anchor")',
        ]),
    ...(style.labels === true && type !== 'area'
      ? [
          'for bars in ax.containers:',
          `    ax.bar_label(bars, labels=[short(value) for value in bars.datavalues], fontsize=8${stacked ? ', label_type="center"' : ', padding=2'})`,
        ]
      : []),
    ...titleLines(plan, flat ? value : x, flat ? x : value),
    `ax.legend(title=${py(dimensionName(two))}, loc="upper left", bbox_to_anchor=(1, 1))`,
    `ax.${axis}axis.set_major_formatter(short)`,
    ...finishLines(style, axis),
  ];
}

/** First to last period for each group that has both. */
function growthLines(plan: AnalysisPlan): readonly string[] {
  const [group, time] = plan.dimensions;
  const measure = plan.measures[0];
  if (group === undefined || time === undefined || measure === undefined) return [];
  const x = dimensionName(group);
  const value = valueLabel(plan);
  const count = plan.top?.count ?? barsShown;
  const ascending = plan.top?.order === 'asc' ? 'True' : 'False';
  const flat = plan.style.horizontal ?? true;
  const draw = [
    ...shortNumbers,
    figureLine(plan.style),
    `bars = ax.${flat ? 'barh' : 'bar'}(shown[${py(x)}].astype(str), shown[${py(value)}]${colourPart(plan.style)})`,
    ...(flat ? ['ax.invert_yaxis()'] : ['ax.tick_params(axis="x", rotation=45)']),
    ...(plan.style.labels === true
      ? [
          `ax.bar_label(bars, labels=[f"{value:,.1f}%" for value in shown[${py(value)}]], padding=3)`,
          `ax.margins(${flat ? 'x' : 'y'}=0.12)`,
        ]
      : []),
    ...titleLines(plan, flat ? value : x, flat ? x : value).map((line) =>
      plan.style.title === null && line.startsWith('ax.set_title(')
        ? `ax.set_title(${py(valueLabel(plan).replace(/ \(%\)$/, ''))} + f", {first} to {last}")`
        : line,
    ),
    ...finishLines(plan.style, flat ? 'x' : 'y'),
  ];
  return [
    `table = used.pivot_table(index=${py(x)}, columns=${py(dimensionName(time))}, values=${py(measureColumn(measure))}, aggfunc=${py(methodOf(plan, measure))}, observed=True)`,
    'first, last = table.columns.min(), table.columns.max()',
    'both = pd.DataFrame({"first": table[first], "last": table[last]}).dropna()',
    'both = both[both["first"] != 0]',
    `first, last = ${isTimestamp(time) ? 'first.strftime("%b %Y"), last.strftime("%b %Y")' : 'str(first), str(last)'}`,
    'facts["periods"] = [first, last]',
    'facts["left_out"] = [str(name) for name in table.index.difference(both.index)]',
    `result = both.assign(**{${py(value)}: 100 * (both["last"] / both["first"] - 1)}).sort_values(${py(value)}, ascending=${ascending}).reset_index()`,
    'result = result.rename(columns={"first": first, "last": last})',
    'facts["groups"] = len(result)',
    `facts["top"] = result[[${py(x)}, ${py(value)}]].head(5).values.tolist()`,
    `facts["low"] = result[[${py(x)}, ${py(value)}]].tail(1).values.tolist()`,
    `shown = result.head(${count})`,
    'facts["drawn"] = len(shown)',
    ...(plan.show === 'table' ? [] : ['', ...draw]),
    ...(plan.show === 'chart' ? [] : ['', 'display(result)']),
  ];
}
