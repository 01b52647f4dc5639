import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDiscordPlatform } from '../adapters/discord/platform.ts';
import { createLogger } from '../src/log.ts';
import { createSqliteStore } from '../src/store/sqlite-store.ts';
import { startFakeDiscord } from '../test/fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../test/fakes/discord/fake-discord.ts';
import type { InteractionState } from '../test/fakes/discord/interactions.ts';
import { figure, quantile } from './figures.ts';
import type { Figure } from './figures.ts';
import { hearingOnly } from './heard-questions.ts';

const interactions = 50;
const withinMs = 1000;
const lastAnswerMs = 3500;
/** For a 99th percentile that is more than the slowest one. */
const seconds = 4;

/**
 * Fifty interactions in a second, of every kind in turn, to the real gateway with discord.js, a SQLite file behind it. Discord is
 * the fake of the tests, in the same process, which checks every request and answer: its work counts in the figure. Beside it, the
 * same acknowledgements posted to a server that only says 204.
 */
export async function discordAck(): Promise<readonly Figure[]> {
  const log = createLogger('silent');
  const folder = mkdtempSync(join(tmpdir(), 'plotline-bench-'));
  await using discord = await startFakeDiscord();
  await using store = await createSqliteStore({ path: join(folder, 'plotline.db'), log });
  const nobody = { guilds: [], channels: [], roles: [], users: [] };
  const { gateway, client } = createDiscordPlatform({
    token: discord.token,
    applicationId: null,
    apiUrl: discord.api,
    messageContent: false,
    access: { allow: nobody, deny: nobody, cooldownMs: 0 },
    log,
  });
  await using hearing = hearingOnly(store, client);
  const plain = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  try {
    await gateway.start(hearing.handlers);
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const plainUrl = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
    const besideSamples = await bursts(async () => {
      await fetch(plainUrl, { method: 'POST', body: JSON.stringify({ type: 5 }) });
    });
    const use = await interactionsOf(discord, client);
    const samples = await bursts(async (index) => {
      await within(lastAnswerMs, use(index).answered);
    });
    process.stderr.write(`acknowledged: p50 ${round(samples, 0.5)} ms, p99 ${round(samples, 0.99)} ms\n`);
    return [
      figure({
        name: 'acknowledging one of 50 Discord interactions in a second',
        unit: 'ms',
        samples,
        besideName: 'a server that only says 204',
        besideSamples,
        // Discord waits for 3 s.
        targets: [{ of: 'p99', atMost: 500 }],
      }),
    ];
  } finally {
    plain.close();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Discord takes no answer after this, and then none ever comes. */
async function within(ms: number, answered: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const isLate = delay(ms, true, { signal: late.signal }).catch(() => true);
  if ((await Promise.race([answered, isLate])) === true) {
    throw new Error(`an interaction was not acknowledged within ${ms} ms: is the machine busy with other things?`);
  }
  late.abort();
}

/** In turn: a question with a file, a command, a form, a button. */
async function interactionsOf(
  discord: FakeDiscord,
  client: ReturnType<typeof createDiscordPlatform>['client'],
): Promise<(index: number) => InteractionState> {
  const bytes = Buffer.from('month,revenue\n2026-01,10\n');
  const file = { name: 'sales.csv', bytes, contentType: 'text/csv' };
  const message = discord.say({ text: `${discord.botMention} total by month`, files: [file] });
  const { guild, general } = discord.setting;
  const thread = { platform: 'discord', workspaceId: guild.id, channelId: general.id, threadId: message.id };
  const taskId = `discord-${guild.id}-${general.id}-${message.id}`;
  const progress = { taskId, personId: discord.setting.ada.id, running: true, steps: [], note: 'Looking …' };
  const { parts } = await client.post(
    thread,
    { kind: 'progress', progress },
    {
      postId: `${taskId}-progress`,
      alreadyPosted: [],
      isRepeat: false,
      onPosted: async () => {},
      signal: AbortSignal.timeout(5000),
    },
  );
  const progressId = parts[0]?.messageId ?? '';
  const kinds = [
    () => discord.slash('analyze', { file, question: 'total by month' }),
    () => discord.slash('plotline status'),
    () => discord.messageCommand('Analyze this file', message.id),
    () => discord.press(progressId, `stop:${taskId}`),
  ] as const;
  return (index) => (kinds[index % kinds.length] ?? kinds[0])();
}

/** Milliseconds that each took, begun evenly over the seconds. Rejects with the first that fails. */
async function bursts(act: (index: number) => Promise<void>): Promise<readonly number[]> {
  const samples = Array.from({ length: seconds * interactions }, async (_, index) => {
    await delay((index * withinMs) / interactions);
    const startedAt = performance.now();
    await act(index);
    return performance.now() - startedAt;
  });
  return await Promise.all(samples);
}

function round(samples: readonly number[], share: number): number {
  return Math.round(quantile(samples, share) * 10) / 10;
}
