import type { Logger } from '../log.ts';
import type { HttpConfig } from '../operations-config.ts';
import type { Check } from './check.ts';
import { createHealth } from './health.ts';
import { createMetricsPage } from './metrics-page.ts';
import { createWebServer } from './server.ts';
import type { WebRoute, WebServer } from './server.ts';

/** Serves health, readiness, metrics, and `routes`. Resolves when it listens; rejects with `config` where it cannot. */
export async function openOperatorPages(deps: {
  readonly http: HttpConfig;
  readonly checks: Readonly<Record<string, Check>>;
  readonly isDraining: () => boolean;
  readonly metrics: Parameters<typeof createMetricsPage>[0];
  readonly routes: readonly WebRoute[];
  readonly log: Logger;
}): Promise<WebServer> {
  const health = createHealth(deps);
  const own = [health.app, createMetricsPage(deps.metrics)].map((app) => ({ path: '/', app }));
  try {
    const server = await createWebServer({ ...deps.http, routes: [...own, ...deps.routes], log: deps.log });
    return {
      port: server.port,
      close: async () => {
        health.close();
        await server.close();
      },
    };
  } catch (error) {
    health.close();
    throw error;
  }
}
