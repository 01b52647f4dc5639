import { Hono } from 'hono';

/** `/metrics` in Prometheus' text format. */
export function createMetricsPage(metrics: { readonly contentType: string; text(): Promise<string> }): Hono {
  return new Hono().get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
}
