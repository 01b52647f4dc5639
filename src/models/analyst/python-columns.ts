import { labelOf, shortLabel } from './cards.ts';
import type { ColumnsPlan, RowsPlan } from './plan.ts';
import { colourPart, figureLine, finishLines, shortNumbers } from './python-chart.ts';
import { cell, printFacts, py, sourceLines, usedLines } from './python-source.ts';

/** Python for single values: histogram, box plot, scatter, correlation; and for rows as they are. */

export function columnsCode(plan: ColumnsPlan, coerce: boolean): string {
  const columns = [...plan.columns, ...(plan.by === null ? [] : [plan.by])];
  const source = sourceLines(plan.source, plan.filters, { coerce, columns });
  // A correlation matrix uses each pair's own complete rows, so nothing is dropped beforehand.
  const used =
    plan.form === 'correlation'
      ? ['used = data', 'facts["used"] = len(used)']
      : usedLines(columns.map(({ name }) => name));
  return cell(source, [...used, '', ...bodyOf(plan), '', printFacts]);
}

function bodyOf(plan: ColumnsPlan): readonly string[] {
  switch (plan.form) {
    case 'histogram':
      return histogramLines(plan);
    case 'box':
      return boxLines(plan);
    case 'scatter':
      return scatterLines(plan);
    case 'correlation':
      return correlationLines(plan);
    default:
      return plan.form satisfies never;
  }
}

function names(plan: ColumnsPlan): readonly string[] {
  return plan.columns.map((column) => labelOf(column));
}

function small(text: string): string {
  return /^\p{Lu}\p{Ll}/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function statisticsLines(column: string): readonly string[] {
  return [
    `values = used[${py(column)}].astype(float)`,
    'facts["stats"] = {"count": len(values), "mean": values.mean(), "median": values.median(), "std": values.std(), "min": values.min(), "max": values.max(), "q1": values.quantile(0.25), "q3": values.quantile(0.75)}',
  ];
}

function histogramLines(plan: ColumnsPlan): readonly string[] {
  const column = plan.columns[0]?.name ?? '';
  const label = names(plan)[0] ?? '';
  const { style } = plan;
  return [
    ...statisticsLines(column),
    'bins = min(40, max(5, len(np.histogram_bin_edges(values, bins="auto")) - 1))',
    figureLine(style),
    `counts, edges, bars = ax.hist(values, bins=bins${colourPart({ ...style, manyColours: null })}, edgecolor="white")`,
    'fullest = int(counts.argmax())',
    'facts["mode_bin"] = [float(edges[fullest]), float(edges[fullest + 1]), int(counts[fullest])]',
    ...(style.labels === true
      ? ['ax.bar_label(bars, labels=[f"{int(count)}" if count else "" for count in counts], fontsize=8, padding=2)']
      : []),
    `ax.set_title(${py(style.title ?? `Distribution of ${small(shortLabel(label))}`)})`,
    `ax.set_xlabel(${py(label)})`,
    'ax.set_ylabel("Number of rows")',
    ...finishLines(style, 'y'),
  ];
}

function boxLines(plan: ColumnsPlan): readonly string[] {
  const { style, by } = plan;
  const column = plan.columns[0]?.name ?? '';
  const label = names(plan)[0] ?? '';
  const title = (text: string): string => `ax.set_title(${py(style.title ?? text)})`;
  const colour = colourPart({ ...style, manyColours: null })
    .replace('color=', 'boxprops={"facecolor": ')
    .replace(/("[^"]*")$/, '$1}');
  const box = `patch_artist=True, medianprops={"color": "black"}${colour}`;
  if (by === null) {
    return [
      ...statisticsLines(column),
      'outliers = (values < values.quantile(0.25) - 1.5 * (values.quantile(0.75) - values.quantile(0.25))) | (values > values.quantile(0.75) + 1.5 * (values.quantile(0.75) - values.quantile(0.25)))',
      'facts["outliers"] = int(outliers.sum())',
      figureLine(style),
      `ax.boxplot([used[name].astype(float) for name in ${py(plan.columns.map(({ name }) => name))}], tick_labels=${py(names(plan))}, ${box})`,
      title(
        `Spread of ${names(plan)
          .map((name) => small(shortLabel(name)))
          .join(', ')}`,
      ),
      ...(plan.columns.length === 1 ? [`ax.set_ylabel(${py(label)})`] : ['ax.set_ylabel("Value")']),
      ...finishLines(style, 'y'),
    ];
  }
  const group = labelOf(by);
  return [
    ...statisticsLines(column),
    `medians = used.groupby(${py(by.name)}, observed=True)[${py(column)}].median().sort_values(ascending=False)`,
    'facts["groups"] = len(medians)',
    'facts["top"] = [[str(name), float(value)] for name, value in medians.head(5).items()]',
    'facts["low"] = [[str(name), float(value)] for name, value in medians.tail(1).items()]',
    'shown = medians.index[:15]',
    'facts["drawn"] = len(shown)',
    figureLine(style),
    `ax.boxplot([used.loc[used[${py(by.name)}] == name, ${py(column)}].astype(float) for name in shown], tick_labels=[str(name) for name in shown], ${box})`,
    title(`${shortLabel(label)} by ${small(group)}`),
    `ax.set_xlabel(${py(group)})`,
    `ax.set_ylabel(${py(label)})`,
    'if len(shown) > 6:',
    '    ax.tick_params(axis="x", rotation=45)',
    ...finishLines(style, 'y'),
  ];
}

function scatterLines(plan: ColumnsPlan): readonly string[] {
  const { style, by } = plan;
  const [x, y] = plan.columns;
  if (x === undefined || y === undefined) return [];
  const pair = `used[${py(x.name)}].astype(float), used[${py(y.name)}].astype(float)`;
  const dots =
    by === null
      ? [`ax.scatter(x, y, s=24, alpha=0.7${colourPart({ ...style, manyColours: null })})`]
      : [
          `groups = used[${py(by.name)}].value_counts().index[:8]`,
          'for name in groups:',
          `    inside = used[${py(by.name)}] == name`,
          '    ax.scatter(x[inside], y[inside], s=24, alpha=0.7, label=str(name))',
          `ax.legend(title=${py(labelOf(by))})`,
        ];
  return [
    ...shortNumbers,
    `x, y = ${pair}`,
    'facts["r"] = float(x.corr(y)) if x.nunique() > 1 and y.nunique() > 1 else None',
    'facts["rank_r"] = float(x.corr(y, method="spearman")) if facts["r"] is not None else None',
    figureLine(style),
    ...dots,
    'if facts["r"] is not None:',
    '    slope, start = np.polyfit(x, y, 1)',
    '    facts["slope"] = float(slope)',
    '    ends = np.array([x.min(), x.max()])',
    '    ax.plot(ends, start + slope * ends, linestyle="--", linewidth=1, color="grey")',
    `ax.set_title(${py(style.title ?? `${shortLabel(labelOf(y))} against ${small(shortLabel(labelOf(x)))}`)})`,
    `ax.set_xlabel(${py(labelOf(x))})`,
    `ax.set_ylabel(${py(labelOf(y))})`,
    'ax.xaxis.set_major_formatter(short)',
    'ax.yaxis.set_major_formatter(short)',
    ...finishLines(style, 'y'),
  ];
}

function correlationLines(plan: ColumnsPlan): readonly string[] {
  const { style } = plan;
  return [
    `columns = ${py(plan.columns.map(({ name }) => name))}`,
    'matrix = used[columns].astype(float).corr()',
    'pairs = [[a, b, float(matrix.loc[a, b])] for at, a in enumerate(columns) for b in columns[at + 1:] if matrix.loc[a, b] == matrix.loc[a, b]]',
    'pairs.sort(key=lambda pair: -abs(pair[2]))',
    'facts["pairs"], facts["pair_count"] = pairs[:5], len(pairs)',
    figureLine(style),
    'sns.heatmap(matrix, annot=len(columns) <= 12, fmt=".2f", cmap="RdBu_r", vmin=-1, vmax=1, square=True, cbar_kws={"label": "Correlation (Pearson)"}, ax=ax)',
    `ax.set_title(${py(style.title ?? 'Correlation of the number columns')})`,
    'ax.set_xlabel("Column")',
    'ax.set_ylabel("Column")',
    'ax.tick_params(axis="x", rotation=45)',
    'ax.tick_params(axis="y", rotation=0)',
    'display(matrix.round(3).rename_axis("Column").reset_index())',
  ];
}

export function rowsCode(plan: RowsPlan, coerce: boolean): string {
  const source = sourceLines(plan.source, plan.filters, { coerce, columns: plan.sortBy === null ? [] : [plan.sortBy] });
  const sorted =
    plan.sortBy === null
      ? []
      : [
          ...usedLines([plan.sortBy.name]),
          `data = used.sort_values(${py(plan.sortBy.name)}, ascending=${plan.order === 'asc' ? 'True' : 'False'}, kind="stable")`,
        ];
  const take = { head: 'head', tail: 'tail', matching: 'head', random: 'sample' }[plan.part];
  const shown =
    plan.part === 'random'
      ? `data.sample(min(${plan.count}, len(data)), random_state=7)`
      : `data.${take}(${plan.count})`;
  return cell(source, [
    ...sorted,
    'facts["rows"] = len(data)',
    `shown = ${shown}`,
    'facts["shown"] = len(shown)',
    ...(plan.sortBy === null
      ? []
      : [
          `facts["first"] = {str(name): str(value) for name, value in shown.iloc[0].items()}`,
          `facts["edge"] = [float(shown[${py(plan.sortBy.name)}].iloc[0]), float(shown[${py(plan.sortBy.name)}].iloc[-1])]`,
        ]),
    printFacts,
    'display(shown.reset_index(drop=True))',
  ]);
}
