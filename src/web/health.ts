import { Hono } from 'hono';
import type { Logger } from '../log.ts';
import { createFinding } from './check.ts';
import type { Check } from './check.ts';

/** A process whose event loop comes this late serves nobody; a restart is better. */
const maxLagMs = 5000;
const tickMs = 1000;

export interface Health {
  /** `/healthz` and `/readyz`. */
  readonly app: Hono;
  close(): void;
}

/**
 * `/healthz`: the process lives (its event loop turns). `/readyz`: it can do its work: every check holds, and it is not being
 * stopped. Both answer JSON, with 200 for yes and 503 for no. A change of readiness is logged with its reasons.
 */
export function createHealth(deps: {
  readonly checks: Readonly<Record<string, Check>>;
  /** True from the signal to stop on: then nothing is asked any more. */
  readonly isDraining: () => boolean;
  readonly log: Logger;
}): Health {
  const { isDraining, log } = deps;
  const lag = startLagWatch();
  const findings = Object.entries(deps.checks).map(([name, check]) => [name, createFinding(check)] as const);
  let wasReady: boolean | null = null;

  const readiness = async (): Promise<{
    readonly ready: boolean;
    readonly checks: Readonly<Record<string, string>>;
  }> => {
    const found = await Promise.all(findings.map(async ([name, find]) => [name, (await find()) ?? 'ok'] as const));
    const checks = Object.fromEntries(found);
    const ready = Object.values(checks).every((word) => word === 'ok');
    if (ready !== wasReady) log[ready ? 'info' : 'warn']({ checks }, ready ? 'ready' : 'not ready');
    wasReady = ready;
    return { ready, checks };
  };

  const app = new Hono();
  app.get('/healthz', (context) => {
    const eventLoopLagMs = Math.round(lag.ms());
    const alive = eventLoopLagMs <= maxLagMs;
    const reason = alive ? {} : { reason: `the event loop is ${eventLoopLagMs} ms late, more than ${maxLagMs} ms` };
    return context.json({ alive, eventLoopLagMs, ...reason }, alive ? 200 : 503);
  });
  app.get('/readyz', async (context) => {
    if (isDraining()) return context.json({ ready: false, draining: true, checks: {} }, 503);
    const { ready, checks } = await readiness();
    return context.json({ ready, draining: false, checks }, ready ? 200 : 503);
  });
  return { app, close: () => lag.stop() };
}

/** How late the last tick came, or the next one is already. */
function startLagWatch(): { ms(): number; stop(): void } {
  let dueMs = performance.now() + tickMs;
  let lastMs = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    lastMs = Math.max(0, nowMs - dueMs);
    dueMs = nowMs + tickMs;
  }, tickMs).unref();
  return {
    ms: () => Math.max(lastMs, performance.now() - dueMs, 0),
    stop: () => clearInterval(timer),
  };
}
