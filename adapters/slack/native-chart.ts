import type { Artifact, ChartData, ChartSeries } from '../../src/types.ts';
import { cellText } from '../table-text.ts';
import { inertLine } from './blocks.ts';
import type { Json } from './json.ts';
import { chartLimits } from './limits.ts';

type Point = { readonly label: string; readonly value: number };

/**
 * A chart that Slack draws itself, beside the picture of it. `null` unless all that the figure plots can be in it unchanged: Slack
 * knows lines, bars and pies over at most 20 named places, on linear axes.
 */
export function nativeChart(artifact: Artifact): Json | null {
  const data = artifact.chart;
  if (data === null) return null;
  const chart = data.type === 'pie' ? pie(data) : data.type === 'line' || data.type === 'bar' ? axes(data) : null;
  if (chart === null) return null;
  const title = inertLine(data.title || artifact.title || artifact.file.name, chartLimits.titleCharacters) || 'Chart';
  return { type: 'data_visualization', title, chart };
}

function pie({ series }: ChartData): Json | null {
  const [only, ...others] = series;
  if (only === undefined || others.length > 0) return null;
  const segments = pointsOf(only);
  if (segments === null || segments.length > chartLimits.segments) return null;
  return segments.every(({ value }) => value > 0) ? { type: 'pie', segments } : null;
}

function axes(data: ChartData): Json | null {
  if (data.yScale !== 'linear' || !['linear', 'date', 'category'].includes(data.xScale)) return null;
  // Slack puts its places at equal distances; a line over any others would lie.
  if (data.type === 'line' && !data.series.every(({ x }) => isEven(x, data))) return null;
  const [first, ...others] = data.series.map((series, index) => ({
    name: nameOf(series, index, data),
    points: pointsOf(series),
  }));
  if (first === undefined || others.length >= chartLimits.series || first.points === null) return null;
  const categories = first.points.map(({ label }) => label);
  if (categories.length > chartLimits.categories) return null;
  const series: Json[] = [];
  for (const { name, points } of [first, ...others]) {
    if (name.length > chartLimits.labelCharacters || points?.length !== categories.length) return null;
    if (!points.every(({ label }, index) => label === categories[index])) return null;
    series.push({ name, data: points });
  }
  if (new Set(series.map(({ name }) => name)).size < series.length) return null;
  const label = (text: string): string => inertLine(text, chartLimits.axisCharacters);
  const [xLabel, yLabel] = [label(data.xLabel), label(data.yLabel)];
  return {
    type: data.type,
    series,
    axis_config: {
      categories,
      ...(xLabel === '' ? {} : { x_label: xLabel }),
      ...(yLabel === '' ? {} : { y_label: yLabel }),
    },
  };
}

/** `null` where a place has no name or no value, or two have the same name. */
function pointsOf({ x, y }: ChartSeries): readonly Point[] | null {
  if (x.length === 0 || x.length !== y.length) return null;
  const points: Point[] = [];
  const areMonths = x.every((place) => typeof place === 'string' && monthStart.test(place));
  for (const [index, place] of x.entries()) {
    const label = areMonths ? monthOf(String(place)) : labelOf(place);
    const value = y[index];
    if (label === '' || label.length > chartLimits.labelCharacters) return null;
    if (typeof value !== 'number' || !Number.isFinite(value)) return null;
    points.push({ label, value });
  }
  return new Set(points.map(({ label }) => label)).size === points.length ? points : null;
}

/** The first of a month, at midnight if at any time. */
const monthStart = /^(\d{4})-(\d{2})-01(?:T00:00:00(?:\.0+)?)?$/;
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Oct 2024`, as the picture beside it says. */
function monthOf(place: string): string {
  const [, year = '', month = ''] = monthStart.exec(place) ?? [];
  return `${monthNames[Number(month) - 1] ?? month} ${year}`;
}

/** Midnight is not worth saying. */
function labelOf(place: string | number | null): string {
  if (place === null) return '';
  const text = cellText(place).replace(/^(\d{4}-\d{2}-\d{2})T00:00:00(?:\.0+)?$/, '$1');
  return inertLine(text, text.length + 10);
}

function nameOf({ name }: ChartSeries, index: number, { series, yLabel }: ChartData): string {
  const given = inertLine(name, 1000);
  if (given !== '' || series.length > 1) return given || `Series ${index + 1}`;
  const unnamed = inertLine(yLabel, 1000);
  return unnamed !== '' && unnamed.length <= chartLimits.labelCharacters ? unnamed : 'Values';
}

/** Steps of the same size in one direction; months and quarters, which differ by some days, count as such. */
function isEven(x: ChartSeries['x'], { xScale }: ChartData): boolean {
  if (xScale === 'category') return true;
  const places = x.map((place) => (typeof place === 'string' ? Date.parse(place) : (place ?? Number.NaN)));
  const steps = places.slice(1).map((place, index) => place - (places[index] ?? Number.NaN));
  if (steps.length === 0) return true;
  const tolerance = xScale === 'date' ? 1.15 : 1.001;
  return Math.min(...steps) > 0 && Math.max(...steps) <= Math.min(...steps) * tolerance;
}
