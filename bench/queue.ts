import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLogger } from '../src/log.ts';
import type { Dispatcher } from '../src/ports/dispatcher.ts';
import { createBullDispatcher } from '../src/queue/bull-dispatcher.ts';
import { openRedis } from '../src/queue/redis.ts';
import { hasRedis, startRedis } from '../test/fakes/redis.ts';
import { figure, quantile } from './figures.ts';
import type { Figure } from './figures.ts';

const log = createLogger('warn');
const somebody = { personId: 'U1', isFollowUp: false };
const gateways = 3;
const asked = 300;
const runs = 2000;

/** The shared queue on a Redis of its own: what 10,000 waiting threads cost a gateway, and what a place, a wake and a run cost. */
export async function queue(): Promise<readonly Figure[]> {
  if (!hasRedis) {
    process.stderr.write('redis-server is not installed: the queue is not measured (npm run setup installs it)\n');
    return [];
  }
  await using server = await startRedis();
  return [...(await gatewayMemory(server.url)), ...(await places(server.url)), await cpuOfRuns(server.url)];
}

async function gatewayMemory(url: string): Promise<readonly Figure[]> {
  const grown: number[] = [];
  const before: number[] = [];
  const perSecond: number[] = [];
  for (let run = 0; run < gateways; run += 1) {
    const script = join(import.meta.dirname, 'queue-gateway.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, url, `{memory-${run}}`, '10000']);
    const told = JSON.parse(stdout) as {
      readonly beforeMb: number;
      readonly afterMb: number;
      readonly seconds: number;
    };
    grown.push(told.afterMb - told.beforeMb);
    before.push(told.beforeMb);
    perSecond.push(10_000 / told.seconds);
  }
  process.stderr.write(`wakes a second, of one gateway: ${Math.round(quantile(perSecond, 0.5))}\n`);
  return [
    figure({
      name: 'memory that waking 10,000 threads adds to a gateway',
      unit: 'MB',
      samples: grown,
      besideName: 'the gateway before',
      besideSamples: before,
      targets: [{ of: 'p95', atMost: 64 }],
    }),
  ];
}

async function places(url: string): Promise<readonly Figure[]> {
  const [few, many] = [await waitingThreads(url, 100), await waitingThreads(url, 10_000)];
  const redis = openRedis({ url, prefix: '{ping}', log });
  await redis.commands.ping();
  const pings = await timed(asked, () => redis.commands.ping());
  const next = { few: 0, many: 0 };
  const wakes = await timed(asked, () => many.dispatcher.wake(`bench/T1/C1/more${(next.few += 1)}`, somebody));
  const ofMany = await timed(asked, () =>
    many.dispatcher.place(many.threads[(next.many += 37) % many.threads.length]!),
  );
  const ofFew = await timed(asked, () => few.dispatcher.place(few.threads[(next.many += 37) % few.threads.length]!));
  await Promise.all([redis.close(), few.dispatcher.close({ graceMs: 0 }), many.dispatcher.close({ graceMs: 0 })]);
  return [
    figure({
      name: 'place among 10,000 waiting threads',
      unit: 'ms',
      samples: ofMany,
      besideName: 'among 100',
      besideSamples: ofFew,
      targets: [
        { of: 'ratio', atMost: 2 },
        { of: 'p95', atMost: 20 },
      ],
    }),
    figure({
      name: 'waking a thread while 10,000 wait',
      unit: 'ms',
      samples: wakes,
      besideName: 'PING',
      besideSamples: pings,
      targets: [{ of: 'p95', atMost: 50 }],
    }),
  ];
}

/** One wake and one run after the other, in one process: everything that the queue does for a task. */
async function cpuOfRuns(url: string): Promise<Figure> {
  const dispatcher = createBullDispatcher({ redisUrl: url, prefix: '{runs}', log });
  const samples: number[] = [];
  const ended = Promise.withResolvers<void>();
  let left = runs;
  let usedAt = process.cpuUsage();
  dispatcher.process(
    async () => {
      left -= 1;
      if (left % 100 === 0) {
        const { user, system } = process.cpuUsage(usedAt);
        samples.push((user + system) / 1000 / 100);
        usedAt = process.cpuUsage();
      }
      if (left === 0) ended.resolve();
      return left > 0 ? somebody : null;
    },
    { concurrency: 1 },
  );
  await dispatcher.wake('bench/T1/C1/t1', somebody);
  await ended.promise;
  await dispatcher.close({ graceMs: 0 });
  return figure({
    name: 'processor time of a task in the queue',
    unit: 'ms',
    samples,
    besideName: 'the bound for the whole path',
    besideSamples: [25],
    targets: [{ of: 'p50', atMost: 5 }],
  });
}

async function waitingThreads(
  url: string,
  count: number,
): Promise<{ readonly dispatcher: Dispatcher; readonly threads: readonly string[] }> {
  const dispatcher = createBullDispatcher({ redisUrl: url, prefix: `{waiting-${count}}`, log });
  const threads = Array.from({ length: count }, (_, index) => `bench/T${index % 20}/C${index % 50}/t${index}`);
  for (let from = 0; from < count; from += 100) {
    const some = threads.slice(from, from + 100);
    await Promise.all(some.map((thread, index) => dispatcher.wake(thread, { ...somebody, personId: `U${index}` })));
  }
  return { dispatcher, threads };
}

async function timed(times: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const startedAtMs = performance.now();
    await work();
    samples.push(performance.now() - startedAtMs);
  }
  return samples;
}
