import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dispatcher } from '../../src/ports/dispatcher.ts';
import { eventually } from '../fakes/eventually.ts';
import { handling, somebody } from './dispatcher.ts';

/**
 * What `Dispatcher`s of several processes promise that share one queue. `createQueue` gives an empty one, which every call of its
 * result opens as another process does; the suite closes what was opened.
 */
export function describeSharedDispatcher(name: string, createQueue: () => () => Dispatcher): void {
  describe(`Dispatchers that share a queue: ${name}`, () => {
    const opened: Dispatcher[] = [];
    let open: () => Dispatcher;
    beforeEach(() => {
      const queue = createQueue();
      open = () => {
        const dispatcher = queue();
        opened.push(dispatcher);
        return dispatcher;
      };
    });
    afterEach(() => Promise.all(opened.splice(0).map((dispatcher) => dispatcher.close({ graceMs: 0 }))));

    const untilAborted = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve());
      });

    it('runs what another was woken for, and knows its place everywhere', async () => {
      const [gateway, worker, elsewhere] = [open(), open(), open()];
      for (const threadKey of ['a', 'b', 'c']) await gateway.wake(threadKey, somebody);
      expect(await Promise.all(['a', 'b', 'c'].map((threadKey) => elsewhere.place(threadKey)))).toEqual([0, 1, 2]);
      const runs: string[] = [];
      worker.process(
        handling(async (threadKey) => runs.push(threadKey)),
        { concurrency: 1 },
      );
      await eventually(() => expect(runs).toEqual(['a', 'b', 'c']));
      await eventually(async () => expect(await gateway.unknown(['a', 'b', 'c'])).toEqual(['a', 'b', 'c']));
    });

    it('runs a thread in one of them at a time, all threads in all of them, and loses no wake', async () => {
      const workers = [open(), open(), open()];
      const announced = new Map<string, number>();
      const seen = new Map<string, number>();
      const running = new Set<string>();
      const busy = new Set<number>();
      let overlaps = 0;
      for (const [index, worker] of workers.entries()) {
        worker.process(
          handling(async (threadKey) => {
            if (running.has(threadKey)) overlaps += 1;
            running.add(threadKey);
            busy.add(index);
            const mine = announced.get(threadKey) ?? 0;
            await sleep(3);
            running.delete(threadKey);
            seen.set(threadKey, mine);
          }),
          { concurrency: 2 },
        );
      }
      for (let step = 0; step < 150; step += 1) {
        const threadKey = `thread-${(step * 7) % 10}`;
        announced.set(threadKey, step);
        await workers[step % 3]!.wake(threadKey, somebody);
      }
      await eventually(() => expect(seen).toEqual(announced), { timeout: 10_000 });
      expect(overlaps).toBe(0);
      expect(busy.size).toBe(3);
    });

    it('cancels what runs elsewhere', async () => {
      const [gateway, worker, other] = [open(), open(), open()];
      const signals: AbortSignal[] = [];
      for (const one of [worker, other]) {
        one.process(
          handling(async (_, signal) => {
            signals.push(signal);
            await untilAborted(signal);
          }),
          { concurrency: 1 },
        );
      }
      await gateway.wake('a', somebody);
      await eventually(() => expect(signals).toHaveLength(1));
      await gateway.wake('b', somebody);
      await eventually(() => expect(signals).toHaveLength(2));
      await gateway.cancel('a');
      await eventually(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]), { timeout: 500 });
      expect(signals[0]?.reason).toMatchObject({ code: 'cancelled' });
    });

    it('goes on elsewhere with what a closing one had to stop, and with what waited, at once', async () => {
      const [closing, other] = [open(), open()];
      const runs: string[] = [];
      closing.process(
        async (threadKey, signal) => {
          runs.push(`first ${threadKey}`);
          await untilAborted(signal);
          throw signal.reason;
        },
        { concurrency: 1 },
      );
      await closing.wake('a', somebody);
      await eventually(() => expect(runs).toEqual(['first a']));
      await closing.wake('b', somebody);
      other.process(
        handling(async (threadKey) => runs.push(`then ${threadKey}`)),
        { concurrency: 1 },
      );
      await eventually(() => expect(runs).toEqual(['first a', 'then b']));
      const startedAtMs = performance.now();
      await closing.close({ graceMs: 20 });
      await eventually(() => expect(runs).toEqual(['first a', 'then b', 'then a']));
      expect(performance.now() - startedAtMs).toBeLessThan(4000);
    });

    it('lets a handler end within the grace, and what came meanwhile run elsewhere', async () => {
      const [closing, other] = [open(), open()];
      const runs: string[] = [];
      closing.process(
        handling(async (_, signal) => {
          runs.push('begins');
          await sleep(100);
          runs.push(signal.aborted ? 'aborted' : 'ends');
        }),
        { concurrency: 1 },
      );
      await closing.wake('a', somebody);
      await eventually(() => expect(runs).toEqual(['begins']));
      other.process(
        handling(async () => runs.push('again')),
        { concurrency: 1 },
      );
      await other.wake('a', somebody);
      await closing.close({ graceMs: 5000 });
      await eventually(() => expect(runs).toEqual(['begins', 'ends', 'again']));
    });
  });
}
