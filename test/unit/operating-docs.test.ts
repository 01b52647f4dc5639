import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMetrics } from '../../src/observe/metrics.ts';

const docs = readFileSync('docs/operating.md', 'utf8');

/** What `/metrics` serves: names with their types, and the labels of each. */
async function served(): Promise<readonly string[]> {
  const metrics = createMetrics({ version: '1' });
  const text = await metrics.text();
  return [...text.matchAll(/^# TYPE (\S+) \S+$/gm)].map(([, name]) => name ?? '');
}

it('every metric that is served has a row, and every row is served', async () => {
  const own = (await served()).filter((name) => name.startsWith('plotline_'));
  const rows = [...docs.matchAll(/^\| `(plotline_\w+)` \|/gm)].map(([, name]) => name ?? '');
  expect(own.length).toBeGreaterThan(20);
  expect(rows.toSorted()).toEqual(own.toSorted());
});

it('names no metric that does not exist', async () => {
  const names = await served();
  const suffixed = new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
  const said = [...docs.matchAll(/\bplotline_\w+/g)].map(([name]) => name);
  expect(said.filter((name) => !suffixed.has(name))).toEqual([]);
});

it('names the labels that a metric has', async () => {
  const metrics = createMetrics({ version: '1' });
  const platform = 'p';
  metrics.taskStarted({ platform, waitMs: 1, isRetry: false });
  metrics.taskStarted({ platform, waitMs: 1, isRetry: true });
  metrics.firstProgress({ platform, afterMs: 1 });
  metrics.taskEnded({ platform, outcome: 'answered', afterMs: 1 });
  metrics.taskInterrupted({ platform });
  metrics.refused({ platform });
  metrics.cell({ status: 'ok', durationMs: 1 });
  metrics.modelTurn({
    reason: 'stop',
    durationMs: 1,
    usage: { inputTokens: 1, cachedInputTokens: 1, outputTokens: 1 },
  });
  metrics.post({ platform, kind: 'reply', result: 'ok', isRepeat: true });
  metrics.edit({ platform, result: 'ok' });
  metrics.download({ platform, result: 'ok', bytes: 1 });
  metrics.sandbox({ result: 'ok', waitMs: 1 });
  metrics.watch({
    depth: () => Promise.resolve({ waiting: 1, running: 1 }),
    engines: () => [{ name: 'e', warm: 1, inUse: 1, max: 2, isServing: true }],
  });
  const rows = new Map(
    [...docs.matchAll(/^\| `(plotline_\w+)` \| ([^|]*) \|/gm)].map(([, name = '', labels = '']) => [
      name,
      [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).toSorted(),
    ]),
  );
  const samples = (await metrics.text()).split('\n').filter((line) => line.startsWith('plotline_'));
  const seen = new Set<string>();
  for (const line of samples) {
    const [, whole = '', labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    const name = rows.has(whole) ? whole : whole.replace(/_(bucket|sum|count)$/, '');
    const given = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label).filter((label) => label !== 'le');
    expect(given.toSorted(), line).toEqual(rows.get(name));
    seen.add(name);
  }
  expect([...seen].toSorted()).toEqual([...rows.keys()].toSorted());
});

it('a queue that does not answer takes no other metric with it', async () => {
  const metrics = createMetrics({ version: '1' });
  metrics.watch({ depth: () => Promise.reject(new Error('gone')), engines: () => [] });
  metrics.refused({ platform: 'p' });
  const text = await metrics.text();
  expect(text).toContain('plotline_refusals_total{platform="p"} 1');
  expect(text).not.toMatch(/^plotline_queue_depth\{/m);
});
