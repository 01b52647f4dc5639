import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import { startChatServer } from '../fakes/chat-server.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import type { OpenApiOracle } from '../fakes/discord/openapi.ts';
import type { MessageState } from '../fakes/discord/state.ts';
import { talkWith, wordsOf } from '../fakes/discord/talk.ts';
import type { Talk } from '../fakes/discord/talk.ts';

const csv = {
  name: 'sales.csv',
  bytes: Buffer.from('Month,Revenue (EUR)\n2024-01-01,120\n2024-02-01,90\n2024-03-01,150\n'),
  contentType: 'text/csv',
};

/** With a line that cannot be loaded, so that there is something to notice. */
const brokenCsv = { ...csv, bytes: Buffer.concat([csv.bytes, Buffer.from('2024-04-01,80,7,9\n')]) };

describe('the bot in Discord, as a process', () => {
  let oracle: OpenApiOracle;
  let discord: FakeDiscord;
  let talk: Talk;
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-discord-bot-'));

  const settings = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    DATA_DIR: mkdtempSync(join(dataDir, 'data-')),
    DISCORD_TOKEN: discord.token,
    DISCORD_API_URL: discord.api,
    SANDBOX_POOL_SIZE: '0',
    SANDBOX_IDLE_SECONDS: '1',
    ...more,
  });

  const ask = (text: string, file = csv): MessageState =>
    discord.say({ text: `${discord.botMention} ${text}`, files: [file] });

  beforeAll(() => {
    oracle = createOpenApiOracle();
  });
  beforeEach(async () => {
    discord = await startFakeDiscord({ oracle });
    talk = talkWith(discord);
  });
  afterEach(async () => {
    await discord[Symbol.asyncDispose]();
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it('answers a mention in a thread named from it, with a chart; its buttons show the code and take it all back', async () => {
    await using bot = startBotProcess(settings());
    await bot.logged('listening');
    const question = ask('Revenue by month as a line chart', brokenCsv);
    const dm = discord.dm();
    discord.say({ channelId: dm.id, text: 'total revenue', files: [csv] });
    const answer = await talk.button(question.id, 'delete');
    const pictures = talk
      .fromBot(question.id)
      .flatMap(({ attachments }) => attachments.map(({ filename }) => filename));
    expect(pictures.filter((name) => name.endsWith('.png'))).toHaveLength(1);
    expect(discord.state.channels.get(question.id)?.name).toBe('Revenue by month as a line chart');
    expect(talk.fromBot(discord.setting.general.id)).toEqual([]);

    const code = await talk.button(question.id, 'show-code');
    const shown = await talk.answerTo(discord.press(code.message.id, code.id, { author: discord.setting.grace.id }));
    expect(shown).toMatchObject({ ephemeralFor: discord.setting.grace.id });
    expect(shown.content + shown.attachments.map(({ filename }) => filename).join()).toMatch(/python|code\.py/);
    expect(await talk.press(question.id, 'details')).toContain('CSV');

    discord.press(answer.message.id, answer.id);
    await talk.until('the answer to go', () => !talk.said(question.id).includes('delete:'));
    await talk.until('the answer to the direct message', () => talk.said(dm.id).includes('360'));
    expect(await bot.kill('SIGTERM')).toBe(0);
  }, 120_000);

  it('refuses who may not ask by a short reply, without a thread', async () => {
    await using bot = startBotProcess(settings({ DISCORD_ALLOW_ROLES: discord.setting.moderatorRoleId }));
    await bot.logged('listening');
    const question = ask('total revenue');
    const { general, moira } = discord.setting;
    await talk.until('the refusal', () => talk.said(general.id).includes('may not answer you'));
    expect(discord.state.channels.has(question.id)).toBe(false);
    const allowed = discord.say({ text: `${discord.botMention} total revenue`, files: [csv], author: moira.id });
    await talk.until('the answer', () => talk.said(allowed.id).includes('360'));
  }, 120_000);

  it('gives one final reply to a command after kill -9 right behind its acknowledgement, and in the middle of a cell', async () => {
    await using model = await startChatServer([
      { title: 'Think for a while', code: 'import time\ntime.sleep(6)\nprint(6 * 7)' },
      { answer: 'The answer is 42.' },
    ]);
    const env = settings({ OPENAI_API_KEY: 'sk-scripted', OPENAI_BASE_URL: model.baseUrl, LLM_API: 'chat' });
    const first = startBotProcess(env);
    await first.logged('listening');
    const command = discord.slash('analyze', { file: csv, question: 'What is the answer?' });
    await command.answered;
    await first.kill('SIGKILL');
    const threadId = command.responseId ?? '';

    const second = startBotProcess(env);
    await talk.until('the cell to run', () => talk.said(threadId).includes('Think for a while'));
    await second.kill('SIGKILL');

    await using third = startBotProcess(env);
    await third.logged('listening');
    await talk.until('the reply', () => talk.said(threadId).includes('The answer is 42.'));
    await sleep(1500);
    const answers = talk.fromBot(threadId).filter((message) => wordsOf(message).includes('The answer is 42.'));
    expect(answers).toHaveLength(1);
    expect(talk.fromBot(discord.setting.general.id)).toHaveLength(1);
  }, 120_000);
});
