import { array, assert, asyncProperty, boolean, constant, constantFrom, integer, nat, record } from 'fast-check';
import { expect, it } from 'vitest';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { createSlackGateway } from '../../adapters/slack/gateway.ts';
import { createSingleWorkspace } from '../../adapters/slack/workspaces.ts';
import { createLogger } from '../../src/log.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import type { PlatformGateway } from '../../src/ports/platforms.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { freePort } from '../fakes/free-port.ts';
import { createCore } from '../fakes/core.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createLife, createMortalSandbox, endOf, mortal } from '../fakes/mortal.ts';
import type { Life } from '../fakes/mortal.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { slackProblems } from '../fakes/slack-validator.ts';
import { createChaosFetch } from '../fakes/slack/chaos-fetch.ts';
import type { PlannedFault } from '../fakes/slack/chaos-fetch.ts';
import { deliver, eventsOf, say } from '../fakes/slack/events.ts';
import { startMemorySlack } from '../fakes/slack/memory-slack.ts';
import type { MemorySlack } from '../fakes/slack/memory-slack.ts';
import type { Json, SlackMessageState } from '../fakes/slack/workspace.ts';

/**
 * Real Bolt over signed HTTP, the real Slack client and the real core, against a strict Slack, with everything going wrong that
 * can: events twice and in any order, mentions without files, lost answers, server errors, rate limits, refused blocks, expired
 * streams, late shares, and processes killed between any two things they do. Only the sandbox and the model are stand-ins.
 */

const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
const signingSecret = 'a-signing-secret';
const csv = new TextEncoder().encode('month,revenue\n2026-01,10\n');
const answerText = 'The answer is 42.';

const model = () =>
  createScriptedModel([], ({ messages }) => {
    const turns = messages.length - 1 - messages.findLastIndex(({ role }) => role === 'user');
    return turns === 0
      ? { calls: [pythonCall('write("out.csv", "1")\nchart("Revenue")\nlist()')] }
      : { text: answerText };
  });

/** One question and how Slack tells of it. */
interface Asked {
  readonly hasFile: boolean;
  readonly inThread: boolean;
  readonly messageFirst: boolean;
  /** The `app_mention` came without the files that the message has. */
  readonly mentionBare: boolean;
  /** Events that never come: Slack is known to lose one of the two. */
  readonly lost: 'none' | 'mention' | 'message';
  /** How often each event is sent again though it was acknowledged. */
  readonly repeats: number;
  readonly afterMs: number;
}

interface Schedule {
  readonly asked: readonly Asked[];
  readonly faults: readonly PlannedFault[];
  /** Steps after which processes are killed, one after the other. */
  readonly deaths: readonly number[];
  readonly hasStreams: boolean;
  readonly shareDelayMs: number;
}

const asked = record({
  hasFile: boolean(),
  inThread: boolean(),
  messageFirst: boolean(),
  mentionBare: boolean(),
  lost: constantFrom<Asked['lost'][]>('none', 'none', 'none', 'mention', 'message'),
  repeats: nat(2),
  afterMs: nat(30),
});

const faultyMethods = [
  'chat.postMessage',
  'chat.update',
  'chat.startStream',
  'chat.appendStream',
  'chat.stopStream',
  'files.getUploadURLExternal',
  'files.completeUploadExternal',
  'files.info',
  'conversations.replies',
  'users.info',
  'auth.test',
  'assistant.threads.setStatus',
  'download',
] as const;

const networkFaults: readonly PlannedFault['fault'][] = [
  'not-sent',
  'answer-lost',
  'http-503',
  'http-503-after',
  'rate-limited',
  'internal_error',
  'html',
  'slow',
];

/** Refusals that Slack has for what is in a message, beside those that any call may meet. */
const refusals: Readonly<Partial<Record<(typeof faultyMethods)[number], readonly PlannedFault['fault'][]>>> = {
  'chat.postMessage': ['invalid_blocks', 'msg_too_long'],
  'chat.update': ['invalid_blocks', 'msg_too_long'],
  'chat.startStream': ['invalid_blocks', 'msg_too_long'],
  'chat.appendStream': ['msg_too_long', 'message_not_in_streaming_state'],
  'chat.stopStream': ['msg_too_long', 'message_not_in_streaming_state'],
  'files.completeUploadExternal': ['invalid_blocks'],
};

const plannedFault = constantFrom(...faultyMethods).chain((method) =>
  record({
    method: constant(method),
    // Three failures in a row of one download are a failure; a sign-in page is an answer, which names the scope.
    call: nat(method === 'download' ? 2 : 3),
    fault: constantFrom(
      ...networkFaults.filter((fault) => method !== 'download' || fault !== 'html'),
      ...(refusals[method] ?? []),
    ),
  }),
);

const schedule = record({
  asked: array(asked, { minLength: 1, maxLength: 2 }),
  faults: array(plannedFault, { maxLength: 6 }),
  deaths: array(integer({ min: 1, max: 150 }), { maxLength: 2 }),
  hasStreams: boolean(),
  // Three seconds, when `settleMs` is one: beyond four a share whose answer was lost counts as never made.
  shareDelayMs: constantFrom(0, 0, 15),
});

interface World {
  readonly slack: MemorySlack;
  readonly store: Awaited<ReturnType<typeof createSqliteStore>>;
  readonly blobs: Blobs;
}

interface Process {
  readonly url: string;
  readonly life: Life;
  readonly gateway: PlatformGateway;
  readonly close: () => Promise<void>;
}

async function startProcess(
  { slack, store, blobs }: World,
  faults: readonly PlannedFault[],
  life: Life,
): Promise<Process> {
  const port = await freePort();
  const fetch = createChaosFetch(faults, () => life.step());
  const settings = { botToken: slack.state.botToken, apiUrl: slack.apiUrl, log };
  const workspaces = createSingleWorkspace({ ...settings, fetch });
  const client = createSlackClient({ ...settings, workspaces, fetch, settleMs: 5 });
  const provider = createMortalSandbox(life);
  const core = createCore({ store: mortal(store, life), blobs: mortal(blobs, life), client, provider, model: model() });
  const gateway = createSlackGateway({
    transport: { kind: 'http', signingSecret, port },
    singleTeam: true,
    model: 'scripted',
    workspaces: createSingleWorkspace(settings),
    client,
    followUps: 'mention',
    apiUrl: slack.apiUrl,
    log,
  });
  await gateway.start(core.handlers);
  void core.start();
  return {
    url: `http://127.0.0.1:${port}/slack/events`,
    life,
    gateway,
    close: async () => {
      await gateway.stop();
      await core.dispatcher.close({ graceMs: 1000 });
      await core.sessions[Symbol.asyncDispose]();
    },
  };
}

/** The events of a question in the order in which Slack sends them; none that is lost. */
function sentEvents(question: Asked, message: SlackMessageState, slack: MemorySlack): readonly Json[] {
  const events = eventsOf(message, slack.state, new URL(slack.apiUrl).origin);
  const { files: _files, ...bareEvent } = events.mention['event'] as Json;
  const mention = question.mentionBare ? { ...events.mention, event: bareEvent } : events.mention;
  const both = question.messageFirst ? [events.message, mention] : [mention, events.message];
  const isLost = (body: Json): boolean =>
    (body['event'] as Json)['type'] === (question.lost === 'mention' ? 'app_mention' : question.lost);
  return [...both.filter((body) => !isLost(body)), ...events.fileShared].flatMap((body) =>
    Array.from({ length: 1 + question.repeats }, () => body),
  );
}

async function run(given: Schedule, world: World): Promise<readonly SlackMessageState[]> {
  const { slack } = world;
  const dead: Process[] = [];
  const endings = [...given.deaths, null];
  const start = (): Promise<Process> =>
    startProcess(world, dead.length === 0 ? given.faults : [], createLife(endings[dead.length] ?? null));
  let current = start();
  /** One process at a time: the next one starts when somebody finds that the last one is dead. */
  const alive = async (): Promise<Process> => {
    const found = await current;
    if (!found.life.ended) return found;
    if (!dead.includes(found)) {
      dead.push(found);
      current = start();
    }
    return await current;
  };

  /** Until it is acknowledged, as Slack does, only sooner: a killed process acknowledges nothing. */
  const send = async (body: Json): Promise<void> => {
    for (let number = 0; number < 20; number += 1) {
      const { url, life } = await alive();
      const retry = number === 0 ? null : { number: Math.min(3, number), reason: 'http_timeout' };
      const sent = deliver({ url, signingSecret }, body, retry);
      const killed = endOf(life);
      const outcome = await Promise.race([sent, killed]);
      if (outcome?.status === 200) return;
      await sleep(5);
    }
    throw new Error('an event was never acknowledged');
  };

  const questions: SlackMessageState[] = [];
  for (const question of given.asked) {
    const root = question.inThread ? say(slack.state, { text: 'Good morning' }) : null;
    const message = say(slack.state, {
      text: `<@${slack.state.botUserId}> revenue by month`,
      ...(root === null ? {} : { threadTs: root.ts }),
      ...(question.hasFile ? { files: [{ name: 'sales.csv', bytes: csv }] } : {}),
    });
    questions.push(message);
    await alive();
    await sleep(question.afterMs);
    await Promise.all(sentEvents(question, message, slack).map(send));
  }
  const deadline = Date.now() + 30_000;
  while (!(await isOver(world, questions))) {
    await alive();
    if (Date.now() > deadline) throw new Error('the questions do not come to their end');
    await sleep(5);
  }
  // Whatever else a wrong program would still post comes before its process ends.
  const last = await alive();
  await sleep(60);
  // It may be killed while it closes.
  await Promise.race([last.close(), endOf(last.life)]);
  for (const { gateway } of dead) void gateway.stop().catch(() => undefined);
  return questions;
}

async function isOver({ store }: World, questions: readonly SlackMessageState[]): Promise<boolean> {
  const states = await Promise.all(
    questions.map(async ({ channel, ts }) => (await store.task(`slack-T01TEST-${channel}-${ts}`))?.state),
  );
  return states.every((state) => state === 'done' || state === 'cancelled');
}

/** What a person finds in the threads afterwards. */
function expectWhole(given: Schedule, questions: readonly SlackMessageState[], { slack }: World): void {
  const { state } = slack;
  for (const [index, question] of questions.entries()) {
    const fromBot = state.thread(question.channel, question.threadTs).filter(({ byBot }) => byBot);
    const said = fromBot.map((message) => JSON.stringify([message.text, message.blocks]));
    expect(
      said.filter((text) => text.includes(answerText)),
      'answers',
    ).toHaveLength(1);
    const csvs = fromBot.flatMap(({ files }) => files).filter(({ name }) => name === 'out.csv');
    expect(csvs, 'result files').toHaveLength(1);
    expect(imagesIn(fromBot), 'charts').toHaveLength(1);
    expect(
      fromBot.filter(({ streamingSinceMs }) => streamingSinceMs !== null),
      'open streams',
    ).toEqual([]);
    const progress = fromBot.filter((message) => isProgress(message));
    expect(progress.length, 'progress messages').toBeLessThanOrEqual(1);
    if (given.asked[index]?.hasFile === true) expect(said.join('\n'), 'its file').toContain('sales.csv');
  }
  expect(
    [...state.statuses.values()].filter((status) => status !== ''),
    'statuses left on',
  ).toEqual([]);
  expect(
    state.messages.filter(({ byBot, ts, threadTs }) => byBot && ts === threadTs),
    'outside of threads',
  ).toEqual([]);
}

/** Charts that are shown: as image blocks, or as shared pictures. */
function imagesIn(messages: readonly SlackMessageState[]): readonly string[] {
  const inline = messages
    .flatMap(({ blocks }) => blocks)
    .filter(({ type }) => type === 'image')
    .map((block) => String((block['slack_file'] as Json)['id']));
  const shared = messages.flatMap(({ files }) => files).filter(({ name }) => name.endsWith('.png'));
  return [...inline, ...shared.map(({ id }) => id)];
}

function isProgress({ blocks, cards }: SlackMessageState): boolean {
  return cards.size > 0 || blocks.some((block) => block['block_id'] === 'plotline-progress');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function play(given: Schedule): Promise<void> {
  await using slack = await startMemorySlack({
    problemsOf: (content, surface) => slackProblems(content, surface),
    hasStreams: given.hasStreams,
    shareDelayMs: given.shareDelayMs,
  });
  await using store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
  const world: World = { slack, store, blobs: createMemoryBlobs() };
  expectWhole(given, await run(given, world), world);
}

const plain: Asked = {
  hasFile: true,
  inThread: false,
  messageFirst: false,
  mentionBare: false,
  lost: 'none',
  repeats: 0,
  afterMs: 0,
};

it('without faults: one reply with its chart, its file and its progress', async () => {
  for (const hasStreams of [false, true]) {
    await expect(
      play({ asked: [plain], faults: [], deaths: [], hasStreams, shareDelayMs: 0 }),
    ).resolves.toBeUndefined();
  }
});

it('200 schedules of faults: each question gets exactly one final reply', async () => {
  await assert(asyncProperty(schedule, play), { numRuns: 200, endOnFailure: true });
}, 600_000);
