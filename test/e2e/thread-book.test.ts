import { randomUUID } from 'node:crypto';
import { array, assert, asyncProperty, boolean, constant, constantFrom, oneof, record } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { FairOrder, flowPathOf } from '../../src/queue/fair-order.ts';
import { openRedis } from '../../src/queue/redis.ts';
import type { RedisQueue } from '../../src/queue/redis.ts';
import { createThreadBook } from '../../src/queue/thread-book.ts';
import type { Lease, ThreadBook } from '../../src/queue/thread-book.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';

const somebody = { personId: 'p', isFollowUp: false };

describe.skipIf(skipsRedis)('the thread book in Redis', () => {
  let server: RedisServer;
  let redis: RedisQueue;
  beforeAll(async () => {
    server = await startRedis();
    redis = openRedis({ url: server.url, prefix: '{test}', log: createLogger('silent') });
  });
  afterAll(async () => {
    await redis.close();
    await server[Symbol.asyncDispose]();
  });

  const books = (leaseMs = 60_000): { readonly book: ThreadBook; readonly other: ThreadBook } => {
    const given = { redis: redis.commands, prefix: `{${randomUUID()}}`, leaseMs };
    return { book: createThreadBook({ ...given, ownerId: 'a' }), other: createThreadBook({ ...given, ownerId: 'b' }) };
  };
  const wake = (book: ThreadBook, threadKey: string, whom = somebody): Promise<boolean> =>
    book.wake(threadKey, flowPathOf(threadKey, whom));
  const taken = async (book: ThreadBook): Promise<Lease> => {
    const lease = await book.take();
    if (lease === null) throw new Error('nothing waits');
    return lease;
  };

  it('orders threads as the fair order does, and says the same places', async () => {
    const asked = record({
      workspace: constantFrom('w1', 'w2'),
      channel: constantFrom('c1', 'c2'),
      personId: constantFrom('p1', 'p2', 'ü 3'),
      isFollowUp: boolean(),
    });
    const step = oneof({ weight: 3, arbitrary: asked }, { weight: 2, arbitrary: constant('take' as const) });
    await assert(
      asyncProperty(array(step, { maxLength: 60 }), async (steps) => {
        const { book } = books();
        const order = new FairOrder();
        const waiting = new Set<string>();
        const takeBoth = async (): Promise<void> => {
          const lease = await book.take();
          expect(lease?.threadKey ?? null).toBe(order.take());
          if (lease !== null) waiting.delete(lease.threadKey);
        };
        for (const [index, one] of steps.entries()) {
          if (one === 'take') {
            await takeBoth();
            continue;
          }
          const threadKey = `test/${one.workspace}/${one.channel}/t${index}`;
          const path = flowPathOf(threadKey, one);
          waiting.add(threadKey);
          order.add(threadKey, path);
          expect(await book.wake(threadKey, path)).toBe(true);
        }
        for (const threadKey of waiting) expect(await book.place(threadKey)).toBe(order.place(threadKey));
        while (order.size > 0) await takeBoth();
        expect(await book.take()).toBeNull();
      }),
      { numRuns: 60 },
    );
  });

  it('leaves nothing behind that does not go away by itself', async () => {
    const prefix = `{${randomUUID()}}`;
    const book = createThreadBook({ redis: redis.commands, prefix, ownerId: 'a', leaseMs: 60_000 });
    for (let index = 0; index < 50; index += 1) await wake(book, `test/w${index % 3}/c/t${index}`);
    for (let index = 0; index < 50; index += 1) await book.done(await taken(book), null);
    const keys = await redis.commands.keys(`${prefix}*`);
    const lasting: string[] = [];
    for (const key of keys) if ((await redis.commands.ttl(key)) === -1) lasting.push(key.slice(prefix.length));
    expect(lasting.toSorted()).toEqual([':threads:epoch', ':threads:fence', ':threads:joins']);
  });

  it('gives a thread to one at a time; what comes meanwhile is kept over the end of the lease, given back or not', async () => {
    const { book, other } = books(50);
    await wake(book, 'a');
    const first = await taken(book);
    expect(await wake(other, 'a')).toBe(false);
    expect(await other.take()).toBeNull();
    expect(await book.done(first, null)).toBe(true);
    const second = await taken(other);
    expect(second.token).not.toBe(first.token);
    await new Promise((resolve) => setTimeout(resolve, 80));
    // The holder is gone, without a further wake.
    expect(await book.repair()).toEqual({ endedLeases: 1, waiting: 1 });
    const third = await taken(book);
    expect(third.threadKey).toBe('a');
    expect(await other.renew(second)).toBe('lost');
    expect(await other.done(second, second.path)).toBe(false);
    expect(await book.renew(third)).toBe('held');
    expect(Number(third.token.split('-')[0])).toBeGreaterThan(Number(second.token.split('-')[0]));
  });

  it('keeps the lease of a handler over the loss of all that Redis held', async () => {
    const { book, other } = books();
    await wake(book, 'a');
    const lease = await taken(book);
    await redis.commands.flushall();
    await wake(other, 'a');
    expect(await book.renew(lease)).toBe('held');
    expect(await other.take()).toBeNull();
    expect(await book.done(lease, null)).toBe(true);
    expect((await taken(other)).threadKey).toBe('a');
  });

  it('stops the lease that ran when it was asked to, and no later one', async () => {
    const { book, other } = books();
    await other.cancel('a');
    await wake(book, 'a');
    const first = await taken(book);
    expect(await book.isCancelled(first)).toBe(false);
    await other.cancel('a');
    expect([await book.isCancelled(first), await book.renew(first)]).toEqual([true, 'cancelled']);
    await book.done(first, first.path);
    const second = await taken(book);
    expect([await book.isCancelled(second), await book.renew(second)]).toEqual([false, 'held']);
  });

  it('wakes later what failed, longer each time, and at once where a wake comes', async () => {
    const { book } = books();
    await wake(book, 'a');
    expect(await book.failed(await taken(book), null)).toBe(1000);
    expect(await book.take()).toBeNull();
    expect(await book.unknown(['a', 'b'])).toEqual(['b']);
    expect(await wake(book, 'a')).toBe(true);
    expect(await book.failed(await taken(book), null)).toBe(2000);
    await wake(book, 'a');
    expect(await book.failed(await taken(book), 30)).toBe(30);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await book.done(await taken(book), null);
    await wake(book, 'a');
    expect(await book.failed(await taken(book), null)).toBe(1000);
  });

  /** Commands that Redis ran inside of one call, and the time it took there. */
  const costOf = async (call: () => Promise<unknown>): Promise<{ readonly calls: number; readonly usec: number }> => {
    await redis.commands.config('RESETSTAT');
    await call();
    const stats = await redis.commands.info('commandstats');
    const lines = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+),usec=(\d+)/g)];
    const inner = lines.filter(([, name]) => !['info', 'config|resetstat', 'evalsha', 'eval'].includes(name ?? ''));
    const sum = (index: number): number => inner.reduce((total, line) => total + Number(line[index]), 0);
    return { calls: sum(2), usec: sum(3) };
  };

  it('says a place with as many commands, none of which walks a list, among 10,000 as among 100', async () => {
    const costs: { readonly calls: number; readonly usec: number }[] = [];
    for (const count of [100, 10_000]) {
      const { book } = books();
      const waiting = Array.from({ length: count }, (_, index) => `test/w${index % 7}/c${index % 11}/t${index}`);
      for (let from = 0; from < count; from += 500) {
        await Promise.all(
          waiting
            .slice(from, from + 500)
            .map((threadKey, index) => wake(book, threadKey, { personId: `p${index % 13}`, isFollowUp: false })),
        );
      }
      const places = await Promise.all(waiting.map((threadKey) => book.place(threadKey)));
      expect(places.toSorted((a, b) => a - b)).toEqual(waiting.map((_, index) => index));
      const asked = waiting.filter((_, index) => index % (count / 100) === 0);
      const measured: (typeof costs)[number][] = [];
      for (let time = 0; time < 5; time += 1) {
        measured.push(await costOf(() => Promise.all(asked.map((threadKey) => book.place(threadKey)))));
      }
      // The quickest: others use this machine too.
      costs.push(...measured.toSorted((a, b) => a.usec - b.usec).slice(0, 1));
    }
    const [few, many] = costs;
    expect(many!.calls).toBe(few!.calls);
    // 1.5 to 2 times is what a logarithm gives here; a list would take 100 times as long.
    expect(many!.usec).toBeLessThan(6 * few!.usec);
  });
});
