import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import type { BotProcess } from '../fakes/bot-process.ts';
import { startChatServer } from '../fakes/chat-server.ts';
import type { ChatServer } from '../fakes/chat-server.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { talkWith } from '../fakes/discord/talk.ts';
import type { Talk } from '../fakes/discord/talk.ts';

/**
 * What people do in Discord, with the real process: one for all of it without a privileged intent, one with Message Content. Each
 * question has words of its own, by which its request to the model is found; the model's code lists the files that arrived.
 */

const text = 'Month,Revenue\n2024-01,120\n2024-02,90\n';
const file = (name: string, contentType = 'text/csv') => ({ name, bytes: Buffer.from(text), contentType });
const sales = file('sales.csv');
const costs = file('costs.csv');

const script = (question: string) =>
  question.includes('for long')
    ? [{ title: 'Think for long', code: 'import time\ntime.sleep(50)' }]
    : [
        { title: 'List the files', code: 'import os\nprint(sorted(os.listdir(".")))' },
        { answer: 'That is the answer.' },
      ];

const dataDir = mkdtempSync(join(tmpdir(), 'plotline-discord-process-'));
const oracle = createOpenApiOracle();

let model: ChatServer;
beforeAll(async () => {
  model = await startChatServer(script);
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

/** What the model was told about the question and saw of its files. */
const seenBy = (words: string): string =>
  JSON.stringify(
    model.requests.findLast(({ messages }) => JSON.stringify(messages.at(-3) ?? '').includes(words)) ?? 'nothing yet',
  );

const settings = (discord: FakeDiscord, more: Readonly<Record<string, string>> = {}) => ({
  DATA_DIR: join(dataDir, discord.state.botId),
  DISCORD_TOKEN: discord.token,
  DISCORD_API_URL: discord.api,
  SANDBOX_POOL_SIZE: '1',
  SANDBOX_IDLE_SECONDS: '1',
  OPENAI_API_KEY: 'sk-scripted',
  OPENAI_BASE_URL: model.baseUrl,
  LLM_API: 'chat',
  ...more,
});

const answered = 'That is the answer.';

describe('with no privileged intent', () => {
  let discord: FakeDiscord;
  let bot: BotProcess;
  let talk: Talk;

  beforeAll(async () => {
    discord = await startFakeDiscord({ oracle });
    talk = talkWith(discord);
    bot = startBotProcess(settings(discord));
    await bot.logged('listening');
  }, 60_000);
  afterAll(async () => {
    await bot[Symbol.asyncDispose]();
    await discord[Symbol.asyncDispose]();
  }, 60_000);

  const ask = (words: string, more: Partial<Parameters<FakeDiscord['say']>[0]> = {}) =>
    discord.say({ text: `${discord.botMention} ${words}`, files: [sales], ...more });
  const answers = (channelId: string): number =>
    talk.fromBot(channelId).filter((message) => JSON.stringify(message.components).includes(answered)).length;
  const answer = (channelId: string, count = 1): Promise<true> =>
    talk.until('the answer', () => answers(channelId) === count);

  describe.concurrent('one process', () => {
    it('two files; then a follow-up in its thread, which needs a mention and has the files', async () => {
      const question = ask('compare the two', { files: [sales, costs] });
      await answer(question.id);
      expect(seenBy('compare the two')).toContain(`['costs.csv', 'sales.csv']`);
      discord.say({ channelId: question.id, text: 'and without a mention?' });
      await talk.until('a hint', () => talk.said(question.id).includes('I read those that mention me'));
      discord.say({ channelId: question.id, text: `${discord.botMention} and the follow-up?` });
      await answer(question.id, 2);
      expect(seenBy('and the follow-up')).toContain(`['costs.csv', 'sales.csv']`);
      expect(seenBy('and without a mention')).toBe('"nothing yet"');
    }, 90_000);

    it('a replied-to message that Discord hides is named, with what to do', async () => {
      const hidden = discord.say({ text: 'the numbers', files: [sales], author: discord.setting.grace.id });
      const question = ask('what do they say?', { files: [], replyTo: hidden.id });
      await talk.until('the words', () => talk.said(question.id).includes('Discord hides from me'));
      expect(talk.said(question.id)).toContain('attach it to a message that mentions me');
    }, 90_000);

    it('“Analyze this file”: its form takes a question and a further file', async () => {
      const message = discord.say({ text: 'the numbers', files: [sales], author: discord.setting.grace.id });
      const opened = discord.messageCommand('Analyze this file', message.id);
      await talk.until('the form', () => opened.modal);
      const shown = await talk.answerTo(discord.submitModal(opened, { question: 'by the form?', files: [costs] }));
      await answer(shown.id);
      expect(discord.state.channels.get(shown.id)?.name).toBe('by the form?');
      expect(seenBy('by the form')).toContain(`['costs.csv', 'sales.csv']`);
    }, 90_000);

    it('/analyze in a channel begins a thread from the question, and its deletion takes the answer back', async () => {
      const shown = await talk.answerTo(discord.slash('analyze', { file: sales, question: 'by the command?' }));
      await answer(shown.id);
      expect(shown.content).toContain('> by the command?');
      expect(discord.state.channels.get(shown.id)?.name).toBe('by the command?');
      discord.remove(shown.id);
      await talk.until('the answer to go', () => answers(shown.id) === 0);
    }, 90_000);

    it('Notebook, Re-run and Delete', async () => {
      const { grace } = discord.setting;
      const question = ask('press the buttons');
      await answer(question.id);
      expect(await talk.press(question.id, 'show-code')).toContain('os.listdir');
      await talk.press(question.id, 'notebook');
      await talk.until('the notebook', () =>
        talk
          .fromBot(question.id)
          .some(({ attachments }) => attachments.some(({ filename }) => filename.endsWith('.ipynb'))),
      );
      expect(await talk.press(question.id, 'rerun')).toBe('Asked again.');
      await answer(question.id, 2);
      expect(await talk.press(question.id, 'delete', grace.id)).toContain('Only who asked');
      expect(await talk.press(question.id, 'delete')).toContain('Deleted');
      await talk.until('the answers to go', () => answers(question.id) === 0);
    }, 90_000);

    it('Stop: refused to a stranger, allowed to a moderator', async () => {
      const { grace, moira } = discord.setting;
      const question = ask('think for long about it');
      await talk.until('the cell', () => talk.said(question.id).includes('Think for long'));
      expect(await talk.press(question.id, 'stop', grace.id)).toContain('Only who asked');
      expect(await talk.press(question.id, 'stop', moira.id)).toBe('Stopping.');
      await talk.until('the stop', () => talk.said(question.id).includes('Stopped.'));
    }, 90_000);

    it('an edit while it runs is answered instead; Stop by who asked', async () => {
      const question = ask('think for long about the old one');
      await talk.until('the cell', () => talk.said(question.id).includes('Think for long'));
      discord.edit(question.id, `${discord.botMention} think for long about the new one`);
      const told = (words: string): number =>
        model.requests.filter(({ messages }) => JSON.stringify(messages.at(-1)).includes(words)).length;
      await talk.until('the new question', () => told('the new one') > 0);
      expect(told('the old one')).toBe(1);
      expect(await talk.press(question.id, 'stop')).toBe('Stopping.');
      await talk.until('the stop', () => talk.said(question.id).includes('Stopped.'));
      expect(answers(question.id)).toBe(0);
    }, 90_000);

    it('an edit after the answer is offered; a deleted question takes its answers with it', async () => {
      const question = ask('before the edit');
      await answer(question.id);
      discord.edit(question.id, `${discord.botMention} after the edit`);
      const offer = await talk.button(question.id, 'rerun-edited');
      discord.press(offer.message.id, offer.id);
      await answer(question.id, 2);
      expect(seenBy('after the edit')).toContain('sales.csv');
      await talk.until('the offer to go', () => !discord.state.messages.has(offer.message.id));
      discord.remove(question.id);
      await talk.until('the answers to go', () => answers(question.id) === 0);
      // The thread stays without its first message, and can be asked in again.
      discord.say({ channelId: question.id, text: `${discord.botMention} anew`, files: [costs] });
      await answer(question.id);
      expect(seenBy('anew')).toContain(`['costs.csv']`);
    }, 90_000);

    it('a post of a forum; a long paste; a forward to it in a direct message', async () => {
      const { moira } = discord.setting;
      const post = discord.forumPost({ name: 'Sales', text: `${discord.botMention} in the forum`, files: [sales] });
      const paste = ask('what is in the paste', { files: [file('message.txt', 'text/plain')] });
      const original = discord.say({ text: 'Look at the forwarded one', files: [costs] });
      const dm = discord.dm(moira.id);
      discord.say({ channelId: dm.id, text: '', forward: original.id, author: moira.id });
      await Promise.all([answer(post.thread.id), answer(paste.id), answer(dm.id)]);
      expect(seenBy('in the forum')).toContain(`['sales.csv']`);
      expect(seenBy('what is in the paste')).toContain(`['message.txt']`);
      expect(seenBy('Look at the forwarded one')).toContain(`['costs.csv']`);
    }, 90_000);

    it('/plotline status, stop, usage, help and forget', async () => {
      const author = discord.setting.olivia.id;
      const question = ask('think for long about my status', { author });
      await talk.until('the cell', () => talk.said(question.id).includes('Think for long'));
      const plotline = async (name: string, options = {}): Promise<string> =>
        (await talk.answerTo(discord.slash(`plotline ${name}`, options, { author }))).content;
      expect(await plotline('status')).toMatch(/running .*think for long about my status/);
      expect(await plotline('stop')).toBe('Stopping.');
      await talk.until('the stop', () => talk.said(question.id).includes('Stopped.'));
      expect(await plotline('usage')).toContain('1 question here');
      expect(await plotline('help')).toContain('/analyze');
      expect(await plotline('forget', { what: 'everywhere' })).toContain('Forgotten: 1 thread');
      expect(await plotline('status')).toContain('You have asked nothing here');
    }, 90_000);
  });

  it('after a restart the buttons of old answers work, and the thread goes on', async () => {
    const question = ask('before the restart');
    await answer(question.id);
    expect(await bot.kill('SIGTERM')).toBe(0);
    bot = startBotProcess(settings(discord));
    await bot.logged('listening');
    expect(await talk.press(question.id, 'show-code')).toContain('os.listdir');
    expect(await talk.press(question.id, 'rerun')).toBe('Asked again.');
    await answer(question.id, 2);
    expect(seenBy('before the restart')).toContain('sales.csv');
  }, 90_000);
});

describe('with Message Content', () => {
  it('follow-ups need no mention; files of the replied-to message and of the thread’s first message come along', async () => {
    await using discord = await startFakeDiscord({ oracle, messageContent: true });
    await using bot = startBotProcess(settings(discord, { DISCORD_MESSAGE_CONTENT: 'true' }));
    await bot.logged('listening');
    const talk = talkWith(discord);
    const { grace } = discord.setting;
    const answers = (channelId: string): number => talk.said(channelId).split(answered).length - 1;

    const both = discord.say({ text: 'the numbers', files: [sales, costs], author: grace.id });
    const question = discord.say({ text: `${discord.botMention} about the reply`, replyTo: both.id });
    const started = discord.say({ text: 'the first message', files: [costs], author: grace.id });
    const thread = discord.thread({ name: 'talk', messageId: started.id });
    discord.say({ channelId: thread.id, text: 'talk among people' });
    discord.say({ channelId: thread.id, text: `${discord.botMention} about the thread` });
    await talk.until('both answers', () => answers(question.id) === 1 && answers(thread.id) === 1);
    expect(seenBy('about the reply')).toContain(`['costs.csv', 'sales.csv']`);
    expect(seenBy('about the thread')).toContain(`['costs.csv']`);

    discord.say({ channelId: question.id, text: 'just going on' });
    await talk.until('the follow-up', () => answers(question.id) === 2);
    expect(seenBy('just going on')).toContain(`['costs.csv', 'sales.csv']`);
    await sleep(300);
    expect(seenBy('talk among people')).toBe('"nothing yet"');
  }, 90_000);
});
