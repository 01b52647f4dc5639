import { array, assert, asyncProperty, boolean, constantFrom, integer, nat, record } from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { createSlackGateway } from '../../adapters/slack/gateway.ts';
import { createSingleWorkspace } from '../../adapters/slack/workspaces.ts';
import { createLogger } from '../../src/log.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { freePort } from '../fakes/free-port.ts';
import { createCore } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { deliver, envelope, eventsOf, say } from '../fakes/slack/events.ts';
import { startMemorySlack } from '../fakes/slack/memory-slack.ts';
import type { Json, SlackMessageState } from '../fakes/slack/workspace.ts';

/**
 * Real Bolt over signed HTTP, the real Slack client and the real core, against a strict Slack: questions that are edited and
 * deleted at any moment of the work on them, among others of their thread.
 */

const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
const signingSecret = 'a-signing-secret';
const text = (edits: number): string => `<@U0BOT> revenue, version ${edits}`;

/** Makes a chart and a file, then says which version of the question it answers. */
const model = () =>
  createScriptedModel([], ({ messages }) => {
    const last = messages.findLastIndex(({ role }) => role === 'user');
    const question = messages[last];
    const version = /version \d+/.exec(question?.role === 'user' ? question.text : '')?.[0] ?? '';
    return messages.length - 1 === last
      ? { calls: [pythonCall('write("out.csv", "1")\nchart("Revenue")\nlist()')] }
      : { text: `The answer to ${version}.` };
  });

const change = record({ kind: constantFrom('edit' as const, 'delete' as const), afterMs: nat(60) });
const schedule = record({
  changes: array(change, { minLength: 1, maxLength: 3 }),
  /** Another question in the thread, before or after it. */
  other: constantFrom('none' as const, 'before' as const, 'after' as const),
  hasFile: boolean(),
  hasStreams: boolean(),
  shareDelayMs: constantFrom(0, 0, 30),
  repeats: integer({ min: 1, max: 2 }),
});

type Schedule = typeof schedule extends { generate(...given: never[]): { readonly value: infer Value } }
  ? Value
  : never;

async function check(given: Schedule): Promise<void> {
  await using slack = await startMemorySlack({
    problemsOf: () => [],
    hasStreams: given.hasStreams,
    shareDelayMs: given.shareDelayMs,
  });
  await using store = await createSqliteStore({ path: ':memory:', log });
  const { state } = slack;
  const settings = { botToken: state.botToken, apiUrl: slack.apiUrl, log };
  const workspaces = createSingleWorkspace(settings);
  const client = createSlackClient({ ...settings, workspaces, settleMs: 5 });
  const core = createCore({ store, blobs: createMemoryBlobs(), client, provider: createFakeSandbox(), model: model() });
  const port = await freePort();
  const gateway = createSlackGateway({
    transport: { kind: 'http', signingSecret, port },
    singleTeam: true,
    model: 'scripted',
    workspaces,
    client,
    followUps: 'mention',
    apiUrl: slack.apiUrl,
    log,
  });
  await gateway.start(core.handlers);
  await core.start();

  const send = async (body: Json): Promise<void> => {
    const url = `http://127.0.0.1:${port}/slack/events`;
    for (let sent = 0; sent < given.repeats; sent += 1)
      expect((await deliver({ url, signingSecret }, body)).status).toBe(200);
  };
  const ask = async (threadTs: string, hasFile: boolean): Promise<SlackMessageState> => {
    const files = hasFile ? { files: [{ name: 'sales.csv', bytes: new TextEncoder().encode('a,b\n1,2\n') }] } : {};
    const message = say(state, { text: text(0), threadTs, ...files });
    const events = eventsOf(message, state, new URL(slack.apiUrl).origin);
    await send(events.mention);
    await send(events.message);
    return message;
  };

  const root = say(state, { text: 'Good morning' });
  const before = given.other === 'before' ? await ask(root.ts, false) : null;
  const question = await ask(root.ts, given.hasFile);
  const after = given.other === 'after' ? await ask(root.ts, false) : null;

  let version = 0;
  let isDeleted = false;
  for (const { kind, afterMs } of given.changes) {
    await delay(afterMs);
    if (isDeleted) break;
    const { message: event } = eventsOf(question, state, new URL(slack.apiUrl).origin);
    const previous = { ...(event['event'] as Json), text: text(version) };
    const base = {
      type: 'message',
      channel: question.channel,
      channel_type: 'channel',
      hidden: true,
      ts: state.nextTs(),
    };
    if (kind === 'delete') {
      isDeleted = true;
      await send(
        envelope(state, { ...base, subtype: 'message_deleted', deleted_ts: question.ts, previous_message: previous }),
      );
    } else {
      version += 1;
      const edited = { ...previous, text: text(version), edited: { user: question.user, ts: state.nextTs() } };
      await send(envelope(state, { ...base, subtype: 'message_changed', message: edited, previous_message: previous }));
    }
  }

  const others = [before, after].filter((message) => message !== null);
  const idOf = ({ channel, ts }: SlackMessageState): string => `slack-T01TEST-${channel}-${ts}`;
  const isOver = async (message: SlackMessageState): Promise<boolean> =>
    ['done', 'cancelled', undefined].includes((await store.task(idOf(message)))?.state);
  const deadline = Date.now() + 10_000;
  while (!(await Promise.all([question, ...others].map(isOver))).every(Boolean) && Date.now() < deadline)
    await delay(5);
  await delay(100);
  await gateway.stop();
  await core.dispatcher.close({ graceMs: 5000 });
  await core.sessions[Symbol.asyncDispose]();

  const fromBot = state.thread(question.channel, root.ts).filter(({ byBot }) => byBot);
  const said = fromBot.map((message) => JSON.stringify([message.text, message.blocks]));
  const answers = said.flatMap(
    (words) => /The answer to (?<version>version \d+)/.exec(words)?.groups?.['version'] ?? [],
  );
  const expected = isDeleted ? others.length : others.length + 1;
  expect(answers.length, said.join('\n')).toBe(expected);
  expect(fromBot.flatMap(({ files }) => files).filter(({ name }) => name === 'out.csv').length, 'files').toBe(expected);
  expect(
    fromBot.filter(
      ({ blocks, cards }) => cards.size > 0 || blocks.some((block) => block['block_id'] === 'plotline-progress'),
    ).length,
    'progress',
  ).toBe(expected);
  expect(
    fromBot.filter(({ streamingSinceMs }) => streamingSinceMs !== null),
    'open streams',
  ).toEqual([]);
  expect(
    said.filter((words) => words.includes('plotline-stop')),
    'stop buttons',
  ).toEqual([]);
  expect(
    [...state.statuses.values()].filter((status) => status !== ''),
    'statuses',
  ).toEqual([]);
}

it('edited and deleted at any moment: one answer, or nothing at all', async () => {
  await assert(asyncProperty(schedule, check), { numRuns: 60 });
}, 300_000);
