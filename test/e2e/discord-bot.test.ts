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
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-discord-bot-'));

  const settings = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    DATA_DIR: mkdtempSync(join(dataDir, 'data-')),
    DISCORD_TOKEN: discord.token,
    DISCORD_API_URL: discord.api,
    SANDBOX_POOL_SIZE: '0',
    SANDBOX_IDLE_SECONDS: '1',
    ...more,
  });

  const until = async <T>(what: string, look: () => T | null | undefined | false): Promise<T> => {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      await sleep(50);
    }
    throw new Error(`waited 60 s for ${what}`);
  };

  const ask = (text: string, file = csv): MessageState =>
    discord.say({ text: `${discord.botMention} ${text}`, files: [file] });
  const fromBot = (channelId: string): readonly MessageState[] =>
    discord.messages(channelId).filter(({ authorId }) => authorId === discord.state.botId);
  const wordsOf = (message: MessageState): string => message.content + JSON.stringify(message.components);
  const said = (channelId: string): string => fromBot(channelId).map(wordsOf).join('\n');
  /** The bot's message that has the button. */
  const withButton = (
    channelId: string,
    action: string,
  ): { readonly message: MessageState; readonly id: string } | null => {
    for (const message of fromBot(channelId)) {
      const id = new RegExp(`"custom_id":"(${action}:[^"]+)"`).exec(wordsOf(message))?.[1];
      if (id !== undefined) return { message, id };
    }
    return null;
  };

  beforeAll(() => {
    oracle = createOpenApiOracle();
  });
  beforeEach(async () => {
    discord = await startFakeDiscord({ oracle });
  });
  afterEach(async () => {
    await discord[Symbol.asyncDispose]();
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it('answers a mention in a thread named from it, with a chart; its buttons show the code and take it all back', async () => {
    await using bot = startBotProcess(settings());
    await bot.logged('listening');
    const question = ask('Revenue by month as a line chart', brokenCsv);
    const answer = await until('the answer', () => withButton(question.id, 'delete'));
    const pictures = fromBot(question.id).flatMap(({ attachments }) => attachments.map(({ filename }) => filename));
    expect(pictures.filter((name) => name.endsWith('.png'))).toHaveLength(1);
    expect(discord.state.channels.get(question.id)?.name).toBe('Revenue by month as a line chart');
    expect(fromBot(discord.setting.general.id)).toEqual([]);

    const code = await until('Show code', () => withButton(question.id, 'show-code'));
    discord.press(code.message.id, code.id, { author: discord.setting.grace.id });
    const shown = await until('the code', () => discord.ephemerals(question.id).find(({ content }) => content !== ''));
    expect(shown).toMatchObject({ ephemeralFor: discord.setting.grace.id });
    expect(shown.content + shown.attachments.map(({ filename }) => filename).join()).toMatch(/python|code\.py/);

    const card = await until('Details', () => withButton(question.id, 'details'));
    discord.press(card.message.id, card.id);
    await until('the details', () => discord.ephemerals(question.id).some(({ content }) => content.includes('CSV')));

    discord.press(answer.message.id, answer.id);
    await until('the answer to go', () => !said(question.id).includes('delete:'));
    expect(await bot.kill('SIGTERM')).toBe(0);
  }, 120_000);

  it('answers /analyze in the thread of its question, and a direct message in place', async () => {
    await using bot = startBotProcess(settings());
    await bot.logged('listening');
    const interaction = discord.slash('analyze', { file: csv, question: 'total revenue' });
    const header = await until('the question', () => discord.interactions.get(interaction.id)?.responseId);
    await until('the answer', () => said(header).includes('360'));
    expect(discord.state.channels.get(header)?.name).toBe('total revenue');
    const dm = discord.dm();
    discord.say({ channelId: dm.id, text: 'total revenue', files: [csv] });
    await until('the answer to the direct message', () => said(dm.id).includes('360'));
  }, 120_000);

  it('Stop stops, and an edit of a running question is answered instead of it', async () => {
    await using model = await startChatServer([{ title: 'Think for long', code: 'import time\ntime.sleep(50)' }]);
    const env = { OPENAI_API_KEY: 'sk-scripted', OPENAI_BASE_URL: model.baseUrl, LLM_API: 'chat' };
    await using bot = startBotProcess(settings(env));
    await bot.logged('listening');
    const stopped = ask('What is it?');
    await until('the cell to run', () => said(stopped.id).includes('Think for long'));
    const stop = await until('Stop', () => withButton(stopped.id, 'stop'));
    discord.press(stop.message.id, stop.id);
    await until('the stop', () => said(stopped.id).includes('Stopped.'));

    const edited = ask('What is the old one?');
    await until('the cell to run', () => said(edited.id).includes('Think for long'));
    discord.edit(edited.id, `${discord.botMention} What is the new one?`);
    await until('the new question', () => JSON.stringify(model.requests.at(-1)).includes('What is the new one?'));
    const last = JSON.stringify(model.requests.at(-1));
    expect(last).not.toContain('What is the old one?');
  }, 120_000);

  it('refuses who may not ask by a short reply, without a thread', async () => {
    await using bot = startBotProcess(settings({ DISCORD_ALLOW_ROLES: discord.setting.moderatorRoleId }));
    await bot.logged('listening');
    const question = ask('total revenue');
    const { general, moira } = discord.setting;
    await until('the refusal', () => said(general.id).includes('may not answer you'));
    expect(discord.state.channels.has(question.id)).toBe(false);
    const allowed = discord.say({ text: `${discord.botMention} total revenue`, files: [csv], author: moira.id });
    await until('the answer', () => said(allowed.id).includes('360'));
  }, 120_000);

  it('gives its one final reply after kill -9 in the middle of a cell', async () => {
    await using model = await startChatServer([
      { title: 'Think for a while', code: 'import time\ntime.sleep(6)\nprint(6 * 7)' },
      { answer: 'The answer is 42.' },
    ]);
    const env = settings({ OPENAI_API_KEY: 'sk-scripted', OPENAI_BASE_URL: model.baseUrl, LLM_API: 'chat' });
    const first = startBotProcess(env);
    await first.logged('listening');
    const question = ask('What is the answer?');
    await until('the cell to run', () => said(question.id).includes('Think for a while'));
    await first.kill('SIGKILL');

    await using second = startBotProcess(env);
    await second.logged('listening');
    await until('the reply', () => said(question.id).includes('The answer is 42.'));
    await sleep(1500);
    expect(fromBot(question.id).filter((message) => wordsOf(message).includes('The answer is 42.'))).toHaveLength(1);
  }, 120_000);
});
