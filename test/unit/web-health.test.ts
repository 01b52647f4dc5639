import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Check } from '../../src/web/check.ts';
import { createHealth } from '../../src/web/health.ts';
import type { Health } from '../../src/web/health.ts';

let health: Health | null = null;
let isDraining = false;
let lines: string[] = [];

const started = (checks: Readonly<Record<string, Check>>): Health => {
  const log = createLogger('info', (line) => lines.push(line));
  health = createHealth({ checks, isDraining: () => isDraining, log });
  return health;
};

const ask = async (path: string): Promise<{ readonly status: number; readonly body: unknown }> => {
  const response = await health?.app.request(path);
  return { status: response?.status ?? 0, body: await response?.json() };
};

beforeEach(() => {
  vi.useFakeTimers();
  isDraining = false;
  lines = [];
});

afterEach(() => {
  health?.close();
  vi.useRealTimers();
});

describe('/readyz', () => {
  it('is ready where every check holds', async () => {
    started({ store: () => Promise.resolve(), queue: () => Promise.resolve() });
    expect(await ask('/readyz')).toEqual({
      status: 200,
      body: { ready: true, draining: false, checks: { store: 'ok', queue: 'ok' } },
    });
  });

  it('says in one line why it is not, without secrets, and logs each change once', async () => {
    let broken = true;
    const reason = 'connect ECONNREFUSED\nwith client_secret=abcdefghijk';
    started({
      store: () => (broken ? Promise.reject(new Error(reason)) : Promise.resolve()),
      platforms: () =>
        Promise.reject(new AppError('platform-failed', 'not connected: slack, client_secret=abcdefghijk')),
    });
    const checks = { store: 'connect ECONNREFUSED', platforms: 'not connected: slack, client_secret=[redacted]' };
    expect(await ask('/readyz')).toEqual({ status: 503, body: { ready: false, draining: false, checks } });
    broken = false;
    vi.advanceTimersByTime(1001);
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: { checks: { store: 'ok' } } });
    expect(lines).toHaveLength(1);
  });

  it('asks once a second, however often it is asked', async () => {
    const asked = vi.fn<Check>(() => Promise.resolve());
    started({ store: asked });
    await Promise.all([ask('/readyz'), ask('/readyz')]);
    vi.advanceTimersByTime(900);
    await ask('/readyz');
    expect(asked).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(200);
    await ask('/readyz');
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('waits two seconds for a check, tells it so, and does not ask again while it hangs', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = vi.fn<Check>(() => promise);
    started({ store: asked });
    const first = ask('/readyz');
    await vi.advanceTimersByTimeAsync(2000);
    expect(await first).toMatchObject({ status: 503, body: { checks: { store: 'no answer in 2 s' } } });
    expect(asked.mock.calls[0]?.[0].aborted).toBe(true);
    const second = ask('/readyz');
    await vi.advanceTimersByTimeAsync(1);
    expect(await second).toMatchObject({ status: 503 });
    expect(asked).toHaveBeenCalledTimes(1);
    resolve();
    await vi.advanceTimersByTimeAsync(1001);
    asked.mockImplementation(() => Promise.resolve());
    expect(await ask('/readyz')).toMatchObject({ status: 200 });
  });

  it('is not ready while the process is stopped, and asks nothing then', async () => {
    const asked = vi.fn<Check>(() => Promise.resolve());
    started({ store: asked });
    isDraining = true;
    expect(await ask('/readyz')).toEqual({ status: 503, body: { ready: false, draining: true, checks: {} } });
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('/healthz', () => {
  it('lives while the event loop turns, also where nothing else works or it is stopped', async () => {
    started({ store: () => Promise.reject(new Error('gone')) });
    isDraining = true;
    vi.advanceTimersByTime(3000);
    expect(await ask('/healthz')).toEqual({ status: 200, body: { alive: true, eventLoopLagMs: 0 } });
  });

  it('does not where the event loop is late by more than five seconds', async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['performance'] });
    started({});
    vi.advanceTimersByTime(7500);
    expect(await ask('/healthz')).toEqual({
      status: 503,
      body: { alive: false, eventLoopLagMs: 6500, reason: 'the event loop is 6500 ms late, more than 5000 ms' },
    });
  });
});
