import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import { startChatServer } from '../fakes/chat-server.ts';
import type { ChatServer } from '../fakes/chat-server.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import { freePort } from '../fakes/free-port.ts';
import { localSlackProgram, startLocalSlack } from '../fakes/local-slack.ts';
import { scrape } from '../fakes/scrape.ts';

/** What no line of the log may hold. What the cell prints exists nowhere but in its output. */
const canaries = {
  question: 'CANARYQUESTION',
  code: 'CANARYCODE',
  output: 'CANARYOUTPUT',
  stderr: 'CANARYSTDERR',
  traceback: 'CANARYTRACEBACK',
  contents: 'CANARYCONTENTS',
  answer: 'CANARYANSWER',
  modelKey: 'CANARYMODELKEY',
  header: 'CANARYHEADER',
} as const;

const backwards = (text: string): string => `"${text.split('').toReversed().join('')}"[::-1]`;
const csv = {
  name: 'sales.csv',
  bytes: Buffer.from(`Name,Value\n${canaries.contents},1\nb,2,3,4\n`),
  mimeType: 'text/csv',
};
const script = [
  {
    title: 'Count',
    code: [
      `# ${canaries.code}`,
      'import sys, plotline',
      `print(${backwards(canaries.output)}, plotline.load("sales.csv"))`,
      `print(${backwards(canaries.stderr)}, file=sys.stderr)`,
      'open("out.csv", "w").write("a,b\\n1,2\\n")',
    ].join('\n'),
  },
  { title: 'Fail', code: `raise ValueError(${backwards(canaries.traceback)})` },
  { answer: `${canaries.answer} is the answer.` },
];
const question = `How many rows, ${canaries.question}?`;

const dataDir = mkdtempSync(join(tmpdir(), 'plotline-operating-'));
let model: ChatServer;
let base: string;

/** Everything that can be logged is. The collector is one that is away. */
const settings = async (): Promise<Readonly<Record<string, string>>> => {
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  return {
    DATA_DIR: mkdtempSync(join(dataDir, 'data-')),
    LOG_LEVEL: 'debug',
    HTTP_PORT: String(port),
    OPENAI_API_KEY: canaries.modelKey,
    OPENAI_BASE_URL: model.baseUrl,
    LLM_API: 'chat',
    SANDBOX_POOL_SIZE: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${canaries.header}`,
  };
};

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited 60 s for ${what}`);
    await sleep(50);
  }
};

const expectQuiet = (log: string, secrets: readonly string[]): void => {
  expect(log.length).toBeGreaterThan(1000);
  expect([...Object.values(canaries), ...secrets].filter((canary) => log.includes(canary))).toEqual([]);
};

const entriesOf = (log: string): readonly Readonly<Record<string, unknown>>[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

beforeEach(async () => {
  model = await startChatServer(script);
});
afterEach(async () => {
  await model[Symbol.asyncDispose]();
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the process of a bot, as its operators see it', () => {
  it('in Discord: logs a whole task without a word of it, while its collector of traces is away', async () => {
    const discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
    try {
      await using bot = startBotProcess({
        ...(await settings()),
        DISCORD_TOKEN: discord.token,
        DISCORD_API_URL: discord.api,
      });
      await bot.logged('"listening"');
      const ready = await fetch(`${base}/readyz`);
      expect([ready.status, await ready.json()]).toMatchObject([
        200,
        { ready: true, checks: { platforms: 'ok', sandbox: 'ok' } },
      ]);
      const file = { ...csv, contentType: csv.mimeType };
      const asked = discord.say({ text: `${discord.botMention} ${question}`, files: [file] });
      const said = (): string =>
        discord
          .messages(asked.id)
          .map(({ content, components }) => content + JSON.stringify(components))
          .join('\n');
      await until('the answer', () => said().includes(canaries.answer));
      await until(
        'the count',
        async () => (await scrape(base)).get('plotline_tasks_total{platform="discord",outcome="answered"}') === 1,
      );
      await bot.logged('the collector of traces took no spans');
      expect(await bot.kill('SIGTERM')).toBe(0);

      expectQuiet(bot.log(), [discord.token, 'hm=']);
      const entries = entriesOf(bot.log());
      expect(entries.filter(({ role, process: of }) => role !== 'all' || !String(of).endsWith(`:${bot.pid}`))).toEqual(
        [],
      );
      for (const words of ['task accepted', 'sandbox taken', 'model turn', 'task answered']) {
        const found = entries.filter(({ msg }) => msg === words);
        expect(found.length, words).toBeGreaterThan(0);
        expect(
          found.filter(({ taskId, threadKey }) => taskId === undefined || threadKey === undefined),
          words,
        ).toEqual([]);
      }
    } finally {
      await discord[Symbol.asyncDispose]();
    }
  }, 120_000);

  it.skipIf(localSlackProgram() === null && process.env['CI'] === undefined)(
    'in Slack: the same',
    async () => {
      const slack = await startLocalSlack();
      try {
        await using bot = startBotProcess({
          ...(await settings()),
          SLACK_BOT_TOKEN: slack.botToken,
          SLACK_APP_TOKEN: slack.appToken,
          SLACK_API_URL: slack.apiUrl,
        });
        await bot.logged('"listening"');
        expect((await fetch(`${base}/readyz`)).status).toBe(200);
        const thread = await slack.upload({ text: `<@${slack.botUserId}> ${question}`, files: [csv] });
        await until('the answer', async () => JSON.stringify(await slack.thread(thread)).includes(canaries.answer));
        await until(
          'the count',
          async () => (await scrape(base)).get('plotline_tasks_total{platform="slack",outcome="answered"}') === 1,
        );
        expect(await bot.kill('SIGTERM')).toBe(0);
        expectQuiet(bot.log(), [slack.botToken, slack.appToken]);
      } finally {
        await slack[Symbol.asyncDispose]();
      }
    },
    120_000,
  );

  it('ends with words where its port is taken', async () => {
    const discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
    try {
      const env = { ...(await settings()), DISCORD_TOKEN: discord.token, DISCORD_API_URL: discord.api };
      await using first = startBotProcess(env);
      await first.logged('serving pages');
      const second = startBotProcess({ ...env, DATA_DIR: mkdtempSync(join(dataDir, 'data-')) });
      await second.logged('is in use by another program: set another HTTP_PORT');
      expect(await second.ended).toBe(78);
    } finally {
      await discord[Symbol.asyncDispose]();
    }
  }, 120_000);

  it('ends with words and without the password where its database does not answer, to be started again', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await using bot = startBotProcess({
      DATA_DIR: mkdtempSync(join(dataDir, 'data-')),
      // Of nobody; it is made of parts so that nothing takes it for one of somebody's.
      DISCORD_TOKEN: [Buffer.from('123456789012345678').toString('base64'), 'OfNobo', 'x'.repeat(38)].join('.'),
      DATABASE_URL: `postgres://bot:hidden@${address}/plotline`,
    });
    expect(await bot.ended).toBe(69);
    expect(bot.log()).toContain(`The database plotline on ${address} cannot be used: `);
    expect(bot.log()).not.toMatch(/hidden|OfNobo|\n {4}at /);
  });
});
