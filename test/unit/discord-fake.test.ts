import {
  ActionRowBuilder,
  ApplicationCommandType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  ComponentType,
  ContainerBuilder,
  ContextMenuCommandBuilder,
  Events,
  FileBuilder,
  FileUploadBuilder,
  GatewayIntentBits,
  LabelBuilder,
  MediaGalleryBuilder,
  MessageFlags,
  ModalBuilder,
  Partials,
  SlashCommandBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import type {
  ButtonInteraction,
  ChatInputCommandInteraction,
  ClientEvents,
  Message,
  MessageContextMenuCommandInteraction,
  ModalSubmitInteraction,
  PublicThreadChannel,
  TextChannel,
} from 'discord.js';
import { describe, expect, it } from 'vitest';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord, FakeDiscordOptions } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';

/** The fake Discord, as the real discord.js finds it. */

const oracle = createOpenApiOracle();
const start = (options: FakeDiscordOptions = {}): Promise<FakeDiscord> => startFakeDiscord({ oracle, ...options });
const csv = new TextEncoder().encode('month,revenue\n2026-01,10\n');
const minimal = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages];

interface Connected extends AsyncDisposable {
  readonly client: Client<true>;
}

async function connect(
  discord: FakeDiscord,
  intents: readonly GatewayIntentBits[] = minimal,
  retries = 3,
): Promise<Connected> {
  const client = new Client({
    intents,
    partials: [Partials.Channel],
    rest: { api: discord.api, retries },
  });
  const ready = heard(client, Events.ClientReady);
  // Nobody waits for it where the login fails.
  ready.catch(() => undefined);
  await client.login(discord.token);
  await ready;
  return { client: client as Client<true>, [Symbol.asyncDispose]: () => client.destroy() };
}

async function heard<K extends keyof ClientEvents>(
  client: Client,
  name: K,
  fits: (...args: ClientEvents[K]) => boolean = () => true,
): Promise<ClientEvents[K]> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} came`)), 10_000);
    const listener = (...args: ClientEvents[K]): void => {
      if (!fits(...args)) return;
      clearTimeout(timer);
      client.off(name, listener as never);
      resolve(args);
    };
    client.on(name, listener as never);
  });
}

async function general(client: Client, discord: FakeDiscord): Promise<TextChannel> {
  return (await client.channels.fetch(discord.setting.general.id)) as TextChannel;
}

async function asked(
  client: Client,
  discord: FakeDiscord,
  said: Partial<Parameters<FakeDiscord['say']>[0]> = {},
): Promise<Message> {
  const created = heard(client, Events.MessageCreate, (message) => message.author.id !== client.user?.id);
  discord.say({ text: `${discord.botMention} revenue by month`, ...said });
  return (await created)[0];
}

const refused = (status: number, code: number): unknown => expect.objectContaining({ status, code });

describe('hearing', () => {
  it('a mention with a file, which can be downloaded until its link expires', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const message = await asked(one.client, discord, {
      files: [{ name: 'my sales.csv', bytes: csv, contentType: 'text/csv' }],
    });
    expect(message.mentions.has(one.client.user)).toBe(true);
    expect(message.member?.roles.cache.size).toBe(1);
    const [file] = [...message.attachments.values()];
    expect(file).toMatchObject({ name: 'my_sales.csv', size: csv.byteLength, contentType: 'text/csv' });
    const url = file?.url ?? '';
    expect(new Uint8Array(await (await fetch(url)).arrayBuffer())).toEqual(csv);
    discord.expireLinks();
    expect((await fetch(url)).status).toBe(404);
    const fresh = await message.channel.messages.fetch({ message: message.id, force: true });
    expect((await fetch(fresh.attachments.first()?.url ?? '')).status).toBe(200);
    discord.advance(25 * 60 * 60_000);
    expect((await fetch(fresh.attachments.first()?.url ?? '')).status).toBe(404);
  });

  it('without the MessageContent intent only what is meant for the bot has content', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const stripped = await asked(one.client, discord, { text: 'just talk', files: [{ name: 'a.csv', bytes: csv }] });
    expect([stripped.content, stripped.attachments.size]).toEqual(['', 0]);
    expect((await asked(one.client, discord, { text: `${discord.roleMention} hello` })).content).toBe('');
    const reply = await asked(one.client, discord, { replyTo: stripped.id });
    expect(reply.content).toContain('revenue');
    expect((await reply.fetchReference()).content).toBe('');
    const own = await reply.reply('Working on it.');
    expect((await asked(one.client, discord, { text: 'and by year?', replyTo: own.id })).content).toBe('and by year?');
    expect((await asked(one.client, discord, { text: 'and by year?', replyTo: own.id, ping: false })).content).toBe('');
    const dm = await asked(one.client, discord, { channelId: discord.dm().id, text: 'in private' });
    expect([dm.content, dm.channel.isDMBased()]).toEqual(['in private', true]);
  });

  it('with it everything has content; an intent that the portal does not allow closes with 4014', async () => {
    await using open = await start({ messageContent: true });
    await using one = await connect(open, [...minimal, GatewayIntentBits.MessageContent]);
    const talk = await asked(one.client, open, { text: 'just talk', files: [{ name: 'a.csv', bytes: csv }] });
    expect([talk.content, talk.attachments.size]).toEqual(['just talk', 1]);
    const forward = await asked(one.client, open, { forward: talk.id });
    expect(forward.messageSnapshots.first()?.attachments.first()?.name).toBe('a.csv');
    await using closed = await start();
    await expect(connect(closed, [...minimal, GatewayIntentBits.MessageContent])).rejects.toThrow('disallowed intents');
  });

  it('edits, previews of links, deletions, threads and posts of forums', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const message = await asked(one.client, discord);
    const edited = heard(one.client, Events.MessageUpdate);
    discord.edit(message.id, `${discord.botMention} by year`);
    expect((await edited)[1].content).toContain('by year');
    const unfurled = heard(one.client, Events.MessageUpdate);
    discord.unfurl(message.id, { type: 'link', url: 'https://example.com' });
    const [before, after] = await unfurled;
    expect(after.content).toBe(before.content);
    const removed = heard(one.client, Events.MessageDelete);
    discord.remove(message.id);
    expect((await removed)[0].id).toBe(message.id);
    const created = heard(one.client, Events.ThreadCreate);
    const posted = heard(one.client, Events.MessageCreate);
    const { thread } = discord.forumPost({ name: 'Help', text: `${discord.botMention} help` });
    expect((await created)[0].id).toBe(thread.id);
    expect((await posted)[0]).toMatchObject({ id: thread.id, channelId: thread.id });
  });
});

describe('threads', () => {
  it('from a message, once: its id is that of the message', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const message = await asked(one.client, discord);
    const thread = await message.startThread({ name: 'Revenue by month' });
    expect(thread.id).toBe(message.id);
    const again = one.client.rest.post(`/channels/${message.channelId}/messages/${message.id}/threads`, {
      body: { name: 'Again' },
    });
    await expect(again).rejects.toEqual(refused(400, 160_004));
    await expect((await asked(one.client, discord)).startThread({ name: 'x'.repeat(101) })).rejects.toEqual(
      refused(400, 50_035),
    );
    await thread.send('In the thread');
    expect(discord.messages(thread.id).map(({ content }) => content)).toEqual(['In the thread']);
    expect([...(await thread.messages.fetch()).values()].map(({ type }) => type)).toEqual([0, 21]);
    await expect(
      asked(one.client, discord, { channelId: thread.id }).then((inside) => inside.startThread({ name: 'Nested' })),
    ).rejects.toThrow('The message was not sent in a guild t');
  });

  it('archived ones open by writing, not by editing; locked ones stay shut', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const thread = (await (await asked(one.client, discord)).startThread({ name: 'Revenue' })) as PublicThreadChannel;
    const message = await thread.send('First');
    discord.archive(thread.id);
    await expect(message.edit('Changed')).rejects.toEqual(refused(400, 50_083));
    await expect(message.react('👍')).rejects.toEqual(refused(400, 50_083));
    await thread.send('Second');
    expect(discord.state.channels.get(thread.id)?.archived).toBe(false);
    discord.archive(thread.id, true);
    await expect(thread.send('Third')).rejects.toEqual(refused(400, 160_005));
    discord.deleteChannel(thread.id);
    await expect(thread.send('Fourth')).rejects.toEqual(refused(404, 10_003));
  });

  it('without a permission Discord says no', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const { general: place } = discord.setting;
    const message = await asked(one.client, discord);
    discord.takePermission('CreatePublicThreads');
    await expect(message.startThread({ name: 'Revenue' })).rejects.toEqual(refused(403, 50_013));
    discord.takePermission('ReadMessageHistory', place.id);
    await expect(message.reply('Hello')).rejects.toEqual(refused(400, 160_002));
    discord.takePermission('AttachFiles', place.id);
    const channel = await general(one.client, discord);
    await expect(channel.send({ files: [new AttachmentBuilder(Buffer.from('1'), { name: 'a.txt' })] })).rejects.toEqual(
      refused(403, 50_013),
    );
    discord.takePermission('ViewChannel', place.id);
    await expect(channel.send('Hello')).rejects.toEqual(refused(403, 50_001));
    discord.givePermission('ViewChannel', place.id);
    discord.takePermission('SendMessages', place.id);
    await expect(channel.send('Hello')).rejects.toEqual(refused(403, 50_013));
    await expect(message.delete()).rejects.toEqual(refused(403, 50_013));
    discord.setting.ada.closedDms = true;
    await expect(one.client.users.send(discord.setting.ada.id, 'Hello')).rejects.toEqual(refused(403, 50_007));
  });
});

describe('sending', () => {
  it('text, edits, files with alternative text, typing and reactions', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const message = await asked(one.client, discord);
    await message.react('👀');
    expect(discord.state.messages.get(message.id)?.reactions.get('👀')?.size).toBe(1);
    await message.reactions.cache.get('👀')?.users.remove();
    await (message.channel as TextChannel).sendTyping();
    expect(discord.state.typings).toHaveLength(1);
    const chart = new AttachmentBuilder(Buffer.from('png'), { name: 'chart.png', description: 'Revenue by month' });
    const reply = await message.reply({ content: 'Here', files: [chart], allowedMentions: { parse: [] } });
    expect(reply.attachments.first()?.description).toBe('Revenue by month');
    expect(discord.state.messages.get(reply.id)?.mentions).toEqual([]);
    await reply.edit({ content: 'Here it is', attachments: [] });
    expect(discord.messages(message.channelId).at(-1)).toMatchObject({
      content: 'Here it is',
      attachments: [],
      edits: 1,
    });
    await expect(
      one.client.rest.patch(`/channels/${message.channelId}/messages/${message.id}`, { body: { content: 'No' } }),
    ).rejects.toEqual(refused(403, 50_005));
  });

  it('a V2 message, and a file that comes later', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const channel = await general(one.client, discord);
    const container = (): ContainerBuilder =>
      new ContainerBuilder()
        .addTextDisplayComponents(new TextDisplayBuilder().setContent('## Revenue'))
        .addMediaGalleryComponents(
          new MediaGalleryBuilder().addItems({ media: { url: 'attachment://chart.png' }, description: 'Revenue' }),
        )
        .addActionRowComponents(
          new ActionRowBuilder<ButtonBuilder>().addComponents(
            new ButtonBuilder().setCustomId('code:1').setLabel('Show code').setStyle(ButtonStyle.Secondary),
          ),
        );
    const chart = new AttachmentBuilder(Buffer.from('png'), { name: 'chart.png' });
    const sent = await channel.send({ flags: MessageFlags.IsComponentsV2, components: [container()], files: [chart] });
    expect(sent.attachments.size).toBe(0);
    const file = new AttachmentBuilder(Buffer.from('1'), { name: 'out.csv' });
    await sent.edit({
      components: [container(), new FileBuilder().setURL('attachment://out.csv')],
      files: [file],
      attachments: discord.state.messages.get(sent.id)?.attachments.map(({ id }) => ({ id })) as never,
    });
    const stored = discord.messages(channel.id).at(-1);
    expect(stored?.attachments.map(({ filename }) => filename)).toEqual(['chart.png', 'out.csv']);
    const missing = {
      flags: MessageFlags.IsComponentsV2,
      components: [new FileBuilder().setURL('attachment://no.csv')],
    } as const;
    await expect(channel.send(missing)).rejects.toEqual(refused(400, 50_035));
    await expect(sent.edit({ content: 'Text' })).rejects.toEqual(refused(400, 50_035));
  });

  it('what is too much is refused', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const channel = await general(one.client, discord);
    const files = (count: number, bytes: number): AttachmentBuilder[] =>
      Array.from({ length: count }, (_, index) => new AttachmentBuilder(Buffer.alloc(bytes), { name: `${index}.bin` }));
    const displays = (count: number, length: number) =>
      Array.from({ length: count }, () => ({ type: ComponentType.TextDisplay, content: 'x'.repeat(length) }) as const);
    const flags = MessageFlags.IsComponentsV2;
    const embed = (length: number) => ({ description: 'x'.repeat(length) });
    const button = (customId: string) => ({
      type: 1,
      components: [{ type: 2, style: 2, label: 'Press', custom_id: customId }],
    });
    await channel.send('x'.repeat(2000));
    await channel.send({ flags, components: displays(40, 100) });
    await channel.send({ embeds: [embed(3000), embed(3000)] });
    await channel.send({ files: files(10, 1) });
    await channel.send({ components: [button('x'.repeat(100))] });
    const tooMuch = [
      'x'.repeat(2001),
      { files: files(11, 1) },
      { flags, components: displays(41, 1) },
      { flags, components: displays(1, 4001) },
      { flags, components: displays(2, 2001) },
      { embeds: [embed(3000), embed(3001)] },
      { flags, components: displays(1, 1), content: 'And text' },
      { components: [button('x'.repeat(101))] },
      { components: [button('same'), button('same')] },
      { flags, components: displays(2, 1).map((display) => ({ ...display, id: 7 })) },
      { content: 'Hello', nonce: 'x'.repeat(26) },
      { files: [new AttachmentBuilder(Buffer.from('1'), { name: 'a.txt', description: 'x'.repeat(1025) })] },
      { components: Array.from({ length: 6 }, (_, index) => button(String(index))) },
    ] as const;
    for (const message of tooMuch) await expect(channel.send(message as never)).rejects.toEqual(refused(400, 50_035));
    await expect(channel.send({ files: files(1, 11 * 1024 * 1024) })).rejects.toEqual(refused(413, 40_005));
    await expect(channel.send({ files: files(3, 9 * 1024 * 1024) })).rejects.toEqual(refused(413, 40_005));
    await expect(one.client.rest.post(`/channels/${channel.id}/messages`, { body: {} })).rejects.toEqual(
      refused(400, 50_006),
    );
    expect(discord.messages(channel.id)).toHaveLength(5);
    expect(discord.refusals).toHaveLength(tooMuch.length + 3);
  });

  it('a nonce that is enforced makes one message only', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const channel = await general(one.client, discord);
    const first = await channel.send({ content: 'Hello', nonce: 'task-1', enforceNonce: true });
    const again = await channel.send({ content: 'Hello', nonce: 'task-1', enforceNonce: true });
    expect(again.id).toBe(first.id);
    discord.faults.plan({ route: 'POST /channels/{channel_id}/messages', fault: { kind: 'bad-gateway-after' } });
    await channel.send({ content: 'Once', nonce: 'task-2', enforceNonce: true });
    expect(discord.messages(channel.id).map(({ content }) => content)).toEqual(['Hello', 'Once']);
    discord.faults.plan({ route: 'POST /channels/{channel_id}/messages', fault: { kind: 'bad-gateway-after' } });
    await channel.send('Twice');
    expect(discord.messages(channel.id)).toHaveLength(4);
  });
});

describe('interactions', () => {
  const commands = [
    new SlashCommandBuilder()
      .setName('analyze')
      .setDescription('Analyzes a file')
      .addAttachmentOption((option) =>
        option.setName('file').setDescription('A spreadsheet').setRequired(true).setFileTypes('.csv', '.xlsx'),
      )
      .addStringOption((option) => option.setName('question').setDescription('What to find out'))
      .toJSON(),
    new ContextMenuCommandBuilder().setName('Analyze this file').setType(ApplicationCommandType.Message).toJSON(),
  ];

  it('commands are registered in bulk and keep their ids', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const first = await one.client.application.commands.set(commands);
    const second = await one.client.application.commands.set(commands);
    expect([...second.keys()]).toEqual([...first.keys()]);
    expect((await one.client.application.commands.fetch()).map(({ name }) => name)).toEqual([
      'analyze',
      'Analyze this file',
    ]);
    const option = (types: readonly string[]) => ({ type: 11, name: 'file', description: 'A file', file_types: types });
    const command = (name: string, types: readonly string[]) => ({
      name,
      description: 'Does it',
      options: [option(types)],
    });
    const bad = [
      command('Analyze', ['.csv']),
      command('x'.repeat(33), ['.csv']),
      command('analyze', ['csv']),
      command(
        'analyze',
        Array.from({ length: 11 }, (_, index) => `.c${index}`),
      ),
    ];
    for (const definition of bad) {
      const put = one.client.rest.put(`/applications/${one.client.application.id}/commands`, { body: [definition] });
      await expect(put).rejects.toEqual(refused(400, 50_035));
    }
  });

  it('a deferred answer that only one person sees, its edit with a file, and a follow-up', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    await one.client.application.commands.set(commands);
    expect(() => discord.slash('analyze', { file: { name: 'a.png', bytes: csv } })).toThrow('cannot be picked');
    const created = heard(one.client, Events.InteractionCreate);
    const asking = discord.slash('analyze', { file: { name: 'sales.csv', bytes: csv }, question: 'Revenue?' });
    const interaction = (await created)[0] as ChatInputCommandInteraction<'cached'>;
    const file = interaction.options.getAttachment('file', true);
    expect([file.ephemeral, interaction.options.getString('question')]).toEqual([true, 'Revenue?']);
    expect(new Uint8Array(await (await fetch(file.url)).arrayBuffer())).toEqual(csv);
    expect(interaction.attachmentSizeLimit).toBe(10 * 1024 * 1024);
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    expect(await asking.answered).toBe('deferred');
    await expect(
      one.client.rest.post(`/interactions/${asking.id}/${asking.token}/callback`, { body: { type: 5 }, auth: false }),
    ).rejects.toEqual(refused(400, 40_060));
    await interaction.editReply({
      content: 'Done',
      files: [new AttachmentBuilder(Buffer.from('1'), { name: 'out.csv' })],
    });
    await interaction.followUp({ content: 'One more thing', flags: MessageFlags.Ephemeral });
    const [answer, more] = discord.ephemerals(asking.channelId);
    expect([answer?.content, answer?.attachments[0]?.filename, more?.content]).toEqual([
      'Done',
      'out.csv',
      'One more thing',
    ]);
    expect(discord.messages(asking.channelId)).toEqual([]);
    discord.advance(15 * 60_000);
    await expect(interaction.editReply('Too late')).rejects.toEqual(refused(401, 50_027));
  });

  it('an answer after three seconds is too late', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    await one.client.application.commands.set(commands);
    const created = heard(one.client, Events.InteractionCreate);
    discord.slash('analyze', { file: { name: 'sales.csv', bytes: csv } });
    const interaction = (await created)[0] as ChatInputCommandInteraction;
    discord.advance(3001);
    await expect(interaction.deferReply()).rejects.toEqual(refused(404, 10_062));
  });

  it('a message command brings the whole message; its form takes files', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    await one.client.application.commands.set(commands);
    const message = discord.say({ text: 'old', files: [{ name: 'old.csv', bytes: csv }] });
    const created = heard(one.client, Events.InteractionCreate);
    const chosen = discord.messageCommand('Analyze this file', message.id);
    const interaction = (await created)[0] as MessageContextMenuCommandInteraction;
    expect(interaction.targetMessage.attachments.first()?.name).toBe('old.csv');
    const modal = new ModalBuilder()
      .setCustomId('ask:1')
      .setTitle('Your question')
      .addLabelComponents(
        new LabelBuilder()
          .setLabel('Question')
          .setTextInputComponent(new TextInputBuilder().setCustomId('question').setStyle(TextInputStyle.Paragraph)),
        new LabelBuilder()
          .setLabel('More files')
          .setFileUploadComponent(new FileUploadBuilder().setCustomId('files').setRequired(false).setMaxValues(2)),
      );
    await interaction.showModal(modal);
    expect(await chosen.answered).toBe('modal');
    const submitted = heard(one.client, Events.InteractionCreate);
    expect(() => discord.submitModal(chosen, { question: '' })).toThrow('needs question');
    discord.submitModal(chosen, { question: 'Revenue?', files: [{ name: 'more.csv', bytes: csv }] });
    const answer = (await submitted)[0] as ModalSubmitInteraction;
    expect(answer.fields.getTextInputValue('question')).toBe('Revenue?');
    expect(answer.fields.getUploadedFiles('files')?.first()?.name).toBe('more.csv');
    await answer.reply('Working on it');
    expect(discord.messages(discord.setting.general.id).at(-1)?.content).toBe('Working on it');
  });

  it('a button, whose deferred update leaves its message', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const channel = await general(one.client, discord);
    const row = new ActionRowBuilder<ButtonBuilder>().addComponents(
      new ButtonBuilder().setCustomId('stop:1').setLabel('Stop').setStyle(ButtonStyle.Danger),
    );
    const message = await channel.send({ content: 'Working', components: [row] });
    const created = heard(one.client, Events.InteractionCreate);
    expect(() => discord.press(message.id, 'other')).toThrow('no component');
    const pressed = discord.press(message.id, 'stop:1', { author: discord.setting.grace.id });
    const interaction = (await created)[0] as ButtonInteraction;
    expect([interaction.user.id, interaction.message.id]).toEqual([discord.setting.grace.id, message.id]);
    await interaction.deferUpdate();
    expect(await pressed.answered).toBe('update-deferred');
    await interaction.editReply({ content: 'Stopped', components: [] });
    expect(discord.messages(channel.id)).toMatchObject([{ content: 'Stopped', components: [] }]);
  });
});

describe('faults', () => {
  it('rate limits, broken gateways and connections, with and without effect', async () => {
    await using discord = await start();
    await using one = await connect(discord, minimal, 0);
    const channel = await general(one.client, discord);
    const route = 'POST /channels/{channel_id}/messages';
    const from = performance.now();
    discord.faults.plan({ route, fault: { kind: 'rate-limited', retryAfterMs: 200 } });
    await channel.send('One');
    expect(performance.now() - from).toBeGreaterThan(190);
    discord.faults.plan({ route, fault: { kind: 'bad-gateway' } });
    await expect(channel.send('Two')).rejects.toMatchObject({ status: 502 });
    discord.faults.plan({ route, fault: { kind: 'cut' } });
    await expect(channel.send('Three')).rejects.toThrow(/socket|other side/i);
    discord.faults.plan({ route, fault: { kind: 'cut-after' } });
    await expect(channel.send('Four')).rejects.toThrow(/socket|other side/i);
    discord.faults.plan({ route, fault: { kind: 'too-large' } });
    await expect(channel.send('Five')).rejects.toEqual(refused(413, 40_005));
    expect(discord.messages(channel.id).map(({ content }) => content)).toEqual(['One', 'Four']);
    expect(() => discord.faults.plan({ route: 'POST /nothing', fault: { kind: 'cut' } })).toThrow('has no');
  });

  it('a cut connection is resumed and what was missed is replayed', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const resumed = heard(one.client, Events.ShardResume);
    discord.gateway.cut();
    const created = heard(one.client, Events.MessageCreate);
    discord.say({ text: `${discord.botMention} while you were away` });
    expect((await created)[0].content).toContain('away');
    await resumed;
    expect([discord.gateway.resumes, discord.gateway.identifies.length]).toEqual([1, 1]);
  });

  it('a resumed connection may hear the same message twice', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const heardIds: string[] = [];
    // As it comes over the wire: discord.js itself leaves out what it has in its cache.
    one.client.on(Events.Raw, ({ t, d }) => {
      if (t === 'MESSAGE_CREATE') heardIds.push(d.id);
    });
    const message = await asked(one.client, discord);
    const resumed = heard(one.client, Events.ShardResume);
    discord.gateway.replayMore(1);
    discord.gateway.askToReconnect();
    await resumed;
    expect(heardIds).toEqual([message.id, message.id]);
  });

  it('a session that Discord ends is begun anew', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    const back = heard(one.client, Events.ShardReady);
    discord.gateway.close(4009);
    await back;
    const again = heard(one.client, Events.ShardReady);
    discord.gateway.invalidate(false);
    await again;
    expect([discord.gateway.resumes, discord.gateway.identifies.length]).toEqual([0, 3]);
  }, 30_000);

  it('a session that is gone is begun anew, and what was missed is lost', async () => {
    await using discord = await start();
    await using one = await connect(discord);
    discord.gateway.forgetSessions();
    discord.gateway.cut();
    discord.say({ text: `${discord.botMention} while you were away` });
    const back = heard(one.client, Events.ShardReady);
    await back;
    expect([discord.gateway.resumes, discord.gateway.identifies.length]).toEqual([0, 2]);
    expect((await asked(one.client, discord, { text: `${discord.botMention} again` })).content).toContain('again');
  });

  it('a wrong token, a refused start and heartbeats without an answer', async () => {
    await using discord = await start({ heartbeatMs: 100 });
    const stranger = new Client({ intents: minimal, rest: { api: discord.api } });
    await expect(stranger.login('wrong')).rejects.toThrow('invalid token');
    discord.gateway.refuseIdentify(4004, 1);
    await expect(connect(discord)).rejects.toThrow('Authentication failed');
    await using one = await connect(discord);
    const resumed = heard(one.client, Events.ShardResume);
    discord.gateway.dropHeartbeats(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    discord.gateway.dropHeartbeats(false);
    await resumed;
    expect(discord.gateway.resumes).toBeGreaterThan(0);
  });
});

describe('the OpenAPI file', () => {
  it('catches an answer that Discord could not give', async () => {
    const discord = await start({
      tamper: (operation, answer) => {
        if (operation !== 'POST /channels/{channel_id}/messages') return answer;
        const { mention_everyone: _dropped, ...body } = answer.body as Record<string, unknown>;
        return { ...answer, body };
      },
    });
    await using one = await connect(discord);
    await (await general(one.client, discord)).send('Hello');
    expect(discord.violations).toEqual([expect.stringContaining('mention_everyone')]);
    await expect(discord[Symbol.asyncDispose]()).rejects.toThrow('mention_everyone');
  });

  it('catches a status and a path that Discord does not have', async () => {
    const discord = await start({
      tamper: (operation, answer) =>
        operation.endsWith('/typing') ? { status: 500, body: { code: 0, message: 'No' } } : answer,
    });
    await using one = await connect(discord, minimal, 0);
    await expect((await general(one.client, discord)).sendTyping()).rejects.toThrow('Internal Server Error');
    await expect(one.client.rest.get('/channels/none')).rejects.toThrow('404');
    expect(discord.takeViolations()).toEqual([
      expect.stringContaining('does not answer 500'),
      expect.stringContaining('has no GET'),
    ]);
    await discord[Symbol.asyncDispose]();
  });
});
