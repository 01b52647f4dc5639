import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createProgressStreams } from '../../adapters/slack/stream.ts';
import { partsOf } from '../../adapters/slack/marks.ts';
import { readMessage } from '../../adapters/slack/message.ts';
import { createLogger } from '../../src/log.ts';
import type { ThreadRef } from '../../src/types.ts';
import { createMemorySlack, rateLimited } from '../fakes/memory-slack.ts';
import type { MemoryMessage, MemorySlack } from '../fakes/memory-slack.ts';
import type { StreamBehaviour } from '../fakes/slack-fake-streams.ts';
import { progressOf } from '../fakes/slack-posts.ts';

const log = createLogger('silent');
const thread: ThreadRef = { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1790000000.000000' };
const signal = AbortSignal.timeout(20_000);
const running = progressOf([['Read the file', 'running']]);
const drawing = progressOf([
  ['Read the file', 'done'],
  ['Draw', 'running'],
]);
const done = progressOf(
  [
    ['Read the file', 'done'],
    ['Draw', 'done'],
  ],
  { running: false },
);

function createStreams(behaviour: StreamBehaviour = {}, options: { readonly maxAgeMs?: number } = {}) {
  let nowMs = 0;
  const slack = createMemorySlack({ now: () => nowMs, ...behaviour });
  const newProcess = () => createProgressStreams({ log, now: () => nowMs, settleMs: 1, ...options });
  return {
    slack,
    streams: newProcess(),
    newProcess,
    later: (ms: number) => {
      nowMs += ms;
    },
  };
}

const start = (streams: ReturnType<typeof createProgressStreams>, slack: MemorySlack, where = thread) =>
  streams.start(slack.web, where, running, { postId: 'p1', partId: 'text-1', signal });

const methods = (slack: MemorySlack) => slack.calls.map(({ method }) => method);
const types = (message: MemoryMessage | undefined) => message?.blocks.map((block) => block['type']);
const titles = (message: MemoryMessage | undefined) =>
  ((message?.blocks[0]?.['tasks'] ?? []) as readonly { title: string; status: string }[]).map(({ title, status }) => [
    title,
    status,
  ]);
const hasStop = (message: MemoryMessage | undefined) => JSON.stringify(message?.blocks).includes('plotline-stop');

describe('Slack: progress as a native stream', () => {
  test('in an organisation that installed the app Slack is told the workspace of the thread alone', async () => {
    const { slack, streams } = createStreams();
    await start(streams, slack, { ...thread, workspaceId: 'E1.T7' });
    expect(slack.calls[0]?.args).toMatchObject({ recipient_team_id: 'T7' });
  });

  test('steps tick off in one message with a Stop button, which goes when all is done', async () => {
    const { slack, streams } = createStreams();
    const ts = await start(streams, slack);
    expect(ts).toBe(slack.messages()[0]?.ts);
    expect(slack.calls[0]?.args).toMatchObject({
      thread_ts: thread.threadId,
      recipient_team_id: 'T1',
      recipient_user_id: 'U0ADA',
      task_display_mode: 'plan',
    });
    expect(types(slack.messages()[0])).toEqual(['plan', 'actions']);
    expect(hasStop(slack.messages()[0])).toBe(true);

    await streams.edit(slack.web, thread, ts ?? '', drawing, signal);
    expect(titles(slack.messages()[0])).toEqual([
      ['Read the file', 'complete'],
      ['Draw', 'in_progress'],
    ]);
    await streams.edit(slack.web, thread, ts ?? '', drawing, signal);
    await streams.edit(slack.web, thread, ts ?? '', done, signal);
    expect(methods(slack)).toEqual(['chat.startStream', 'chat.appendStream', 'chat.stopStream', 'chat.update']);
    expect(slack.messages()).toHaveLength(1);
    expect(types(slack.messages()[0])).toEqual(['section']);
    expect(hasStop(slack.messages()[0])).toBe(false);
  });

  test('only what changed is appended', async () => {
    const { slack, streams } = createStreams();
    const ts = (await start(streams, slack)) ?? '';
    await streams.edit(slack.web, thread, ts, drawing, signal);
    const chunks = slack.calls[1]?.args['chunks'] as readonly { readonly title: string }[];
    expect(chunks.map(({ title }) => title)).toEqual(['Read the file', 'Draw']);
    await streams.edit(
      slack.web,
      thread,
      ts,
      progressOf([
        ['Read the file', 'done'],
        ['Draw', 'failed'],
      ]),
      signal,
    );
    const next = slack.calls[2]?.args['chunks'] as readonly { readonly title: string }[];
    expect(next.map(({ title }) => title)).toEqual(['Draw']);
  });

  test.each([
    'unknown_method',
    'feature_not_enabled',
    'method_deprecated',
    'channel_type_not_supported',
    'team_not_found',
    'user_not_found',
    'missing_recipient_user_id',
    'not_allowed_token_type',
    'invalid_blocks',
  ])('%s: no stream, and none is tried again for ten minutes', async (startRefusal) => {
    const { slack, streams, later } = createStreams({ startRefusal });
    expect(await start(streams, slack)).toBeNull();
    expect(await start(streams, slack)).toBeNull();
    expect(methods(slack)).toEqual(['chat.startStream']);
    later(11 * 60_000);
    await start(streams, slack);
    expect(methods(slack)).toHaveLength(2);
  });

  test('a refusal counts for what it is about: one person, one channel, or the workspace', async () => {
    for (const [startRefusal, elsewhere, tries] of [
      ['user_not_found', { channelId: 'C2' }, 1],
      ['channel_type_not_supported', { channelId: 'C2' }, 2],
      ['feature_not_enabled', { channelId: 'C2' }, 1],
      ['feature_not_enabled', { workspaceId: 'T2' }, 2],
    ] as const) {
      const { slack, streams } = createStreams({ startRefusal });
      await start(streams, slack);
      await start(streams, slack, { ...thread, ...elsewhere });
      expect(slack.calls, startRefusal).toHaveLength(tries);
    }
  });

  test('a rate limit means no stream while it lasts', async () => {
    const { slack, streams, later } = createStreams();
    slack.fail = (_method, earlier) => (earlier === 0 ? rateLimited(30_000) : null);
    expect(await start(streams, slack)).toBeNull();
    expect(await start(streams, slack)).toBeNull();
    later(31_000);
    expect(await start(streams, slack)).not.toBeNull();
  });

  test('a start whose answer was lost is found in the thread, not begun again', async () => {
    const { slack, streams } = createStreams();
    slack.fail = (method) => (method === 'chat.startStream' ? 'lost' : null);
    const ts = await start(streams, slack);
    expect(slack.messages().map((message) => message.ts)).toEqual([ts]);
    slack.fail = () => null;
    await streams.edit(slack.web, thread, ts ?? '', drawing, signal);
    expect(methods(slack).at(-1)).toBe('chat.appendStream');
  });

  test('before Slack ends it the stream becomes a message that is edited, also where nothing new comes', async () => {
    const { slack, streams } = createStreams({}, { maxAgeMs: 40 });
    const ts = (await start(streams, slack)) ?? '';
    await expect.poll(() => types(slack.messages()[0])).toEqual(['section', 'actions']);
    expect(hasStop(slack.messages()[0])).toBe(true);
    await streams.edit(slack.web, thread, ts, drawing, signal);
    expect(methods(slack)).toEqual(['chat.startStream', 'chat.stopStream', 'chat.update', 'chat.update']);
    expect(JSON.stringify(slack.messages()[0]?.blocks)).toContain('Draw');
  });

  test('a finished stream leaves nothing behind that would touch its message later', async () => {
    const { slack, streams } = createStreams({}, { maxAgeMs: 30 });
    const ts = (await start(streams, slack)) ?? '';
    await streams.edit(slack.web, thread, ts, done, signal);
    const calls = slack.calls.length;
    await delay(80);
    expect(slack.calls).toHaveLength(calls);
  });

  test('a last state that could not be shown is shown when the stream would expire', async () => {
    const { slack, streams } = createStreams({}, { maxAgeMs: 60 });
    const ts = (await start(streams, slack)) ?? '';
    slack.fail = () => rateLimited(9000);
    await expect(streams.edit(slack.web, thread, ts, done, signal)).rejects.toMatchObject({ retryable: true });
    slack.fail = () => null;
    await expect.poll(() => types(slack.messages()[0])).toEqual(['section']);
    expect(hasStop(slack.messages()[0])).toBe(false);
  });

  test('a stream that Slack ended goes on as an edited message', async () => {
    const { slack, streams, later } = createStreams({ lifetimeMs: 100_000 });
    const ts = (await start(streams, slack)) ?? '';
    later(150_000);
    await streams.edit(slack.web, thread, ts, drawing, signal);
    expect(types(slack.messages()[0])).toEqual(['section', 'actions']);
    await streams.edit(slack.web, thread, ts, done, signal);
    expect(hasStop(slack.messages()[0])).toBe(false);
    expect(slack.messages()).toHaveLength(1);
  });

  test('a plan that grows towards 12,000 characters ends before Slack refuses it', async () => {
    const { slack, streams } = createStreams();
    const ts = (await start(streams, slack)) ?? '';
    const steps: [string, 'running' | 'done'][] = [];
    for (let step = 0; step < 120; step += 1) {
      steps.push([`Step ${step} ${'x'.repeat(100)}`, 'done']);
      await streams.edit(slack.web, thread, ts, progressOf(steps), signal);
    }
    expect(methods(slack).filter((method) => method === 'chat.stopStream')).toHaveLength(1);
    expect(JSON.stringify(slack.messages()[0]?.blocks)).toContain('Step 119');
  });

  test('an append that is too long after all is no loss', async () => {
    const { slack, streams } = createStreams({ maxCharacters: 700 });
    const ts = (await start(streams, slack)) ?? '';
    await streams.edit(
      slack.web,
      thread,
      ts,
      progressOf([
        ['x'.repeat(140), 'done'],
        ['y'.repeat(140), 'running'],
      ]),
      signal,
    );
    expect(JSON.stringify(slack.messages()[0]?.blocks)).toContain('yyy');
  });

  test('an append that was lost or limited is sent with the next one', async () => {
    const { slack, streams } = createStreams();
    const ts = (await start(streams, slack)) ?? '';
    for (const failure of [rateLimited(9000), 'lost' as const]) {
      slack.fail = (method) => (method === 'chat.appendStream' ? failure : null);
      await expect(streams.edit(slack.web, thread, ts, drawing, signal)).rejects.toMatchObject({ retryable: true });
    }
    slack.fail = () => null;
    await streams.edit(slack.web, thread, ts, drawing, signal);
    expect(titles(slack.messages()[0])).toEqual([
      ['Read the file', 'complete'],
      ['Draw', 'in_progress'],
    ]);
  });

  test('after a restart the dead process’s stream is ended, and its message goes on', async () => {
    const { slack, streams, newProcess } = createStreams();
    const ts = (await start(streams, slack)) ?? '';
    await newProcess().edit(slack.web, thread, ts, done, signal);
    expect(methods(slack)).toEqual(['chat.startStream', 'chat.update', 'chat.stopStream', 'chat.update']);
    expect(types(slack.messages()[0])).toEqual(['section']);
  });

  test('its message says whose it is, so a process that died before it noted it finds it', async () => {
    const { slack, streams } = createStreams();
    const ts = await start(streams, slack);
    const messages = slack.messages().flatMap((message) => readMessage(message) ?? []);
    expect(partsOf(messages, 'p1')).toEqual([{ partId: 'text-1', messageId: ts }]);
    expect(partsOf(messages, 'p2')).toEqual([]);
  });

  test('edits of one message go one after the other', async () => {
    const { slack, streams } = createStreams();
    const ts = (await start(streams, slack)) ?? '';
    let inFlight = 0;
    let most = 0;
    const slow = {
      call: async (...given: Parameters<typeof slack.web.call>) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await delay(5);
        inFlight -= 1;
        return await slack.web.call(...given);
      },
    };
    await Promise.all([drawing, done].map((progress) => streams.edit(slow, thread, ts, progress, signal)));
    expect(most).toBe(1);
    expect(types(slack.messages()[0])).toEqual(['section']);
  });
});
