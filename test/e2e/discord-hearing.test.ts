import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDiscordGateway } from '../../adapters/discord/gateway.ts';
import type { DiscordGatewayOptions } from '../../adapters/discord/gateway.ts';
import { createDiscordRest } from '../../adapters/discord/rest.ts';
import { connectionTimes } from '../../adapters/discord/watchdog.ts';
import { createLogger } from '../../src/log.ts';
import type { PlatformGateway } from '../../src/ports/platforms.ts';
import type { Task } from '../../src/types.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord, FakeDiscordOptions } from '../fakes/discord/fake-discord.ts';
import type { InteractionState } from '../fakes/discord/interactions.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import type { OpenApiOracle } from '../fakes/discord/openapi.ts';
import type { MessageState } from '../fakes/discord/state.ts';
import { createHearingCore } from '../fakes/hearing-core.ts';
import type { HearingCore } from '../fakes/hearing-core.ts';

const csv = { name: 'sales.csv', bytes: Buffer.from('Month,Revenue\n2024-01,120\n'), contentType: 'text/csv' };
const nobody = { guilds: [], channels: [], roles: [], users: [] };
const open = { allow: nobody, deny: nobody, cooldownMs: 0 };
const log = createLogger('silent');

let oracle: OpenApiOracle;
let discord: FakeDiscord;
let core: HearingCore;
let gateway: PlatformGateway;

async function start(
  options: Partial<DiscordGatewayOptions> = {},
  fakeOptions: Partial<FakeDiscordOptions> = {},
): Promise<void> {
  const isReading = options.hasMessageContent === true;
  discord = await startFakeDiscord({ oracle, messageContent: isReading, ...fakeOptions });
  core = createHearingCore();
  gateway = gatewayOn(discord, options);
  await gateway.start(core.handlers);
}

function gatewayOn(fake: FakeDiscord, options: Partial<DiscordGatewayOptions> = {}): PlatformGateway {
  const at = { token: fake.token, apiUrl: fake.api };
  const rest = createDiscordRest(at);
  return createDiscordGateway({
    ...at,
    rest,
    applicationId: null,
    hasMessageContent: false,
    access: open,
    log,
    ...options,
  });
}

async function until<T>(what: string, look: () => T | null | undefined | false, withinMs = 5000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(5);
  }
}

/** Long enough for an event to arrive and be dealt with, where nothing must come of it. */
const settle = (): Promise<void> => sleep(80);

const taskOf = (message: { readonly id: string }): Promise<Task> =>
  until('the task', () => core.tasks.find(({ messageId }) => messageId === message.id));

const ask = (text = 'total by month', more: Partial<Parameters<FakeDiscord['say']>[0]> = {}): MessageState =>
  discord.say({ text: `${discord.botMention} ${text}`, files: [csv], ...more });

const saidIn = (channelId: string): readonly string[] =>
  discord.messages(channelId).flatMap(({ authorId, content }) => (authorId === discord.state.botId ? [content] : []));

const whisperedIn = (channelId: string): readonly string[] =>
  discord.ephemerals(channelId).map(({ content }) => content);

/** Its answer, once it has words. */
const answerTo = async ({ id }: InteractionState): Promise<MessageState> =>
  until('an answer', () => {
    const responseId = discord.interactions.get(id)?.responseId;
    const message =
      responseId === null || responseId === undefined ? undefined : discord.state.messages.get(responseId);
    return message !== undefined && message.content !== '' ? message : null;
  });

beforeAll(() => {
  oracle = createOpenApiOracle();
});

afterEach(async () => {
  await gateway.stop();
  await discord[Symbol.asyncDispose]();
});

describe('messages', () => {
  it('a mention with a file is a task, in the thread that its message will begin', async () => {
    await start();
    const message = ask();
    const { guild, general, ada } = discord.setting;
    expect(await taskOf(message)).toMatchObject({
      id: `discord-${guild.id}-${general.id}-${message.id}`,
      thread: { platform: 'discord', workspaceId: guild.id, channelId: general.id, threadId: message.id },
      person: { id: ada.id, displayName: 'ada' },
      text: 'total by month',
      attachments: [
        {
          name: 'sales.csv',
          mimeType: 'text/csv',
          source: { kind: 'message', channelId: general.id, messageId: message.id },
        },
      ],
    });
    expect(discord.gateway.identifies.map(({ intents }) => intents)).toEqual([4609]);
  });

  it('the role of the bot is a mention where its message can be read; everyone, other roles and talk are none', async () => {
    await start({ hasMessageContent: true });
    const byRole = discord.say({ text: `${discord.roleMention} totals`, files: [csv] });
    discord.say({ text: '@everyone totals', author: discord.setting.olivia.id });
    discord.say({ text: `<@&${discord.setting.moderatorRoleId}> totals` });
    discord.say({ text: 'talk among people' });
    discord.say({ text: `<@${discord.setting.grace.id}> look`, files: [csv] });
    expect(await taskOf(byRole)).toMatchObject({ text: 'totals' });
    await settle();
    expect(core.tasks).toHaveLength(1);
    expect(discord.gateway.identifies.map(({ intents }) => intents)).toEqual([37_377]);
  });

  it('a mention of the role that cannot be read is answered with how to ask', async () => {
    await start();
    discord.say({ text: `${discord.roleMention} totals`, files: [csv] });
    const { general } = discord.setting;
    expect(await until('a hint', () => saidIn(general.id)[0])).toContain('I cannot read this message');
    expect(core.tasks).toEqual([]);
  });

  it('a direct message needs no mention, and all of them are one conversation', async () => {
    await start();
    const dm = discord.dm();
    const first = await taskOf(discord.say({ channelId: dm.id, text: 'totals', files: [csv] }));
    const second = await taskOf(discord.say({ channelId: dm.id, text: 'and by region?' }));
    expect(first.thread).toEqual({ platform: 'discord', workspaceId: '@me', channelId: dm.id, threadId: dm.id });
    expect(second.thread).toEqual(first.thread);
    expect(first.id.startsWith(`discord-@me-${dm.id}-`)).toBe(true);
  });

  it('is answered in place in a thread and in a post of a forum', async () => {
    await start();
    const { forum, guild, general } = discord.setting;
    const thread = discord.thread({ name: 'old talk', messageId: discord.say({ text: 'hello' }).id });
    const inThread = await taskOf(ask('totals', { channelId: thread.id }));
    expect(inThread.thread).toMatchObject({ workspaceId: guild.id, channelId: general.id, threadId: thread.id });
    const post = discord.forumPost({ name: 'Sales', text: `${discord.botMention} totals`, files: [csv] });
    expect((await taskOf(post.message)).thread).toMatchObject({ channelId: forum.id, threadId: post.thread.id });
  });

  it('takes the file of the message it replies to where it can read it, and says what it cannot', async () => {
    await start({ hasMessageContent: true });
    const withFile = discord.say({ text: 'the numbers', files: [csv], author: discord.setting.grace.id });
    const task = await taskOf(discord.say({ text: `${discord.botMention} totals`, replyTo: withFile.id }));
    expect(task.attachments).toMatchObject([{ name: 'sales.csv', source: { messageId: withFile.id } }]);
    await gateway.stop();
    await discord[Symbol.asyncDispose]();

    await start();
    const hidden = discord.say({ text: 'the numbers', files: [csv], author: discord.setting.grace.id });
    const blind = await taskOf(discord.say({ text: `${discord.botMention} totals`, replyTo: hidden.id }));
    expect(blind.attachments).toMatchObject([{ source: { kind: 'unseen', messageId: hidden.id } }]);
  });

  it('a forward to it brings the text and the files of what is forwarded', async () => {
    await start();
    const original = discord.say({ text: 'Revenue by month?', files: [csv] });
    const task = await taskOf(discord.say({ channelId: discord.dm().id, text: '', forward: original.id }));
    expect(task).toMatchObject({ text: 'Revenue by month?', attachments: [{ name: 'sales.csv' }] });
  });

  it('in its thread people need no mention with Message Content; without it they are told once', async () => {
    await start({ hasMessageContent: true });
    const question = ask();
    const first = await taskOf(question);
    const thread = discord.thread({ name: 'totals', messageId: question.id });
    const followUp = await taskOf(discord.say({ channelId: thread.id, text: 'and by region?' }));
    expect(followUp.thread).toEqual(first.thread);
    const other = discord.thread({ name: 'not ours', messageId: discord.say({ text: 'hello' }).id });
    discord.say({ channelId: other.id, text: 'talk' });
    discord.say({ channelId: thread.id, text: `<@${discord.setting.grace.id}> what do you think?` });
    await settle();
    expect(core.tasks).toHaveLength(2);
    await gateway.stop();
    await discord[Symbol.asyncDispose]();

    await start();
    const again = ask();
    await taskOf(again);
    const deaf = discord.thread({ name: 'totals', messageId: again.id });
    discord.say({ channelId: deaf.id, text: 'and by region?' });
    await until('a hint', () => saidIn(deaf.id)[0]);
    discord.say({ channelId: deaf.id, text: 'hello?' });
    await settle();
    expect(saidIn(deaf.id)).toHaveLength(1);
    expect(core.tasks).toHaveLength(1);
  });

  it('finds its way in a thread that the gateway has never told it about', async () => {
    await start();
    const thread = discord.thread({ name: 'old', messageId: discord.say({ text: 'hello' }).id });
    discord.archive(thread.id);
    await gateway.stop();
    gateway = gatewayOn(discord);
    await gateway.start(core.handlers);
    const task = await taskOf(ask('totals', { channelId: thread.id }));
    expect(task.thread).toMatchObject({ channelId: discord.setting.general.id, threadId: thread.id });
  });

  it('“stop” and “code” are orders, for those who may give them', async () => {
    await start();
    const { general, grace, moira, ada } = discord.setting;
    const question = ask();
    await taskOf(question);
    const thread = discord.thread({ name: 'totals', messageId: question.id });
    const stop = (author: string): MessageState =>
      discord.say({ channelId: thread.id, text: `${discord.botMention} stop`, author });
    stop(grace.id);
    expect(await until('a no', () => saidIn(thread.id)[0])).toContain('Nothing of yours is running');
    expect(core.calls).toEqual([]);
    stop(moira.id);
    await until('a stop', () => core.calls.length === 1);
    const second = ask('again');
    await taskOf(second);
    discord.say({ text: `${discord.botMention} stop` });
    await until('a stop in the channel', () => saidIn(general.id).includes('Stopping.'));
    expect(core.calls).toEqual([`cancel ${thread.id} by ${moira.id}`, `cancel ${second.id} by ${ada.id}`]);
    discord.say({ channelId: thread.id, text: `${discord.botMention} show code` });
    await until('words', () => saidIn(thread.id).includes('No code ran for this yet.'));
    expect(core.tasks).toHaveLength(2);
  });

  it('“help” and “forget” are orders: forgetting is for who began the thread, and for threads', async () => {
    await start();
    const { general, grace, ada } = discord.setting;
    const question = ask();
    await taskOf(question);
    const thread = discord.thread({ name: 'totals', messageId: question.id });
    const say = (text: string, channelId: string, author = ada.id): MessageState =>
      discord.say({ channelId, text: `${discord.botMention} ${text}`, author });
    say('help', thread.id, grace.id);
    expect(await until('help', () => saidIn(thread.id)[0])).toContain('/analyze');
    say('forget this thread', thread.id, grace.id);
    expect(await until('a no', () => saidIn(thread.id)[1])).toContain('Only who asked first in this thread');
    say('forget this thread', general.id);
    expect(await until('a way', () => saidIn(general.id)[0])).toContain('This is no thread');
    expect(core.calls).toEqual([]);
    say('forget this thread', thread.id);
    expect(await until('a yes', () => saidIn(thread.id)[2])).toContain('This thread is forgotten');
    expect(core.calls).toEqual([`forget ${thread.id}`]);
    expect(core.tasks).toHaveLength(1);
  });

  it('names the permission it lacks, where it can speak and else in a direct message', async () => {
    await start();
    const { general, ada } = discord.setting;
    discord.takePermission('AttachFiles');
    ask();
    expect(await until('words', () => saidIn(general.id)[0])).toContain('**Attach Files**');
    discord.takePermission('SendMessages');
    discord.takePermission('SendMessagesInThreads');
    ask();
    const told = await until('a direct message', () => saidIn(discord.dm(ada.id).id)[0]);
    expect(told).toContain('**Send Messages in Threads**');
    expect(told).not.toContain('View Channel');
    expect(core.tasks).toEqual([]);
  });
});

describe('changes', () => {
  it('an edit of a waiting question replaces it, a preview does not, and a deleted one is taken back', async () => {
    await start();
    const message = ask('totals https://example.org');
    const { id } = await taskOf(message);
    discord.unfurl(message.id, { title: 'Example', type: 'rich' });
    discord.edit(message.id, `${discord.botMention} totals by region`);
    await until('the new text', () => core.tasks[0]?.text === 'totals by region');
    discord.remove(message.id);
    await until('the deletion', () => core.calls.length > 0);
    expect(core.calls).toEqual([`delete ${id}`]);
    expect(core.tasks).toEqual([]);
  });

  it('an edit after the answer is offered to be answered, once, and the offer goes when it is taken', async () => {
    await start();
    const message = ask();
    const { id } = await taskOf(message);
    const thread = discord.thread({ name: 'totals', messageId: message.id });
    core.answer(id);
    discord.edit(message.id, `${discord.botMention} totals by region`);
    const offer = await until('an offer', () => discord.messages(thread.id)[0]);
    discord.unfurl(message.id, { title: 'x', type: 'rich' });
    await settle();
    expect(discord.messages(thread.id)).toHaveLength(1);
    for (const action of ['dismiss', 'rerun-edited']) {
      discord.press(offer.id, `${action}:${id}`, { author: discord.setting.grace.id });
    }
    await until(
      'two refusals',
      () => whisperedIn(thread.id).filter((said) => said.includes('Only who asked')).length > 1,
    );
    expect(discord.messages(thread.id)).toHaveLength(1);
    expect(core.tasks).toHaveLength(1);
    discord.press(offer.id, `rerun-edited:${id}`);
    await until('a re-run', () => core.tasks.length === 2);
    expect(core.tasks[1]).toMatchObject({ text: 'totals by region', messageId: message.id });
    await until('the offer to go', () => discord.messages(thread.id).length === 0);
  });

  it('a mention that is added by an edit is a question', async () => {
    await start();
    const message = discord.say({ text: 'totals by month', files: [csv] });
    await settle();
    expect(core.tasks).toEqual([]);
    discord.edit(message.id, `${discord.botMention} totals by month`);
    expect(await taskOf(message)).toMatchObject({ text: 'totals by month', attachments: [{ name: 'sales.csv' }] });
  });
});

describe('commands and forms', () => {
  it('registers its commands once', async () => {
    await start();
    expect(discord.state.commands.map(({ definition }) => definition['name'])).toEqual([
      'analyze',
      'Analyze this file',
      'plotline',
    ]);
    const puts = (): number =>
      discord.requests.filter(({ method, path }) => method === 'PUT' && path.endsWith('/commands')).length;
    expect(puts()).toBe(1);
    await gateway.stop();
    gateway = gatewayOn(discord);
    await gateway.start(core.handlers);
    expect(puts()).toBe(1);
  });

  it('/analyze shows the question, begins a thread with its name, and is a task', async () => {
    await start();
    const answer = await answerTo(discord.slash('analyze', { file: csv, question: 'Revenue by **month**?' }));
    const task = await taskOf(answer);
    const { guild, general, ada } = discord.setting;
    expect(task).toMatchObject({
      id: `discord-${guild.id}-${general.id}-${answer.id}`,
      thread: { channelId: general.id, threadId: answer.id },
      text: 'Revenue by **month**?',
      person: { id: ada.id },
      attachments: [{ name: 'sales.csv', source: { kind: 'interaction' } }],
    });
    expect(answer.content).toContain('> Revenue by **month**?');
    expect(answer.mentions).toEqual([]);
    expect(core.drafts).toEqual([]);
  });

  it('/analyze in a direct message and in a thread is answered in place', async () => {
    await start();
    const thread = discord.thread({ name: 'old talk', messageId: discord.say({ text: 'hello' }).id });
    for (const channelId of [discord.dm().id, thread.id]) {
      const answer = await answerTo(discord.slash('analyze', { file: csv }, { channelId }));
      expect((await taskOf(answer)).thread.threadId).toBe(channelId);
      expect(discord.state.channels.has(answer.id)).toBe(false);
    }
  });

  it('“Analyze this file” asks for the question and takes the files of the message, which it could not read otherwise', async () => {
    await start();
    const message = discord.say({ text: 'the numbers', files: [csv], author: discord.setting.grace.id });
    const opened = discord.messageCommand('Analyze this file', message.id);
    await until('the form', () => opened.modal);
    const more = { ...csv, name: 'costs.csv' };
    const answer = await answerTo(discord.submitModal(opened, { question: 'Profit?', files: [more] }));
    expect(await taskOf(answer)).toMatchObject({
      text: 'Profit?',
      attachments: [
        { name: 'sales.csv', source: { kind: 'message', messageId: message.id } },
        { name: 'costs.csv', source: { kind: 'interaction' } },
      ],
    });
  });

  it('a form that was opened before a restart still knows the files, until its question is taken', async () => {
    await start();
    const message = discord.say({ text: 'the numbers', files: [csv] });
    const opened = discord.messageCommand('Analyze this file', message.id);
    await until('the files to be kept', () => opened.modal && core.drafts.length === 1);
    await gateway.stop();
    gateway = gatewayOn(discord);
    await gateway.start(core.handlers);
    const answer = await answerTo(discord.submitModal(opened, { question: 'Profit?' }));
    expect(await taskOf(answer)).toMatchObject({
      text: 'Profit?',
      attachments: [{ name: 'sales.csv', source: { kind: 'message', messageId: message.id } }],
    });
    await until('the files to be dropped', () => core.drafts.length === 0);
  });

  it('a form that was closed is dropped in time, one whose files are lost says so', async () => {
    await start();
    const old = { id: 'discord-form-1', platform: 'discord-form', body: { files: [], openedAtMs: Date.now() - 3.7e6 } };
    await core.handlers.keepDraft(old);
    const message = discord.say({ text: 'the numbers', files: [csv] });
    const opened = discord.messageCommand('Analyze this file', message.id);
    await until('the files to be kept', () => opened.modal && core.drafts.some(({ id }) => id !== old.id));
    expect(core.drafts).toHaveLength(1);
    await gateway.stop();
    core = createHearingCore();
    gateway = gatewayOn(discord);
    await gateway.start(core.handlers);
    const answer = await answerTo(discord.submitModal(opened, { question: 'Profit?' }));
    expect(answer.content).toContain('were lost to me');
    expect(core.tasks).toEqual([]);
  });

  it('a command whose time is over is answered in a direct message where only who asked shall see it', async () => {
    await start();
    const { general } = discord.setting;
    discord.faults.plan({
      route: 'PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original',
      fault: { kind: 'refuse', status: 401, code: 50_027, message: 'Invalid Webhook Token' },
    });
    discord.slash('plotline usage');
    expect(await until('the usage', () => saidIn(discord.dm().id)[0])).toContain('12,345');
    expect(saidIn(general.id).join('\n')).not.toContain('12,345');
  });

  const callback = 'POST /interactions/{interaction_id}/{interaction_token}/callback';

  it.each(['bad-gateway-after', 'cut-after'] as const)(
    'an answer whose acknowledgement was lost (%s) counts, and the question is asked once',
    async (kind) => {
      await start();
      discord.faults.plan({ route: callback, fault: { kind } });
      const answer = await answerTo(discord.slash('analyze', { file: csv, question: 'totals' }));
      await taskOf(answer);
      await settle();
      expect(core.tasks).toHaveLength(1);
      expect(core.drafts).toEqual([]);
      expect(discord.messages(discord.setting.general.id)).toHaveLength(1);
    },
  );

  it('an answer that Discord did not take promised nothing, and nothing comes of it', async () => {
    await start({ answerWindowMs: 200 });
    const tooLate = { kind: 'refuse', status: 404, code: 10_062, message: 'Unknown interaction' } as const;
    for (const [index, fault] of [tooLate, { kind: 'cut' } as const].entries()) {
      discord.faults.plan({ route: callback, fault });
      discord.slash('analyze', { file: csv, question: 'totals' });
      await until('the refusal', () => discord.faults.happened === index + 1);
      await until('the end of the draft', () => core.drafts.length === 0);
    }
    await settle();
    expect(core.tasks).toEqual([]);
    expect(discord.messages(discord.setting.general.id)).toEqual([]);
  });

  it('what a process left between the answer and the task is taken up by the next one', async () => {
    await start();
    await gateway.stop();
    gateway = gatewayOn(discord);
    // A process that is killed once Discord has its answer: nothing that it asks for afterwards comes.
    const dying = { ...core.handlers, onTask: () => new Promise<never>(() => undefined) };
    await gateway.start(dying);
    const answer = await answerTo(discord.slash('analyze', { file: csv, question: 'totals' }));
    await settle();
    expect(core.tasks).toEqual([]);
    // Its connection ends with it.
    discord.gateway.close(4004);
    gateway = gatewayOn(discord);
    await gateway.start(core.handlers);
    expect(await taskOf(answer)).toMatchObject({ text: 'totals', attachments: [{ name: 'sales.csv' }] });
    await until('the draft to go', () => core.drafts.length === 0);
  });

  it('a process that starts while another one is about to show a question takes nothing away and adds nothing', async () => {
    await start();
    let kept = 0;
    const counting: typeof core.handlers = {
      ...core.handlers,
      onTask: async (task) => {
        kept += 1;
        await core.handlers.onTask(task);
      },
    };
    discord.faults.plan({ route: callback, fault: { kind: 'slow', ms: 700 } });
    const asked = discord.slash('analyze', { file: csv, question: 'total by week' });
    await until('the draft', () => core.drafts.length === 1);
    const other = gatewayOn(discord);
    try {
      await other.start({ ...counting, isOurs: () => Promise.resolve(false) });
      const task = await taskOf(await answerTo(asked));
      await until('both to be done with it', () => kept === 1 && core.drafts.length === 0);
      expect(core.tasks).toEqual([task]);
      expect(saidIn(discord.setting.general.id)).toHaveLength(1);
    } finally {
      await other.stop();
    }
  });

  it('/plotline answers only who asks', async () => {
    await start();
    const { general, ada } = discord.setting;
    const message = ask();
    await taskOf(message);
    const status = await answerTo(discord.slash('plotline status'));
    expect(status).toMatchObject({ ephemeralFor: ada.id });
    expect(status.content).toContain('total by month');
    expect(status.content).toContain(`/${message.id}`);
    expect((await answerTo(discord.slash('plotline usage'))).content).toContain('12,345');
    expect((await answerTo(discord.slash('plotline help'))).content).toContain('/analyze');
    expect((await answerTo(discord.slash('plotline stop'))).content).toBe('Stopping.');
    expect((await answerTo(discord.slash('plotline forget', { what: 'everywhere' }))).content).toContain(
      'Forgotten: 1',
    );
    expect(core.calls).toEqual([`cancel ${message.id} by ${ada.id}`, `forget ${ada.id} in null`]);
    expect(saidIn(general.id)).toEqual([]);
  });
});

describe('buttons', () => {
  /** A message of the bot with that button, as its answers have it. */
  const withButton = async (customId: string, channelId = discord.setting.general.id): Promise<MessageState> => {
    const body = {
      content: 'an answer',
      components: [{ type: 1, components: [{ type: 2, style: 2, label: 'x', custom_id: customId }] }],
    };
    const rest = createDiscordRest({ token: discord.token, apiUrl: discord.api });
    const { id } = (await rest.post(`/channels/${channelId}/messages`, { body })) as { readonly id: string };
    const message = discord.state.messages.get(id);
    if (message === undefined) throw new Error('not posted');
    return message;
  };
  const press = async (customId: string, author = discord.setting.ada.id, channelId?: string): Promise<MessageState> =>
    answerTo(discord.press((await withButton(customId, channelId)).id, customId, { author }));

  it('each does what it says, and is answered to who pressed it', async () => {
    await start();
    const { ada, grace, moira } = discord.setting;
    const question = ask();
    const { id } = await taskOf(question);
    const thread = discord.thread({ name: 'totals', messageId: question.id });
    expect(await press(`show-code:${id}`)).toMatchObject({
      content: 'No code ran for this yet.',
      ephemeralFor: ada.id,
    });
    expect((await press('details:sales.csv', grace.id, thread.id)).content).toContain('CSV, 60 bytes');
    expect((await press('details:other.csv', grace.id, thread.id)).content).toContain('do not have');
    await press(`good:${id}`, grace.id);
    expect(core.calls).toEqual([`feedback ${id} ${grace.id} good`]);
    expect((await press(`stop:${id}`, grace.id)).content).toContain('Only who asked');
    expect((await press(`stop:${id}`, moira.id)).content).toBe('Stopping.');
    expect((await press(`rerun:${id}`, grace.id)).content).toBe('Asked again.');
    expect(core.tasks[1]).toMatchObject({ person: { id: grace.id }, text: 'total by month', messageId: question.id });
    expect((await press(`notebook:${id}`)).content).toContain('notebook');
    expect(core.tasks[2]).toMatchObject({ text: 'notebook', attachments: [], thread: core.tasks[0]?.thread });
    for (const task of core.tasks) expect(`rerun-edited:${task.id}`.length).toBeLessThanOrEqual(100);
    expect((await press(`delete:${id}`, grace.id)).content).toContain('Only who asked');
    expect((await press(`delete:${id}`)).content).toContain('Deleted');
    expect(core.calls.at(-1)).toBe(`delete ${id}`);
    expect((await press(`rerun:${id}`)).content).toContain('do not have');
    expect((await press('unknown')).content).toContain('older version');
  });

  it('two processes with one token deal with a press once, and say what the first one did', async () => {
    await start();
    const { id } = await taskOf(ask());
    const taken = new Set<string>();
    const isOurs = async (event: string): Promise<boolean> => !taken.has(event) && taken.add(event).has(event);
    await gateway.stop();
    const pair = [gatewayOn(discord), gatewayOn(discord)];
    try {
      for (const one of pair) await one.start({ ...core.handlers, isOurs });
      expect((await press(`stop:${id}`)).content).toBe('Stopping.');
      expect((await answerTo(discord.slash('plotline stop'))).content).toContain('Nothing of yours');
      discord.slash('analyze', { file: csv, question: 'total by week' });
      await until('the question', () => core.tasks.find(({ text }) => text === 'total by week'));
      await settle();
      expect(taken.size).toBe(3);
      expect(core.calls.filter((call) => call.startsWith('cancel'))).toHaveLength(1);
      expect(saidIn(discord.setting.general.id).filter((text) => text.includes('total by week'))).toHaveLength(1);
      expect(core.drafts).toEqual([]);
    } finally {
      await Promise.all(pair.map((one) => one.stop()));
    }
  }, 30_000);

  it('of two processes with one token, either takes a form that the other one opened, and one obeys a word', async () => {
    await start();
    const question = ask();
    await taskOf(question);
    const thread = discord.thread({ name: 'total by month', messageId: question.id });
    await gateway.stop();
    const pair = [gatewayOn(discord), gatewayOn(discord)];
    /** The opening is the first one's, the rest the second one's. */
    const events: string[] = [];
    const ofFirst = async (event: string): Promise<boolean> => events.push(event) > 0 && event.endsWith(opening);
    let opening = '-';
    try {
      const [first, second] = pair;
      await first?.start({ ...core.handlers, isOurs: ofFirst });
      await second?.start({ ...core.handlers, isOurs: async (event) => !(await ofFirst(event)) });
      const message = discord.say({ text: 'the numbers', files: [csv], author: discord.setting.grace.id });
      const opened = discord.messageCommand('Analyze this file', message.id);
      opening = opened.id;
      await until('the files to be kept', () => opened.modal && core.drafts.length === 1);
      const shown = await answerTo(discord.submitModal(opened, { question: 'Profit?' }));
      expect((await taskOf(shown)).attachments.map(({ name }) => name)).toEqual(['sales.csv']);
      const { moira } = discord.setting;
      const word = discord.say({ channelId: thread.id, text: `${discord.botMention} stop`, author: moira.id });
      await until('the answer to the word', () => saidIn(thread.id).length > 0);
      await settle();
      expect(saidIn(thread.id)).toEqual(['Stopping.']);
      expect(events.filter((event) => event === `discord/${word.id}-stop`)).toHaveLength(2);
      expect(core.calls.filter((call) => call.startsWith('cancel'))).toHaveLength(1);
    } finally {
      await Promise.all(pair.map((one) => one.stop()));
    }
  }, 30_000);

  it('a store that does not say whose a press is does not keep Discord waiting', async () => {
    await start();
    const { id } = await taskOf(ask());
    await gateway.stop();
    gateway = gatewayOn(discord);
    await gateway.start({ ...core.handlers, isOurs: () => new Promise<boolean>(() => {}) });
    const pressed = await press(`stop:${id}`);
    expect(pressed.content).toBe('Stopping.');
  });

  it('nobody stops or deletes with what is theirs what others asked in the same thread', async () => {
    await start();
    const { grace } = discord.setting;
    const question = ask();
    const { id } = await taskOf(question);
    expect((await press(`rerun:${id}`, grace.id)).content).toBe('Asked again.');
    const again = core.tasks[1]?.id ?? '';
    expect((await press(`stop:${again}`, grace.id)).content).toBe('Stopping.');
    expect((await press(`stop:${again}`, grace.id)).content).toBe('It has ended already.');
    expect((await press(`delete:${again}`, grace.id)).content).toContain('of somebody else');
    expect(core.calls.filter((call) => call.startsWith('delete'))).toEqual([]);
    expect((await press(`stop:${id}`)).content).toBe('Stopping.');
  });

  it('does nothing to a task of another server or channel', async () => {
    await start();
    const { general } = discord.setting;
    const { id } = await taskOf(ask());
    for (const other of [
      id.replace(general.id, '111111111111111111'),
      id.replace(/^discord-\d+/, 'discord-111111111111111111'),
    ]) {
      await core.handlers.onTask({ ...(core.tasks[0] as Task), id: other });
      for (const action of ['stop', 'delete', 'show-code', 'rerun', 'notebook', 'good', 'rerun-edited', 'dismiss']) {
        expect((await press(`${action}:${other}`)).content).toContain('of another channel');
      }
    }
    expect(core.tasks).toHaveLength(3);
    expect(core.calls).toEqual([]);
  });

  it('long code is a file', async () => {
    await start();
    const message = ask();
    const { id } = await taskOf(message);
    const cell = { taskId: id, index: 0, title: 'Load', source: 'x = 1\n'.repeat(500), seed: null, startedAtMs: 0 };
    const execution = { status: 'ok', stdout: '', error: null, durationMs: 3 };
    core.cells = [{ ...cell, execution } as unknown as (typeof core.cells)[number]];
    const shown = await press(`show-code:${id}`);
    expect(shown.attachments.map(({ filename }) => filename)).toEqual(['code.py']);
  });

  it('fifty in a second are acknowledged within half a second each', async () => {
    await start();
    const { id } = await taskOf(ask());
    const customId = `show-code:${id}`;
    const message = await withButton(customId);
    const pressed: InteractionState[] = [];
    for (let count = 0; count < 50; count += 1) {
      pressed.push(discord.press(message.id, customId));
      await sleep(18);
    }
    const acknowledged = await Promise.all(
      pressed.map((one) => until('an acknowledgement', () => discord.interactions.get(one.id)?.answer)),
    );
    const slowest = Math.max(...acknowledged.map(({ afterMs }) => afterMs));
    expect(slowest).toBeLessThan(500);
    for (const one of pressed) await answerTo(one);
  });
});

describe('a store that fails', () => {
  it('is told to who asked, of a message and of a command', async () => {
    await start();
    await gateway.stop();
    const fail = (): Promise<never> => Promise.reject(new Error('disk full'));
    gateway = gatewayOn(discord);
    await gateway.start({ ...core.handlers, onTask: fail, onOverview: fail });
    const { general } = discord.setting;
    ask();
    await until('words', () => saidIn(general.id).some((said) => said.includes('could not take this question')));
    for (const command of [
      discord.slash('analyze', { file: csv, question: 'totals' }),
      discord.slash('plotline status'),
    ]) {
      await until('an apology', () => {
        const { responseId } = discord.interactions.get(command.id) ?? { responseId: null };
        return discord.state.messages.get(responseId ?? '')?.content.includes('failed on my side');
      });
    }
    expect(core.tasks).toEqual([]);
  });
});

describe('who may use it', () => {
  it('refuses a command to them alone, and at once', async () => {
    await start({ access: { ...open, allow: { ...nobody, users: ['123456789012345678'] } } });
    const refused = await answerTo(discord.slash('analyze', { file: csv }));
    expect(refused).toMatchObject({ ephemeralFor: discord.setting.ada.id });
    expect(refused.content).toContain('may not answer you');
    expect(core.tasks).toEqual([]);
  });

  it('gives no hints where it may not be used', async () => {
    await start();
    const { general } = discord.setting;
    await gateway.stop();
    gateway = gatewayOn(discord, { access: { ...open, deny: { ...nobody, channels: [general.id] } } });
    await gateway.start(core.handlers);
    discord.say({ text: `${discord.roleMention} totals` });
    await settle();
    expect(saidIn(general.id)).toEqual([]);
  });

  it('spaces commands by the cooldown', async () => {
    await start({ access: { ...open, cooldownMs: 60_000 } });
    await taskOf(await answerTo(discord.slash('analyze', { file: csv })));
    const second = await answerTo(discord.slash('analyze', { file: csv }));
    expect(second.content).toContain('every 60 s');
    const { grace } = discord.setting;
    await taskOf(await answerTo(discord.slash('analyze', { file: csv }, { author: grace.id })));
    expect(core.tasks).toHaveLength(2);
    expect(whisperedIn(discord.setting.general.id)).toHaveLength(1);
  });
});

describe('the connection', () => {
  const times = { ...connectionTimes, readyMs: 2000, firstPauseMs: 50, longestPauseMs: 100, closesWindowMs: 10_000 };

  it('goes on after a cut with what was missed, and takes what comes twice once', async () => {
    await start();
    const before = ask();
    await taskOf(before);
    expect(gateway.isConnected()).toBe(true);
    discord.gateway.replayMore(3);
    discord.gateway.cut();
    await until('the cut to be noticed', () => !gateway.isConnected());
    const missed = ask('missed');
    await taskOf(missed);
    expect(discord.gateway.resumes).toBe(1);
    expect(gateway.isConnected()).toBe(true);
    expect(core.tasks.map(({ text }) => text)).toEqual(['total by month', 'missed']);
  }, 20_000);

  it('takes an address of the API with a slash behind it', async () => {
    discord = await startFakeDiscord({ oracle });
    core = createHearingCore();
    gateway = gatewayOn(discord, { apiUrl: `${discord.api}/` });
    await gateway.start(core.handlers);
    expect((await taskOf(ask())).text).toBe('total by month');
  });

  it('begins a new session where the old one is invalid', async () => {
    await start();
    discord.gateway.invalidate(false);
    // discord.js leaves five seconds between two sessions.
    const isNew = (): boolean => discord.gateway.identifies.length === 2 && discord.gateway.ready === 1;
    await until('a new session', isNew, 15_000);
    expect((await taskOf(ask('after it'))).text).toBe('after it');
  }, 20_000);

  it.each([
    [4014, 'Message Content Intent'],
    [4004, 'DISCORD_TOKEN'],
  ])('close code %i at the start names what to change', async (code, words) => {
    discord = await startFakeDiscord({ oracle });
    gateway = gatewayOn(discord);
    discord.gateway.refuseIdentify(code, 1);
    await expect(gateway.start(createHearingCore().handlers)).rejects.toMatchObject({
      code: 'config',
      userMessage: expect.stringContaining(words) as string,
    });
  });

  it('a switch that is off in the portal is named', async () => {
    discord = await startFakeDiscord({ oracle, messageContent: false });
    gateway = gatewayOn(discord, { hasMessageContent: true });
    await expect(gateway.start(createHearingCore().handlers)).rejects.toMatchObject({
      userMessage: expect.stringContaining('DISCORD_MESSAGE_CONTENT=false') as string,
    });
  });

  it('a token that Discord does not know names its setting; an address where nobody answers names that', async () => {
    discord = await startFakeDiscord({ oracle });
    const wrong = { token: 'not-the-token', apiUrl: discord.api };
    gateway = gatewayOn(discord, { ...wrong, rest: createDiscordRest(wrong) });
    await expect(gateway.start(createHearingCore().handlers)).rejects.toMatchObject({
      code: 'config',
      userMessage: expect.stringContaining('DISCORD_TOKEN') as string,
    });
    const nowhere = { token: 'x', apiUrl: 'http://127.0.0.1:9/api' };
    const lost = gatewayOn(discord, { ...nowhere, rest: createDiscordRest(nowhere) });
    await expect(lost.start(createHearingCore().handlers)).rejects.toMatchObject({
      code: 'platform-failed',
      userMessage: expect.stringContaining('DISCORD_API_URL') as string,
    });
  }, 20_000);

  it('a connection that is closed again and again is ended, and tried again after a pause', async () => {
    discord = await startFakeDiscord({ oracle });
    core = createHearingCore();
    gateway = gatewayOn(discord, { connectionTimes: { ...times, closes: 3, readyMs: 8000 } });
    discord.gateway.refuseIdentify(4002, 3);
    await gateway.start(core.handlers);
    expect(discord.gateway.identifies.length).toBe(4);
    await taskOf(ask());
  }, 20_000);

  it.each([4004, 4014])('close code %i while it listens is tried again until somebody has changed it', async (code) => {
    await start({ connectionTimes: times });
    discord.gateway.refuseIdentify(code, 1);
    discord.gateway.close(code);
    await until('a new session', () => discord.gateway.identifies.length >= 2 && discord.gateway.ready === 1);
    expect((await taskOf(ask('after it'))).text).toBe('after it');
    expect(discord.gateway.identifies.length).toBeLessThanOrEqual(3);
  });

  it('waits for new sessions where Discord has hardly any left', async () => {
    discord = await startFakeDiscord({ oracle });
    core = createHearingCore();
    gateway = gatewayOn(discord, { connectionTimes: times });
    discord.gateway.sessionStartsLeft = 0;
    const started = gateway.start(core.handlers);
    started.catch(() => undefined);
    await sleep(300);
    expect(discord.gateway.identifies).toEqual([]);
    await gateway.stop();
  });
});
