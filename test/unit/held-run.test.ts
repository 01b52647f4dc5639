import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { holdRun } from '../../src/queue/held-run.ts';
import type { HeldRun } from '../../src/queue/held-run.ts';
import type { ThreadBook } from '../../src/queue/thread-book.ts';

const lease = { threadKey: 'test/w/c/t', token: '1-a', path: ['w'] };
const leaseMs = 9000;

beforeEach(() =>
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'] }),
);
afterEach(() => vi.useRealTimers());

/** What Redis says of the lease: at the start, then at each renewal. */
const run = (isCancelled: boolean, renew: () => ReturnType<ThreadBook['renew']>): HeldRun => {
  const book = { isCancelled: () => Promise.resolve(isCancelled), renew } as unknown as ThreadBook;
  return holdRun({ lease, takenAtMs: performance.now(), leaseMs, book });
};
const held = () => Promise.resolve('held' as const);
const away = () => Promise.reject(new Error('Redis is away'));

it('stops what was cancelled between its hand-out and its start', async () => {
  const one = run(true, held);
  await vi.advanceTimersByTimeAsync(0);
  expect(one.signal.reason).toMatchObject({ code: 'cancelled' });
  one.end();
});

it('goes on as long as the lease is renewed, and hears of a cancel with a renewal', async () => {
  let state: 'held' | 'cancelled' = 'held';
  const one = run(false, () => Promise.resolve(state));
  await vi.advanceTimersByTimeAsync(20 * leaseMs);
  expect([one.signal.aborted, one.isLost]).toEqual([false, false]);
  state = 'cancelled';
  await vi.advanceTimersByTimeAsync(leaseMs / 3);
  expect(one.signal.reason).toMatchObject({ code: 'cancelled' });
  expect(one.isLost).toBe(false);
  one.end();
});

it('ends before the lease does where Redis does not answer, but not at the first silence', async () => {
  const one = run(false, away);
  await vi.advanceTimersByTimeAsync(0.85 * leaseMs);
  expect(one.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(0.1 * leaseMs);
  expect(one.isLost).toBe(true);
  expect(one.signal.reason).toMatchObject({ code: 'internal', retryable: true });
});

it('counts a lease as lost that ended while the process stood still, and does not take it anew', async () => {
  let renewals = 0;
  const one = run(false, () => {
    renewals += 1;
    return held();
  });
  // The clock went on; the timers of this process did not.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 2 * leaseMs);
  await vi.advanceTimersByTimeAsync(leaseMs / 3);
  expect([one.isLost, renewals]).toEqual([true, 0]);
  vi.restoreAllMocks();
});

it('asks nothing any more once the handler has ended', async () => {
  let renewals = 0;
  const one = run(false, () => {
    renewals += 1;
    return held();
  });
  one.end();
  await vi.advanceTimersByTimeAsync(5 * leaseMs);
  expect([renewals, one.signal.aborted]).toEqual([0, false]);
});
