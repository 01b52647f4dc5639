import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { labelNames, parseOwner } from '../../sandbox/owner.ts';
import { AppError } from '../../src/errors.ts';
import { attachmentOf, taskOf, until } from '../fakes/core.ts';
import { createParentPlatform } from '../fakes/parent-platform.ts';
import { createRandom } from '../fakes/random.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';

/** How often the bot is killed. A few in every run of the tests; `KILLS=20` for the claim as a whole. */
const usualKills = Number(process.env['KILLS'] ?? 5);
const seed = Number(process.env['SEED'] ?? 1);
/** Counted from the start of the process in one round, from when it listens in the next: a start and a question take 2 to 3 s each. */
const longestLifeMs = 4000;
const longestStartMs = 60_000;
/** All unfinished questions at once, on a machine that may be busy. */
const lastRepliesMs = 240_000;
const containersGoneMs = 30_000;

const image = 'plotline-sandbox:latest';
const engine = createEngine({ endpoint: null, image, runtime: 'runc' });
const isThere = await engine.check().then(
  () => true,
  (error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(
      `\nSKIPPED: the killed bot. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
    );
    return false;
  },
);

describe.skipIf(!isThere)('a bot that is killed at any moment', () => {
  it.each([
    { queue: 'its own queue', kills: usualKills },
    // Fewer: what differs is the queue alone.
    ...(skipsRedis ? [] : [{ queue: 'a queue in Redis', kills: Math.ceil(usualKills / 2) }]),
  ])(
    `with $queue leaves no container and every thread with its one reply ($kills times, seed ${seed})`,
    async ({ queue, kills }) => {
      await using redis = queue === 'a queue in Redis' ? await startRedis() : null;
      const startBot = (): ChildProcess => startBotIn(dataDir, redis?.url ?? '');
      const dataDir = mkdtempSync(join(tmpdir(), 'plotline-killed-'));
      const random = createRandom(seed);
      const platform = createParentPlatform();
      const killed: number[] = [];
      try {
        for (let round = 0; round < kills; round += 1) {
          const bot = startBot();
          const task = taskOf(`task-${round}`, {
            thread: { platform: 'parent', workspaceId: 'w', channelId: 'c', threadId: `thread-${round}` },
            text: 'run: import time, plotline; frame = plotline.load("a.csv"); time.sleep(0.3); print(frame.sum())',
            attachments: [attachmentOf(`file-${round}`, 'a.csv', 42)],
          });
          platform.send(task);
          const listening = platform.connect(bot, { hears: true });
          if (round % 2 === 1 && !(await listening)) throw new Error('the bot ended before it listened');
          await sleep(random() * longestLifeMs);
          killed.push(bot.pid ?? 0);
          bot.kill('SIGKILL');
          await once(bot, 'exit');
        }

        const last = startBot();
        expect(await platform.connect(last, { hears: true })).toBe(true);
        await Promise.all([
          until(
            'the containers to go',
            slowly(async () => (await containersOf(killed)).length === 0),
            containersGoneMs,
          ),
          until(
            'the replies',
            slowly(() => platform.repliedThreads().size === kills),
            lastRepliesMs,
          ),
        ]);
        // A second reply would come now.
        await sleep(1000);
        expect(platform.replies()).toHaveLength(kills);

        last.kill('SIGTERM');
        await once(last, 'exit');
        expect(await containersOf([...killed, last.pid ?? 0])).toEqual([]);
      } finally {
        platform.disconnect();
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    (usualKills + 1) * (longestLifeMs + longestStartMs) + lastRepliesMs,
  );
});

function startBotIn(dataDir: string, redisUrl: string): ChildProcess {
  return fork(new URL('../fakes/bot-child.ts', import.meta.url), {
    env: {
      PATH: process.env['PATH'] ?? '',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
      DATA_DIR: dataDir,
      REDIS_URL: redisUrl,
      SANDBOX_IMAGE: image,
      SANDBOX_RUNTIME: 'runc',
      SANDBOX_POOL_SIZE: '1',
      SANDBOX_MAX: '4',
    },
  });
}

/** For `until`, which looks a thousand times a second otherwise. */
function slowly(holds: () => boolean | Promise<boolean>): () => Promise<boolean> {
  return async () => {
    await sleep(200);
    return holds();
  };
}

async function containersOf(pids: readonly number[]): Promise<readonly string[]> {
  return (await engine.list())
    .filter(({ labels }) => pids.includes(parseOwner(labels[labelNames.owner] ?? '')?.pid ?? -1))
    .map(({ id }) => id);
}
