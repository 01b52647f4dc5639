import type { ChartData, ChartScale, ChartSeries } from '../types.ts';

const types = ['line', 'scatter', 'bar', 'pie', 'box', 'histogram', 'heatmap', 'unknown'] as const;
const scales = ['linear', 'log', 'date', 'category', 'other'] as const;

/**
 * `ChartData` out of JSON that came from the sandbox, where any cell can display what it likes under this type; `null` where it
 * is none. Records of earlier versions name no units and scales.
 */
export function parseChartData(value: unknown): ChartData | null {
  if (typeof value !== 'object' || value === null) return null;
  const chart = value as Record<string, unknown>;
  const type = types.find((known) => known === chart['type']);
  if (type === undefined || !Array.isArray(chart['series'])) return null;
  const series = chart['series'].flatMap((entry: unknown) => seriesOf(entry) ?? []);
  return {
    type,
    title: textOf(chart['title']) ?? '',
    xLabel: textOf(chart['xLabel']) ?? '',
    yLabel: textOf(chart['yLabel']) ?? '',
    xUnit: textOf(chart['xUnit']),
    yUnit: textOf(chart['yUnit']),
    xScale: scaleOf(chart['xScale']),
    yScale: scaleOf(chart['yScale']),
    series,
  };
}

function seriesOf(value: unknown): ChartSeries | null {
  const { name, x, y } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(x) || !Array.isArray(y)) return null;
  return { name: textOf(name) ?? '', x: x.map(pointOf), y: y.map(pointOf) };
}

function pointOf(value: unknown): string | number | null {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function scaleOf(value: unknown): ChartScale {
  return scales.find((known) => known === value) ?? 'other';
}
