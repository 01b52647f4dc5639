import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDiscordClient } from '../../adapters/discord/client.ts';
import { rerunIdOf } from '../../adapters/discord/message.ts';
import { allComponents } from '../../adapters/discord/attachments.ts';
import { createDelivery } from '../../src/answer/deliver.ts';
import { createLogger } from '../../src/log.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import type {
  OutgoingArtifact,
  OutgoingFile,
  OutgoingMessage,
  PlatformClient,
  PostContext,
  PostedPart,
} from '../../src/ports/platforms.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { noAudit } from '../../src/audit/no-audit.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Artifact, Reply, Task, ThreadRef } from '../../src/types.ts';
import { createFileLinks } from '../../src/web/file-links.ts';
import type { DiscordFault } from '../fakes/discord/faults.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import type { Json, MessageState } from '../fakes/discord/state.ts';

/** The client with discord.js' REST, over HTTP, against a Discord that is held to its OpenAPI file. */

const log = createLogger('silent');
const oracle = createOpenApiOracle();
const postRoute = 'POST /channels/{channel_id}/messages';
const png = Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13]);
const csv = new TextEncoder().encode('month,revenue\n2026-01,10\n');
const never: PlatformClient['admit'] = async (task) => ({ kind: 'admitted', task });

let discord: FakeDiscord;

beforeEach(async () => {
  discord = await startFakeDiscord({ oracle });
});
afterEach(async () => {
  await discord[Symbol.asyncDispose]();
});

/** As in another process: nothing is remembered. */
const createClient = (token = discord.token): PlatformClient =>
  createDiscordClient({ token, apiUrl: discord.api, log, admit: never, settleMs: 5 });

interface Asked {
  readonly thread: ThreadRef;
  readonly taskId: string;
  readonly message: MessageState;
}

function ask(text = 'revenue by month?', channelId = discord.setting.general.id): Asked {
  const message = discord.say({ channelId, text: `${discord.botMention} ${text}` });
  const channel = discord.state.channels.get(channelId);
  const workspaceId = channel?.guildId ?? '@me';
  const isText = channel?.kind === 'text';
  return {
    message,
    taskId: `discord-${workspaceId}-${channelId}-${message.id}`,
    thread: {
      platform: 'discord',
      workspaceId,
      channelId: channel?.parentId ?? channelId,
      threadId: isText ? message.id : channelId,
    },
  };
}

function contextOf(postId: string, alreadyPosted: readonly PostedPart[] = [], timeoutMs = 20_000) {
  const noted = [...alreadyPosted];
  const context: PostContext = {
    postId,
    alreadyPosted,
    // Whoever does not say that nothing was tried has the channel looked at.
    isRepeat: true,
    onPosted: async (part) => {
      noted.push(part);
    },
    signal: AbortSignal.timeout(timeoutMs),
  };
  return { context, noted };
}

function fileOf(name: string, bytes: Uint8Array, mimeType = 'text/csv'): OutgoingFile {
  return {
    file: { name, mimeType, sizeBytes: bytes.byteLength, sha256: createHash('sha256').update(name).digest('hex') },
    async *open() {
      yield bytes;
    },
  };
}

function replyOf(
  { taskId }: Asked,
  files: readonly OutgoingArtifact[] = [],
  text = 'Revenue grew by 12%.',
): OutgoingMessage {
  const artifacts = files.map(({ file }): Artifact => {
    const kind = file.mimeType === 'image/png' ? 'chart' : 'file';
    return { kind, title: file.name, file, altText: `What ${file.name} shows`, table: null, chart: null };
  });
  const code = [{ title: 'Sum', source: 'df.sum()', status: 'ok' as const, durationMs: 3 }];
  const reply: Reply = { taskId, outcome: 'answered', text, artifacts, notices: ['2 rows were left out.'], code };
  return { kind: 'reply', reply, files };
}

const componentsOf = (message: MessageState | undefined): readonly Json[] => allComponents({ ...message });
const shownText = (message: MessageState | undefined): string =>
  [message?.content ?? '', ...componentsOf(message).map(({ content }) => content)].filter(Boolean).join('\n');
const customIds = (message: MessageState | undefined): readonly unknown[] =>
  componentsOf(message).flatMap((component) => component['custom_id'] ?? []);
const inThread = ({ thread }: Asked): readonly MessageState[] => discord.messages(thread.threadId);
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(120);

describe('a question in a channel', () => {
  test('gets a thread named after it, progress in place, and one message with all of the answer', async () => {
    const client = createClient();
    const asked = ask('**Revenue** by month for <@123456789012345678>?');
    const progress = { taskId: asked.taskId, personId: 'u', running: true, steps: [], note: 'Looking …' };
    const posted = await client.post(
      asked.thread,
      { kind: 'progress', progress },
      contextOf(`${asked.taskId}-progress`).context,
    );
    expect(discord.state.channels.get(asked.thread.threadId)).toMatchObject({
      name: 'Revenue by month for ?',
      parentId: asked.thread.channelId,
      autoArchiveMinutes: 1440,
    });
    const [shown] = inThread(asked);
    expect([shown?.id, shownText(shown), customIds(shown)]).toEqual([
      posted.parts[0]?.messageId,
      'Looking …',
      [`stop:${asked.taskId}`],
    ]);

    const steps = [{ title: 'Read `sales.csv`', state: 'done' as const }];
    const done = { ...progress, running: false, note: '', steps };
    await client.edit(asked.thread, shown?.id ?? '', { kind: 'progress', progress: done }, AbortSignal.timeout(5000));
    expect([shownText(inThread(asked)[0]), customIds(inThread(asked)[0])]).toEqual(['✅ Read \\`sales.csv\\`', []]);

    const files = [fileOf('chart.png', png, 'image/png'), fileOf('Umsätze 2026.csv', csv)];
    const { context, noted } = contextOf(`${asked.taskId}-reply`);
    const receipt = await client.post(asked.thread, replyOf(asked, files), context);
    expect(receipt.notPosted).toEqual([]);
    expect(receipt.parts).toEqual(noted);
    const [, answer, ...more] = inThread(asked);
    expect(more).toEqual([]);
    expect(shownText(answer)).toBe('Revenue grew by 12%.\n\n> 2 rows were left out.');
    expect(componentsOf(answer).map(({ type }) => type)).toEqual([10, 14, 12, 13, 1, 2, 2, 2, 2, 1, 2, 2]);
    expect(customIds(answer)).toEqual(
      ['show-code', 'notebook', 'rerun', 'delete', 'good', 'bad'].map((action) => `${action}:${asked.taskId}`),
    );
    const gallery = componentsOf(answer).find(({ type }) => type === 12);
    expect(gallery?.['items']).toMatchObject([{ description: 'What chart.png shows' }]);
    expect(discord.bytesOf(discord.fileOf(answer as MessageState, 'Umsatze_2026.csv'))).toEqual(csv);
    expect([answer?.mentions, answer?.mentionEveryone, answer?.mentionRoles]).toEqual([[], false, []]);
    expect(discord.refusals.map(({ status }) => status)).toEqual([404]);
  });

  test('its thread may be there already, made by another process', async () => {
    const asked = ask();
    discord.thread({ name: 'Mine', messageId: asked.message.id });
    await createClient().post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
    expect(inThread(asked)).toHaveLength(1);
  });

  test('two posts at once make one thread', async () => {
    const asked = ask();
    const client = createClient();
    const notice = (text: string) =>
      client.post(asked.thread, { kind: 'notice', text }, contextOf(`${asked.taskId}-${text}`).context);
    await Promise.all([notice('one'), notice('two'), notice('three')]);
    expect(inThread(asked).map(shownText).toSorted()).toEqual(['one', 'three', 'two']);
  });

  test('where no thread may be made, the answer replies in the channel', async () => {
    const asked = ask();
    discord.takePermission('CreatePublicThreads');
    const client = createClient();
    const receipt = await client.post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
    const [, answer] = discord.messages(asked.thread.channelId);
    expect(answer?.reference?.messageId).toBe(asked.message.id);
    expect(answer?.mentions).toEqual([]);
    const notice = { kind: 'notice', text: 'Changed.' } as const;
    await client.edit(asked.thread, receipt.parts[0]?.messageId ?? '', notice, AbortSignal.timeout(5000));
    expect(shownText(discord.messages(asked.thread.channelId)[1])).toBe('Changed.');
    await client.remove(asked.thread, [answer?.id ?? '', answer?.id ?? ''], AbortSignal.timeout(5000));
    expect(discord.messages(asked.thread.channelId)).toHaveLength(1);
  });

  test('a refusal replies to the question and makes no thread', async () => {
    const asked = ask();
    const refusal = { kind: 'refusal', personId: 'u', text: 'Only **analysts** may ask here.' } as const;
    await createClient().post(asked.thread, refusal, contextOf(`${asked.taskId}-reply`).context);
    const [, said] = discord.messages(asked.thread.channelId);
    expect([shownText(said), said?.reference?.messageId, said?.mentions]).toEqual([refusal.text, asked.message.id, []]);
    expect(discord.state.channels.has(asked.thread.threadId)).toBe(false);
  });
});

describe('elsewhere', () => {
  test('in a thread, a post of a forum and a direct message it answers in place, to the question', async () => {
    const thread = discord.thread({ name: 'Old talk' });
    const post = discord.forumPost({ name: 'Numbers', text: 'hello' }).thread;
    for (const channelId of [thread.id, post.id, discord.dm().id]) {
      const asked = ask('and by week?', channelId);
      await createClient().post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
      const answer = discord.messages(channelId).at(-1);
      expect([answer?.reference?.messageId, answer?.mentions]).toEqual([asked.message.id, []]);
    }
  });

  test('a question that was deleted meanwhile does not keep its answer back', async () => {
    const asked = ask('gone', discord.dm().id);
    discord.remove(asked.message.id);
    await createClient().post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
    expect(discord.messages(discord.dm().id)).toHaveLength(1);
  });

  test('an archived thread opens again, for posts and for edits', async () => {
    const asked = ask();
    const client = createClient();
    const notice = { kind: 'notice', text: 'one' } as const;
    const receipt = await client.post(asked.thread, notice, contextOf(`${asked.taskId}-a`).context);
    discord.archive(asked.thread.threadId);
    await client.post(asked.thread, notice, contextOf(`${asked.taskId}-b`).context);
    expect(discord.state.channels.get(asked.thread.threadId)?.archived).toBe(false);
    discord.archive(asked.thread.threadId);
    const id = receipt.parts[0]?.messageId ?? '';
    await client.edit(asked.thread, id, { kind: 'notice', text: 'two' }, AbortSignal.timeout(5000));
    expect(inThread(asked).map(shownText)).toEqual(['two', 'one']);
  });

  test('a locked thread: the channel around it is told once, and nothing is tried again', async () => {
    const asked = ask();
    discord.thread({ name: 'Closed', messageId: asked.message.id });
    discord.archive(asked.thread.threadId, true);
    for (const client of [createClient(), createClient()]) {
      const posting = client.post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
      await expect(posting).rejects.toMatchObject({ retryable: false, userMessage: expect.stringContaining('locked') });
    }
    const told = discord.messages(asked.thread.channelId).slice(1).map(shownText);
    expect(told).toEqual([expect.stringContaining(`<#${asked.thread.threadId}> is locked`)]);
  });

  test('deleted threads, channels and questions, and missing permissions, are said in words and not tried again', async () => {
    const client = createClient();
    const refusalOf = async (asked: Asked): Promise<unknown> => {
      const posting = client.post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
      return await posting.then(
        () => null,
        ({ retryable, userMessage }: Record<string, unknown>) => [retryable, userMessage],
      );
    };
    const question = ask();
    discord.remove(question.message.id);
    expect(await refusalOf(question)).toEqual([false, expect.stringContaining('deleted')]);
    const silent = ask();
    discord.takePermission('SendMessagesInThreads', silent.thread.channelId);
    expect(await refusalOf(silent)).toEqual([false, expect.stringContaining('*Send Messages in Threads*')]);
    const channel = ask('x', discord.thread({ name: 'Short-lived' }).id);
    discord.deleteChannel(channel.thread.threadId);
    expect(await refusalOf(channel)).toEqual([false, expect.stringContaining('deleted')]);
  });

  test('a token that Discord does not accept is named', async () => {
    const asked = ask();
    const posting = createClient('wrong.token.here').post(asked.thread, replyOf(asked), contextOf('p').context);
    await expect(posting).rejects.toMatchObject({ userMessage: expect.stringContaining('`DISCORD_TOKEN`') });
  });
});

describe('what Discord refuses', () => {
  const refuse = { kind: 'refuse', status: 400, code: 50_035, message: 'Invalid Form Body' } as const;
  const notice = (text: string): OutgoingMessage => ({ kind: 'notice', text });

  test('an edit of components becomes a plain one, on a plain message', async () => {
    const asked = ask();
    discord.thread({ name: 'T', messageId: asked.message.id });
    const client = createClient();
    discord.faults.plan({ route: postRoute, fault: refuse });
    const receipt = await client.post(asked.thread, notice('before'), contextOf(`${asked.taskId}-n`).context);
    discord.faults.plan({ route: 'PATCH /channels/{channel_id}/messages/{message_id}', fault: refuse });
    const id = receipt.parts[0]?.messageId ?? '';
    await client.edit(asked.thread, id, notice('word '.repeat(700)), AbortSignal.timeout(5000));
    const [message] = inThread(asked);
    expect(message?.content).toMatch(/^word word[\s\S]*-# Shortened to fit one message\.$/);
    expect(message?.components).toEqual([]);
  });

  test('an edit of a plain message becomes components in one request, without the old words', async () => {
    const asked = ask();
    discord.thread({ name: 'T', messageId: asked.message.id });
    const client = createClient();
    discord.faults.plan({ route: postRoute, fault: refuse });
    const progress = { taskId: asked.taskId, personId: 'u', running: true, steps: [], note: 'Looking …' };
    const { context } = contextOf(`${asked.taskId}-progress`);
    const receipt = await client.post(asked.thread, { kind: 'progress', progress }, context);
    expect(inThread(asked).map(({ content }) => content)).toEqual(['Looking …']);
    const before = discord.refusals.length;
    const id = receipt.parts[0]?.messageId ?? '';
    const later = { ...progress, note: 'Counting …' };
    await client.edit(asked.thread, id, { kind: 'progress', progress: later }, AbortSignal.timeout(5000));
    expect(inThread(asked).map(({ content }) => content)).toEqual(['']);
    expect(shownText(inThread(asked)[0])).toBe('Counting …');
    expect(discord.refusals).toHaveLength(before);
  });

  test('an edit that is too long for one message says so', async () => {
    const asked = ask();
    const client = createClient();
    const receipt = await client.post(asked.thread, notice('before'), contextOf(`${asked.taskId}-n`).context);
    const id = receipt.parts[0]?.messageId ?? '';
    await client.edit(asked.thread, id, notice('word '.repeat(2000)), AbortSignal.timeout(5000));
    expect(shownText(inThread(asked)[0])).toMatch(/^word word[\s\S]*-# Shortened to fit one message\.$/);
    discord.remove(id);
    const late = client.edit(asked.thread, id, notice('late'), AbortSignal.timeout(5000));
    await expect(late).rejects.toMatchObject({ retryable: false, userMessage: expect.stringContaining('was deleted') });
  });

  test('a reply without Read Message History becomes an ordinary message', async () => {
    const asked = ask('hi', discord.thread({ name: 'Old talk' }).id);
    discord.takePermission('ReadMessageHistory');
    await createClient().post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
    const answers = inThread(asked).filter(({ authorId }) => authorId === discord.state.botId);
    expect(answers.map(({ reference }) => reference)).toEqual([null]);
  });

  test('files without Attach Files are refused in words that name it', async () => {
    const asked = ask();
    discord.takePermission('AttachFiles');
    const posting = createClient().post(
      asked.thread,
      replyOf(asked, [fileOf('a.csv', csv)]),
      contextOf(`${asked.taskId}-reply`).context,
    );
    await expect(posting).rejects.toMatchObject({
      code: 'platform-failed',
      retryable: false,
      userMessage: expect.stringContaining('*Attach Files*'),
    });
    expect(inThread(asked)).toEqual([]);
  });
});

describe('files', () => {
  test('are packed by count and by bytes, text and buttons with the first ones', async () => {
    const asked = ask();
    const files = Array.from({ length: 13 }, (_, index) => fileOf(`part ${index}.csv`, bytes(3_000_000)));
    const receipt = await createClient().post(
      asked.thread,
      replyOf(asked, files),
      contextOf(`${asked.taskId}-reply`).context,
    );
    expect(inThread(asked).map(({ attachments }) => attachments.length)).toEqual([8, 5]);
    expect(receipt.parts.map(({ partId }) => partId)).toEqual(['full-1', 'files-2']);
    expect(receipt.notPosted).toEqual([]);
  });

  test('too large, empty or too many ones are named with their limit; the boost level counts', async () => {
    const asked = ask();
    const files = [fileOf('big.csv', bytes(12_000_000)), fileOf('empty.csv', bytes(0)), fileOf('ok.csv', csv)];
    const first = await createClient().post(
      asked.thread,
      replyOf(asked, files),
      contextOf(`${asked.taskId}-reply`).context,
    );
    expect(first.notPosted).toEqual([
      {
        name: 'big.csv',
        reason: expect.stringContaining('it has 11.4 MB, and this server takes at most 10 MB a file'),
      },
      { name: 'empty.csv', reason: expect.stringContaining('empty') },
    ]);
    await discord[Symbol.asyncDispose]();
    discord = await startFakeDiscord({ oracle, maxFileBytes: 50 * 1024 * 1024 });
    discord.setting.guild.premiumTier = 2;
    const again = ask();
    const second = await createClient().post(
      again.thread,
      replyOf(again, files.slice(0, 1)),
      contextOf(`${again.taskId}-reply`).context,
    );
    expect([second.notPosted, inThread(again)[0]?.attachments.length]).toEqual([[], 1]);
    const third = ask();
    const receipt = await createClient().post(
      third.thread,
      replyOf(third, [fileOf('huge.csv', bytes(30_000_000))]),
      contextOf(`${third.taskId}-reply`).context,
    );
    const reason = 'it has 28.6 MB, and Discord refused it as too large (at most 25 MB a file here)';
    expect(receipt.notPosted).toEqual([{ name: 'huge.csv', reason }]);
  });

  test('413: the text goes out first, then each file on its own, and what is refused is named', async () => {
    await discord[Symbol.asyncDispose]();
    discord = await startFakeDiscord({ oracle, maxFileBytes: 2_000_000 });
    const asked = ask();
    const files = [fileOf('a.csv', csv), fileOf('big.csv', bytes(3_000_000)), fileOf('b.csv', csv)];
    const { context, noted } = contextOf(`${asked.taskId}-reply`);
    const receipt = await createClient().post(asked.thread, replyOf(asked, files), context);
    expect(inThread(asked).map(({ attachments }) => attachments.map(({ filename }) => filename))).toEqual([
      [],
      ['a.csv'],
      ['b.csv'],
    ]);
    expect(shownText(inThread(asked)[0])).toContain('Revenue grew');
    expect(receipt.notPosted).toEqual([{ name: 'big.csv', reason: expect.stringContaining('2.9 MB') }]);
    // A later attempt that knows of the text only goes on with the files, and posts none twice.
    const retry = contextOf(`${asked.taskId}-reply`, noted.slice(0, 2));
    await createClient().post(asked.thread, replyOf(asked, files), retry.context);
    expect(inThread(asked)).toHaveLength(3);
  });

  test('a wide table is a picture with words above its file, and a later attempt finds both', async () => {
    const asked = ask();
    const columns = Array.from({ length: 12 }, (_, index) => ({ name: `Quarter ${index}`, type: 'number' as const }));
    const table = { columns, rows: [columns.map((_, index) => index)], rowCount: 900 };
    const file = fileOf('sales.csv', csv);
    const picture = fileOf('sales.png', png, 'image/png');
    const message = replyOf(asked, [{ ...file, picture }]);
    if (message.kind !== 'reply') throw new Error('no reply');
    const artifacts = message.reply.artifacts.map((artifact): Artifact => {
      return { ...artifact, kind: 'table', title: 'Sales', table, picture: picture.file };
    });
    const wide: OutgoingMessage = { ...message, reply: { ...message.reply, artifacts } };
    const { context } = contextOf(`${asked.taskId}-reply`);
    const receipt = await createClient().post(asked.thread, wide, context);
    const [shown, ...more] = inThread(asked);
    expect([receipt.notPosted, more]).toEqual([[], []]);
    expect(shown?.attachments.map(({ filename }) => filename)).toEqual(['sales.png', 'sales.csv']);
    expect(shownText(shown)).toContain(
      '**Sales**\nAs a picture; all of it, 900 rows and 12 columns, is in `sales.csv`.',
    );
    const items = componentsOf(shown).flatMap(({ items: all }) => (all as readonly Json[] | undefined) ?? []);
    expect(items.map(({ description }) => description)).toEqual([
      expect.stringMatching(/^Table “Sales”: 900 rows, 12 columns: Quarter 0, .* Row 1: Quarter 0 0, Quarter 1 1,/),
    ]);
    await createClient().post(asked.thread, wide, contextOf(`${asked.taskId}-reply`).context);
    expect(inThread(asked)).toHaveLength(1);
  });

  describe.each([
    ['with a public address', true],
    ['without one', false],
  ])('that Discord does not take, %s', (_, hasLinks) => {
    test('are named in one notice beside one reply; a link gives all of the file until it is forgotten', async () => {
      await discord[Symbol.asyncDispose]();
      discord = await startFakeDiscord({ oracle, maxFileBytes: 2_000_000 });
      const asked = ask();
      const content = new Map([
        ['a.csv', csv],
        ['refused.csv', bytes(3_000_000)],
        ['big.csv', bytes(12_000_000)],
      ]);
      const files = [...content].map(([name, data]) => fileOf(name, data));
      const byHash = new Map(files.map(({ file }) => [file.sha256, content.get(file.name) ?? csv]));
      const blobs: Blobs = {
        ...createMemoryBlobs(),
        get: async function* get(sha256) {
          yield byHash.get(sha256) ?? csv;
        },
      };
      await using store = await createSqliteStore({ path: ':memory:', log });
      const links = createFileLinks({
        blobs,
        store,
        key: new Uint8Array(32),
        publicUrl: 'https://bot.example',
        clock: Date.now,
        log,
      });
      const client = createClient();
      const linkTo = hasLinks ? links.linkTo : null;
      const delivery = createDelivery({
        store,
        blobs,
        audit: noAudit,
        clientOf: () => client,
        timeoutMs: 20_000,
        linkTo,
        log,
      });
      const task: Task = {
        id: asked.taskId,
        thread: asked.thread,
        messageId: asked.message.id,
        person: { id: 'u', displayName: 'U' },
        text: 'revenue?',
        attachments: [],
        receivedAtMs: 1,
      };
      await store.accept(task);
      const message = replyOf(asked, files);
      if (message.kind !== 'reply') throw new Error('no reply');
      const entry = await store.takeNext(threadKeyOf(task.thread));
      if (entry === null) throw new Error('no task');
      await delivery.settle(task, message.reply, entry);
      await delivery.deliverReply(entry);
      await delivery.deliverReply({ ...entry, attempts: 2 });
      const shown = inThread(asked).map(shownText);
      expect(shown.filter((text) => text.includes('Revenue grew'))).toHaveLength(1);
      const notices = shown.filter((text) => text.startsWith('Not posted:'));
      expect(notices).toHaveLength(1);
      const [notice = ''] = notices;
      expect(notice).toMatch(/`big\.csv`: it has 11\.4 MB, and this server takes at most 10 MB a file/);
      expect(notice).toMatch(/`refused\.csv`: it has 2\.9 MB, and Discord refused it as too large/);
      const urls = notice.match(/https:\S+/g) ?? [];
      expect(urls).toHaveLength(hasLinks ? 2 : 0);
      for (const url of urls) {
        const response = await links.routes.request(new URL(url).pathname);
        const name = url.split('/').at(-1) ?? '';
        expect([response.status, (await response.bytes()).length]).toEqual([200, content.get(name)?.length]);
      }
      await store.forgetThread(threadKeyOf(asked.thread));
      for (const url of urls) expect((await links.routes.request(new URL(url).pathname)).status).toBe(404);
    });
  });

  test('a long answer is a message and a file with all of it', async () => {
    const asked = ask();
    const text = Array.from({ length: 2000 }, (_, index) => `Line ${index} of the answer.`).join('\n');
    await createClient().post(asked.thread, replyOf(asked, [], text), contextOf(`${asked.taskId}-reply`).context);
    const [message, ...more] = inThread(asked);
    expect(more).toEqual([]);
    const whole = discord.bytesOf(discord.fileOf(message as MessageState, 'answer.md'));
    expect(Buffer.from(whole).toString()).toBe(`${text}\n\n> 2 rows were left out.`);
  });

  test('on their own they come with their text', async () => {
    const asked = ask();
    const receipt = await createClient().upload(
      asked.thread,
      [fileOf('code.py', csv, 'text/x-python')],
      'All of the code:',
      contextOf(`${asked.taskId}-code`).context,
    );
    expect(receipt.parts).toHaveLength(1);
    expect([shownText(inThread(asked)[0]), inThread(asked)[0]?.attachments[0]?.filename]).toEqual([
      'All of the code:',
      'code.py',
    ]);
  });
});

describe('once and only once', () => {
  const faults: readonly DiscordFault[] = [
    { kind: 'bad-gateway' },
    { kind: 'bad-gateway-after' },
    { kind: 'cut' },
    { kind: 'cut-after' },
    { kind: 'rate-limited', retryAfterMs: 30 },
  ];

  test.each(faults.map((fault) => [fault.kind, fault] as const))('%s', async (_kind, fault) => {
    const asked = ask();
    discord.thread({ name: 'T', messageId: asked.message.id });
    discord.faults.plan({ route: postRoute, fault });
    const files = [fileOf('a.csv', csv)];
    await createClient().post(asked.thread, replyOf(asked, files), contextOf(`${asked.taskId}-reply`).context);
    expect(discord.faults.happened).toBe(1);
    expect(inThread(asked)).toHaveLength(1);
  });

  test('a long rate limit fails at once and says how long', async () => {
    const asked = ask();
    discord.thread({ name: 'T', messageId: asked.message.id });
    discord.faults.plan({ route: postRoute, fault: { kind: 'rate-limited', retryAfterMs: 60_000 } });
    const startedAtMs = Date.now();
    const posting = createClient().post(asked.thread, replyOf(asked), contextOf(`${asked.taskId}-reply`).context);
    await expect(posting).rejects.toMatchObject({
      code: 'platform-rate-limited',
      retryable: true,
      retryAfterMs: expect.closeTo(60_000, -3),
    });
    expect(Date.now() - startedAtMs).toBeLessThan(2000);
  });

  test('killed between post and record: another process finds all parts, also long after the nonces are forgotten', async () => {
    for (const laterMs of [0, 3_600_000]) {
      const asked = ask(`question ${laterMs}`);
      const files = Array.from({ length: 12 }, (_, index) => fileOf(`f${index}.csv`, csv));
      const text = 'Some words. '.repeat(700);
      const message = replyOf(asked, files, text);
      const { context, noted } = contextOf(`${asked.taskId}-reply`);
      await createClient().post(asked.thread, message, context);
      expect(noted.map(({ partId }) => partId)).toEqual(['text-1', 'text-2', 'full-3', 'files-2']);
      discord.advance(laterMs);
      for (const known of [[], noted.slice(0, 1), noted.slice(0, 3), noted]) {
        const retry = contextOf(`${asked.taskId}-reply`, known);
        const receipt = await createClient().post(asked.thread, message, retry.context);
        expect(receipt.parts.toSorted(byPart)).toEqual(noted.toSorted(byPart));
      }
      expect(inThread(asked)).toHaveLength(4);
    }
  });

  test('killed between post and record of a re-run: it is found though a thousand messages stand before it', async () => {
    const asked = ask('totals', discord.dm().id);
    for (let index = 0; index < 1100; index += 1) discord.say({ channelId: discord.dm().id, text: `number ${index}` });
    const taskId = rerunIdOf(asked.taskId, discord.say({ channelId: discord.dm().id, text: 'the press' }).id);
    const message = replyOf({ ...asked, taskId });
    const { context, noted } = contextOf(`${taskId}-reply`);
    await createClient().post(asked.thread, message, context);
    discord.advance(3_600_000);
    const again = contextOf(`${taskId}-reply`);
    const receipt = await createClient().post(asked.thread, message, { ...again.context, isRepeat: true });
    expect(receipt.parts).toEqual(noted);
  });

  const readRoute = 'GET /channels/{channel_id}/messages';
  const reads = (): number => discord.requests.filter(({ operation }) => operation === readRoute).length;

  test('a first attempt reads nothing back, however old the question is', async () => {
    const asked = ask();
    discord.advance(3_600_000);
    const { context } = contextOf(`${asked.taskId}-reply`);
    await createClient().post(asked.thread, replyOf(asked), { ...context, isRepeat: false });
    expect([inThread(asked).length, reads()]).toEqual([1, 0]);
  });

  test('a repeated attempt looks first, however young the question is, and posts nothing while it cannot look', async () => {
    const asked = ask();
    const { context, noted } = contextOf(`${asked.taskId}-reply`);
    await createClient().post(asked.thread, replyOf(asked), context);
    const again = { ...contextOf(`${asked.taskId}-reply`).context, isRepeat: true };
    discord.faults.plan({ route: readRoute, times: 3, fault: { kind: 'bad-gateway' } });
    const blind = createClient().post(asked.thread, replyOf(asked), again);
    await expect(blind).rejects.toMatchObject({ retryable: true });
    discord.faults.clear();
    const posts = discord.requests.filter(({ operation }) => operation === postRoute).length;
    const receipt = await createClient().post(asked.thread, replyOf(asked), again);
    expect(receipt.parts).toEqual(noted);
    expect(discord.requests.filter(({ operation }) => operation === postRoute)).toHaveLength(posts);
    expect(inThread(asked)).toHaveLength(1);
  });

  test('where Discord takes no components a plain message says the same, and is found again', async () => {
    const asked = ask();
    discord.thread({ name: 'T', messageId: asked.message.id });
    const refuse = { kind: 'refuse', status: 400, code: 50_035, message: 'Invalid Form Body' } as const;
    const message = replyOf(asked, [fileOf('a.csv', csv)], 'Some words. '.repeat(300));
    discord.faults.plan({ route: postRoute, fault: refuse });
    const { context, noted } = contextOf(`${asked.taskId}-reply`);
    const client = createClient();
    await client.post(asked.thread, message, context);
    const plain = inThread(asked);
    expect(plain.map(({ content, attachments }) => [content.length > 0, attachments.length])).toEqual([
      [true, 0],
      [true, 1],
    ]);
    expect(customIds(plain[1])).toContain(`rerun:${asked.taskId}`);
    discord.advance(3_600_000);
    const receipt = await createClient().post(asked.thread, message, contextOf(`${asked.taskId}-reply`).context);
    expect(receipt.parts.toSorted(byPart)).toEqual(noted.toSorted(byPart));
    expect(inThread(asked)).toHaveLength(2);
  });

  test('200 schedules of faults, deaths and waits: every part of every answer is there once', async () => {
    await discord[Symbol.asyncDispose]();
    discord = await startFakeDiscord({ oracle, maxFileBytes: 1000 });
    const fault = fc.constantFrom<DiscordFault>(...faults, { kind: 'rate-limited', retryAfterMs: 9000 });
    const plan = fc.record({ call: fc.nat({ max: 5 }), fault });
    const attempt = fc.record({
      plans: fc.array(plan, { maxLength: 4 }),
      forgets: fc.boolean(),
      dies: fc.nat({ max: 4 }),
      waits: fc.constantFrom(0, 0, 3_600_000),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 1, maxLength: 3 }),
        // Of 1,001 bytes: too large, so that its message goes out in another form.
        fc.array(fc.constantFrom(10, 10, 1001), { maxLength: 12 }),
        // Whether the client is told which attempt is the first.
        fc.boolean(),
        async (attempts, sizes, isTold) => {
          const asked = ask();
          const files = sizes.map((size, index) => fileOf(`f${index}.csv`, bytes(size)));
          const message = replyOf(asked, files, 'Some words. '.repeat(400));
          const noted: PostedPart[] = [];
          let client = createClient();
          let tried = 0;
          const attemptOnce = async (dies: number): Promise<void> => {
            let left = dies;
            tried += 1;
            const context: PostContext = {
              postId: `${asked.taskId}-reply`,
              alreadyPosted: [...noted],
              isRepeat: !isTold || tried > 1,
              onPosted: async (part) => {
                left -= 1;
                if (left === 0) throw new Error('killed');
                noted.push(part);
              },
              signal: AbortSignal.timeout(20_000),
            };
            await client.post(asked.thread, message, context);
          };
          for (const { plans, forgets, dies, waits } of attempts) {
            discord.faults.plan(...plans.map((one) => ({ route: postRoute, ...one })));
            await attemptOnce(dies).catch(() => undefined);
            discord.faults.clear();
            discord.advance(waits);
            if (forgets || dies > 0) client = createClient();
          }
          client = createClient();
          await attemptOnce(0);
          const messages = inThread(asked);
          const said = messages.map(shownText).join(' ');
          expect(said.match(/Some words\./g)).toHaveLength(400);
          const names = messages.flatMap(({ attachments }) => attachments.map(({ filename }) => filename));
          const small = files.filter(({ file }) => file.sizeBytes <= 1000);
          expect(names.toSorted()).toEqual(small.map(({ file }) => file.name).toSorted());
          expect(messages.flatMap(customIds).filter((id) => String(id).startsWith('rerun:'))).toHaveLength(1);
        },
      ),
      { numRuns: 200 },
    );
  }, 240_000);
});

const byPart = (left: PostedPart, right: PostedPart): number => left.partId.localeCompare(right.partId);

describe('looking back', () => {
  test('the thread with its question, our own components read back, without progress', async () => {
    const client = createClient();
    const asked = ask();
    const progress = { taskId: asked.taskId, personId: 'u', running: true, steps: [], note: 'Looking …' };
    await client.post(asked.thread, { kind: 'progress', progress }, contextOf(`${asked.taskId}-progress`).context);
    await client.post(
      asked.thread,
      replyOf(asked, [fileOf('b.csv', csv), fileOf('c.png', png, 'image/png')]),
      contextOf(`${asked.taskId}-reply`).context,
    );
    discord.say({
      channelId: asked.thread.threadId,
      text: `${discord.botMention} and by week?`,
      files: [{ name: 'd.csv', bytes: csv }],
    });
    const history = await client.history(asked.thread, { limit: 10, signal: AbortSignal.timeout(5000) });
    expect(history.map(({ from, text, attachments }) => [from, text, attachments.map(({ name }) => name)])).toEqual([
      ['person', 'revenue by month?', []],
      ['bot', 'Revenue grew by 12%.\n\n> 2 rows were left out.', ['c.png', 'b.csv']],
      ['person', 'and by week?', ['d.csv']],
    ]);
    expect(history.map(({ messageId }) => messageId)[0]).toBe(asked.message.id);
    const last = await client.history(asked.thread, { limit: 1, signal: AbortSignal.timeout(5000) });
    expect(last.map(({ text }) => text)).toEqual(['and by week?']);
    const [attachment] = history[1]?.attachments.slice(1) ?? [];
    const chunks: Uint8Array[] = [];
    if (attachment === undefined) throw new Error('no attachment');
    for await (const chunk of client.download(attachment, { maxBytes: 1000, signal: AbortSignal.timeout(5000) }))
      chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(csv));
  });

  test('before the thread is made there is the question alone', async () => {
    const asked = ask();
    const history = await createClient().history(asked.thread, { limit: 10, signal: AbortSignal.timeout(5000) });
    expect(history.map(({ text }) => text)).toEqual(['revenue by month?']);
  });

  test('of 230 messages the newest, in their order', async () => {
    const asked = ask('start', discord.dm().id);
    for (let index = 0; index < 230; index += 1) discord.say({ channelId: discord.dm().id, text: `number ${index}` });
    const history = await createClient().history(asked.thread, { limit: 150, signal: AbortSignal.timeout(5000) });
    expect(history.map(({ text }) => text)).toEqual(Array.from({ length: 150 }, (_, index) => `number ${index + 80}`));
  });
});

describe('downloads', () => {
  const read = async (client: PlatformClient, source: unknown, maxBytes = 1000): Promise<string> => {
    const attachment = { id: '1', name: 'a.csv', mimeType: 'text/csv', sizeBytes: null, source: source as null };
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.download(attachment, { maxBytes, signal: AbortSignal.timeout(5000) }))
      chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  test('an expired address is renewed from the message, and no credential goes where files are', async () => {
    const client = createClient();
    const message = discord.say({ text: `${discord.botMention} hi`, files: [{ name: 'a.csv', bytes: csv }] });
    const [attachment] = await client
      .history(
        { platform: 'discord', workspaceId: 'g', channelId: message.channelId, threadId: message.channelId },
        { limit: 1, signal: AbortSignal.timeout(5000) },
      )
      .then((messages) => messages.flatMap(({ attachments }) => attachments));
    discord.expireLinks();
    expect(await read(client, attachment?.source)).toBe('month,revenue\n2026-01,10\n');
    await expect(read(client, attachment?.source, 3)).rejects.toMatchObject({ code: 'file-too-large' });
    discord.remove(message.id);
    discord.expireLinks();
    await expect(read(client, attachment?.source)).rejects.toMatchObject({
      code: 'file-unavailable',
      userMessage: expect.stringContaining('message was deleted'),
    });
  });

  test('files of commands, and of messages that are hidden, are renewed by their address alone', async () => {
    const client = createClient();
    const { general } = discord.setting;
    const expired = (id: string): string => `${discord.origin}/attachments/${general.id}/${id}/c.csv?ex=0&is=0&hm=0`;
    const stored = discord.store(general.id, { name: 'c.csv', bytes: csv }, true);
    const ofCommand = { kind: 'interaction', attachmentId: stored.id, url: expired(stored.id) };
    expect(await read(client, ofCommand)).toBe('month,revenue\n2026-01,10\n');
    const hidden = discord.say({ text: 'just talk', files: [{ name: 'a.csv', bytes: csv }] });
    const attachmentId = hidden.attachments[0]?.id ?? '';
    const at = { kind: 'message', channelId: hidden.channelId, messageId: hidden.id };
    expect(await read(client, { ...at, attachmentId, url: expired(attachmentId) })).toBe('month,revenue\n2026-01,10\n');
    const shown = discord.say({ text: `${discord.botMention} hi`, files: [{ name: 'b.csv', bytes: csv }] });
    const takenOut = { ...at, messageId: shown.id, attachmentId, url: expired(attachmentId) };
    await expect(read(client, takenOut)).rejects.toMatchObject({
      code: 'file-unavailable',
      userMessage: expect.stringContaining('taken out of its message'),
    });
  });

  test('files of commands that are gone, and what Discord hides, are said', async () => {
    const client = createClient();
    const stored = discord.store(discord.setting.general.id, { name: 'c.csv', bytes: csv }, true);
    const command = { kind: 'interaction', attachmentId: stored.id, url: `${discord.origin}/attachments/1/2/gone.csv` };
    await expect(read(client, command)).rejects.toMatchObject({
      code: 'file-unavailable',
      userMessage: expect.stringContaining('files of commands only for a while'),
    });
    const files = [{ name: 'a.csv', bytes: csv }];
    const shown = discord.say({ text: `${discord.botMention} hi`, files });
    const hidden = discord.say({ text: 'just talk', files });
    const unseen = ({ channelId, id }: MessageState) => ({ kind: 'unseen', channelId, messageId: id });
    expect(await read(client, unseen(shown))).toBe('month,revenue\n2026-01,10\n');
    await expect(read(client, unseen(hidden))).rejects.toMatchObject({
      code: 'file-unavailable',
      userMessage: expect.stringContaining('Discord hides'),
    });
  });

  test('only Discord is asked, without the token', async () => {
    const asked: (readonly [string, unknown])[] = [];
    const fetch = (async (url: string, init?: { headers?: unknown; redirect?: string }) => {
      asked.push([url, init?.headers]);
      expect(init?.redirect).toBe('manual');
      return new Response('x');
    }) as typeof globalThis.fetch;
    const client = createDiscordClient({ token: discord.token, apiUrl: discord.api, log, admit: never, fetch });
    const at = (url: string) => ({ kind: 'message', channelId: '1', messageId: '2', attachmentId: '3', url });
    const cdn = 'https://cdn.discordapp.com/attachments/1/2/a.csv?ex=1';
    expect(await read(client, at(cdn))).toBe('x');
    for (const url of [
      'https://evil.example/a',
      'http://cdn.discordapp.com/a',
      'https://cdn.discordapp.com.evil.example/a',
      'https://cdn.discordapp.com:8443/a',
      'file:///etc/passwd',
      'nonsense',
    ]) {
      await expect(read(client, at(url))).rejects.toMatchObject({ code: 'file-unavailable' });
    }
    expect(asked).toEqual([[cdn, undefined]]);
  });
});

test('the typing sign is where the question is: in its channel until the thread is made', async () => {
  for (const asked of [ask('x', discord.dm().id), ask()]) {
    const client = createClient();
    const before = discord.state.typings.length;
    await client.status(asked.thread, 'is working on it …', AbortSignal.timeout(1000));
    await expect.poll(() => discord.state.typings.length).toBe(before + 1);
    await client.status(asked.thread, null, AbortSignal.timeout(1000));
    expect(discord.state.typings.at(-1)?.channelId).toBe(asked.thread.channelId);
  }
});
