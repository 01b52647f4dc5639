import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createThreadSweep } from '../../src/conversation/sweep.ts';
import { createLogger } from '../../src/log.ts';
import type { Dispatcher } from '../../src/ports/dispatcher.ts';
import { createBullDispatcher } from '../../src/queue/bull-dispatcher.ts';
import { taskOf, until } from '../fakes/core.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';

const somebody = { personId: 'p', isFollowUp: false };
const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
const threads = Array.from({ length: 24 }, (_, index) => `test/w/c/t${index}`);

describe.skipIf(skipsRedis)('the queue when things break', () => {
  let redis: RedisServer;
  let dir: string;
  let ledger: string;
  let prefix: string;
  let gateway: Dispatcher;
  const workers: ChildProcess[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    dir = mkdtempSync(join(tmpdir(), 'plotline-queue-'));
    ledger = join(dir, 'ledger');
    writeFileSync(ledger, '');
    prefix = `{${randomUUID()}}`;
    gateway = createBullDispatcher({ redisUrl: redis.url, prefix, log });
  });
  afterEach(async () => {
    redis.resume();
    await Promise.all(workers.splice(0).map(kill));
    await gateway.close({ graceMs: 0 });
    await redis[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const startWorker = async (leaseMs: number, taskMs: number): Promise<ChildProcess> => {
    const script = join(import.meta.dirname, '../fakes/queue-worker.ts');
    const args = [script, redis.url, prefix, ledger, String(leaseMs), String(taskMs)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    workers.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    appendFileSync(ledger, `killed ${child.pid} -\n`);
  };
  const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

  type Line = readonly [what: string, pid: string, thread: string];
  const lines = (): readonly Line[] =>
    readFileSync(ledger, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ') as unknown as Line);
  const count = (what: string): number => lines().filter((line) => line[0] === what).length;
  const isEnded = (thread: string): boolean => lines().some(([what, , where]) => what === 'end' && where === thread);

  /** Threads that began while another process, which lived and was not standing still, ran them. */
  const overlaps = (): readonly string[] => {
    const running = new Map<string, string>();
    const standing = new Set<string>();
    const found: string[] = [];
    for (const [what, pid, thread] of lines()) {
      if (what === 'stopped') standing.add(pid);
      else if (what === 'continued') standing.delete(pid);
      else if (what === 'killed') for (const [where, who] of running) if (who === pid) running.delete(where);
      if (what === 'end' || what === 'aborted') if (running.get(thread) === pid) running.delete(thread);
      if (what !== 'start') continue;
      const other = running.get(thread);
      if (other !== undefined && !standing.has(other)) found.push(`${thread} by ${pid} beside ${other}`);
      running.set(thread, pid);
    }
    return found;
  };

  /** As the store says it, which no fault here touches. */
  const sweep = (): Promise<number> =>
    createThreadSweep({
      store: {
        unfinishedThreads: async () => threads.filter((thread) => !isEnded(thread)),
        nextTask: async (thread) => taskOf(thread),
      },
      dispatcher: gateway,
      isServed: () => true,
      log,
    })();
  const allEnd = (withinMs: number): Promise<void> =>
    until('every thread to end', () => threads.every(isEnded), withinMs);
  const wakeAll = async (): Promise<void> => {
    for (const thread of threads) await gateway.wake(thread, somebody);
  };

  it('a worker that is killed loses nothing: its threads run elsewhere, each by one', async () => {
    const [first] = await Promise.all([startWorker(1500, 150), startWorker(1500, 150)]);
    await wakeAll();
    await until('work of the first', () => lines().some(([, pid]) => pid === String(first?.pid)));
    await kill(first);
    await allEnd(15_000);
    expect(overlaps()).toEqual([]);
  });

  it('a worker that ends by SIGTERM gives back what it ran, at once', async () => {
    const first = await startWorker(60_000, 700);
    await wakeAll();
    await until('three to run', () => count('start') === 3);
    await startWorker(60_000, 20);
    first.kill('SIGTERM');
    await allEnd(10_000);
    expect(count('aborted')).toBeGreaterThan(0);
    expect(overlaps()).toEqual([]);
  });

  it('a worker that stands still is told, when it goes on, that its threads are with others', async () => {
    const first = await startWorker(1000, 4000);
    await wakeAll();
    await until('three to run', () => count('start') === 3);
    const held = lines().map(([, , thread]) => thread);
    first.kill('SIGSTOP');
    appendFileSync(ledger, `stopped ${first.pid} -\n`);
    await startWorker(1000, 20);
    await until('others to have its threads', () => held.every(isEnded), 10_000);
    appendFileSync(ledger, `continued ${first.pid} -\n`);
    first.kill('SIGCONT');
    await until('it to be told', () => count('aborted') === 3);
    await kill(first);
    await allEnd(10_000);
    const own = lines().filter(([, pid]) => pid === String(first.pid));
    expect(own.filter(([what]) => what === 'end')).toEqual([]);
    expect(overlaps()).toEqual([]);
  });

  it('Redis killed and started again with its data: work goes on', async () => {
    const both = await Promise.all([startWorker(5000, 150), startWorker(5000, 150)]);
    await wakeAll();
    await until('some to end', () => count('end') >= 4);
    await redis.kill();
    await sleep(500);
    await redis.start();
    await allEnd(20_000);
    expect(overlaps()).toEqual([]);
    expect(both.every(isAlive)).toBe(true);
  });

  it('Redis killed and started again empty: the sweep wakes what is unfinished, once', async () => {
    const both = await Promise.all([startWorker(5000, 300), startWorker(5000, 300)]);
    await wakeAll();
    await until('some to end', () => count('end') >= 3);
    await redis.kill();
    await expect(gateway.wake('test/w/c/new', somebody)).rejects.toMatchObject({ retryable: true });
    await redis.start({ empty: true });
    await until('a sweep to reach Redis', async () => (await sweep()) > 0, 10_000);
    await sweep();
    expect(await sweep()).toBe(0);
    await allEnd(20_000);
    expect(overlaps()).toEqual([]);
    expect(both.every(isAlive)).toBe(true);
  });

  it('Redis comes later than the processes, and goes before them', async () => {
    await redis.kill();
    const worker = await startWorker(5000, 20);
    const late = createBullDispatcher({ redisUrl: redis.url, prefix, log });
    await expect(late.wake(threads[0]!, somebody)).rejects.toMatchObject({ retryable: true });
    await redis.start();
    await until('a sweep to reach Redis', async () => (await sweep()) > 0, 10_000);
    await allEnd(15_000);
    await redis.kill();
    const startedAtMs = performance.now();
    await late.close({ graceMs: 0 });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
  });

  it('a process that ends while Redis is away does not go on trying to give its leases back', async () => {
    const tries: string[] = [];
    const heard = createLogger('warn', (line) => tries.push(line));
    const ending = createBullDispatcher({ redisUrl: redis.url, prefix, log: heard });
    const started = Promise.withResolvers<void>();
    ending.process(
      async (_, signal) => {
        started.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw signal.reason as Error;
      },
      { concurrency: 1 },
    );
    await gateway.wake(threads[0]!, somebody);
    await started.promise;
    await redis.kill();
    await ending.close({ graceMs: 0 });
    const triesSoFar = tries.length;
    await sleep(7500);
    // A try takes three seconds; the last one may have been under way.
    expect(tries.length - triesSoFar).toBeLessThanOrEqual(1);
  }, 30_000);

  it('Redis stands still for five seconds: a wake is answered in time, and nothing runs twice', async () => {
    const both = await Promise.all([startWorker(15_000, 100), startWorker(15_000, 100)]);
    await wakeAll();
    await until('some to end', () => count('end') >= 3);
    redis.pause();
    const askedAtMs = performance.now();
    await expect(gateway.wake('test/w/c/new', somebody)).rejects.toMatchObject({ retryable: true });
    expect(performance.now() - askedAtMs).toBeLessThan(4500);
    await sleep(5000 - (performance.now() - askedAtMs));
    redis.resume();
    await allEnd(20_000);
    expect(count('aborted')).toBe(0);
    expect(overlaps()).toEqual([]);
    expect(both.every(isAlive)).toBe(true);
  });
});
