import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../sandbox/engine.ts';
import { labelNames, parseOwner } from '../sandbox/owner.ts';
import { createScriptedModel, pythonCall } from '../test/fakes/scripted-model.ts';
import { startTestBot, type TestBot } from '../test/fakes/test-bot.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { engineProcesses, residentMegabytes } from './host-processes.ts';
import { acquire, benchImage, openSandboxes } from './sandboxes.ts';

const mentions = 50;
const poolSize = 4;
/** Questions before the measured ones: what a process pays once is paid then. */
const firstMentions = 8;
const bootsMeasured = 6;
const samplingMs = 250;
/** Idle threads lose their containers after 2 s; the engine takes its time to remove them. */
const longestLeavingMs = 30_000;

const csv = Buffer.from(
  `Month,Revenue (EUR)\n${Array.from({ length: 24 }, (_, row) => `2024-${String((row % 12) + 1).padStart(2, '0')}-01,${1000 + row}`).join('\n')}\n`,
);
const code =
  'import plotline\nframe = plotline.load("sales.csv")\nax = frame.plot(x="Month", y="Revenue (EUR)", title="Revenue by month")';

/**
 * Everybody asks at once, each in a thread of their own with a file: a pool of 4 and at most 8 containers serve them. The bot is this
 * process; its memory and the engine's are looked at all the time. Beside the time: the boots alone that so many threads need.
 */
export async function fiftyMentions(): Promise<readonly Figure[]> {
  const bootSeconds = await secondsOfBoots();
  const engine = createEngine({ endpoint: null, image: benchImage, runtime: 'runc' });
  const ownContainers = async (): Promise<readonly string[]> =>
    (await engine.list())
      .filter(({ labels }) => parseOwner(labels[labelNames.owner] ?? '')?.pid === process.pid)
      .map(({ id }) => id);
  const daemons = engineProcesses();
  const seen = new Set<string>();
  const botMegabytes: number[] = [];
  const engineMegabytes: number[] = [];
  let replies = 0;
  let seconds = 0;
  let before = { bot: 0, engine: 0, files: 0 };
  let filesAfter = 0;
  let leftBesidePool = 0;
  {
    const model = createScriptedModel([], ({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: 'Here is revenue by month.' }
        : { calls: [pythonCall(code, 'Draw the chart')] },
    );
    await using bot = await startTestBot(
      {
        SANDBOX_RUNTIME: 'runc',
        SANDBOX_POOL_SIZE: String(poolSize),
        SANDBOX_MAX: '8',
        TASKS_AT_ONCE: '8',
        SANDBOX_IDLE_SECONDS: '2',
      },
      model,
    );
    await askAll(bot, 'first', firstMentions);
    await sleep(10_000);
    before = { bot: residentMegabytes([process.pid]), engine: residentMegabytes(daemons), files: openFiles() };

    const sampling = new AbortController();
    const sampled = (async () => {
      while (!sampling.signal.aborted) {
        botMegabytes.push(residentMegabytes([process.pid]));
        engineMegabytes.push(residentMegabytes(daemons));
        for (const id of await ownContainers()) seen.add(id);
        await sleep(samplingMs);
      }
    })();
    const startedAt = performance.now();
    replies = await askAll(bot, 'measured', mentions);
    seconds = (performance.now() - startedAt) / 1000;
    sampling.abort();
    await sampled;
    await sleep(10_000);
    filesAfter = openFiles();
    // Looked at while the bot runs: its end would remove what it had forgotten.
    const until = performance.now() + longestLeavingMs;
    do {
      leftBesidePool = Math.max(0, (await ownContainers()).length - poolSize);
      await sleep(samplingMs);
    } while (leftBesidePool > 0 && performance.now() < until);
  }
  const left = leftBesidePool + (await ownContainers()).length;

  const name = `${mentions} mentions at once, pool of ${poolSize}, max 8`;
  const rows = [
    figure({
      name: `${name}: time until all are answered`,
      unit: 's',
      samples: [seconds],
      besideName: `${mentions} boots of containers, two at a time`,
      besideSamples: [(bootSeconds / bootsMeasured) * mentions],
      targets: [{ of: 'ratio', atMost: 2 }],
    }),
    figure({
      name: `${name}: answered with a chart`,
      unit: 'replies',
      samples: [replies],
      besideName: 'asked',
      besideSamples: [mentions],
      targets: [{ of: 'p50', atLeast: mentions }],
    }),
    figure({
      name: `${name}: growth of the bot's memory`,
      unit: 'MB',
      samples: botMegabytes.map((now) => now - before.bot),
      besideName: 'its memory before',
      besideSamples: [before.bot],
      targets: [{ of: 'p95', atMost: 32 }],
    }),
    figure({
      name: `${name}: open files of the bot afterwards`,
      unit: 'files',
      samples: [filesAfter],
      besideName: 'before',
      besideSamples: [before.files],
      targets: [{ of: 'over', atMost: 4 }],
    }),
    figure({
      name: `${name}: containers left beside the pool, and after the bot's end`,
      unit: 'containers',
      samples: [left],
      besideName: 'used',
      besideSamples: [seen.size],
      targets: [{ of: 'p50', atMost: 0 }],
    }),
  ];
  if (daemons.length > 0) {
    rows.push(
      figure({
        name: `${name}: growth of the engine's memory`,
        unit: 'MB',
        samples: engineMegabytes.map((now) => now - before.engine),
        besideName: 'its memory before',
        besideSamples: [before.engine],
        targets: [{ of: 'p95', atMost: 32 }],
      }),
    );
  }
  return rows;
}

/** Resolves to how many were answered with a chart. */
async function askAll(bot: TestBot, name: string, count: number): Promise<number> {
  const posts = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      bot.platform.ask(`${name}-${index}`, 'Revenue by month as a line chart', [{ name: 'sales.csv', bytes: csv }]),
    ),
  );
  return posts.filter(
    ({ reply }) => reply.outcome === 'answered' && reply.artifacts.some(({ kind }) => kind === 'chart'),
  ).length;
}

async function secondsOfBoots(): Promise<number> {
  await using provider = openSandboxes({ maxContainers: bootsMeasured });
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: bootsMeasured }, () => acquire(provider)));
  return (performance.now() - startedAt) / 1000;
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}
