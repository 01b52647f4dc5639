import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { createSlackGateway } from '../../adapters/slack/gateway.ts';
import type { SlackAccess } from '../../adapters/slack/access.ts';
import { createSingleWorkspace } from '../../adapters/slack/workspaces.ts';
import { createLogger } from '../../src/log.ts';
import type { PlatformGateway } from '../../src/ports/platforms.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Task, ThreadRef } from '../../src/types.ts';
import { createCore } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import type { FakeSandbox } from '../fakes/fake-sandbox.ts';
import { localSlackProgram, startLocalSlack } from '../fakes/local-slack.ts';
import type { LocalSlack, SlackRecord } from '../fakes/local-slack.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedTurn } from '../fakes/scripted-model.ts';

const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');

/** As in `slack-adapter.test.ts`: without the fake this is skipped, in CI it fails. */
const isMissing = localSlackProgram() === null && process.env['CI'] === undefined;

const csv = (name: string) => ({
  name,
  bytes: new TextEncoder().encode('month,revenue\n1,10\n'),
  mimeType: 'text/csv',
});

/** Runs one cell, then answers with the question; a question with "slow" hangs. */
function answer(messages: readonly { readonly role: string; readonly text: string }[]): ScriptedTurn {
  const question = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const asked = /question [\w ]*/.exec(question)?.[0].trim() ?? 'nothing';
  if (messages.at(-1)?.role === 'tool') return { text: `Answer to ${asked}.` };
  if (asked.includes('slow')) return { text: 'Thinking', hangs: true };
  return { calls: [pythonCall('print("42")')] };
}

describe.skipIf(isMissing).each(['socket', 'http'] as const)('a conversation in Slack over %s', (mode) => {
  let slack: LocalSlack;
  let store: Store;
  let sandbox: FakeSandbox;
  let gateway: PlatformGateway;
  let blobs = createMemoryBlobs();
  let access: SlackAccess = async () => null;

  beforeAll(async () => {
    slack = await startLocalSlack(mode);
  });
  afterAll(async () => {
    await slack?.[Symbol.asyncDispose]();
  });

  /** Everything of a process but the store and the blobs, which a restart finds again. */
  const startBot = async (): Promise<void> => {
    const workspaces = createSingleWorkspace({ botToken: slack.botToken, apiUrl: slack.apiUrl, log });
    const client = createSlackClient({ workspaces, apiUrl: slack.apiUrl, log, settleMs: 10 });
    sandbox = createFakeSandbox();
    const model = createScriptedModel([], ({ messages }) => answer(messages));
    const core = createCore({ store, blobs, client, provider: sandbox, model });
    gateway = createSlackGateway({
      transport:
        mode === 'socket'
          ? { kind: 'socket', appToken: slack.appToken }
          : { kind: 'http', signingSecret: slack.signingSecret, port: slack.eventsPort },
      workspaces,
      client,
      singleTeam: true,
      followUps: 'thread',
      model: 'a scripted model',
      apiUrl: slack.apiUrl,
      log,
      access: (who, signal) => access(who, signal),
    });
    await core.start();
    await gateway.start(core.handlers);
  };

  beforeEach(async () => {
    access = async () => null;
    blobs = createMemoryBlobs();
    store = await createSqliteStore({ path: ':memory:', log });
    await startBot();
  });
  afterEach(async () => {
    await gateway.stop();
    await slack.reset();
  });

  const ask = (text: string, more: { threadTs?: string; files?: string[]; channelId?: string } = {}) => {
    const { files = [], ...where } = more;
    const words = where.channelId === undefined ? `<@${slack.botUserId}> ${text}` : text;
    return files.length === 0
      ? slack.say({ text: words, ...where })
      : slack.upload({ text: words, files: files.map(csv), ...where });
  };

  const threadAt = (threadId: string, channelId = slack.channelId): ThreadRef => ({
    platform: 'slack',
    workspaceId: slack.teamId,
    channelId,
    threadId,
  });

  const tasksOf = async (root: string, channelId?: string): Promise<readonly Task[]> =>
    (await store.tasks(threadKeyOf(threadAt(root, channelId)))).map(({ task }) => task);

  const fromBot = async (root: string, channelId?: string): Promise<readonly SlackRecord[]> =>
    (await slack.thread(root, channelId)).filter(
      ({ user, bot_id }) => user === slack.botUserId || bot_id !== undefined,
    );

  const said = async (root: string, channelId?: string): Promise<string> =>
    JSON.stringify(await fromBot(root, channelId));

  const untilSaid = (root: string, text: string, channelId?: string): Promise<void> =>
    expect.poll(() => said(root, channelId), { timeout: 8000 }).toContain(text);

  const countOf = async (root: string, text: string): Promise<number> =>
    (await fromBot(root)).filter((message) => JSON.stringify(message.blocks ?? message.text).includes(text)).length;

  const withButton = async (root: string, actionId: string): Promise<string> => {
    const has = (message: SlackRecord): boolean => JSON.stringify(message.blocks ?? []).includes(actionId);
    await expect.poll(async () => (await fromBot(root)).some(has), { timeout: 8000 }).toBe(true);
    return (await fromBot(root)).findLast(has)?.ts ?? '';
  };

  /** What only the person saw, since the last reset. */
  const whispers = async (): Promise<string> => {
    const all = await slack.calls();
    return JSON.stringify(all.filter(({ method }) => method === 'chat.postEphemeral').map(({ args }) => args));
  };

  const views = async (): Promise<readonly unknown[]> =>
    (await slack.calls()).filter(({ method }) => method === 'views.open').map(({ args }) => args['view']);

  test('a mention with two files is one task and one answer; a follow-up is another, about the files of before', async () => {
    const root = await ask('question one', { files: ['a.csv', 'b.csv'] });
    await untilSaid(root, 'Answer to question one.');
    const [task, ...others] = await tasksOf(root);
    expect(others).toEqual([]);
    expect(task).toMatchObject({ person: { id: slack.personId, displayName: 'ada' } });
    expect(task?.attachments.map(({ name }) => name).toSorted()).toEqual(['a.csv', 'b.csv']);
    expect([...(sandbox.containers[0]?.files.keys() ?? [])]).toEqual(expect.arrayContaining(['a.csv', 'b.csv']));
    expect(await countOf(root, 'Answer to question one.')).toBe(1);

    await slack.say({ text: 'and question two', threadTs: root });
    await untilSaid(root, 'Answer to question two.');
    await slack.say({ text: `<@${slack.personId}> that is question three`, threadTs: root });
    expect((await tasksOf(root)).map(({ text }) => text)).toEqual(['question one', 'and question two']);
  });

  test('a file that is in the thread already is found when the bot is mentioned later', async () => {
    const root = await slack.upload({ text: 'the numbers of May', files: [csv('may.csv')] });
    await ask('question one', { threadTs: root });
    await untilSaid(root, 'Answer to question one.');
    expect([...(sandbox.containers[0]?.files.keys() ?? [])]).toContain('may.csv');
  });

  test('a direct message needs no mention', async () => {
    const root = await ask('question one', { channelId: slack.directId, files: ['a.csv'] });
    await untilSaid(root, 'Answer to question one.', slack.directId);
    expect(await tasksOf(root, slack.directId)).toHaveLength(1);
  });

  test('an edit while the question runs is what is answered', async () => {
    const root = await ask('question slow');
    await expect.poll(async () => (await store.tasks(threadKeyOf(threadAt(root))))[0]?.state).toBe('running');
    await slack.edit(root, `<@${slack.botUserId}> question quick`);
    await untilSaid(root, 'Answer to question quick.');
    expect(await tasksOf(root)).toHaveLength(1);
  });

  test('an edit after the answer offers a re-run, which answers the new words', async () => {
    const root = await ask('question one');
    await untilSaid(root, 'Answer to question one.');
    await slack.edit(root, `<@${slack.botUserId}> question two`);
    await expect.poll(whispers).toContain('Re-run with the edited question');
    expect(await tasksOf(root)).toHaveLength(1);
    await slack.press(await withButton(root, 'plotline-rerun'), 'plotline-rerun');
    await untilSaid(root, 'Answer to question two.');
    expect((await tasksOf(root)).map(({ text }) => text)).toEqual(['question one', 'question two']);
  });

  test('a deleted question takes what was answered with it', async () => {
    const root = await ask('question one');
    await untilSaid(root, 'Answer to question one.');
    await slack.remove(root);
    await expect.poll(() => fromBot(root), { timeout: 8000 }).toEqual([]);
  });

  test('stop, by word and by button, once each', async () => {
    const first = await ask('question slow');
    await untilSaid(first, 'plotline-stop');
    await ask('stop', { threadTs: first });
    await untilSaid(first, 'Stopping.');
    await untilSaid(first, 'Stopped');

    const second = await ask('question slow');
    await slack.press(await withButton(second, 'plotline-stop'), 'plotline-stop');
    await untilSaid(second, 'Stopped');
    await expect.poll(async () => (await store.tasks(threadKeyOf(threadAt(second))))[0]?.state).not.toBe('running');
    expect(await countOf(second, 'Answer to')).toBe(0);
  });

  test('buttons work after a restart: the code, the notebook, the question again', async () => {
    const root = await ask('question one', { files: ['a.csv'] });
    const buttons = await withButton(root, 'plotline-show-code');
    await gateway.stop();
    await startBot();
    await slack.press(buttons, 'plotline-show-code');
    await expect.poll(async () => JSON.stringify(await views())).toContain('print(\\"42\\")');
    await slack.press(buttons, 'plotline-notebook');
    await expect.poll(async () => (await tasksOf(root)).map(({ text }) => text)).toEqual(['question one', 'notebook']);
    await slack.press(buttons, 'plotline-rerun');
    await expect.poll(() => countOf(root, 'Answer to question one.'), { timeout: 8000 }).toBe(2);
  });

  test.runIf(mode === 'http')('an opinion is kept, and thanked for', async () => {
    const root = await ask('question one');
    const replied = await withButton(root, 'plotline-rerun');
    const [task] = await tasksOf(root);
    const action = {
      type: 'feedback_buttons',
      action_id: 'plotline-feedback',
      value: `bad ${task?.id}`,
      action_ts: '1',
    };
    const click = {
      type: 'block_actions',
      team: { id: slack.teamId },
      user: { id: slack.personId },
      channel: { id: slack.channelId },
      message: { ts: replied, thread_ts: root },
      actions: [action],
    };
    expect(await slack.feed(click, { interactive: true })).toBe(200);
    await expect.poll(whispers).toContain('Thank you');
  });

  test('a button whose question was forgotten says so to who pressed it', async () => {
    const root = await ask('question one');
    const buttons = await withButton(root, 'plotline-rerun');
    await ask('forget this thread', { threadTs: root });
    await untilSaid(root, 'Forgotten');
    await slack.press(buttons, 'plotline-rerun');
    await expect.poll(whispers).toContain('I do not know this question any more');
  });

  test('the slash command and the Home tab know what runs', async () => {
    const root = await ask('question slow');
    await untilSaid(root, 'plotline-stop');
    const shown = async (): Promise<string> =>
      JSON.stringify((await slack.messages()).filter(({ ephemeral_to }) => ephemeral_to));
    await slack.command('/plotline', 'status');
    await expect.poll(shown).toContain('running: question slow');
    await slack.openHome();
    await expect.poll(() => slack.home()).toContain('question slow');
    await slack.command('/plotline', 'forget');
    await expect.poll(shown).toContain('plotline-forget-channel');
    await slack.command('/plotline', 'usage');
    await expect.poll(shown).toContain('Your usage');
    await slack.command('/plotline', 'stop');
    await expect.poll(shown).toContain('Stopping 1 question.');
    await untilSaid(root, 'Stopped');
    await slack.command('/data', 'what?');
    await expect.poll(shown).toContain('/data status');
  });

  test('who may not use the bot is told so by every surface, and nothing is done', async () => {
    const root = await ask('question slow');
    const stopButton = await withButton(root, 'plotline-stop');
    access = async ({ userId }) => (userId === slack.personId ? 'Ask Grace for access.' : null);
    await slack.press(stopButton, 'plotline-stop');
    await expect.poll(whispers).toContain('Ask Grace for access.');
    await slack.command('/plotline', 'stop');
    const refusals = async (): Promise<number> =>
      (await slack.messages()).filter(({ text, ephemeral_to: to }) => to !== undefined && text?.includes('Ask Grace'))
        .length;
    await expect.poll(refusals).toBe(2);
    expect((await store.tasks(threadKeyOf(threadAt(root))))[0]?.state).toBe('running');
    access = async () => null;
    await slack.press(stopButton, 'plotline-stop');
    await untilSaid(root, 'Stopped');
  });

  test.runIf(mode === 'http')("the shortcut on anybody's message asks and answers in its thread", async () => {
    const root = await slack.upload({ text: 'the numbers of May', files: [csv('may.csv')] });
    const [message] = await slack.thread(root);
    const who = { team: { id: slack.teamId }, user: { id: slack.personId, team_id: slack.teamId } };
    const shortcut = { type: 'message_action', callback_id: 'analyze_message', trigger_id: 't', ...who };
    const where = { channel: { id: slack.channelId } };
    await slack.feed({ ...shortcut, ...where, message: { ...message, files: [] } }, { interactive: true });
    await expect.poll(whispers).toContain('no file that I could look at');

    await slack.feed({ ...shortcut, ...where, message }, { interactive: true });
    await expect.poll(async () => (await views()).length).toBe(1);
    const view = (await views())[0] as { private_metadata: string; callback_id: string };
    expect(JSON.stringify(view)).toContain('may.csv');

    const values = { 'plotline-question-text': { 'plotline-question-input': { value: 'question one' } } };
    const submitted = { type: 'view_submission', ...who, view: { ...view, id: 'V1', state: { values } } };
    // Slack may send it twice.
    expect(await slack.feed(submitted, { interactive: true })).toBe(200);
    expect(await slack.feed(submitted, { interactive: true })).toBe(200);
    await untilSaid(root, 'Answer to question one.');
    const tasks = await tasksOf(root);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]?.attachments.map(({ name }) => name)).toEqual(['may.csv']);
  });
});
