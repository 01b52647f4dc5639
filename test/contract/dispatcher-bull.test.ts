import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createBullDispatcher } from '../../src/queue/bull-dispatcher.ts';
import { openRedis } from '../../src/queue/redis.ts';
import type { Redis, RedisQueue } from '../../src/queue/redis.ts';
import { eventually } from '../fakes/eventually.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';
import { describeSharedDispatcher } from './dispatcher-shared.ts';
import { describeDispatcher, handling, somebody } from './dispatcher.ts';

describe.skipIf(skipsRedis)('on Redis', () => {
  let server: RedisServer;
  let looking: RedisQueue;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    looking = openRedis({ url: server.url, prefix: '{looking}', log });
    redis = looking.commands;
  });
  afterAll(async () => {
    await looking.close();
    await server[Symbol.asyncDispose]();
  });

  const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const newPrefix = (): string => `{${randomUUID()}}`;
  const open = (prefix: string, leaseMs = 15_000) =>
    createBullDispatcher({ redisUrl: server.url, prefix, leaseMs, log });

  describeDispatcher('Bull', async () => open(newPrefix()));
  describeSharedDispatcher('Bull', () => {
    const prefix = newPrefix();
    return () => open(prefix);
  });

  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

  it('tells a handler whose lease another has, as no cancellation', async () => {
    const prefix = newPrefix();
    const dispatcher = open(prefix, 300);
    let reason: unknown;
    const started = vi.fn<() => void>();
    dispatcher.process(
      async (_, signal) => {
        started();
        await untilAborted(signal);
        ({ reason } = signal);
        throw signal.reason;
      },
      { concurrency: 1 },
    );
    await dispatcher.wake('a', somebody);
    await eventually(() => expect(started).toHaveBeenCalled());
    await redis.hset(`${prefix}:threads:holders`, 'a', 'another');
    await eventually(() => expect(reason).toMatchObject({ code: 'internal', retryable: true }));
    // The other one keeps what it has.
    expect(await redis.hget(`${prefix}:threads:holders`, 'a')).toBe('another');
    await dispatcher.close({ graceMs: 0 });
  });

  it('starts a thread anew only once the handler that lost it has ended, be it in the same process', async () => {
    const prefix = newPrefix();
    const dispatcher = open(prefix, 300);
    const first = Promise.withResolvers<void>();
    const events: string[] = [];
    dispatcher.process(
      handling(async (_, signal) => {
        events.push('start');
        if (events.length === 1) {
          signal.addEventListener('abort', () => events.push('told'));
          await first.promise;
        }
        events.push('end');
      }),
      { concurrency: 2 },
    );
    await dispatcher.wake('a', somebody);
    await eventually(() => expect(events).toEqual(['start']));
    await redis.hset(`${prefix}:threads:holders`, 'a', 'another');
    await eventually(() => expect(events).toEqual(['start', 'told']));
    // The other is gone, and this process gets the thread back.
    await eventually(async () => expect(await redis.hget(`${prefix}:threads:holders`, 'a')).not.toBe('another'));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(events).toEqual(['start', 'told']);
    first.resolve();
    await eventually(() => expect(events).toEqual(['start', 'told', 'end', 'start', 'end']));
    await dispatcher.close({ graceMs: 0 });
  });

  it('stops what was cancelled though the message got lost', async () => {
    const prefix = newPrefix();
    const dispatcher = open(prefix, 900);
    const cancelling = eventually(
      async () => {
        const token = await redis.hget(`${prefix}:threads:holders`, 'a');
        if (token === null) throw new Error('not handed out yet');
        await redis.hset(`${prefix}:threads:cancels`, 'a', token);
      },
      { interval: 0, timeout: 5000 },
    );
    const reasons: unknown[] = [];
    dispatcher.process(
      handling(async (_, signal) => {
        await untilAborted(signal);
        reasons.push(signal.reason);
      }),
      { concurrency: 1 },
    );
    await dispatcher.wake('a', somebody);
    await cancelling;
    await eventually(() => expect(reasons).toMatchObject([{ code: 'cancelled' }]), { timeout: 8000 });
    await dispatcher.close({ graceMs: 0 });
  });

  it('sends carriers that got lost, and needs no more of them than threads wait', async () => {
    const prefix = newPrefix();
    const dispatcher = open(prefix, 600);
    for (const threadKey of ['a', 'b', 'c']) await dispatcher.wake(threadKey, somebody);
    // As a process leaves it that ends between its two steps.
    await redis.del(`${prefix}:wakes:wait`);
    const runs: string[] = [];
    dispatcher.process(
      handling(async (threadKey) => runs.push(threadKey)),
      { concurrency: 1 },
    );
    await eventually(() => expect(runs).toEqual(['a', 'b', 'c']), { timeout: 5000 });
    await dispatcher.wake('d', somebody);
    await eventually(() => expect(runs).toHaveLength(4));
    await eventually(async () => expect(await redis.llen(`${prefix}:wakes:wait`)).toBe(0));
    await dispatcher.close({ graceMs: 0 });
  });

  it('keeps no job but the last ones', async () => {
    const prefix = newPrefix();
    const dispatcher = open(prefix);
    let runs = 0;
    dispatcher.process(
      handling(async () => {
        runs += 1;
      }),
      { concurrency: 4 },
    );
    for (let index = 0; index < 260; index += 1) await dispatcher.wake(`t${index}`, somebody);
    await eventually(() => expect(runs).toBe(260), { timeout: 10_000 });
    await eventually(async () => expect(await redis.llen(`${prefix}:wakes:active`)).toBe(0));
    const jobs = (await redis.keys(`${prefix}:wakes:*`)).filter((key) => /:\d+$/.test(key));
    expect(jobs).toHaveLength(200);
    await dispatcher.close({ graceMs: 0 });
  });
});
