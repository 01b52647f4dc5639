import type { AnalysisPlan, ChartStyle, ChartType, ColumnsPlan, RunPlan } from './plan.ts';
import { chartTypeOf } from './python-chart.ts';

/** Wishes about the look that the kind of chart cannot meet: each is said in one sentence, none is passed over. */

type Wish = 'colour' | 'manyColours' | 'horizontal' | 'stacked' | 'sort' | 'labels' | 'logScale' | 'grid' | 'legend';

const opening = 'Not applied: ';

const chartNames: Readonly<Record<ChartType | 'correlation', string>> = {
  line: 'a line chart',
  area: 'an area chart',
  bar: 'a bar chart',
  pie: 'a pie chart',
  histogram: 'a histogram',
  scatter: 'a scatter chart',
  box: 'a box plot',
  heatmap: 'a heat map',
  correlation: 'a correlation matrix',
};

/** What each kind of chart cannot show, with one value per category or point, as the generated Python draws it. */
const oneWay: Readonly<Record<'line' | 'area' | 'bar' | 'pie', readonly Wish[]>> = {
  line: ['manyColours', 'horizontal', 'stacked', 'legend'],
  area: ['manyColours', 'horizontal', 'stacked', 'legend'],
  bar: ['stacked', 'legend'],
  pie: ['colour', 'horizontal', 'stacked', 'sort', 'logScale', 'grid', 'legend'],
};
const twoWay: Readonly<Record<'line' | 'area' | 'bar' | 'heatmap', readonly Wish[]>> = {
  line: ['horizontal', 'stacked', 'sort'],
  area: ['colour', 'horizontal', 'sort', 'labels'],
  bar: ['colour', 'sort'],
  heatmap: ['colour', 'manyColours', 'horizontal', 'stacked', 'sort', 'logScale', 'legend'],
};
const singleValues: Readonly<Record<ColumnsPlan['form'], readonly Wish[]>> = {
  histogram: ['manyColours', 'horizontal', 'stacked', 'sort', 'legend'],
  box: ['manyColours', 'horizontal', 'stacked', 'sort', 'labels', 'legend'],
  scatter: ['manyColours', 'horizontal', 'stacked', 'sort', 'labels', 'legend'],
  correlation: ['colour', 'manyColours', 'horizontal', 'stacked', 'sort', 'logScale', 'grid', 'legend'],
};
const everyWish: readonly Wish[] = [
  'colour',
  'manyColours',
  'horizontal',
  'stacked',
  'sort',
  'labels',
  'logScale',
  'grid',
  'legend',
];

/** The plan with a sentence for each of `wishes`, those of the present question, that its chart does not show. */
export function withUnmetWishes(plan: RunPlan, wishes: Partial<ChartStyle>): RunPlan {
  if (plan.kind !== 'analysis' && plan.kind !== 'columns') return plan;
  const { name, unmet } = plan.kind === 'analysis' ? limitsOf(plan) : limitsOfColumns(plan);
  const lines = unmet.flatMap((wish) => {
    // Slices go from the largest to the smallest anyway.
    if (wish === 'sort' && name === chartNames.pie && wishes.sort === 'value-desc') return [];
    const words = wordsOf(wish, wishes);
    return words === null ? [] : [`${opening}${words}, which ${name} cannot show.`];
  });
  const type = otherType(plan, wishes.type ?? null);
  const old = plan.assumptions.filter((line) => !line.startsWith(opening));
  return { ...plan, assumptions: [...old, ...(type === null ? [] : [`${opening}${type}.`]), ...lines] };
}

function limitsOf(plan: AnalysisPlan): { readonly name: string; readonly unmet: readonly Wish[] } {
  const drawn = chartTypeOf(plan);
  if (plan.dimensions.length === 0) return { name: 'a single figure without a chart', unmet: everyWish };
  if (plan.show === 'table') return { name: 'a table', unmet: everyWish.filter((wish) => wish !== 'sort') };
  if (plan.dimensions.length === 2) {
    if (isGrowth(plan)) return { name: 'a chart of growth', unmet: ['stacked', 'sort', 'legend'] };
    const type = drawn === 'line' || drawn === 'area' || drawn === 'heatmap' ? drawn : 'bar';
    return { name: `${chartNames[type]} by two columns`, unmet: twoWay[type] };
  }
  if (plan.measures.length > 1)
    return {
      name: 'a chart of several measures',
      unmet: everyWish.filter((wish) => wish !== 'sort'),
    };
  const type = drawn === 'line' || drawn === 'area' || drawn === 'pie' ? drawn : 'bar';
  return { name: chartNames[type], unmet: oneWay[type] };
}

function limitsOfColumns(plan: ColumnsPlan): { readonly name: string; readonly unmet: readonly Wish[] } {
  const grouped = plan.form === 'scatter' && plan.by !== null;
  const unmet = singleValues[plan.form];
  return {
    name: `${chartNames[plan.form]}${grouped ? ' with groups' : ''}`,
    unmet: grouped ? ['colour', ...unmet.filter((wish) => wish !== 'legend' && wish !== 'manyColours')] : unmet,
  };
}

function isGrowth(plan: AnalysisPlan): boolean {
  return plan.compute === 'growth' || (plan.compute === 'change' && plan.dimensions[0]?.grain === null);
}

/** A kind of chart that the plan's shape does not allow. */
function otherType(plan: AnalysisPlan | ColumnsPlan, wished: ChartType | null): string | null {
  if (wished === null) return null;
  if (plan.kind === 'columns')
    return wished === plan.form || (wished === 'heatmap' && plan.form === 'correlation')
      ? null
      : `${chartNames[wished]}, so it stays ${chartNames[plan.form]}`;
  if (plan.dimensions.length === 0) return `${chartNames[wished]}; there is one figure and no groups to draw`;
  if (plan.show === 'table') return null;
  if (wished === 'heatmap' && plan.dimensions.length === 1) return 'a heat map; it needs two columns to group by';
  if (wished === 'pie' && plan.dimensions.length === 2) return 'a pie chart; it has room for one column to group by';
  return wished === 'histogram' || wished === 'scatter' || wished === 'box'
    ? `${chartNames[wished]}; it shows single rows, and this is one value per group`
    : null;
}

/** The wish in words; `null`: it was not expressed, or asks for nothing that the chart would have to do. */
function wordsOf(wish: Wish, wishes: Partial<ChartStyle>): string | null {
  switch (wish) {
    case 'colour':
      return wishes.colour === undefined || wishes.colour === null ? null : `the one colour ${wishes.colour}`;
    case 'manyColours':
      return wishes.manyColours === true ? 'several colours' : null;
    case 'horizontal':
      return wishes.horizontal === true ? 'horizontal' : null;
    case 'stacked':
      return wishes.stacked === true ? 'stacked' : null;
    case 'sort':
      return wishes.sort === undefined || wishes.sort === null ? null : 'the sorting';
    case 'labels':
      return wishes.labels === true ? 'labels' : null;
    case 'logScale':
      return wishes.logScale === true ? 'log scale' : null;
    case 'grid':
      return wishes.grid === true ? 'grid' : null;
    case 'legend':
      return wishes.legend === true ? 'legend' : null;
    default:
      return wish satisfies never;
  }
}
