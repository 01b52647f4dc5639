import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { createSlackGateway } from '../../adapters/slack/gateway.ts';
import { createSingleWorkspace } from '../../adapters/slack/workspaces.ts';
import { createLogger } from '../../src/log.ts';
import type {
  FileDetails,
  OutgoingFile,
  OutgoingMessage,
  PlatformClient,
  PlatformGateway,
  PostContext,
  PostedPart,
} from '../../src/ports/platforms.ts';
import type { Artifact, Cell, Reply, Task, ThreadRef } from '../../src/types.ts';
import { createHandlers } from '../fakes/handlers.ts';
import { localSlackProgram, startLocalSlack } from '../fakes/local-slack.ts';
import type { LocalSlack, SlackRecord } from '../fakes/local-slack.ts';
import { createFaultyFetch } from '../fakes/slack-faults.ts';
import type { Fault } from '../fakes/slack-faults.ts';

const log = createLogger('silent');
const csv = new TextEncoder().encode('month,revenue\n2026-01,10\n2026-02,12\n');

/** The fake exists for Linux on x64; elsewhere the suite is skipped, in CI that is a failure. */
const isMissing = localSlackProgram() === null && process.env['CI'] === undefined;

describe.skipIf(isMissing)('Slack: real Bolt, local-slack', () => {
  let slack: LocalSlack;
  let gateway: PlatformGateway | null = null;
  let tasks: Task[] = [];
  let cancelled: ThreadRef[] = [];
  let code: Cell[] = [];
  let details: FileDetails[] = [];

  beforeAll(async () => {
    slack = await startLocalSlack();
  });
  afterAll(async () => {
    await slack?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await gateway?.stop();
    gateway = null;
    await slack.reset();
  });

  const startGateway = async (): Promise<void> => {
    tasks = [];
    cancelled = [];
    code = [];
    details = [];
    gateway = gatewayAt(connection());
    await gateway.start(
      createHandlers({
        onTask: async (task) => {
          tasks.push(task);
        },
        onCancel: async (thread) => {
          cancelled.push(thread);
          return cancelled.length === 1 ? 1 : 0;
        },
        onShowCode: async () => code,
        onShowDetails: async (_thread, file) => details.filter((found) => found.file === file),
      }),
    );
  };

  const connection = () => ({ botToken: slack.botToken, appToken: slack.appToken, apiUrl: slack.apiUrl });

  const gatewayAt = (at: { botToken: string; appToken: string; apiUrl: string }): PlatformGateway => {
    const workspaces = createSingleWorkspace({ ...at, log });
    return createSlackGateway({
      transport: { kind: 'socket', appToken: at.appToken },
      workspaces,
      client: createSlackClient({ workspaces, apiUrl: at.apiUrl, log }),
      singleTeam: true,
      followUps: 'mention',
      model: 'a model',
      apiUrl: at.apiUrl,
      log,
    });
  };

  const clientWith = (
    changed: { readonly botToken?: string } = {},
    more: { readonly fetch?: typeof globalThis.fetch; readonly settleMs?: number } = {},
  ): PlatformClient => {
    const settings = { ...connection(), ...changed, log, settleMs: 10, ...more };
    return createSlackClient({ ...settings, workspaces: createSingleWorkspace(settings) });
  };

  const faultyClient = (decide: (method: string, earlier: number) => Fault) => {
    const faulty = createFaultyFetch(decide);
    const client = clientWith({}, { fetch: faulty.fetch, settleMs: 10 });
    return { client, counts: faulty.counts };
  };

  const threadAt = (threadId: string): ThreadRef => ({
    platform: 'slack',
    workspaceId: slack.teamId,
    channelId: slack.channelId,
    threadId,
  });

  /** The distinct tasks once they are there: both events of a message may be handed over, with one id. */
  const distinctTasks = async (count = 1): Promise<readonly Task[]> => {
    await expect.poll(() => new Set(tasks.map(({ id }) => id)).size, { timeout: 5000 }).toBe(count);
    return [...new Map(tasks.map((task) => [task.id, task])).values()];
  };

  describe('hearing', () => {
    test('a mention with a CSV becomes one task, whose file downloads byte for byte', async () => {
      await startGateway();
      const ts = await slack.upload({
        text: `<@${slack.botUserId}> revenue &amp; costs by month, for <https://example.com|example.com>`,
        files: [{ name: 'umsätze 2026.csv', bytes: csv, mimeType: 'text/csv' }],
      });
      const [task] = await distinctTasks();
      expect(task).toMatchObject({
        id: `slack-${slack.teamId}-${slack.channelId}-${ts}`,
        thread: threadAt(ts),
        messageId: ts,
        // The name is looked up later, by `admit`.
        person: { id: slack.personId },
        text: 'revenue & costs by month, for example.com',
      });
      for (const heard of tasks) {
        expect(heard.attachments).toHaveLength(1);
        expect(heard.attachments[0]).toMatchObject({ name: 'umsätze 2026.csv', sizeBytes: csv.byteLength });
      }
      expect(JSON.stringify(tasks)).not.toContain(slack.botToken);

      const client = clientWith();
      if (task === undefined) throw new Error('no task');
      expect(await client.admit(task, signal())).toMatchObject({
        kind: 'admitted',
        task: { person: { displayName: 'ada' }, attachments: [{ name: 'umsätze 2026.csv' }] },
      });
      const options = { maxBytes: 1000, signal: AbortSignal.timeout(5000) };
      const [attachment] = JSON.parse(JSON.stringify(task?.attachments)) as Task['attachments'];
      if (attachment === undefined) throw new Error('no attachment');
      expect(await collect(client.download(attachment, options))).toEqual(csv);
      await expect(collect(client.download(attachment, { ...options, maxBytes: 10 }))).rejects.toMatchObject({
        code: 'file-too-large',
      });
      const unknownSize = { ...attachment, sizeBytes: null };
      await expect(collect(client.download(unknownSize, { ...options, maxBytes: 10 }))).rejects.toMatchObject({
        code: 'file-too-large',
      });
      const intruder = clientWith({ botToken: 'xoxb-without-scope' });
      await expect(collect(intruder.download(attachment, options))).rejects.toMatchObject({
        code: 'file-unavailable',
        userMessage: expect.stringContaining('files:read') as string,
      });
    });

    test('a reply in a thread belongs to the thread; talk without a mention is not for the bot', async () => {
      await startGateway();
      const root = await slack.say({ text: 'Good morning' });
      await slack.say({ text: 'nothing for a bot', threadTs: root });
      await slack.say({ text: `hello <@${slack.botUserId}>, bars please`, threadTs: root });
      const [task] = await distinctTasks();
      expect(task).toMatchObject({ text: 'hello bars please', thread: threadAt(root), attachments: [] });
    });

    test('a direct message needs no mention; the bot does not answer itself', async () => {
      await startGateway();
      const ts = await slack.upload({
        channelId: slack.directId,
        text: 'summarise this',
        files: [{ name: 'a.csv', bytes: csv, mimeType: 'text/csv' }],
      });
      const [task] = await distinctTasks();
      expect(task).toMatchObject({ text: 'summarise this', thread: { channelId: slack.directId, threadId: ts } });
      expect(task?.attachments).toHaveLength(1);
      const client = clientWith();
      await client.post(
        { ...threadAt(ts), channelId: slack.directId },
        { kind: 'notice', text: 'me again' },
        contextOf('own'),
      );
      expect(await distinctTasks()).toHaveLength(1);
    });

    test('"stop" and "show code" are orders, each answered once', async () => {
      await startGateway();
      const root = await slack.say({ text: 'Numbers' });
      await slack.say({ text: `<@${slack.botUserId}> Stop!`, threadTs: root });
      await expect.poll(() => lastText(root)).toBe('Stopping.');
      expect(cancelled).toEqual([threadAt(root)]);

      await slack.say({ text: `<@${slack.botUserId}> show code`, threadTs: root });
      await expect.poll(() => lastText(root)).toBe('No code ran in this thread yet.');
      code = [cell('Read the file', 'import pandas as pd\nprint(1 < 2)')];
      await slack.say({ text: `<@${slack.botUserId}> code`, threadTs: root });
      await expect.poll(() => lastText(root)).toMatch(/# 1\. Read the file\n.*\nimport pandas as pd\nprint\(1 < 2\)/);

      code = [cell('Long', 'x = 1\n'.repeat(2000))];
      await slack.say({ text: `<@${slack.botUserId}> show code`, threadTs: root });
      await expect.poll(async () => (await slack.thread(root)).at(-1)?.files?.[0]?.name).toBe('code.py');
      expect(tasks).toEqual([]);
      // Root, four orders, four answers.
      expect(await slack.thread(root)).toHaveLength(9);
    });

    test('Details under a card opens a modal with all that is known, however much that is', async () => {
      await startGateway();
      const root = await slack.say({ text: 'Numbers' });
      const client = clientWith();
      const card: OutgoingMessage = {
        kind: 'card',
        text: '`a.csv`, before I use it:\n• 1 row repeats.',
        file: 'a.csv',
      };
      await client.post(threadAt(root), card, contextOf('card'));
      const posted = (await slack.thread(root)).at(-1);
      expect(posted?.blocks?.map(({ type }) => type)).toEqual(['markdown', 'actions']);

      const lines = ['region: text; 4 different', 'Ignore <!channel> *all* <https://evil.example|rules>'];
      details = [{ file: 'a.csv', sections: [{ title: 'data: 40 rows', lines }] }];
      await slack.press(posted?.ts ?? '', 'plotline-details');
      await expect.poll(async () => (await openedViews()).length).toBe(1);
      const shown = JSON.stringify((await openedViews())[0]);
      expect(shown).toContain('*data: 40 rows*\\n• region: text; 4 different');
      expect(shown).not.toMatch(/<!channel>|<https/);

      details = [
        {
          file: 'a.csv',
          sections: [
            { title: 'columns', lines: Array.from({ length: 3000 }, (_, n) => `column ${n}: ${'x'.repeat(80)}`) },
          ],
        },
      ];
      await slack.press(posted?.ts ?? '', 'plotline-details');
      await expect.poll(async () => (await openedViews()).length).toBe(2);
      const view = (await openedViews())[1] as {
        readonly blocks: readonly { readonly text?: { readonly text: string } }[];
      };
      expect(view.blocks.length).toBeLessThanOrEqual(100);
      for (const { text } of view.blocks) expect(text?.text.length ?? 0).toBeLessThanOrEqual(3000);
      expect(JSON.stringify(view.blocks.at(-1))).toMatch(/\d+ more lines\. Mention me in the thread with \*details\*/);
      expect(tasks).toEqual([]);
    });

    test('Details of a file that is not known any more says so to the person alone', async () => {
      await startGateway();
      const root = await slack.say({ text: 'Numbers' });
      const client = clientWith();
      await client.post(threadAt(root), { kind: 'card', text: 'A card', file: 'gone.csv' }, contextOf('card'));
      await slack.press((await slack.thread(root)).at(-1)?.ts ?? '', 'plotline-details');
      await expect
        .poll(async () => (await slack.calls()).find(({ method }) => method === 'chat.postEphemeral')?.args)
        .toMatchObject({
          user: slack.personId,
          thread_ts: root,
          text: expect.stringContaining('Send it again') as string,
        });
      expect(await openedViews()).toEqual([]);
    });

    const openedViews = async (): Promise<readonly unknown[]> =>
      (await slack.calls()).filter(({ method }) => method === 'views.open').map(({ args }) => args['view']);

    test('a token that Slack refuses is named when starting', async () => {
      const unreachable = gatewayAt({ ...connection(), apiUrl: 'http://127.0.0.1:9/api/' });
      await expect(unreachable.start(createHandlers())).rejects.toMatchObject({
        code: 'platform-failed',
        userMessage: expect.stringContaining('SLACK_API_URL') as string,
      });
    });

    const lastText = async (root: string): Promise<string> => {
      const last = (await slack.thread(root)).at(-1);
      return last?.user === slack.botUserId ? markdownOf(last) : '';
    };
  });

  describe('posting', () => {
    test('progress is one message that is edited, and not part of the history', async () => {
      const client = clientWith();
      const root = await slack.upload({
        text: `<@${slack.botUserId}> totals`,
        files: [{ name: 'a.csv', bytes: csv, mimeType: 'text/csv' }],
      });
      const thread = threadAt(root);
      const step = (title: string, state: 'running' | 'done' | 'failed') => ({ title, state });
      const { parts } = await client.post(thread, progress([], '2 questions before yours'), contextOf('progress'));
      await client.edit(
        thread,
        parts[0]?.messageId ?? '',
        progress([step('Read <!channel>', 'done'), step('Draw', 'running')]),
        signal(),
      );
      const [, message, ...rest] = await slack.thread(root);
      expect(rest).toEqual([]);
      expect(message?.edited).toBeDefined();
      const shown = JSON.stringify(message?.blocks);
      expect(shown).not.toContain('<!channel>');
      expect(shown).toMatch(/Read &lt;.?!channel&gt;/);
      await client.post(thread, { kind: 'notice', text: 'The **answer**' }, contextOf('notice'));
      await expect(client.status(thread, 'is working', signal())).resolves.toBeUndefined();

      const history = await client.history(thread, { limit: 10, signal: signal() });
      expect(history).toMatchObject([
        { messageId: root, from: 'person', text: 'totals', attachments: [{ name: 'a.csv' }] },
        { from: 'bot', text: 'The **answer**' },
      ]);
      expect(await client.history(thread, { limit: 1, signal: signal() })).toHaveLength(1);
    });

    test('a reply is one message: words, charts as images, and the other files, byte for byte', async () => {
      const client = clientWith();
      const root = await slack.say({ text: 'question' });
      const parts: PostedPart[] = [];
      const { message, bytes } = reply();
      const receipt = await client.post(threadAt(root), message, contextOf('r1', parts));

      const [posted, ...others] = (await slack.thread(root)).slice(1);
      expect(others).toEqual([]);
      const said = JSON.stringify(posted?.blocks);
      expect(said).toContain('Revenue grew by ');
      expect(said).toContain('2 rows were not used.');
      // Slack fails on `markdown` blocks beside files.
      expect(posted?.blocks?.map(({ type }) => type)).not.toContain('markdown');
      const images = imagesOf(posted);
      expect(images.map(({ alt_text }) => alt_text)).toEqual(Array(2).fill('a line that rises from 10 to 12'));
      for (const [index, { slack_file }] of images.entries()) {
        expect(sha256(await slack.fileBytes(await slack.fileById(slack_file?.id ?? '')))).toBe(
          sha256(bytes[index] ?? new Uint8Array()),
        );
      }
      expect(posted?.files?.map(({ name }) => name)).toEqual(['table.csv']);
      const [table] = posted?.files ?? [];
      if (table === undefined) throw new Error('no table');
      expect(sha256(await slack.fileBytes(table))).toBe(sha256(bytes[2] ?? new Uint8Array()));
      expect(receipt.parts.toSorted(byPartId)).toEqual([
        { partId: 'files-1', messageId: posted?.ts },
        { partId: 'text-1', messageId: posted?.ts },
      ]);
      expect(parts).toEqual(receipt.parts);
      expect(receipt.notPosted).toEqual([{ name: 'empty.csv', reason: expect.stringContaining('empty') as string }]);

      const history = await client.history(threadAt(root), { limit: 5, signal: signal() });
      expect(history.at(-1)?.text).toMatch(/^Revenue grew by 20 %/);
      expect(history.at(-1)?.attachments.map(({ name }) => name)).toEqual(['table.csv']);
    });

    test('parts that an earlier attempt posted are not posted again', async () => {
      const client = clientWith();
      const root = await slack.say({ text: 'question' });
      const { message } = reply();
      const first = await client.post(threadAt(root), message, contextOf('r2'));
      await client.post(threadAt(root), message, contextOf('r2', [], first.parts));
      expect(await slack.thread(root)).toHaveLength(2);
    });

    test('a process that died before it noted its parts: the next one finds them in the thread', async () => {
      for (const killedAt of ['text-1', 'files-1']) {
        const root = await slack.say({ text: 'question' });
        const { message } = reply();
        const attempt = clientWith({}, { settleMs: 10 }).post(threadAt(root), message, {
          ...contextOf(`r4-${killedAt}`),
          onPosted: async ({ partId }) => {
            if (partId === killedAt) throw new Error('killed');
          },
        });
        await expect(attempt).rejects.toThrow('killed');
        const receipt = await clientWith({}, { settleMs: 10 }).post(
          threadAt(root),
          message,
          contextOf(`r4-${killedAt}`),
        );
        expect(await slack.thread(root)).toHaveLength(2);
        expect(receipt.parts.map(({ partId }) => partId).toSorted()).toEqual(['files-1', 'text-1']);
      }
    });

    test('an answer that was lost after Slack took the message is looked up, not posted again', async () => {
      const root = await slack.say({ text: 'question' });
      const lost = faultyClient((method, earlier) =>
        earlier === 0 && method === 'files.completeUploadExternal'
          ? { kind: 'none' }
          : earlier === 1
            ? { kind: 'answer-lost' }
            : { kind: 'none' },
      );
      const receipt = await lost.client.post(threadAt(root), reply().message, { ...contextOf('r5'), isRepeat: false });
      const posted = (await slack.thread(root)).slice(1);
      expect(posted).toHaveLength(1);
      expect(new Set(receipt.parts.map(({ messageId }) => messageId))).toEqual(new Set(posted.map(({ ts }) => ts)));
      // Once for the images, once for the message.
      expect(lost.counts.get('files.completeUploadExternal')).toBe(2);
    });

    test('a message that never arrived is posted again, once', async () => {
      const root = await slack.say({ text: 'question' });
      const cut = faultyClient((method, earlier) =>
        earlier === 1 && method === 'files.completeUploadExternal' ? { kind: 'not-sent' } : { kind: 'none' },
      );
      await cut.client.post(threadAt(root), reply().message, contextOf('r6'));
      expect(await slack.thread(root)).toHaveLength(2);
      const notice: OutgoingMessage = { kind: 'notice', text: 'hello' };
      const gone = faultyClient((method, earlier) =>
        earlier === 0 && method === 'chat.postMessage' ? { kind: 'not-sent' } : { kind: 'none' },
      );
      await gone.client.post(threadAt(root), notice, contextOf('r6b'));
      expect(await slack.thread(root)).toHaveLength(3);
    });

    test('a whole attempt that fails is taken up by the next without repeating a word', async () => {
      const root = await slack.say({ text: 'question' });
      const noted: PostedPart[] = [];
      let isDown = true;
      const broken = faultyClient((method) => {
        if (!isDown) return { kind: 'none' };
        return method === 'chat.postMessage' ? { kind: 'answer-lost' } : { kind: 'not-sent' };
      });
      const message: OutgoingMessage = { kind: 'notice', text: 'Only once' };
      await expect(broken.client.post(threadAt(root), message, contextOf('r7', noted))).rejects.toMatchObject({
        code: 'platform-failed',
        retryable: true,
      });
      isDown = false;
      await broken.client.post(threadAt(root), message, contextOf('r7', noted));
      expect(await slack.thread(root)).toHaveLength(2);
      expect(noted).toHaveLength(1);
    });

    test('rate limits and refusals reach the core in words', async () => {
      const root = await slack.say({ text: 'question' });
      const limited = faultyClient(() => ({ kind: 'rate-limited', retryAfterSeconds: 7 }));
      const notice: OutgoingMessage = { kind: 'notice', text: 'hello' };
      await expect(limited.client.post(threadAt(root), notice, contextOf('r8'))).rejects.toMatchObject({
        code: 'platform-rate-limited',
        retryable: true,
        retryAfterMs: 7000,
      });
      const refused = faultyClient((method) =>
        method === 'chat.postMessage' ? { kind: 'error', code: 'not_in_channel' } : { kind: 'none' },
      );
      await expect(refused.client.post(threadAt(root), notice, contextOf('r9'))).rejects.toMatchObject({
        code: 'platform-failed',
        retryable: false,
        userMessage: expect.stringContaining('/invite') as string,
      });
      const noUploads = faultyClient((method) =>
        method === 'files.getUploadURLExternal' ? { kind: 'error', code: 'file_uploads_disabled' } : { kind: 'none' },
      );
      const receipt = await noUploads.client.post(threadAt(root), reply().message, contextOf('r10'));
      expect(receipt.notPosted.map(({ name }) => name).toSorted()).toEqual([
        'chart-1.png',
        'chart-2.png',
        'empty.csv',
        'table.csv',
      ]);
      expect((await slack.thread(root)).at(-1)?.files).toBeUndefined();
    });

    test('blocks that Slack refuses are posted as text; an aborted post says so', async () => {
      const root = await slack.say({ text: 'question' });
      const picky = faultyClient((method, earlier) =>
        method === 'chat.postMessage' && earlier === 0 ? { kind: 'error', code: 'invalid_blocks' } : { kind: 'none' },
      );
      await picky.client.post(threadAt(root), { kind: 'notice', text: 'a <b> & c' }, contextOf('r11'));
      expect((await slack.thread(root)).at(-1)).toMatchObject({ text: 'a &lt;b&gt; &amp; c' });
      const slow = faultyClient(() => ({ kind: 'slow', ms: 2000 }));
      await expect(
        slow.client.post(
          threadAt(root),
          { kind: 'notice', text: 'x' },
          { ...contextOf('r12'), signal: AbortSignal.timeout(50) },
        ),
      ).rejects.toMatchObject({ code: 'cancelled' });
    });

    test('a long answer becomes several messages in order, none of them with a live mention', async () => {
      const client = clientWith();
      const root = await slack.say({ text: 'question' });
      const text = Array.from({ length: 900 }, (_, index) => `Line ${index} <!channel> @here`).join('\n');
      await client.post(threadAt(root), { kind: 'notice', text }, contextOf('r13'));
      const posted = (await slack.thread(root)).slice(1).map(markdownOf);
      expect(posted.length).toBeGreaterThan(2);
      const lines = posted.join('\n').match(/^Line \d+/gm) ?? [];
      expect(lines).toEqual(Array.from({ length: 900 }, (_, index) => `Line ${index}`));
      expect(posted.join('\n')).not.toMatch(/<!channel|@here/);
    });

    test('the manifest asks for the scopes that the calls need', async () => {
      await startGateway();
      const root = await slack.upload({
        text: `<@${slack.botUserId}> go`,
        files: [{ name: 'a.csv', bytes: csv, mimeType: 'text/csv' }],
      });
      const [task] = await distinctTasks();
      const client = clientWith();
      if (task !== undefined) await client.admit(task, signal());
      const { parts } = await client.post(threadAt(root), progress([]), contextOf('p'));
      await client.edit(threadAt(root), parts[0]?.messageId ?? '', progress([], 'next'), signal());
      await client.post(threadAt(root), reply().message, contextOf('r'));
      await client.history(threadAt(root), { limit: 5, signal: signal() });

      const needed = (await slack.calls()).flatMap(
        ({ method }) => scopesOf[method] ?? [`no scope known for ${method}`],
      );
      const manifest = await readFile(new URL('../../adapters/slack/manifest.yaml', import.meta.url), 'utf8');
      const scopes = /bot:\n((?: {6}- .*\n)+)/.exec(manifest)?.[1]?.match(/[a-z_]+:[a-z]+/g) ?? [];
      expect([...scopes]).toEqual(expect.arrayContaining([...new Set([...needed, ...eventAndDownloadScopes])]));
      for (const event of ['app_mention', 'message.channels', 'message.groups', 'message.im', 'message.mpim']) {
        expect(manifest).toContain(`- ${event}\n`);
      }
    });
  });
});

const historyScopes = ['channels:history', 'groups:history', 'im:history', 'mpim:history'];

/** What needs a scope without being a call of the Web API: hearing mentions and messages, fetching files. */
const eventAndDownloadScopes = ['app_mentions:read', 'files:read', ...historyScopes];

/** The scope each method needs, by Slack's reference. */
const scopesOf: Readonly<Record<string, readonly string[]>> = {
  'auth.test': [],
  'apps.connections.open': [],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'chat.startStream': ['chat:write'],
  'assistant.threads.setStatus': ['chat:write'],
  'conversations.replies': historyScopes,
  'users.info': ['users:read'],
  'files.info': ['files:read'],
  'files.getUploadURLExternal': ['files:write'],
  'files.completeUploadExternal': ['files:write'],
};

function signal(): AbortSignal {
  return AbortSignal.timeout(10_000);
}

function contextOf(postId: string, noted: PostedPart[] = [], alreadyPosted: readonly PostedPart[] = []): PostContext {
  return {
    postId,
    alreadyPosted,
    isRepeat: true,
    onPosted: async (part) => {
      noted.push(part);
    },
    signal: signal(),
  };
}

function progress(
  steps: readonly { title: string; state: 'running' | 'done' | 'failed' }[],
  note = '',
): OutgoingMessage {
  return { kind: 'progress', progress: { personId: 'U1', running: true, taskId: 't', steps, note } };
}

/** Two charts, a table and an empty file. */
function reply(): { readonly message: OutgoingMessage; readonly bytes: readonly Uint8Array[] } {
  const bytes = [randomBytes(70_000), randomBytes(300), new TextEncoder().encode('month,revenue\n'), new Uint8Array()];
  const names = ['chart-1.png', 'chart-2.png', 'table.csv', 'empty.csv'];
  const files: OutgoingFile[] = bytes.map((content, index) => ({
    file: {
      name: names[index] ?? '',
      mimeType: index < 2 ? 'image/png' : 'text/csv',
      sizeBytes: content.byteLength,
      sha256: sha256(content),
    },
    open: async function* () {
      yield content.subarray(0, 100);
      yield content.subarray(100);
    },
  }));
  const columns = [
    { name: 'month', type: 'text' as const },
    { name: 'revenue', type: 'number' as const },
  ];
  const rows = [
    ['2026-01', 10],
    ['2026-02', 12],
  ];
  const artifacts: Artifact[] = files.map(({ file }, index) => ({
    kind: index < 2 ? 'chart' : index === 2 ? 'table' : 'file',
    title: index < 2 ? 'Revenue' : '',
    file,
    altText: index < 2 ? 'a line that rises from 10 to 12' : '',
    table: index === 2 ? { columns, rows, rowCount: 40 } : null,
    chart: null,
  }));
  const answer: Reply = {
    taskId: 't',
    outcome: 'answered',
    text: 'Revenue grew by **20 %**.',
    artifacts,
    notices: ['2 rows were not used.'],
    code: [{ title: 'Read', source: 'print(1)', status: 'ok', durationMs: 5 }],
  };
  return { message: { kind: 'reply', reply: answer, files }, bytes };
}

function cell(title: string, source: string): Cell {
  const execution = {
    status: 'ok' as const,
    stdout: '',
    stdoutSha256: null,
    stderr: '',
    results: [],
    error: null,
    stateKept: true,
    files: [],
    durationMs: 1,
  };
  return { taskId: 't', index: 0, title, source, seed: null, startedAtMs: 0, execution };
}

function byPartId(left: PostedPart, right: PostedPart): number {
  return left.partId.localeCompare(right.partId);
}

function imagesOf(message: SlackRecord | undefined): readonly NonNullable<SlackRecord['blocks']>[number][] {
  return (message?.blocks ?? []).filter(({ type }) => type === 'image');
}

function markdownOf(message: { readonly blocks?: readonly { type: string; text?: unknown }[] } | undefined): string {
  return (message?.blocks ?? [])
    .filter(({ type }) => type === 'markdown')
    .map(({ text }) => String(text))
    .join('\n');
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
