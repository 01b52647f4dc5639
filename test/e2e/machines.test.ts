import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createPostgresStore } from '../../src/store/postgres-store.ts';
import type { Task } from '../../src/types.ts';
import { taskOf, until } from '../fakes/core.ts';
import { startMachine } from '../fakes/machines.ts';
import type { Machine } from '../fakes/machines.ts';
import { createParentPlatform } from '../fakes/parent-platform.ts';
import type { ParentPlatform } from '../fakes/parent-platform.ts';
import { postgresMissing, startPostgres } from '../fakes/postgres.ts';
import type { PostgresCluster } from '../fakes/postgres.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';

const missing = postgresMissing() ?? (skipsRedis ? 'no redis-server' : null);
const repliesMs = 60_000;
const bob = { id: 'bob', displayName: 'Bob' };

describe.skipIf(missing !== null)('gateways and workers over Redis and PostgreSQL', () => {
  let postgres: PostgresCluster;
  let redis: RedisServer;
  let dataDir: string;
  let databaseUrl: string;
  let platform: ParentPlatform;
  let machines: Machine[];

  const start = async (role: Machine['role'], env: Readonly<Record<string, string>> = {}): Promise<Machine> => {
    const machine = await startMachine(role, platform, {
      DATA_DIR: dataDir,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
      ...env,
    });
    machines.push(machine);
    return machine;
  };
  const replied = (count: number): Promise<void> =>
    until(
      `${count} replies`,
      async () => {
        await sleep(20);
        return platform.replies().length >= count;
      },
      repliesMs,
    );
  const texts = (): readonly string[] =>
    platform.replies().map(({ message }) => (message.kind === 'reply' ? message.text : ''));

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    redis = await startRedis();
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-machines-'));
    databaseUrl = await postgres.createDatabase();
    platform = createParentPlatform();
    machines = [];
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') {
      process.stderr.write(machines.map((machine) => `--- ${machine.role}\n${machine.log()}\n`).join(''));
    }
    platform.disconnect();
    await Promise.all(machines.map((machine) => machine.end('SIGKILL')));
    await redis[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const thread = (threadId: string) => ({ platform: 'parent', workspaceId: 'w', channelId: 'c', threadId });
  const questions = (count: number, given: (index: number) => Partial<Task> = () => ({})): readonly Task[] =>
    Array.from({ length: count }, (_, index) =>
      taskOf(`task-${index}`, { thread: thread(`thread-${index}`), text: 'run: print("x")', ...given(index) }),
    );

  it('two gateways of one platform accept a message once; a worker needs no socket', async () => {
    await start('gateway');
    await start('gateway');
    await start('worker', { SLEEPING_SANDBOX_MS: '20' });
    for (const task of questions(20)) platform.send(task);
    await replied(20);
    await sleep(500);
    expect(texts()).toEqual(Array.from({ length: 20 }, () => 'The answer.'));
    expect(new Set(platform.posts().map(({ postId }) => postId)).size).toBe(platform.posts().length);
  });

  it.each([
    { graceMs: 10_000, happens: 'they finish' },
    { graceMs: 100, happens: 'another worker has them at once' },
  ])('SIGTERM during 8 running tasks, grace $graceMs ms: $happens, none is lost, none doubled', async ({ graceMs }) => {
    await start('gateway');
    const first = await start('worker', {
      SLEEPING_SANDBOX_MS: '3000',
      TASKS_AT_ONCE: '8',
      GRACE_MS: String(graceMs),
    });
    for (const task of questions(8)) platform.send(task);
    const progress = (): number => platform.posts().filter(({ postId }) => postId.endsWith('-progress')).length;
    await until('8 tasks to run', () => sleep(20).then(() => progress() === 8), repliesMs);
    await start('worker', { SLEEPING_SANDBOX_MS: '3000', TASKS_AT_ONCE: '8' });
    const signalled = Date.now();
    expect(await first.end('SIGTERM')).toBe(0);
    const tookMs = Date.now() - signalled;
    await replied(8);
    await sleep(500);
    expect(texts()).toEqual(Array.from({ length: 8 }, () => 'The answer.'));
    // Neither a lease nor a stalled job had to run out.
    expect(Math.max(...platform.replies().map(({ atMs }) => atMs)) - signalled).toBeLessThan(tookMs + 8000);
    await using store = await createPostgresStore({ url: databaseUrl, box: null, log: createLogger('silent') });
    const entries = await Promise.all(questions(8).map(({ id }) => store.task(id)));
    // An orderly end is not the task's fault.
    expect(entries.map((entry) => [entry?.state, entry?.attempts])).toEqual(entries.map(() => ['done', 1]));
  });

  it('one person queues 200 tasks: the single one of another starts within two task lengths', async () => {
    const taskMs = 400;
    await start('gateway');
    await start('worker', { SLEEPING_SANDBOX_MS: String(taskMs), TASKS_AT_ONCE: '2' });
    const busy = questions(200, () => ({ person: { id: 'ada', displayName: 'Ada' } }));
    for (const task of busy) platform.send(task);
    await replied(10);
    const lengthMs = lengthOf(platform, 2);
    const own = taskOf('other', { thread: thread('other'), text: 'run: print("x")', person: bob });
    platform.send(own);
    const answered = (): number | undefined => platform.replies().find(({ threadId }) => threadId === 'other')?.atMs;
    await until('the single task', () => sleep(5).then(() => answered() !== undefined), repliesMs);
    const acceptedAtMs = platform.accepted().find(({ task }) => task.id === 'other')?.atMs ?? 0;
    // It starts within two task lengths, and takes one itself.
    expect((answered() ?? Infinity) - acceptedAtMs).toBeLessThanOrEqual(3 * lengthMs);
    expect(platform.replies().length).toBeLessThan(60);
  });
});

/** How long one task takes where so many run at once, in ms: from how fast the replies came. */
function lengthOf(platform: ParentPlatform, atOnce: number): number {
  const times = platform.replies().map(({ atMs }) => atMs);
  return ((Math.max(...times) - Math.min(...times)) / (times.length - 1)) * atOnce;
}
