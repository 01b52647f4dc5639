import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { labelNames, parseOwner } from '../../sandbox/owner.ts';
import { startBotProcess } from '../fakes/bot-process.ts';
import { startChatServer } from '../fakes/chat-server.ts';
import { localSlackProgram, startLocalSlack } from '../fakes/local-slack.ts';
import type { LocalSlack, SlackRecord } from '../fakes/local-slack.ts';

const csv = Buffer.from('Month,Revenue (EUR)\n2024-01-01,120\n2024-02-01,90\n2024-03-01,150\n');
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
const engine = createEngine({ endpoint: null, image: 'plotline-sandbox:latest', runtime: 'auto' });

/** As in `slack-adapter.test.ts`: without the fake this is skipped, in CI it fails. */
const isMissing = localSlackProgram() === null && process.env['CI'] === undefined;

describe.skipIf(isMissing)('the bot in Slack, as a process', () => {
  let slack: LocalSlack;
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-slack-bot-'));

  const settings = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    DATA_DIR: dataDir,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
    SLACK_API_URL: slack.apiUrl,
    SANDBOX_POOL_SIZE: '0',
    SANDBOX_IDLE_SECONDS: '1',
    ...more,
  });

  const mention = (text: string): Promise<string> =>
    slack.upload({
      text: `<@${slack.botUserId}> ${text}`,
      files: [{ name: 'sales.csv', bytes: csv, mimeType: 'text/csv' }],
    });

  const fromBot = async (thread: string): Promise<readonly SlackRecord[]> =>
    (await slack.thread(thread)).filter(
      ({ ts, bot_id: botId, user }) => ts !== thread && (botId !== undefined || user === slack.botUserId),
    );

  const until = async <T>(what: string, look: () => Promise<T | null>): Promise<T> => {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
      const found = await look();
      if (found !== null) return found;
      await sleep(100);
    }
    throw new Error(`waited 60 s for ${what}`);
  };

  const containersOf = async (pid: number): Promise<readonly string[]> =>
    (await engine.list())
      .filter(({ labels }) => parseOwner(labels[labelNames.owner] ?? '')?.pid === pid)
      .map(({ id }) => id);

  beforeAll(async () => {
    slack = await startLocalSlack();
  });

  afterAll(async () => {
    await slack[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('answers a mention with a CSV by a chart in the thread, from a container that is gone afterwards', async () => {
    await using bot = startBotProcess(settings());
    await bot.logged('listening');
    const thread = await mention('Revenue by month as a line chart');
    const chartId = await until(
      'a chart',
      async () =>
        (await fromBot(thread)).flatMap(({ blocks = [] }) =>
          blocks.flatMap((block) => block.slack_file?.id ?? []),
        )[0] ?? null,
    );
    const png = await slack.fileById(chartId);
    expect(png.name).toMatch(/\.png$/);
    const bytes = Buffer.from(await slack.fileBytes(png));
    expect(bytes.subarray(0, 4)).toEqual(pngSignature);

    // The sandbox's bytes were stored under their hash before they were posted.
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(existsSync(join(dataDir, 'blobs', hash.slice(0, 2), hash.slice(2)))).toBe(true);

    const said = (await fromBot(thread)).map(({ text = '', blocks }) => text + JSON.stringify(blocks ?? [])).join('\n');
    expect(said).toMatch(/360|Revenue/);
    expect(
      (await slack.messages()).filter(
        ({ thread_ts: parent, bot_id: botId }) => botId !== undefined && parent !== thread,
      ),
    ).toEqual([]);

    await until('the container to go', async () => ((await containersOf(bot.pid)).length === 0 ? true : null));
    expect(await bot.kill('SIGTERM')).toBe(0);
  }, 120_000);

  it('gives its one final reply after kill -9 in the middle of a cell', async () => {
    await using model = await startChatServer([
      { title: 'Think for a while', code: 'import time\ntime.sleep(6)\nprint(6 * 7)' },
      { answer: 'The answer is 42.' },
    ]);
    const env = settings({ OPENAI_API_KEY: 'sk-scripted', OPENAI_BASE_URL: model.baseUrl, LLM_API: 'chat' });
    const first = startBotProcess(env);
    await first.logged('listening');
    const thread = await mention('What is the answer?');
    await until('the cell to run', async () => {
      const said = JSON.stringify(await fromBot(thread));
      return said.includes('Think for a while') ? true : null;
    });
    await first.kill('SIGKILL');
    const before = await fromBot(thread);

    await using second = startBotProcess(env);
    await second.logged('listening');
    const answers = async (): Promise<readonly SlackRecord[]> =>
      (await fromBot(thread)).filter((message) => JSON.stringify(message).includes('The answer is 42.'));
    await until('the reply', async () => ((await answers()).length > 0 ? true : null));
    await sleep(1500);
    expect(await answers()).toHaveLength(1);
    // The progress message of the killed process was taken over, not posted again.
    expect((await fromBot(thread)).map(({ ts }) => ts).slice(0, before.length)).toEqual(before.map(({ ts }) => ts));
    expect(await fromBot(thread)).toHaveLength(before.length + 1);
    await until('the killed process’s container to go', async () =>
      (await containersOf(first.pid)).length === 0 ? true : null,
    );
  }, 120_000);
});
