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
import type { Task } from '../../src/types.ts';
import type { FromBot, SentMessage, ToBot } from '../fakes/bot-child.ts';
import { attachmentOf, taskOf, until } from '../fakes/core.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';

/** How often the bot is killed. A few in every run of the tests; `KILLS=20` for the claim as a whole. */
const kills = Number(process.env['KILLS'] ?? 5);
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

interface Posted {
  readonly threadId: string;
  readonly postId: string;
  readonly message: SentMessage;
  /** The bot that posted it wrote down that it did. */
  noted: boolean;
}

describe.skipIf(!isThere)('a bot that is killed at any moment', () => {
  it.each(['its own queue', ...(skipsRedis ? [] : ['a queue in Redis'])])(
    `with %s leaves no container and every thread with its one reply (${kills} times, seed ${seed})`,
    async (queue) => {
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
          const listening = platform.connect(bot);
          if (round % 2 === 1 && !(await listening)) throw new Error('the bot ended before it listened');
          await sleep(random() * longestLifeMs);
          killed.push(bot.pid ?? 0);
          bot.kill('SIGKILL');
          await once(bot, 'exit');
        }

        const last = startBot();
        expect(await platform.connect(last)).toBe(true);
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
    (kills + 1) * (longestLifeMs + longestStartMs) + lastRepliesMs,
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

/**
 * The platform that outlives the bot: brings an event again until it was accepted, and keeps what was posted. A part whose bot
 * died before it was noted is found again, as the port demands of adapters; any other repetition is a second message.
 */
function createParentPlatform() {
  const posts: Posted[] = [];
  const unaccepted = new Map<string, Task>();
  let connected: ChildProcess | null = null;

  const answer = (bot: ChildProcess, message: FromBot): void => {
    const reply = (to: ToBot): void => {
      if (bot.connected) bot.send(to, () => {});
    };
    switch (message.kind) {
      case 'listening':
        for (const task of unaccepted.values()) reply({ kind: 'task', task });
        return;
      case 'accepted':
        unaccepted.delete(message.taskId);
        return;
      case 'noted':
        for (const post of posts.filter(({ postId }) => postId === message.postId)) post.noted = true;
        return;
      case 'post': {
        const { call, thread, postId } = message;
        const known = message.alreadyPosted.length > 0 || posts.some((post) => post.postId === postId && !post.noted);
        if (!known) posts.push({ threadId: thread.threadId, postId, message: message.message, noted: false });
        reply({ kind: 'part', call, part: { partId: 'text-1', messageId: postId } });
      }
    }
  };

  const replies = (): readonly Posted[] => posts.filter(({ message }) => message.kind === 'reply');
  return {
    send: (task: Task): void => {
      unaccepted.set(task.id, task);
    },
    /** Resolves to whether the bot came to listen before it ended. */
    connect: async (bot: ChildProcess): Promise<boolean> => {
      connected = bot;
      bot.on('message', (message) => answer(bot, message as FromBot));
      // To listen is the first thing that it says.
      const ended = once(bot, 'exit').then(() => false);
      return Promise.race([ended, once(bot, 'message').then(() => true)]);
    },
    /** A bot that still runs ends, and its containers with it. */
    disconnect: (): void => {
      if (connected?.connected === true) connected.disconnect();
    },
    replies,
    repliedThreads: () => new Set(replies().map(({ threadId }) => threadId)),
  };
}

/** The same numbers for the same seed (mulberry32), so that a failure can be looked at again. */
function createRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
