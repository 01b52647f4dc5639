import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { labelNames, parseOwner } from '../../sandbox/owner.ts';
import { createDirectoryBlobs } from '../../src/blobs/directory-blobs.ts';
import { createLogger } from '../../src/log.ts';
import { openDispatcher } from '../../src/queue/open-dispatcher.ts';
import { createPostgresStore } from '../../src/store/postgres-store.ts';
import type { Task } from '../../src/types.ts';
import { attachmentOf, taskOf, until } from '../fakes/core.ts';
import { startMachine } from '../fakes/machines.ts';
import type { Machine } from '../fakes/machines.ts';
import { createParentPlatform } from '../fakes/parent-platform.ts';
import type { ParentPlatform } from '../fakes/parent-platform.ts';
import { postgresMissing, startPostgres } from '../fakes/postgres.ts';
import { createRandom } from '../fakes/random.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';
import { copyImage, createSecondEngine, secondEngineMissing } from '../fakes/second-engine.ts';
import type { SecondEngine } from '../fakes/second-engine.ts';

/** A few in every run of the tests; `CHAOS_TASKS=300 CHAOS_THREADS=60` for the claim as a whole. */
const taskCount = Number(process.env['CHAOS_TASKS'] ?? 20);
const threadCount = Number(process.env['CHAOS_THREADS'] ?? 6);
const seed = Number(process.env['SEED'] ?? 1);

const workers = 3;
const gateways = 2;
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';

const log = createLogger('silent');

/** Between two faults, at random up to this. */
const pauseMs = 5000;
const longestPauseBetweenTasksMs = 1500;

/** Every task may be begun anew a few times, two cores make all the containers. */
const wholeMs = 240_000 + taskCount * 6000;

const missing = secondEngineMissing() ?? postgresMissing() ?? (skipsRedis ? 'no redis-server' : null);
if (missing !== null) process.stderr.write(`\nSKIPPED: many machines. ${missing}\n\n`);

describe.skipIf(missing !== null)('many machines', () => {
  it(
    `${taskCount} tasks in ${threadCount} threads on ${workers} workers and ${gateways} gateways: one reply each, in order, whatever is killed (seed ${seed})`,
    async () => {
      await using postgres = await startPostgres();
      await using redis = await startRedis();
      await using engine = createSecondEngine();
      await engine.start();
      await copyImage(image, engine);
      const dataDir = mkdtempSync(join(tmpdir(), 'plotline-machines-'));
      const databaseUrl = await postgres.createDatabase();
      const platform = createParentPlatform();
      const machines: Machine[] = [];
      const environment = {
        DATA_DIR: dataDir,
        DATABASE_URL: databaseUrl,
        REDIS_URL: redis.url,
        SANDBOX_HOSTS: `unix://${engine.socketPath}`,
        SANDBOX_IMAGE: image,
        SANDBOX_RUNTIME: 'runc',
        SANDBOX_POOL_SIZE: '1',
        SANDBOX_MAX: '3',
        TASKS_AT_ONCE: '2',
      };
      const start = async (role: Machine['role']): Promise<void> => {
        machines.push(await startMachine(role, platform, environment));
      };
      try {
        for (let count = 0; count < gateways; count += 1) await start('gateway');
        for (let count = 0; count < workers; count += 1) await start('worker');

        const random = createRandom(seed);
        const asked = askOneAfterTheOther(platform, createRandom(seed + 1));
        const isDone = (): boolean => platform.replies().length >= taskCount;
        const isNearlyDone = (): boolean => platform.replies().length >= taskCount * 0.8;
        const faults = await faultsUntil(isNearlyDone, { machines, start, redis, engine, random });
        await asked;
        await until(
          'every reply',
          async () => {
            await sleep(200);
            return isDone();
          },
          wholeMs,
        );
        // A second reply would come now.
        await sleep(2000);
        process.stderr.write(`many machines: ${JSON.stringify({ faults, ...outcomes(platform) })}\n`);
        expectOneReplyEachInOrder(platform, taskCount);
        // An engine that is away for long ends in words; for the most part it is waited for.
        expect(outcomes(platform).answered).toBeGreaterThanOrEqual(0.8 * taskCount);

        // What a killed worker left behind, and what the killed engine could not remove whole, is found by a sweep, once a minute.
        const living = new Set(machines.map((machine) => machine.process.pid));
        const leftOver = async (): Promise<readonly Container[]> =>
          (await containersOf(engine)).filter(
            ({ owner, state }) => !living.has(owner) || (state !== 'running' && state !== 'paused'),
          );
        await until(
          'what was left behind to go',
          () => sleep(500).then(async () => (await leftOver()).length === 0),
          100_000,
        );
        // A wake too many is taken by whoever is free, and finds nothing to do.
        const dispatcher = await openDispatcher({ redisUrl: redis.url, log });
        const depth = () => dispatcher.depth(AbortSignal.timeout(5000));
        await until('the queue to be empty', () => sleep(200).then(async () => (await depth()).waiting === 0), 30_000);
        // In order, as an operator would.
        const codes = await Promise.all(machines.splice(0).map((machine) => machine.end('SIGTERM')));
        expect(codes).toEqual(codes.map(() => 0));
        expect(await containersOf(engine)).toEqual([]);
        expect(await depth()).toEqual({ waiting: 0, running: 0 });
        await dispatcher.close({ graceMs: 0 });
        // A file that a killed process was writing is known as such by its age.
        const incoming = join(dataDir, 'blobs', 'incoming');
        const longAgo = Date.now() / 1000 - 2 * 24 * 3600;
        for (const name of filesIn(incoming)) utimesSync(join(incoming, name), longAgo, longAgo);
        await createDirectoryBlobs({ dir: join(dataDir, 'blobs') }).sweep(
          new Set(),
          Infinity,
          AbortSignal.timeout(10_000),
        );
        expect(filesIn(incoming)).toEqual([]);
        await using store = await createPostgresStore({
          url: databaseUrl,
          box: null,
          log,
        });
        expect(await store.unfinishedThreads()).toEqual([]);
      } catch (error) {
        process.stderr.write(machines.map((machine) => `--- ${machine.role}\n${machine.log()}\n`).join(''));
        throw error;
      } finally {
        platform.disconnect();
        await Promise.all(machines.map((machine) => machine.end('SIGKILL')));
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    wholeMs + 300_000,
  );
});

/** Questions with a file, some of which use what an earlier one of their thread left. */
function tasksOf(count: number, threads: number): readonly Task[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index % threads;
    const first = index < threads;
    const code = first
      ? 'import plotline; frame = plotline.load("a.csv"); print(frame.sum())'
      : `open("made-${index}.csv", "w").write("1"); print(len(frame))`;
    return taskOf(`task-${index}`, {
      thread: { platform: 'parent', workspaceId: 'w', channelId: 'c', threadId: `thread-${number}` },
      text: `run: ${code}`,
      attachments: first ? [attachmentOf(`file-${number}`, 'a.csv', 42)] : [],
      receivedAtMs: Date.now(),
    });
  });
}

type Fault = 'worker' | 'gateway' | 'redis' | 'redis emptied' | 'engine';
const kinds: readonly Fault[] = ['worker', 'worker', 'gateway', 'redis', 'redis emptied', 'engine'];

/** So that there is work under way whatever is killed when. */
async function askOneAfterTheOther(platform: ParentPlatform, random: () => number): Promise<void> {
  for (const task of tasksOf(taskCount, threadCount)) {
    platform.send(task);
    await sleep(random() * longestPauseBetweenTasksMs);
  }
}

/** Kills one thing after the other, each of which comes back: every kind once before any comes again, and at least once. */
async function faultsUntil(
  isOver: () => boolean,
  world: {
    readonly machines: Machine[];
    readonly start: (role: Machine['role']) => Promise<void>;
    readonly redis: RedisServer;
    readonly engine: SecondEngine;
    readonly random: () => number;
  },
): Promise<Readonly<Record<Fault, number>>> {
  const { machines, start, redis, engine, random } = world;
  const done: Record<Fault, number> = { worker: 0, gateway: 0, redis: 0, 'redis emptied': 0, engine: 0 };
  let left: Fault[] = [];
  for (let count = 0; count < kinds.length || !isOver(); count += 1) {
    await sleep(random() * pauseMs);
    if (left.length === 0) left = [...kinds];
    const [kind = 'worker'] = left.splice(Math.floor(random() * left.length), 1);
    done[kind] += 1;
    switch (kind) {
      case 'worker':
      case 'gateway': {
        const candidates = machines.filter(({ role }) => role === kind);
        const victim = candidates[Math.floor(random() * candidates.length)];
        if (victim === undefined) break;
        machines.splice(machines.indexOf(victim), 1);
        await victim.end('SIGKILL');
        await sleep(random() * 1000);
        await start(kind);
        break;
      }
      case 'redis':
      case 'redis emptied':
        await redis.kill();
        await sleep(random() * 2000);
        await redis.start({ empty: kind === 'redis emptied' });
        break;
      case 'engine':
        await engine.crash();
        await sleep(random() * 2000);
        await engine.start();
        break;
    }
  }
  return done;
}

function expectOneReplyEachInOrder(platform: ParentPlatform, count: number): void {
  const accepted = platform.accepted().map(({ task }) => task);
  expect(accepted).toHaveLength(count);
  for (const threadId of new Set(accepted.map(({ thread }) => thread.threadId))) {
    const asked = accepted.filter(({ thread }) => thread.threadId === threadId).map(({ id }) => `${id}-reply`);
    const replied = platform.replies().filter((reply) => reply.threadId === threadId);
    expect(replied.map(({ postId }) => postId)).toEqual(asked);
  }
}

/** How many were answered, and in which words the others ended. */
function outcomes(platform: ParentPlatform): { readonly answered: number; readonly others: readonly string[] } {
  const texts = platform.replies().map(({ message }) => (message.kind === 'reply' ? message.text : ''));
  const others = texts.filter((text) => !text.includes('The answer.'));
  return { answered: texts.length - others.length, others: [...new Set(others.map((text) => text.slice(0, 120)))] };
}

interface Container {
  readonly id: string;
  readonly state: string;
  /** The process that made it. */
  readonly owner: number | undefined;
}

async function containersOf(engine: SecondEngine): Promise<readonly Container[]> {
  const found = await engine.docker.listContainers({ all: true, filters: { label: [labelNames.owner] } });
  return found.map(({ Id: id, State: state, Labels }) => {
    return { id, state, owner: parseOwner(Labels[labelNames.owner] ?? '')?.pid };
  });
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
