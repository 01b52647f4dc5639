import { setTimeout as sleep } from 'node:timers/promises';
import { array, assert, asyncProperty, boolean, integer, record } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { Dispatcher, WakeFor, WakeHandler } from '../../src/ports/dispatcher.ts';

export const somebody: WakeFor = { personId: 'p', isFollowUp: false };

/** A handler after which nothing waits in the thread. */
export function handling(work: (threadKey: string, signal: AbortSignal) => Promise<unknown>): WakeHandler {
  return async (threadKey, signal) => {
    await work(threadKey, signal);
    return null;
  };
}

/** What every `Dispatcher` promises. `create` gives one with nothing waiting; the suite closes it. */
export function describeDispatcher(name: string, create: () => Promise<Dispatcher>): void {
  describe(`Dispatcher: ${name}`, () => {
    let dispatcher: Dispatcher;
    beforeEach(async () => {
      dispatcher = await create();
    });
    afterEach(() => dispatcher.close({ graceMs: 0 }));

    it('runs the handler for wakes from before and after the start, first come first served', async () => {
      const runs: string[] = [];
      await dispatcher.wake('b', somebody);
      await dispatcher.wake('a', somebody);
      await dispatcher.wake('b', somebody);
      dispatcher.process(
        handling(async (threadKey) => {
          runs.push(threadKey);
        }),
        { concurrency: 1 },
      );
      await dispatcher.wake('c', somebody);
      await vi.waitFor(() => expect(runs).toEqual(['b', 'a', 'c']));
    });

    it('runs at most the given number at once', async () => {
      let now = 0;
      let most = 0;
      let runs = 0;
      dispatcher.process(
        handling(async () => {
          now += 1;
          most = Math.max(most, now);
          await sleep(30);
          now -= 1;
          runs += 1;
        }),
        { concurrency: 3 },
      );
      for (let index = 0; index < 12; index += 1) await dispatcher.wake(`thread-${index}`, somebody);
      await vi.waitFor(() => expect(runs).toBe(12));
      expect(most).toBe(3);
    });

    it('runs again after a wake that came during the run, once for many', async () => {
      let runs = 0;
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      dispatcher.process(
        handling(async () => {
          runs += 1;
          if (runs === 1) await held;
        }),
        { concurrency: 2 },
      );
      await dispatcher.wake('a', somebody);
      await vi.waitFor(() => expect(runs).toBe(1));
      for (let index = 0; index < 5; index += 1) await dispatcher.wake('a', somebody);
      expect(runs).toBe(1);
      release();
      await vi.waitFor(() => expect(runs).toBe(2));
      await sleep(20);
      expect(runs).toBe(2);
    });

    it('never runs two handlers of one thread at once and loses no wake', async () => {
      const step = record({
        thread: integer({ min: 0, max: 3 }),
        pauseMs: integer({ min: 0, max: 2 }),
        fails: boolean(),
      });
      await assert(
        asyncProperty(
          array(step, { minLength: 1, maxLength: 30 }),
          integer({ min: 1, max: 4 }),
          async (steps, concurrency) => {
            const tested = await create();
            const announced = new Map<string, number>();
            const seen = new Map<string, number>();
            const running = new Set<string>();
            let overlaps = 0;
            let count = 0;
            tested.process(
              handling(async (threadKey) => {
                if (running.has(threadKey)) overlaps += 1;
                running.add(threadKey);
                const mine = announced.get(threadKey) ?? 0;
                const { pauseMs, fails } = steps[count % steps.length] ?? { pauseMs: 0, fails: false };
                count += 1;
                if (pauseMs > 0) await sleep(pauseMs);
                running.delete(threadKey);
                seen.set(threadKey, mine);
                if (fails) throw new Error('a bug in the handler');
              }),
              { concurrency },
            );
            for (const { thread, pauseMs } of steps) {
              const threadKey = `thread-${thread}`;
              // What the wake announces is written before it, as the store is.
              announced.set(threadKey, (announced.get(threadKey) ?? 0) + 1);
              await tested.wake(threadKey, somebody);
              if (pauseMs === 2) await sleep(1);
            }
            await vi.waitFor(() => expect(seen).toEqual(announced), { interval: 2 });
            await tested.close({ graceMs: 1000 });
            expect(overlaps).toBe(0);
          },
        ),
        { numRuns: 40 },
      );
    });

    it('aborts the running handler of the cancelled thread only', async () => {
      const signals = new Map<string, AbortSignal>();
      dispatcher.process(
        handling(async (threadKey, signal) => {
          signals.set(threadKey, signal);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }),
        { concurrency: 2 },
      );
      await dispatcher.cancel('a');
      await dispatcher.wake('a', somebody);
      await dispatcher.wake('b', somebody);
      await vi.waitFor(() => expect(signals.size).toBe(2));
      expect(signals.get('a')?.aborted).toBe(false);
      await dispatcher.cancel('a');
      await vi.waitFor(() => expect(signals.get('a')?.aborted).toBe(true));
      expect(signals.get('a')?.reason).toMatchObject({ code: 'cancelled' });
      expect(signals.get('b')?.aborted).toBe(false);
    });

    it('says how many wakes are before a thread', async () => {
      for (const threadKey of ['a', 'b', 'c']) await dispatcher.wake(threadKey, somebody);
      expect(await Promise.all(['a', 'b', 'c', 'unknown'].map((threadKey) => dispatcher.place(threadKey)))).toEqual([
        0, 1, 2, 0,
      ]);
      const started = vi.fn<() => void>();
      dispatcher.process(
        handling(async (_, signal) => {
          started();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }),
        { concurrency: 1 },
      );
      await vi.waitFor(() => expect(started).toHaveBeenCalled());
      expect(await Promise.all(['a', 'b', 'c'].map((threadKey) => dispatcher.place(threadKey)))).toEqual([0, 0, 1]);
    });

    it('says how many threads wait and how many are worked on', async () => {
      const depth = () => dispatcher.depth(AbortSignal.timeout(5000));
      expect(await depth()).toEqual({ waiting: 0, running: 0 });
      for (const threadKey of ['a', 'b', 'c', 'a']) await dispatcher.wake(threadKey, somebody);
      expect(await depth()).toEqual({ waiting: 3, running: 0 });
      const { promise: held, resolve: end } = Promise.withResolvers<null>();
      dispatcher.process(() => held, { concurrency: 1 });
      await vi.waitFor(async () => expect(await depth()).toEqual({ waiting: 2, running: 1 }));
      end(null);
      await vi.waitFor(async () => expect(await depth()).toEqual({ waiting: 0, running: 0 }));
    });

    it('wakes a thread again whose handler failed for a while, not before it may, and no other', async () => {
      const runs: { readonly threadKey: string; readonly atMs: number }[] = [];
      dispatcher.process(
        handling(async (threadKey) => {
          runs.push({ threadKey, atMs: performance.now() });
          if (threadKey === 'broken') throw new Error('a bug in the handler');
          if (runs.filter((run) => run.threadKey === 'limited').length === 1) {
            throw new AppError('platform-rate-limited', 'Slow down.', { retryable: true, retryAfterMs: 60 });
          }
        }),
        { concurrency: 2 },
      );
      await dispatcher.wake('limited', somebody);
      await dispatcher.wake('broken', somebody);
      await vi.waitFor(() => expect(runs).toHaveLength(3));
      const [first, second] = runs.filter((run) => run.threadKey === 'limited');
      expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(55);
      await sleep(50);
      expect(runs.filter((run) => run.threadKey === 'broken')).toHaveLength(1);
    });

    it('backs off where the error names no time', async () => {
      let runs = 0;
      dispatcher.process(
        handling(async () => {
          runs += 1;
          if (runs === 1) throw new AppError('docker-unavailable', 'Docker is down.', { retryable: true });
        }),
        { concurrency: 1 },
      );
      await dispatcher.wake('a', somebody);
      await sleep(100);
      expect(runs).toBe(1);
      await vi.waitFor(() => expect(runs).toBe(2), { timeout: 5000 });
    });

    it('lets running handlers finish within the grace and starts no more', async () => {
      const started: string[] = [];
      const finished: string[] = [];
      dispatcher.process(
        handling(async (threadKey, signal) => {
          started.push(threadKey);
          await sleep(30);
          if (!signal.aborted) finished.push(threadKey);
        }),
        { concurrency: 1 },
      );
      await dispatcher.wake('a', somebody);
      await vi.waitFor(() => expect(started).toEqual(['a']), { interval: 1 });
      await dispatcher.wake('b', somebody);
      await dispatcher.wake('a', somebody);
      await dispatcher.close({ graceMs: 5000 });
      expect(finished).toEqual(['a']);
      await dispatcher.wake('c', somebody);
      await sleep(50);
      expect(started).toEqual(['a']);
    });

    it('aborts after the grace, with a reason that is no cancellation', async () => {
      let reason: unknown;
      const started = vi.fn<() => void>();
      dispatcher.process(
        handling(async (_, signal) => {
          started();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          reason = signal.reason;
        }),
        { concurrency: 1 },
      );
      await dispatcher.wake('a', somebody);
      await vi.waitFor(() => expect(started).toHaveBeenCalled(), { interval: 1 });
      await dispatcher.close({ graceMs: 20 });
      expect(reason).toMatchObject({ code: 'internal', retryable: true });
    });
  });
}
