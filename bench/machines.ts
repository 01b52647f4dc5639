import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { taskOf } from '../test/fakes/core.ts';
import { startMachine } from '../test/fakes/machines.ts';
import type { Machine } from '../test/fakes/machines.ts';
import { createParentPlatform } from '../test/fakes/parent-platform.ts';
import type { ParentPlatform } from '../test/fakes/parent-platform.ts';
import { postgresMissing, startPostgres } from '../test/fakes/postgres.ts';
import { skipsRedis, startRedis } from '../test/fakes/redis.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';

/** What one task waits for its sandbox, in ms, and how many a worker has at once: a worker alone does four tasks a second. */
const sleepMs = 1000;
const atOnce = 4;
/** Rounds of a worker's places. */
const rounds = 14;

interface Run {
  /** Tasks a second, over each two rounds. */
  readonly rates: readonly number[];
  /** Processor time of gateway and workers, in ms for each task; a sample for each second. */
  readonly cpuMs: readonly number[];
}

/** Workers beside each other on real Redis and PostgreSQL (which flushes to disk), with sandboxes that cost time and nothing else. */
export async function machines(): Promise<readonly Figure[]> {
  if (postgresMissing() !== null || skipsRedis) {
    process.stderr.write(
      'PostgreSQL or redis-server is not installed: many machines are not measured (npm run setup)\n',
    );
    return [];
  }
  const [one, two, four] = [await measured(1), await measured(2), await measured(4)];
  const alone = await measuredAlone();
  const scaled = (many: Run, workers: number): Figure =>
    figure({
      name: `tasks a second, ${workers} workers`,
      unit: 'tasks/s',
      samples: many.rates,
      besideName: 'one worker',
      besideSamples: one.rates,
      targets: [{ of: 'ratio', atLeast: 0.9 * workers }],
    });
  return [
    scaled(two, 2),
    scaled(four, 4),
    figure({
      name: 'processor time of a task, accepted to posted, 4 workers',
      unit: 'ms',
      samples: four.cpuMs,
      besideName: 'one process, SQLite, no Redis',
      besideSamples: alone.cpuMs,
      targets: [{ of: 'p50', atMost: 25 }],
    }),
  ];
}

async function measured(workers: number): Promise<Run> {
  await using postgres = await startPostgres({ durable: true });
  await using redis = await startRedis();
  const databaseUrl = await postgres.createDatabase();
  return await running(
    { DATABASE_URL: databaseUrl, REDIS_URL: redis.url },
    ['gateway', ...repeated('worker', workers)],
    workers,
  );
}

function measuredAlone(): Promise<Run> {
  return running({}, ['all'], 1);
}

async function running(
  env: Readonly<Record<string, string>>,
  roles: readonly Machine['role'][],
  workers: number,
): Promise<Run> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-bench-machines-'));
  const platform = createParentPlatform();
  const started: Machine[] = [];
  const settings = { DATA_DIR: dataDir, SLEEPING_SANDBOX_MS: String(sleepMs), TASKS_AT_ONCE: String(atOnce), ...env };
  try {
    for (const role of roles) started.push(await startMachine(role, platform, settings));
    const count = workers * atOnce * rounds;
    for (let index = 0; index < count; index += 1) platform.send(questionOf(index));
    const round = workers * atOnce;
    const cpuMs = await costs(platform, started, { from: round, to: count - 2 * round });
    return { rates: ratesOf(platform, round), cpuMs };
  } finally {
    platform.disconnect();
    await Promise.all(started.map((machine) => machine.end('SIGKILL')));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Everybody has two threads at a time, in ten channels. */
function questionOf(index: number) {
  const person = `p${index % 20}`;
  return taskOf(`task-${index}`, {
    thread: { platform: 'parent', workspaceId: 'w', channelId: `c${index % 10}`, threadId: `thread-${index}` },
    text: 'run: print("x")',
    person: { id: person, displayName: person },
  });
}

/** Processor time of a task, looked at once a second between the reply number `from` and the reply number `to`. */
async function costs(
  platform: ParentPlatform,
  started: readonly Machine[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly number[]> {
  const samples: number[] = [];
  const look = async () => {
    const spent = await Promise.all(started.map((machine) => platform.costOf(machine.process)));
    return { replies: platform.replies().length, spentMs: spent.reduce((sum, { cpuMs }) => sum + cpuMs, 0) };
  };
  while (platform.replies().length < from) await delay(20);
  let before = await look();
  while (platform.replies().length < to) {
    await delay(sleepMs);
    const now = await look();
    const done = now.replies - before.replies;
    if (done > 0) samples.push((now.spentMs - before.spentMs) / done);
    before = now;
  }
  return samples;
}

/** Tasks a second over each two rounds, from the times at which their replies came. */
function ratesOf(platform: ParentPlatform, round: number): readonly number[] {
  const times = platform.replies().map(({ atMs }) => atMs);
  const ends = Array.from(
    { length: Math.floor(times.length / (2 * round)) },
    (_, index) => (index + 1) * 2 * round - 1,
  );
  return ends.flatMap((end) => {
    const [from, to] = [times[end - 2 * round], times[end]];
    return from === undefined || to === undefined ? [] : [(1000 * 2 * round) / (to - from)];
  });
}

function repeated(role: Machine['role'], count: number): readonly Machine['role'][] {
  return Array.from({ length: count }, () => role);
}
