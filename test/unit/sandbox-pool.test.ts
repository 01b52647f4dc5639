import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionLost } from '../../sandbox/connection.ts';
import type { RunningContainer } from '../../sandbox/containers.ts';
import { checkAfterMs, maxWarmMs } from '../../sandbox/limits.ts';
import { createOutage } from '../../sandbox/outage.ts';
import { createWarmPool, type WarmPool } from '../../sandbox/pool.ts';
import { createSlots, type Slots } from '../../sandbox/slots.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';

const log = createLogger('silent');
const never = new AbortController().signal;
const failureOf = (reason: unknown): unknown => reason;
/** Lets everything that does not wait for time happen. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

interface FakeBoot {
  readonly name: string;
  /** How often it was asked for a sign of life. */
  asked: number;
  /** Gives none any more. */
  mute: boolean;
  readonly gone: boolean;
  finish(): void;
  fail(): void;
  die(): void;
}

describe('the warm pool', () => {
  let boots: FakeBoot[];
  let slots: Slots;
  let pool: WarmPool;
  const closing = new AbortController();

  const open = (size: number, slotCount: number, bootCount: number): void => {
    boots = [];
    slots = createSlots(slotCount);
    const bootPlaces = createSlots(bootCount);
    const start = async (): Promise<RunningContainer> => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      let lost: ConnectionLost | null = null;
      const close = (): void => {
        if (lost !== null) return;
        lost = new ConnectionLost('gone', 'it ended');
        slots.free();
        pool.refill();
      };
      const boot: FakeBoot = {
        name: `c${boots.length + 1}`,
        asked: 0,
        mute: false,
        get gone() {
          return lost !== null;
        },
        finish: resolve,
        fail: () => {
          slots.free();
          reject(new Error('no start'));
        },
        die: close,
      };
      boots.push(boot);
      try {
        await promise;
      } finally {
        bootPlaces.free();
      }
      return {
        id: boot.name,
        imageDigest: 'sha256:fake',
        limits: { memoryBytes: 1, workspaceBytes: 1, cpus: 1, processes: 1 },
        connection: {
          get lost() {
            return lost;
          },
          waiting: false,
          next: () => Promise.reject(new Error('not asked')),
          send: () => Promise.resolve(),
          close,
        },
        nextRequestId: () => 1,
        answers: async () => {
          boot.asked += 1;
          if (boot.mute) close();
          return lost === null;
        },
        pause: () => Promise.resolve(),
        unpause: () => Promise.resolve(),
      };
    };
    pool = createWarmPool({ size, slots, boots: bootPlaces, start, closing: closing.signal, log });
    pool.refill();
  };
  const finishAll = async (): Promise<void> => {
    for (let round = 0; round < 10; round += 1) {
      for (const boot of boots) boot.finish();
      await settle();
    }
  };
  const living = (): readonly string[] => boots.filter(({ gone }) => !gone).map(({ name }) => name);
  const boot = (number: number): FakeBoot => {
    const found = boots[number - 1];
    if (found === undefined) throw new Error(`there is no container ${number}`);
    return found;
  };

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('fills up two at a time and refills when one is taken', async () => {
    open(4, 8, 2);
    expect(boots).toHaveLength(2);
    boot(2).finish();
    await settle();
    expect(boots).toHaveLength(3);
    await finishAll();
    expect(pool.ready).toBe(4);
    expect((await pool.take(never))?.id).toBe('c1');
    expect(boots).toHaveLength(5);
  });

  it('gives a container to one caller only, the ready ones first', async () => {
    open(3, 8, 3);
    boot(2).finish();
    await settle();
    const taken = Promise.all([pool.take(never), pool.take(never), pool.take(never)]);
    await finishAll();
    expect((await taken).map((container) => container?.id)).toEqual(['c2', 'c1', 'c3']);
  });

  it('asks one that was left alone for a sign of life, and takes the next where there is none', async () => {
    open(2, 8, 2);
    await finishAll();
    await vi.advanceTimersByTimeAsync(checkAfterMs - 1);
    boot(1).mute = true;
    await vi.advanceTimersByTimeAsync(1);
    expect((await pool.take(never))?.id).toBe('c2');
    expect([boot(1).asked, boot(2).asked, boot(1).gone]).toEqual([1, 1, true]);
    await finishAll();
    expect((await pool.take(never))?.id).toBe('c3');
    expect(boot(3).asked).toBe(0);
  });

  it('replaces on the timer what gives no sign of life', async () => {
    open(2, 2, 2);
    await finishAll();
    await vi.advanceTimersByTimeAsync(checkAfterMs);
    boot(2).mute = true;
    await pool.check();
    await finishAll();
    expect(living()).toEqual(['c1', 'c3']);
    await pool.check();
    expect(boot(1).asked).toBe(1);
  });

  it('replaces the old, the new one first; without a free slot the old one stays', async () => {
    open(1, 2, 2);
    await finishAll();
    await vi.advanceTimersByTimeAsync(maxWarmMs + 1);
    await pool.check();
    expect(living()).toEqual(['c1', 'c2']);
    expect(pool.ready).toBe(1);
    await finishAll();
    expect(living()).toEqual(['c2']);

    open(1, 1, 1);
    await finishAll();
    await vi.advanceTimersByTimeAsync(maxWarmMs + 1);
    await pool.check();
    expect(living()).toEqual(['c1']);
  });

  it('rests after a failed start or an early death, not after one that was ended later', async () => {
    open(1, 2, 1);
    boot(1).fail();
    await vi.advanceTimersByTimeAsync(29_000);
    pool.refill();
    expect(boots).toHaveLength(1);
    expect(await pool.take(never)).toBeNull();
    await vi.advanceTimersByTimeAsync(1000);
    expect(boots).toHaveLength(2);
    await finishAll();
    boot(2).die();
    expect(boots).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(30_000);
    await finishAll();
    await vi.advanceTimersByTimeAsync(30_000);
    boot(3).die();
    expect(boots).toHaveLength(4);
    boot(4).fail();
    await settle();
    expect(boots).toHaveLength(4);
    pool.resume();
    expect(boots).toHaveLength(5);
  });

  it('leaves the slots to who waits for one, and gives up its own for them', async () => {
    open(1, 2, 2);
    await finishAll();
    expect(slots.tryTake()).toBe(true);
    const waiting = slots.take(never);
    expect(pool.evictOne()).toBe(true);
    await waiting;
    expect(boot(1).gone).toBe(true);
    expect(boots).toHaveLength(1);
    expect(pool.evictOne()).toBe(false);
  });

  it('a caller that leaves while its container starts leaves none behind', async () => {
    open(1, 1, 1);
    const leaving = new AbortController();
    const taken = pool.take(leaving.signal).catch(failureOf);
    leaving.abort();
    expect(await taken).toMatchObject({ code: 'cancelled' });
    boot(1).finish();
    await settle();
    expect(boot(1).gone).toBe(true);
  });
});

describe('slots', () => {
  it('tell who waits how many are before it, at once and at each change', async () => {
    const slots = createSlots(1);
    const told: string[] = [];
    const leaving = new AbortController();
    const take = (name: string, signal: AbortSignal = never): Promise<void> =>
      slots.take(signal, (before) => told.push(`${name}${before}`));
    await take('a');
    const [b, c, d] = [take('b'), take('c', leaving.signal), take('d')];
    expect(told).toEqual(['b0', 'c1', 'd2']);
    leaving.abort();
    await expect(c).rejects.toMatchObject({ code: 'cancelled' });
    slots.free();
    await b;
    expect(told.slice(3)).toEqual(['d1', 'd0']);
    slots.free();
    await d;
    expect([slots.unused, slots.waiting]).toEqual([0, 0]);
    slots.free();
    expect(slots.unused).toBe(1);
  });
});

describe('an engine that goes away', () => {
  const away = new AppError('docker-unavailable', 'Docker is not running.');
  let failure: AppError | null = null;
  let checks = 0;
  const engine = {
    check: () => {
      checks += 1;
      return failure === null ? Promise.resolve({} as never) : Promise.reject(failure);
    },
  };
  const openOutage = () => createOutage({ engine, closing: never, log });

  beforeEach(() => {
    vi.useFakeTimers();
    failure = null;
    checks = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is not waited for where it never answered', async () => {
    failure = away;
    expect(await openOutage().isOver(away, never, () => expect.unreachable())).toBe(false);
  });

  it('is waited for by all callers in one row, until it is back', async () => {
    const outage = openOutage();
    outage.seen();
    failure = away;
    let waits = 0;
    const over = [1, 2, 3].map(() => outage.isOver(away, never, () => (waits += 1)));
    await vi.advanceTimersByTimeAsync(5000);
    expect(waits).toBe(3);
    expect(checks).toBeLessThan(15);
    failure = null;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await Promise.all(over)).toEqual([true, true, true]);
  });

  it('is given up after half a minute, and by who is stopped at once', async () => {
    const outage = openOutage();
    outage.seen();
    failure = away;
    const stop = new AbortController();
    const over = outage.isOver(away, never, () => {});
    const stopped = outage.isOver(away, stop.signal, () => {}).catch(failureOf);
    stop.abort();
    expect(await stopped).toMatchObject({ code: 'cancelled' });
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await over).toBe(false);
  });

  it('is told apart from a sandbox that fails while the engine answers', async () => {
    const outage = openOutage();
    outage.seen();
    const failed = new AppError('sandbox-failed', 'The sandbox ended before it was ready.');
    expect(await outage.isOver(failed, never, () => expect.unreachable())).toBe(false);
    failure = away;
    const over = outage.isOver(failed, never, () => {});
    await settle();
    failure = null;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await over).toBe(true);
    expect(await outage.isOver(new AppError('cancelled', 'Stopped.'), never, () => {})).toBe(false);
  });
});
