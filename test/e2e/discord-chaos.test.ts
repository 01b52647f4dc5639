import type { REST } from 'discord.js';
import { array, assert, asyncProperty, boolean, constantFrom, integer, nat, option, record } from 'fast-check';
import { expect, it } from 'vitest';
import { createAdmission } from '../../adapters/discord/admission.ts';
import { createDiscordClient } from '../../adapters/discord/client.ts';
import { createDiscordGateway } from '../../adapters/discord/gateway.ts';
import { kindOfMark } from '../../adapters/discord/ids.ts';
import { taskIdOf } from '../../adapters/discord/message.ts';
import { createDiscordRest } from '../../adapters/discord/rest.ts';
import { createLogger } from '../../src/log.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { createCore } from '../fakes/core.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { InteractionState } from '../fakes/discord/interactions.ts';
import type { DiscordFault } from '../fakes/discord/faults.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import type { Json, MessageState } from '../fakes/discord/state.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createLife, createMortalSandbox, endOf, mortal } from '../fakes/mortal.ts';
import type { Life } from '../fakes/mortal.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';

/**
 * Real discord.js, the real gateway, client and core, against a strict Discord, with everything going wrong that can: lost answers,
 * server errors, rate limits, connections of the gateway that break, events that come twice, threads that are archived meanwhile,
 * and processes killed between any two things they do. Only the sandbox and the model are stand-ins.
 */

const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
const oracle = createOpenApiOracle();
const csv = new TextEncoder().encode('month,revenue\n2026-01,10\n');
const answerText = 'The answer is 42.';
const none = { guilds: [], channels: [], roles: [], users: [] };
const access = { allow: none, deny: none, cooldownMs: 0 };
/** A killed process would try again after this, in ms: never within a test. */
const neverMs = 3_600_000;
/** An answer to a command that is on its way when its process dies takes effect within this, in ms. */
const lateAnswerMs = 250;
/** From the start of a process until its first question is being worked on. */
const stepsOfCommand = 40;

const model = () =>
  createScriptedModel([], ({ messages }) => {
    const turns = messages.length - 1 - messages.findLastIndex(({ role }) => role === 'user');
    return turns === 0
      ? { calls: [pythonCall('write("out.csv", "1")\nchart("Revenue")\nlist()')] }
      : { text: answerText };
  });

/** One question, and what happens around it. */
interface Asked {
  readonly place: 'channel' | 'thread' | 'forum' | 'direct';
  /** As a message, by `/analyze`, or by the form of *Analyze this file*. */
  readonly by: 'message' | 'slash' | 'form';
  readonly hasFile: boolean;
  /** What happens right before or after it was written. */
  readonly meanwhile: 'nothing' | 'cut-before' | 'cut' | 'reconnect' | 'archive';
  readonly afterMs: number;
}

interface PlannedFault {
  readonly route: string;
  readonly call: number;
  readonly fault: DiscordFault;
}

interface Schedule {
  readonly asked: readonly Asked[];
  readonly faults: readonly PlannedFault[];
  /** Which new message Discord refuses for its form, from 0. */
  readonly refused: number | null;
  /** Steps after which processes are killed, one after the other. */
  readonly deaths: readonly number[];
  /** Events that a resumed connection gets once more. */
  readonly replayed: number;
}

const asked = record({
  place: constantFrom<Asked['place'][]>('channel', 'channel', 'thread', 'forum', 'direct'),
  by: constantFrom<Asked['by'][]>('message', 'slash', 'form'),
  hasFile: boolean(),
  meanwhile: constantFrom<Asked['meanwhile'][]>('nothing', 'nothing', 'cut-before', 'cut', 'reconnect', 'archive'),
  afterMs: nat(30),
});

const faultyRoutes = [
  'POST /channels/{channel_id}/messages',
  'POST /channels/{channel_id}/messages',
  'PATCH /channels/{channel_id}/messages/{message_id}',
  'POST /channels/{channel_id}/messages/{message_id}/threads',
  'GET /channels/{channel_id}/messages/{message_id}',
  'GET /channels/{channel_id}/messages',
  'GET /channels/{channel_id}',
  'GET /users/@me',
  'POST /channels/{channel_id}/typing',
  'PUT /applications/{application_id}/commands',
  'POST /interactions/{interaction_id}/{interaction_token}/callback',
  'download',
] as const;

const fault = constantFrom<DiscordFault[]>(
  { kind: 'cut' },
  { kind: 'cut-after' },
  { kind: 'bad-gateway' },
  { kind: 'bad-gateway-after' },
  { kind: 'rate-limited', retryAfterMs: 20 },
  { kind: 'rate-limited', retryAfterMs: 20, global: true },
  { kind: 'slow', ms: 40 },
);

const schedule = record({
  asked: array(asked, { minLength: 1, maxLength: 2 }),
  faults: array(record({ route: constantFrom(...faultyRoutes), call: nat(3), fault }), { maxLength: 6 }),
  refused: option(nat(3)),
  deaths: array(integer({ min: 1, max: 150 }), { maxLength: 2 }),
  replayed: nat(3),
});

interface World {
  readonly discord: FakeDiscord;
  readonly store: Awaited<ReturnType<typeof createSqliteStore>>;
  readonly blobs: Blobs;
}

interface Process {
  readonly life: Life;
  readonly close: () => Promise<void>;
}

/** Its requests take effect only while the process lives, and their answers reach it only then. */
function mortalRest(discord: FakeDiscord, life: Life): REST {
  const rest = createDiscordRest({ token: discord.token, apiUrl: discord.api });
  const { makeRequest } = rest.options;
  const stepping: typeof makeRequest = async (url, init) => {
    await life.step();
    const response = await makeRequest(url, init);
    await life.step();
    return response;
  };
  Object.assign(rest.options, { makeRequest: stepping });
  return rest;
}

async function startProcess({ discord, store, blobs }: World, life: Life): Promise<Process> {
  const rest = mortalRest(discord, life);
  const settings = { token: discord.token, apiUrl: discord.api, rest, log };
  const client = createDiscordClient({ ...settings, admit: createAdmission({ rest, access, log }) });
  const provider = createMortalSandbox(life);
  const core = createCore({ store: mortal(store, life), blobs: mortal(blobs, life), client, provider, model: model() });
  const gateway = createDiscordGateway({
    ...settings,
    applicationId: null,
    answerWindowMs: lateAnswerMs,
    hasMessageContent: false,
    access,
    connectionTimes: { readyMs: 10_000, firstPauseMs: 50, longestPauseMs: neverMs, closes: 10, closesWindowMs: 60_000 },
  });
  await Promise.race([gateway.start(core.handlers), endOf(life)]);
  void core.start();
  return {
    life,
    close: async () => {
      await gateway.stop();
      await core.dispatcher.close({ graceMs: 1000 });
      await core.sessions[Symbol.asyncDispose]();
    },
  };
}

/** The message of a question that the bot took, and the conversation in which it is answered. */
interface Question {
  readonly message: MessageState;
  readonly threadId: string;
  readonly hasFile: boolean;
}

async function run(given: Schedule, world: World): Promise<readonly Question[]> {
  const { discord, store } = world;
  discord.faults.plan(...given.faults);
  if (given.refused !== null) {
    const refuse: DiscordFault = { kind: 'refuse', status: 400, code: 50_035, message: 'Invalid Form Body' };
    discord.faults.plan({ route: 'POST /channels/{channel_id}/messages', call: given.refused, fault: refuse });
  }
  discord.gateway.replayMore(given.replayed);
  let current: Process | null = null;
  let deaths = 0;
  const alive = async (): Promise<Process> => {
    while (current === null || current.life.ended) {
      if (current !== null) {
        deaths += 1;
        // Its connection ends with it; nobody begins it anew.
        discord.gateway.close(4004);
      }
      current = await startProcess(world, createLife(given.deaths[deaths] ?? null));
    }
    return current;
  };

  const stateOf = async ({ guildId, channelId, id }: MessageState): Promise<string | undefined> =>
    (await store.task(taskIdOf(guildId, channelId, id)))?.state;

  /** What is written while the process dies is not heard: Discord tells nobody again. A person who sees nothing asks again. */
  const ask = async (question: Asked, index: number): Promise<Question> => {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const { life } = await alive();
      await sleep(question.afterMs);
      if (question.meanwhile === 'cut-before') discord.gateway.cut();
      const written = write(discord, question, index);
      if (question.meanwhile === 'cut') discord.gateway.cut();
      if (question.meanwhile === 'reconnect') discord.gateway.askToReconnect();
      const taken = await ('message' in written ? heard(written, life) : promised(written, life, discord));
      if (taken !== null) return taken;
    }
    throw new Error('nobody heard a question');
  };

  const heard = async (written: Question, life: Life): Promise<Question | null> => {
    const deadline = Date.now() + 15_000;
    while ((await stateOf(written.message)) === undefined && !life.ended) {
      if (Date.now() > deadline) throw new Error('a question was not heard');
      await sleep(2);
    }
    return (await stateOf(written.message)) === undefined ? null : written;
  };

  const questions: Question[] = [];
  for (const [index, question] of given.asked.entries()) {
    const taken = await ask(question, index);
    questions.push(taken);
    if (question.meanwhile === 'archive' && discord.state.channels.get(taken.threadId)?.kind === 'thread') {
      discord.archive(taken.threadId);
    }
  }
  const isOver = async (): Promise<boolean> =>
    (await store.drafts('discord')).length === 0 &&
    (await Promise.all(questions.map(({ message }) => stateOf(message)))).every(
      (state) => state === 'done' || state === 'cancelled',
    );
  const deadline = Date.now() + 60_000;
  while (!(await isOver())) {
    await alive();
    if (Date.now() > deadline) throw new Error('the questions do not come to their end');
    await sleep(5);
  }
  // Whatever else a wrong program would still post comes before its process ends.
  const last = await alive();
  await sleep(60);
  // It may be killed even now.
  await Promise.race([last.close(), endOf(last.life)]);
  discord.gateway.close(4004);
  return questions;
}

const sales = { name: 'sales.csv', bytes: csv, contentType: 'text/csv' };

function write(discord: FakeDiscord, { place, hasFile, by }: Asked, index: number): Question | Command {
  const { ada, grace, general } = discord.setting;
  const author = index === 0 ? ada.id : grace.id;
  const said = {
    author,
    text: `${discord.botMention} revenue by month`,
    ...(hasFile ? { files: [sales] } : {}),
  };
  const isMessage = by === 'message' || discord.state.commands.length === 0;
  if (place === 'forum' && isMessage) {
    const { thread, message } = discord.forumPost({ ...said, name: 'Sales' });
    return { message, threadId: thread.id, hasFile };
  }
  const channelId = placeFor(discord, place, author, general.id);
  if (isMessage) {
    const message = discord.say({ ...said, channelId });
    return { message, threadId: place === 'channel' ? message.id : channelId, hasFile };
  }
  const where = { channelId, author };
  const question = 'revenue by month';
  // In a direct message what people write is a question already.
  if (by === 'slash' || place === 'direct')
    return { interaction: discord.slash('analyze', { file: sales, question }, where), form: null };
  const target = discord.say({ ...where, text: 'the numbers', files: hasFile ? [sales] : [] });
  const form = { question, files: hasFile ? [] : [sales] };
  return { interaction: discord.messageCommand('Analyze this file', target.id, where), form };
}

function placeFor(discord: FakeDiscord, place: Asked['place'], author: string, general: string): string {
  if (place === 'channel') return general;
  if (place === 'direct') return discord.dm(author).id;
  if (place === 'thread') return discord.thread({ name: 'Sales', author }).id;
  return discord.forumPost({ name: 'Sales', text: 'let us see', author }).thread.id;
}

/** A question that is asked by a command, and what is filled into the form that the command opens. */
interface Command {
  readonly interaction: InteractionState;
  readonly form: Parameters<FakeDiscord['submitModal']>[1] | null;
}

/** Discord waits three seconds; who then still sees nothing, or is told that it failed, asks again. */
async function promised({ interaction, form }: Command, life: Life, discord: FakeDiscord): Promise<Question | null> {
  await answered(interaction, life);
  if (form !== null && interaction.modal === null) return null;
  const asking = form === null ? interaction : discord.submitModal(interaction, form);
  await answered(asking, life);
  const message = discord.state.messages.get(asking.responseId ?? '');
  if (message === undefined || message.ephemeralFor !== null) return null;
  const isText = discord.state.channels.get(message.channelId)?.kind === 'text';
  return { message, threadId: isText ? message.id : message.channelId, hasFile: true };
}

async function answered(interaction: InteractionState, life: Life): Promise<void> {
  const deadline = Date.now() + 3200;
  while (interaction.answer === null && Date.now() < deadline && !life.ended) await sleep(2);
  // Its answer may be on its way.
  if (life.ended) await sleep(100);
}

/** What a person finds in the conversations afterwards. */
function expectWhole(given: Schedule, questions: readonly Question[], { discord }: World): void {
  const { general } = discord.setting;
  for (const { threadId, hasFile } of questions) {
    const fromBot = discord.messages(threadId).filter(isOfBot(discord));
    const said = fromBot.map(({ content, components }) => JSON.stringify([content, components]));
    const holding = (text: string): readonly string[] => said.filter((one) => one.includes(text));
    expect(holding(answerText), 'answers').toHaveLength(1);
    const files = fromBot.flatMap(({ attachments }) => attachments.map(({ filename }) => filename));
    expect(
      files.filter((name) => name === 'out.csv'),
      'result files',
    ).toHaveLength(1);
    expect(
      files.filter((name) => name.endsWith('.png')),
      'charts',
    ).toHaveLength(1);
    expect(fromBot.filter(isProgress).length, 'progress messages').toBeLessThanOrEqual(1);
    if (hasFile) expect(holding('sales.csv').length, 'its file').toBeGreaterThan(0);
    expect(
      fromBot.flatMap(({ mentions, mentionRoles }) => [...mentions, ...mentionRoles]),
      'pings',
    ).toEqual([]);
  }
  const outside = discord
    .messages(general.id)
    .filter((message) => isOfBot(discord)(message) && message.interaction === null);
  expect(outside, 'outside of threads').toEqual([]);
  // What was promised was kept above; of what was not promised there is nothing.
  const shown = [...discord.state.messages.values()].filter(
    ({ type, interaction, ephemeralFor }) => type !== 21 && interaction !== null && ephemeralFor === null,
  );
  expect(
    shown.map(({ id }) => id).filter((id) => !questions.some(({ message }) => message.id === id)),
    'questions without an answer',
  ).toEqual([]);
  const badForms = discord.refusals.filter(({ code }) => code === 50_035 || code === 50_006);
  // After a refusal that was planned the bot may try what else Discord takes.
  expect(given.refused === null ? badForms : [], 'messages that Discord does not take').toEqual([]);
}

function isOfBot(discord: FakeDiscord): (message: MessageState) => boolean {
  return ({ authorId }) => authorId === discord.state.botId;
}

function isProgress({ components }: MessageState): boolean {
  return components.some((component: Json) => kindOfMark((component['id'] ?? null) as number | null) === 'progress');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function check(given: Schedule): Promise<void> {
  await using discord = await startFakeDiscord({ oracle });
  await using store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
  const world: World = { discord, store, blobs: createMemoryBlobs() };
  expectWhole(given, await run(given, world), world);
}

it('without faults: one reply with its chart, its file and its progress, wherever it was asked', async () => {
  for (const place of ['channel', 'thread', 'forum', 'direct'] as const) {
    for (const by of ['message', 'slash', 'form'] as const) {
      const plain: Asked = { place, by, hasFile: true, meanwhile: 'nothing', afterMs: 0 };
      const calm: Schedule = { asked: [plain], faults: [], refused: null, deaths: [], replayed: 0 };
      await expect(check(calm)).resolves.toBeUndefined();
    }
  }
});

it('a process that is killed at any step of a command leaves one reply, or nothing that was promised', async () => {
  for (const by of ['slash', 'form'] as const) {
    for (let step = 1; step <= stepsOfCommand; step += 1) {
      const plain: Asked = { place: 'channel', by, hasFile: true, meanwhile: 'nothing', afterMs: 0 };
      await expect(
        check({ asked: [plain], faults: [], refused: null, deaths: [step], replayed: 0 }),
        `${by}, killed at step ${step}`,
      ).resolves.toBeUndefined();
    }
  }
}, 300_000);

it('200 schedules of faults: each question gets exactly one final reply', async () => {
  await assert(asyncProperty(schedule, check), { numRuns: 200, endOnFailure: true });
}, 900_000);
