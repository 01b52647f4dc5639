import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { createSingleWorkspace } from '../../adapters/slack/workspaces.ts';
import { createLogger } from '../../src/log.ts';
import type { OutgoingMessage, PlatformClient, PostedPart, PostReceipt } from '../../src/ports/platforms.ts';
import type { Progress, ThreadRef } from '../../src/types.ts';
import { localSlackProgram, startLocalSlack } from '../fakes/local-slack.ts';
import type { LocalSlack, SlackRecord } from '../fakes/local-slack.ts';
import type { FileBehaviour } from '../fakes/slack-fake-files.ts';
import { createFaultyFetch } from '../fakes/slack-faults.ts';
import type { Fault, FaultyFetch } from '../fakes/slack-faults.ts';
import { slackProblems } from '../fakes/slack-validator.ts';
import { altText, chartFile, csvFile, postContext, progressOf, replyMessage } from '../fakes/slack-posts.ts';
import type { TestFile } from '../fakes/slack-posts.ts';

const log = createLogger('silent');
const none: Fault = { kind: 'none' };
const isMissing = localSlackProgram() === null && process.env['CI'] === undefined;
const xlsxFile: TestFile = { name: 'table.xlsx', mimeType: 'application/zip', bytes: Buffer.from('PK\u0003\u0004') };

describe.skipIf(isMissing)('Slack: a reply in as few messages as possible, whatever Slack does', () => {
  let slack: LocalSlack;
  let posts = 0;

  beforeAll(async () => {
    slack = await startLocalSlack();
  });
  afterAll(async () => {
    await slack?.[Symbol.asyncDispose]();
  });

  const clientOn = (faulty: FaultyFetch): PlatformClient => {
    const settings = { botToken: slack.botToken, apiUrl: slack.apiUrl, log, fetch: faulty.fetch };
    return createSlackClient({ ...settings, settleMs: 2, workspaces: createSingleWorkspace(settings) });
  };

  const newThread = async (): Promise<ThreadRef> => ({
    platform: 'slack',
    workspaceId: slack.teamId,
    channelId: slack.channelId,
    threadId: await slack.say({ text: 'question' }),
  });

  /** Every call the bot makes is answered as `decide` and `files` say; resolves to what a person sees. */
  const postReply = async (
    given: {
      readonly text?: string;
      readonly files?: readonly TestFile[];
      readonly decide?: Parameters<typeof createFaultyFetch>[0];
      readonly slackFiles?: FileBehaviour;
    } = {},
  ): Promise<{ messages: readonly SlackRecord[]; receipt: PostReceipt; faulty: FaultyFetch; thread: ThreadRef }> => {
    const faulty = createFaultyFetch(given.decide ?? (() => none), { files: given.slackFiles ?? {} });
    const thread = await newThread();
    posts += 1;
    const message = replyMessage(given.text ?? 'The **answer** is 42.', given.files ?? [chartFile, csvFile]);
    const receipt = await clientOn(faulty).post(thread, message, postContext(`post-${posts}`));
    expect(problemsOf(faulty)).toEqual([]);
    return { messages: await answersIn(thread), receipt, faulty, thread };
  };

  /** Whatever was sent keeps to Slack's documented limits. */
  const problemsOf = (faulty: FaultyFetch): readonly string[] =>
    faulty.calls.flatMap(({ args }) =>
      Array.isArray(args['blocks']) ? slackProblems({ blocks: args['blocks'] }, 'message') : [],
    );

  const answersIn = async (thread: ThreadRef): Promise<readonly SlackRecord[]> =>
    (await slack.thread(thread.threadId)).slice(1);

  /** Names of all files that a person sees, in files and in images; with repetitions. */
  const filesSeen = async (messages: readonly SlackRecord[]): Promise<readonly string[]> => {
    const ids = messages.flatMap(({ blocks = [] }) => blocks.flatMap(({ slack_file }) => slack_file?.id ?? []));
    const images = await Promise.all(ids.map(async (id) => (await slack.fileById(id)).name));
    return [...messages.flatMap(({ files = [] }) => files.map(({ name }) => name)), ...images].toSorted();
  };

  const timesSaid = (messages: readonly SlackRecord[], words: RegExp): number =>
    messages.filter(({ text, blocks }) => words.test(JSON.stringify(blocks ?? text ?? ''))).length;

  test('words, a chart and a table are one message', async () => {
    const { messages, receipt, faulty } = await postReply();
    expect(messages).toHaveLength(1);
    expect(messages[0]?.blocks?.map(({ type }) => type)).toEqual(['rich_text', 'image', 'actions', 'context_actions']);
    expect(messages[0]?.blocks?.find(({ type }) => type === 'image')?.alt_text).toBe(altText);
    expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
    expect(receipt.notPosted).toEqual([]);
    expect(faulty.counts.get('chat.postMessage')).toBeUndefined();
  });

  test('without files beside it, a reply keeps its markdown, and charts are in it', async () => {
    const { messages } = await postReply({ files: [chartFile] });
    expect(messages).toHaveLength(1);
    expect(messages[0]?.blocks?.slice(0, 2).map(({ type }) => type)).toEqual(['markdown', 'image']);
    expect(messages[0]?.files).toBeUndefined();
  });

  test('a long reply: the words first, charts and files with the last of them', async () => {
    const text = Array.from({ length: 900 }, (_, line) => `Line ${line} of the answer`).join('\n');
    const { messages } = await postReply({ text });
    expect(messages).toHaveLength(2);
    expect(messages[0]?.files).toBeUndefined();
    expect(messages[1]?.files?.map(({ name }) => name)).toEqual(['table.csv']);
    expect(JSON.stringify(messages.map(({ blocks }) => blocks)).match(/Line \d+ of/g)).toHaveLength(900);
  });

  test('a table in the words keeps its form: they go before the files', async () => {
    const { messages } = await postReply({ text: 'So:\n\n| a | b |\n|---|---|\n| 1 | 2 |' });
    expect(messages.map(({ blocks }) => blocks?.[0]?.type)).toEqual(['markdown', 'section']);
    expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
  });

  test('nothing in a post unfurls, or asks Slack to look for names', async () => {
    const { faulty } = await postReply({ files: [] });
    const sent = faulty.calls.find(({ method }) => method === 'chat.postMessage')?.args;
    expect(sent).toMatchObject({ unfurl_links: 'false', unfurl_media: 'false' });
    expect(Object.keys(sent ?? {})).not.toContain('link_names');
    expect(Object.keys(sent ?? {})).not.toContain('parse');
  });

  test('images that Slack takes its time for are waited for; those that it never processes go as files', async () => {
    const slow = await postReply({ slackFiles: { pollsUntilProcessed: 2 } });
    expect(slow.messages).toHaveLength(1);
    expect(slow.messages[0]?.files).toHaveLength(1);

    const never = await postReply({ slackFiles: { pollsUntilProcessed: 1000 } });
    expect(never.messages).toHaveLength(1);
    expect(never.messages[0]?.files?.map(({ name }) => name)).toEqual(['chart-1.png', 'table.csv']);
    expect(JSON.stringify(never.messages[0]?.blocks)).toContain(`Revenue: ${altText}`);
  }, 20_000);

  test('without the scope to look at files, images go as files at once', async () => {
    const { messages, faulty } = await postReply({
      decide: (method) => (method === 'files.info' ? { kind: 'error', code: 'missing_scope' } : none),
    });
    expect(messages).toHaveLength(1);
    expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
    expect(faulty.counts.get('files.info')).toBe(1);
  });

  test.each([[[chartFile, csvFile]], [[chartFile]]])(
    'images that Slack refuses in blocks go as files, with their alt text',
    async (files) => {
      const { messages, receipt } = await postReply({ files, slackFiles: { refusesImages: true } });
      expect(await filesSeen(messages)).toEqual(files.map(({ name }) => name));
      expect(timesSaid(messages, /answer/)).toBe(1);
      expect(JSON.stringify(messages)).toContain(altText);
      expect(receipt.notPosted).toEqual([]);
    },
  );

  test.each(['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long', 'msg_too_long', 'invalid_arguments'])(
    '%s: the words come without blocks, the files after them',
    async (code) => {
      const { messages, receipt } = await postReply({
        decide: (_method, _earlier, args) => (args['blocks'] === undefined ? none : { kind: 'error', code }),
      });
      const comment = expect.stringMatching(/Revenue: A line .*\n.*table\.csv/) as string;
      expect(messages.map(({ text }) => text)).toEqual(['The **answer** is 42.', comment]);
      expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
      expect(receipt.notPosted).toEqual([]);
    },
  );

  test('a workspace whose shares fail on blocks is not asked again for an hour', async () => {
    const faulty = createFaultyFetch((method, _earlier, args) =>
      method === 'files.completeUploadExternal' && args['blocks'] !== undefined
        ? { kind: 'error', code: 'internal_error' }
        : none,
    );
    const client = clientOn(faulty);
    for (const postId of ['first', 'second']) {
      const thread = await newThread();
      await client.post(thread, replyMessage('Words', [csvFile]), postContext(`refusing-${postId}`));
      const messages = await answersIn(thread);
      expect(messages.map(({ files }) => files?.length ?? 0)).toEqual([0, 1]);
    }
    // With blocks, with plainer ones, without; then only without.
    expect(faulty.counts.get('files.completeUploadExternal')).toBe(4);
  });

  test('blocks that Slack left out are noticed: the words follow on their own', async () => {
    const { messages, receipt } = await postReply({ slackFiles: { ignoresBlocks: true } });
    expect(messages).toHaveLength(2);
    expect(messages[0]?.files?.map(({ name }) => name)).toEqual(['table.csv']);
    expect(timesSaid(messages, /answer/)).toBe(1);
    expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
    expect(receipt.parts.map(({ partId }) => partId)).toEqual(['files-1', 'text-1']);
  });

  test('a share that shows up late is waited for; one that never does is sent anew, and then named', async () => {
    const late = await postReply({ slackFiles: { pollsUntilShared: 4 } });
    expect(late.messages).toHaveLength(1);
    expect(late.receipt.parts.every(({ messageId }) => messageId === late.messages[0]?.ts)).toBe(true);

    const once = await postReply({ slackFiles: { emptyShares: 1 } });
    expect(once.messages).toHaveLength(1);
    expect(await filesSeen(once.messages)).toEqual(['chart-1.png', 'table.csv']);
    expect(once.receipt.notPosted).toEqual([]);

    const never = await postReply({ slackFiles: { emptyShares: 100 } });
    expect(timesSaid(never.messages, /answer/)).toBe(1);
    expect(await filesSeen(never.messages)).toEqual(['chart-1.png']);
    expect(never.receipt.notPosted).toEqual([
      { name: 'table.csv', reason: expect.stringContaining('did not show it') as string },
    ]);
    // Nothing that could turn up later.
    expect(never.faulty.counts.get('files.delete')).toBe(2);
  });

  test.each(['answer-lost', 'page-200', 'page-502'])('%s at every step, once: one message, all files', async (kind) => {
    const fault: Fault = kind === 'answer-lost' ? { kind } : { kind: 'page', status: kind === 'page-200' ? 200 : 502 };
    for (const [at, name] of [
      ['files.getUploadURLExternal', 'first'],
      ['files.completeUploadExternal', 'images'],
      ['files.completeUploadExternal', 'share'],
      ['files.info', 'first'],
    ] as const) {
      const { messages, receipt } = await postReply({
        decide: (method, earlier) => (method === at && earlier === (name === 'share' ? 1 : 0) ? fault : none),
      });
      expect(messages, `${at} ${name}`).toHaveLength(1);
      expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
      expect(receipt.notPosted).toEqual([]);
    }
  });

  test('a web page in place of an upload’s answer is no upload: it is sent anew', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>Sign in</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const { messages } = await postReply({ slackFiles: { uploadUrl: (upload) => (upload === 0 ? url : null) } });
      expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
      await expect(postReply({ slackFiles: { uploadUrl: () => url } })).rejects.toMatchObject({ retryable: true });
    } finally {
      server.close();
    }
  });

  test.each([
    ['files.getUploadURLExternal', 'file_uploads_disabled', 'does not allow file uploads'],
    ['files.completeUploadExternal', 'file_uploads_except_images_disabled', 'images only'],
    ['files.completeUploadExternal', 'file_type_not_allowed', 'files of this type'],
    ['files.getUploadURLExternal', 'storage_limit_reached', 'storage is full'],
  ])('%s: %s is named, and the words come all the same', async (at, code, words) => {
    const { messages, receipt } = await postReply({
      files: [csvFile, xlsxFile],
      decide: (method) => (method === at ? { kind: 'error', code } : none),
    });
    expect(messages).toHaveLength(1);
    expect(timesSaid(messages, /answer/)).toBe(1);
    expect(receipt.notPosted).toEqual(
      ['table.csv', 'table.xlsx'].map((name) => ({ name, reason: expect.stringContaining(words) as string })),
    );
  });

  test('more files than one message takes come in further ones', async () => {
    const files = Array.from({ length: 13 }, (_, index) => ({ ...csvFile, name: `part-${index}.csv` }));
    const { messages } = await postReply({ files });
    expect(messages.map(({ files: shown }) => shown?.length)).toEqual([10, 3]);
    expect(timesSaid(messages, /answer/)).toBe(1);
  });

  test('files that are given up: the words go on where they were, and what was never posted is named', async () => {
    const text = Array.from({ length: 900 }, (_, line) => `Line ${line} of the answer`).join('\n');
    const tables = Array.from({ length: 12 }, (_, index) => ({ ...csvFile, name: `table-${index}.csv` }));
    const whole = replyMessage(text, [...tables, chartFile]);
    const message = { ...whole, reply: { ...whole.reply, notices: ['A notice.'] } };
    const thread = await newThread();
    const noted: PostedPart[] = [];
    // Of the shares in the thread the first succeeds; whatever is asked after it fails.
    let shared = 0;
    const decide = (method: string): Fault => {
      if (method !== 'files.completeUploadExternal') return none;
      shared += 1;
      return shared <= 2 ? none : { kind: 'error', code: 'internal_error' };
    };
    const faulty = createFaultyFetch(decide, { files: {} });
    await expect(clientOn(faulty).post(thread, message, postContext('given-up', { noted }))).rejects.toMatchObject({
      retryable: true,
    });
    const context = { ...postContext('given-up', { noted, alreadyPosted: [...noted] }), isRepeat: true };
    const { notPosted } = await clientOn(faulty).post(thread, { ...message, files: [] }, context);

    const messages = await answersIn(thread);
    const there = await filesSeen(messages);
    expect(there.length).toBeGreaterThan(0);
    expect([...there, ...notPosted.map(({ name }) => name)].toSorted()).toEqual(
      [...tables, chartFile].map(({ name }) => name).toSorted(),
    );
    expect(JSON.stringify(messages.map(({ blocks }) => blocks)).match(/Line \d+ of/g)).toHaveLength(900);
    expect(timesSaid(messages, /A notice/)).toBe(1);
    expect(timesSaid(messages, /plotline-rerun/)).toBe(1);
  }, 20_000);

  test('files on their own keep the words above them', async () => {
    const thread = await newThread();
    for (const [behaviour, said] of [
      [{}, 'blocks'],
      [{ ignoresBlocks: true }, 'text'],
    ] as const) {
      const faulty = createFaultyFetch(() => none, { files: behaviour });
      const { files } = replyMessage('', [csvFile]);
      await clientOn(faulty).upload(thread, files, 'The code is long: <here>', postContext(`upload-${said}`));
      const last = (await answersIn(thread)).at(-1);
      expect(last?.files).toHaveLength(1);
      expect(JSON.stringify(last?.[said])).toContain('The code is long: &lt;here&gt;');
    }
  });

  test('rather late than twice: where the thread cannot be read, a reply waits', async () => {
    const thread = await newThread();
    const message = replyMessage('The **answer** is 42.', [csvFile]);
    const first = clientOn(createFaultyFetch(() => none));
    const killed = { ...postContext('late'), onPosted: () => Promise.reject(new Error('killed')) };
    await expect(first.post(thread, message, killed)).rejects.toThrow('killed');

    const faulty = createFaultyFetch((method, earlier) =>
      method === 'conversations.replies' && earlier === 0 ? { kind: 'rate-limited', retryAfterSeconds: 30 } : none,
    );
    await expect(clientOn(faulty).post(thread, message, postContext('late'))).rejects.toMatchObject({
      code: 'platform-rate-limited',
      retryAfterMs: 30_000,
    });
    await clientOn(faulty).post(thread, message, postContext('late'));
    expect(await answersIn(thread)).toHaveLength(1);
  });

  test('progress: a native stream where there are streams, a message that is edited elsewhere; neither is history', async () => {
    for (const streams of [{}, { startRefusal: 'channel_type_not_supported' }]) {
      const faulty = createFaultyFetch(() => none, { streams });
      const client = clientOn(faulty);
      const thread = await newThread();
      const show = (progress: Progress): OutgoingMessage => ({ kind: 'progress', progress });
      const { parts } = await client.post(thread, show(progressOf([])), postContext(`progress-${thread.threadId}`));
      const id = parts[0]?.messageId ?? '';
      const shown = async (): Promise<string> => JSON.stringify((await answersIn(thread)).map(({ blocks }) => blocks));
      expect(await shown()).toContain('plotline-stop');

      await client.edit(thread, id, show(progressOf([['Draw', 'running']])), AbortSignal.timeout(5000));
      expect(await shown()).toContain('Draw');
      expect((await answersIn(thread))[0]?.blocks?.[0]?.type).toBe('startRefusal' in streams ? 'section' : 'plan');
      expect(await client.history(thread, { limit: 5, signal: AbortSignal.timeout(5000) })).toHaveLength(1);

      const last = show(progressOf([['Draw', 'done']], { running: false }));
      await client.edit(thread, id, last, AbortSignal.timeout(5000));
      expect(await shown()).not.toContain('plotline-stop');
      expect(await answersIn(thread)).toHaveLength(1);
      expect(await client.history(thread, { limit: 5, signal: AbortSignal.timeout(5000) })).toHaveLength(1);
    }
  });

  test('progress whose start was lost, or whose process died, is one message', async () => {
    const thread = await newThread();
    const faulty = createFaultyFetch(
      (method, earlier) => (method === 'chat.startStream' && earlier === 0 ? { kind: 'answer-lost' } : none),
      { streams: {} },
    );
    const message: OutgoingMessage = { kind: 'progress', progress: progressOf([['Draw', 'running']]) };
    const killed = { ...postContext('lost-start'), onPosted: () => Promise.reject(new Error('killed')) };
    await expect(clientOn(faulty).post(thread, message, killed)).rejects.toThrow('killed');
    const next = clientOn(faulty);
    const { parts } = await next.post(thread, message, postContext('lost-start'));
    expect((await answersIn(thread)).map(({ ts }) => ts)).toEqual(parts.map(({ messageId }) => messageId));

    const last: OutgoingMessage = { kind: 'progress', progress: progressOf([['Draw', 'done']], { running: false }) };
    await next.edit(thread, parts[0]?.messageId ?? '', last, AbortSignal.timeout(5000));
    expect(JSON.stringify(await answersIn(thread))).not.toContain('plotline-stop');
  });

  test('progress that is over is only looked for', async () => {
    const thread = await newThread();
    const faulty = createFaultyFetch(() => none, { streams: {} });
    const message = (running: boolean): OutgoingMessage => ({
      kind: 'progress',
      progress: progressOf([], { running }),
    });
    expect((await clientOn(faulty).post(thread, message(false), postContext('over'))).parts).toEqual([]);
    expect(await answersIn(thread)).toEqual([]);
    const { parts } = await clientOn(faulty).post(thread, message(true), postContext('over'));
    expect((await clientOn(faulty).post(thread, message(false), postContext('over'))).parts).toEqual(parts);
    expect(await answersIn(thread)).toHaveLength(1);
  });

  test('the sign of work is set and cleared', async () => {
    const faulty = createFaultyFetch(() => none, { streams: { statuses: true } });
    const client = clientOn(faulty);
    const thread = await newThread();
    await client.status(thread, 'is working on it …', AbortSignal.timeout(5000));
    await client.status(thread, null, AbortSignal.timeout(5000));
    const said = faulty.calls.filter(({ method }) => method === 'assistant.threads.setStatus').map(({ args }) => args);
    expect(said).toMatchObject([
      { channel_id: thread.channelId, thread_ts: thread.threadId, status: 'is working on it …' },
      { status: '' },
    ]);
  });

  test('removes messages, also those that are gone already', async () => {
    const { thread, receipt, faulty } = await postReply();
    const ids = [...new Set(receipt.parts.map(({ messageId }) => messageId))];
    const client = clientOn(faulty);
    await client.remove(thread, ids, AbortSignal.timeout(5000));
    expect(await answersIn(thread)).toEqual([]);
    await expect(client.remove(thread, ids, AbortSignal.timeout(5000))).resolves.toBeUndefined();
  });

  test('a refusal is for one person, in the thread', async () => {
    const faulty = createFaultyFetch(() => none);
    const thread = await newThread();
    const refusal: OutgoingMessage = { kind: 'refusal', personId: slack.personId, text: 'Ask <!channel> first.' };
    const { parts } = await clientOn(faulty).post(thread, refusal, postContext('refusal'));
    expect(parts).toHaveLength(1);
    expect(faulty.calls.find(({ method }) => method === 'chat.postEphemeral')?.args).toMatchObject({
      channel: thread.channelId,
      thread_ts: thread.threadId,
      user: slack.personId,
      text: 'Ask &lt;!channel&gt; first.',
    });
    // The question begins the thread, which has no reply yet: Slack would show the words to nobody there.
    await clientOn(faulty).post(thread, refusal, postContext(`slack-T1-C1-${thread.threadId}-reply`));
    const inChannel = faulty.calls.findLast(({ method }) => method === 'chat.postEphemeral')?.args;
    expect(inChannel).not.toHaveProperty('thread_ts');
  });

  const outcomes = fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.constant<Fault>(none) },
      fc.constant<Fault>({ kind: 'answer-lost' }),
      fc.constant<Fault>({ kind: 'not-sent' }),
      fc.constant<Fault>({ kind: 'page', status: 502 }),
      fc.constant<Fault>({ kind: 'rate-limited', retryAfterSeconds: 30 }),
      fc.constant<Fault>({ kind: 'error', code: 'internal_error' }),
    ),
    { maxLength: 25 },
  );
  const situations = fc.record({
    faults: outcomes,
    // After so many parts the process dies before it noted the next one.
    crashes: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    slackFiles: fc.record({
      pollsUntilProcessed: fc.integer({ min: 0, max: 2 }),
      pollsUntilShared: fc.integer({ min: 0, max: 2 }),
      ignoresBlocks: fc.boolean(),
      refusesImages: fc.boolean(),
    }),
  });

  test('whatever fails, and wherever the process dies: every word and every file once', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(situations, async ({ faults, crashes, slackFiles }) => {
        let calls = 0;
        const faulty = createFaultyFetch((method) => (method === 'auth.test' ? none : (faults[calls++] ?? none)), {
          files: slackFiles,
        });
        const thread = await newThread();
        run += 1;
        // As the core's: it holds the `ts` of its question.
        const postId = `slack-${run}-${thread.threadId}-reply`;
        const noted: PostedPart[] = [];
        let client = clientOn(faulty);
        let died = 0;
        for (let attempt = 0; attempt < 40; attempt += 1) {
          const crashAfter = crashes[died];
          let left = crashAfter ?? Infinity;
          try {
            await client.post(thread, replyMessage('The **answer** is 42.', [chartFile, csvFile]), {
              ...postContext(postId, { alreadyPosted: [...noted] }),
              onPosted: async (part) => {
                if (left === 0) throw new Error('killed');
                left -= 1;
                noted.push(part);
              },
            });
            break;
          } catch (error) {
            if (String(error).includes('killed')) died += 1;
            // A new process knows nothing but what was noted, and waits out what Slack asked for.
            client = clientOn(faulty);
          }
        }
        const messages = await answersIn(thread);
        expect(timesSaid(messages, /answer/)).toBe(1);
        expect(await filesSeen(messages)).toEqual(['chart-1.png', 'table.csv']);
      }),
      { numRuns: 80 },
    );
  }, 180_000);
});
