import { expect, test } from 'vitest';
import { createCommands } from '../../adapters/slack/commands.ts';
import { createEvents } from '../../adapters/slack/events.ts';
import { createHome } from '../../adapters/slack/home.ts';
import { createIntake } from '../../adapters/slack/intake.ts';
import { createLateFiles } from '../../adapters/slack/late-files.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import type { SlackWorkspaces } from '../../adapters/slack/workspaces.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformClient } from '../../src/ports/platforms.ts';
import type { Task } from '../../src/types.ts';
import { createHandlers } from '../fakes/handlers.ts';

const log = createLogger('silent');
const file = {
  id: 'F1',
  name: 'a.csv',
  mimetype: 'text/csv',
  size: 9,
  url_private_download: 'https://files.slack.com/a',
};

function createHarness(
  given: {
    readonly answers?: Readonly<Record<string, object>>;
    readonly handlers?: Partial<GatewayHandlers>;
    readonly followUps?: 'mention' | 'thread';
    readonly refusal?: string;
  } = {},
) {
  const tasks: Task[] = [];
  const edits: Task[] = [];
  const calls: { method: string; args: Readonly<Record<string, unknown>>; acknowledged: boolean }[] = [];
  const cancels: string[] = [];
  const deleted: string[] = [];
  const forgotten: unknown[] = [];
  const notices: string[] = [];
  const uninstalled: unknown[] = [];
  let acknowledged = false;
  const web: SlackWeb = {
    call: async (method, args) => {
      calls.push({ method, args, acknowledged });
      return { ok: true, ...given.answers?.[method] };
    },
  };
  const workspaces: SlackWorkspaces = {
    open: async () => ({
      id: 'T1',
      self: { teamId: 'T1', userId: 'UBOT', botId: 'BBOT' },
      enterpriseId: null,
      isOrgWide: false,
      web,
      token: 'x',
    }),
  };
  const handlers = createHandlers({
    onTask: async (task) => {
      tasks.push(task);
    },
    onEdit: async (task) => {
      edits.push(task);
      return 'unknown';
    },
    onCancel: async (thread) => {
      cancels.push(thread.threadId);
      return 1;
    },
    onDelete: async (taskId) => {
      deleted.push(taskId);
    },
    onForget: async (what) => {
      forgotten.push(what);
      return 1;
    },
    ...given.handlers,
  });
  const client = {
    post: async (_thread: unknown, message: { kind: string; text?: string }) => {
      expect(acknowledged).toBe(true);
      notices.push(message.text ?? '');
      return { parts: [], notPosted: [] };
    },
  } as unknown as PlatformClient;
  const followUps = given.followUps ?? 'mention';
  const lateFiles = createLateFiles({ afterMs: 20 });
  const commands = createCommands({ client, handlers, help: 'Ask me.', log });
  const access = async (): Promise<string | null> => given.refusal ?? null;
  const intake = createIntake({ workspaces, handlers, commands, lateFiles, followUps, access, log });
  const home = createHome({ workspaces, handlers, followUps, model: 'm', access, log });
  const events = createEvents({
    intake,
    home,
    handlers,
    onUninstalled: async (workspaceId, tokens) => {
      uninstalled.push([workspaceId, tokens]);
    },
  });
  const hear = async (event: object, envelope: object = {}): Promise<void> => {
    acknowledged = false;
    const authorizations = [{ team_id: 'T1', user_id: 'UBOT', is_bot: true }];
    const rest = await events({ team_id: 'TFOREIGN', authorizations, ...envelope, event });
    acknowledged = true;
    await rest?.();
  };
  return { tasks, edits, calls, cancels, deleted, forgotten, notices, uninstalled, hear };
}

const base = { user: 'U1', channel: 'C1', ts: '1700000000.000100', text: '<@UBOT> totals by month' };
const mention = { ...base, type: 'app_mention' };
const message = { ...base, type: 'message', channel_type: 'channel' };
const upload = { ...message, subtype: 'file_share', files: [file] };
const id = 'slack-T1-C1-1700000000.000100';

test('either event alone, and both in either order, are the same task; nothing is asked of Slack for it', async () => {
  for (const order of [[mention], [upload], [mention, upload], [upload, mention]]) {
    const { tasks, calls, hear } = createHarness();
    for (const event of order) await hear(event);
    // The message's own event is what counts; a mention may lack the files, and adds nothing to it.
    const heard = order[0] === upload ? [upload] : order;
    expect(tasks).toHaveLength(heard.length);
    for (const [index, task] of tasks.entries()) {
      expect(task).toMatchObject({ id, text: 'totals by month', person: { id: 'U1' }, messageId: base.ts });
      expect(task.lookAgain).toBe(heard[index] === mention);
      expect(task.attachments.map(({ name }) => name)).toEqual(heard[index] === mention ? [] : ['a.csv']);
    }
    expect(calls).toEqual([]);
  }
});

test('an event whose task the store does not take is refused', async () => {
  let attempts = 0;
  const onTask = (): Promise<void> => {
    attempts += 1;
    return Promise.reject(new Error('disk full'));
  };
  const { hear } = createHarness({ handlers: { onTask } });
  await expect(hear(mention)).rejects.toThrow('disk full');
  // It is not taken for stored when it comes again.
  await expect(hear(mention)).rejects.toThrow('disk full');
  expect(attempts).toBe(2);
});

test('files keep what they are: stubs of shared channels, other services, deleted, hidden, pages', async () => {
  const { tasks, hear } = createHarness();
  await hear({
    ...upload,
    files: [
      { id: 'F1', file_access: 'check_file_info' },
      { id: 'F2', name: 'sheet', mode: 'external', external_type: 'gdrive', url_private: 'https://docs.google.com/x' },
      { id: 'F3', mode: 'tombstone' },
      { id: 'F4', mode: 'hidden_by_limit' },
      { id: 'F5', mode: 'quip', filetype: 'quip', url_private: 'https://files.slack.com/q' },
    ],
  });
  expect(tasks[0]?.attachments).toMatchObject([
    { id: 'F1', source: { kind: 'stub' } },
    { id: 'F2', source: { kind: 'external', service: 'gdrive' } },
    { id: 'F3', source: { kind: 'deleted' } },
    { id: 'F4', source: { kind: 'hidden' } },
    { id: 'F5', source: { kind: 'page' } },
  ]);
});

test('files of a forwarded message and files inside the text come along', async () => {
  const { tasks, hear } = createHarness();
  const elements = [{ type: 'rich_text_section', elements: [{ type: 'file', file_id: 'F9' }] }];
  const blocks = [{ type: 'rich_text', elements }];
  await hear({ ...message, blocks, attachments: [{ is_share: true, files: [file] }] });
  expect(tasks[0]?.attachments).toMatchObject([
    { id: 'F1', source: { kind: 'hosted' } },
    // Anybody can write an id: it is looked at before it is fetched.
    { id: 'F9', source: { kind: 'named' } },
  ]);
});

test('a mention that only the blocks have counts; a text that was cut is read from them', async () => {
  const { tasks, hear } = createHarness();
  const words = 'word '.repeat(900);
  const elements = [
    { type: 'text', text: `${words}a < b ` },
    { type: 'user', user_id: 'UBOT' },
  ];
  const blocks = [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] }];
  await hear({ ...message, text: words.slice(0, 3000), blocks });
  expect(tasks[0]?.text).toBe(`${words}a < b`);
  await hear({ ...message, text: 'no mention', blocks: [{ type: 'rich_text', elements: [] }] });
  expect(tasks).toHaveLength(1);
});

test('bots, notices of Slack and talk among people are not for us', async () => {
  const { tasks, edits, calls, hear } = createHarness();
  await hear({ ...mention, bot_id: 'B2' });
  await hear({ ...mention, user: 'UBOT' });
  await hear({ ...message, user: 'USLACKBOT' });
  await hear({ ...upload, subtype: 'channel_join' });
  await hear({ ...message, hidden: true });
  await hear({ ...upload, text: 'no mention' });
  await hear({ ...upload, text: '<@UBOTTLE> other' });
  await hear({ ...mention, channel: 'D1' });
  await hear({});
  expect([tasks, edits, calls]).toEqual([[], [], []]);
});

test('a reply keeps its thread; a direct message needs no mention, a group message does', async () => {
  const { tasks, hear } = createHarness();
  await hear({ ...upload, subtype: 'thread_broadcast', thread_ts: '1600000000.000100' });
  await hear({ ...upload, channel: 'D1', channel_type: 'im', ts: '1700000001.000100', text: 'totals' });
  await hear({ ...upload, channel: 'G1', channel_type: 'mpim', text: 'totals' });
  expect(tasks.map(({ thread }) => thread)).toEqual([
    { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1600000000.000100' },
    { platform: 'slack', workspaceId: 'T1', channelId: 'D1', threadId: '1700000001.000100' },
  ]);
});

test('the workspace is the one that installed the app, in a Grid organisation together with its team', async () => {
  const { tasks, hear } = createHarness();
  const orgInstall = { enterprise_id: 'E1', team_id: null, user_id: 'UBOT', is_bot: true, is_enterprise_install: true };
  await hear(mention, { authorizations: [orgInstall], context_team_id: 'T7' });
  await hear(mention, { authorizations: [{ ...orgInstall, team_id: 'T8' }] });
  await hear(mention, { authorizations: [], context_team_id: 'T9' });
  expect(tasks.map(({ thread }) => thread.workspaceId)).toEqual(['E1.T7', 'E1.T8', 'T9']);
});

test('follow-ups without a mention: only where that is wanted, in a thread the bot knows, not to somebody else', async () => {
  const reply = { ...message, text: 'and by region?', thread_ts: '1600000000.000100' };
  const handlers = { knowsThread: async ({ threadId }: { threadId: string }) => threadId === '1600000000.000100' };
  const wanted = createHarness({ handlers, followUps: 'thread' });
  await wanted.hear({ ...reply, text: '<@U2> what do you think?' });
  await wanted.hear({ ...reply, thread_ts: '1500000000.000100' });
  await wanted.hear({ ...reply, thread_ts: undefined });
  expect(wanted.tasks).toEqual([]);
  await wanted.hear(reply);
  await wanted.hear({ ...reply, text: 'as <@U2> said' });
  expect(wanted.tasks.map(({ text }) => text)).toEqual(['and by region?', 'as @U2 said']);
  await wanted.hear({ ...reply, text: 'stop' });
  expect(wanted.cancels).toEqual(['1600000000.000100']);

  const unwanted = createHarness({ handlers });
  await unwanted.hear(reply);
  expect(unwanted.tasks).toEqual([]);
});

const edited = (text: string, before: string) => ({
  type: 'message',
  subtype: 'message_changed',
  hidden: true,
  channel: 'C1',
  channel_type: 'channel',
  ts: '1700000009.000100',
  message: { ...message, text, edited: { user: 'U1', ts: '1700000009.000100' } },
  previous_message: { ...message, text: before },
});

test('an edit of the text is handed over; unfurls, edits of bots and of our own are not', async () => {
  const { edits, tasks, hear } = createHarness();
  await hear(edited(base.text, base.text));
  const fromBot = edited('<@UBOT> new', 'old');
  await hear({ ...fromBot, message: { ...fromBot.message, bot_id: 'B2' } });
  await hear({ ...fromBot, message: { ...fromBot.message, user: 'UBOT' } });
  await hear(edited('just talk', 'talk'));
  expect(tasks).toEqual([]);
  edits.length = 0;
  await hear(edited('<@UBOT> by region', base.text));
  expect(edits).toMatchObject([{ id, text: 'by region', messageId: base.ts }]);
  // It was no question before: now it is one, as its own app_mention says with the same id.
  await hear({ ...mention, text: '<@UBOT> by region' });
  expect(tasks.map((task) => [task.id, task.text])).toEqual([
    [id, 'by region'],
    [id, 'by region'],
  ]);
});

test('an edit of an answered question offers to answer it anew, to the editor alone', async () => {
  const { tasks, calls, hear } = createHarness({ handlers: { onEdit: async () => 'answered' } });
  await hear(edited('<@UBOT> by region', base.text));
  expect(tasks).toEqual([]);
  expect(calls).toMatchObject([
    { method: 'chat.postEphemeral', acknowledged: true, args: { user: 'U1', channel: 'C1', thread_ts: base.ts } },
  ]);
  expect(JSON.stringify(calls)).toContain(`"action_id":"plotline-rerun","value":"${id}"`);
});

test('a running question takes its edit, and is not handed over twice', async () => {
  const { tasks, hear } = createHarness({ handlers: { onEdit: async () => 'restarted' } });
  await hear(edited('<@UBOT> by region', base.text));
  expect(tasks).toEqual([]);
});

test('deleted messages, and the shells that stay of them, are deletions', async () => {
  const { deleted, hear } = createHarness();
  const gone = { type: 'message', subtype: 'message_deleted', channel: 'C1', ts: '1.2' };
  await hear({ ...gone, deleted_ts: base.ts });
  await hear({ ...gone, previous_message: { ...message } });
  const changed = edited('', base.text);
  await hear({ ...changed, message: { ts: base.ts, subtype: 'tombstone', text: 'This message was deleted.' } });
  const fileGone = { ...upload, text: '', files: [{ id: 'F1', mode: 'tombstone' }] };
  await hear({ ...changed, message: fileGone, previous_message: { ...upload, text: '' } });
  expect(deleted).toEqual([id, id, id, id]);
  await hear({ ...changed, message: { ...fileGone, text: 'x' }, previous_message: { ...upload, text: 'x' } });
  expect(deleted).toHaveLength(4);
});

test('"stop" is one order, whichever events and however often they come', async () => {
  const { tasks, cancels, notices, hear } = createHarness();
  const stop = { ...base, text: '<@UBOT>  STOP. ', thread_ts: '1600000000.000100' };
  await hear({ ...stop, type: 'message', channel_type: 'channel' });
  // The mention of it may have gone to another process.
  expect(cancels).toEqual([]);
  await hear({ ...stop, type: 'app_mention' });
  await hear({ ...stop, type: 'app_mention' });
  expect(cancels).toEqual(['1600000000.000100']);
  expect(notices).toHaveLength(1);
  expect(tasks).toEqual([]);
});

test('an order that fails is refused, and carried out when it comes again', async () => {
  let fails = true;
  const onCancel = async () => {
    if (fails) throw new Error('database is locked');
    return 1;
  };
  const { notices, hear } = createHarness({ handlers: { onCancel } });
  const stop = { ...mention, text: '<@UBOT> stop' };
  await expect(hear(stop)).rejects.toThrow('locked');
  fails = false;
  await hear(stop);
  expect(notices).toEqual(['Stopping.']);
});

test('"forget" and "help" are orders; a sentence with such a word is a question', async () => {
  const { tasks, forgotten, notices, cancels, hear } = createHarness();
  await hear({ ...mention, text: '<@UBOT> forget this thread', thread_ts: '1600000000.000100' });
  expect(forgotten).toMatchObject([{ thread: { threadId: '1600000000.000100' }, begunBy: 'U1' }]);
  await hear({ ...mention, ts: '1.3', text: '<@UBOT> help' });
  expect(notices).toEqual([expect.stringContaining('Forgotten'), 'Ask me.']);
  await hear({ ...mention, text: '<@UBOT> stop at row 10' });
  await hear({ ...mention, ts: '1.4', text: '<@UBOT> forget the last column' });
  expect(tasks).toHaveLength(2);
  expect(cancels).toEqual([]);
});

test('an order that cannot be carried out is answered to who gave it', async () => {
  const onForget = () => Promise.reject(new AppError('platform-failed', 'The disk is full.'));
  const { notices, calls, hear } = createHarness({ handlers: { onForget } });
  await hear({ ...mention, text: '<@UBOT> forget' });
  expect(notices).toEqual([]);
  expect(calls).toMatchObject([
    {
      method: 'chat.postEphemeral',
      args: { user: 'U1', text: expect.stringContaining('The disk is full.') as string },
    },
  ]);
});

test('a thread that another person began is not forgotten for this one, who is told so', async () => {
  const { notices, hear } = createHarness({ handlers: { onForget: async () => 0 } });
  await hear({ ...mention, text: '<@UBOT> forget this thread', thread_ts: '1600000000.000100' });
  expect(notices).toEqual([expect.stringContaining('only for the person who asked first')]);
});

test('who may not ask may stop, and nothing else', async () => {
  const { forgotten, cancels, calls, hear } = createHarness({ refusal: 'Ask Grace.' });
  await hear({ ...mention, text: '<@UBOT> forget' });
  expect(forgotten).toEqual([]);
  expect(calls).toMatchObject([
    { method: 'chat.postEphemeral', acknowledged: true, args: { user: 'U1', text: 'Ask Grace.' } },
  ]);
  // Slack shows nobody what is said in a thread that has no reply yet.
  expect(calls[0]?.args).not.toHaveProperty('thread_ts');
  await hear({ ...mention, ts: '1.4', thread_ts: base.ts, text: '<@UBOT> forget' });
  expect(calls[1]?.args).toMatchObject({ thread_ts: base.ts });
  await hear({ ...mention, ts: '1.3', text: '<@UBOT> stop' });
  expect(cancels).toHaveLength(1);
});

test('an upload of which only the file was announced is found and heard', async () => {
  const shared = { type: 'file_shared', file_id: 'F1', channel_id: 'C1', user_id: 'U1' };
  const answers = {
    'files.info': { file: { ...file, shares: { public: { C1: [{ ts: base.ts }], C2: [{ ts: '1.9' }] } } } },
    'conversations.replies': { messages: [upload] },
  };
  const lost = createHarness({ answers });
  await lost.hear(shared);
  expect(lost.tasks).toMatchObject([{ id, attachments: [{ id: 'F1' }] }]);
  expect(lost.calls.every(({ acknowledged }) => acknowledged)).toBe(true);

  const heard = createHarness({ answers });
  await heard.hear({ ...upload, text: 'not for a bot' });
  await heard.hear(shared);
  expect([heard.tasks, heard.calls]).toEqual([[], []]);

  const task = { ...(lost.tasks[0] as Task) };
  const elsewhere = createHarness({
    answers,
    handlers: { findTask: async () => ({ task, state: 'waiting', attempts: 0, fence: 0 }) },
  });
  await elsewhere.hear(shared);
  expect(elsewhere.tasks).toEqual([]);
});

test("Slack's own Stop button stops the thread; uninstalling and revoked tokens are told", async () => {
  const { cancels, uninstalled, hear } = createHarness();
  await hear({ type: 'agent_session_stopped', channel: 'C1', thread_ts: '1600000000.000100', user: 'U1' });
  await hear({ type: 'app_uninstalled' });
  await hear({ type: 'tokens_revoked', tokens: { bot: ['UBOT'], oauth: ['U5'] } });
  expect(cancels).toEqual(['1600000000.000100']);
  expect(uninstalled).toEqual([
    ['T1', 'all'],
    ['T1', { bot: ['UBOT'], users: ['U5'] }],
  ]);
});

test('an opened conversation gets at most four prompts, after the acknowledgement', async () => {
  const { calls, hear } = createHarness();
  await hear({ type: 'app_home_opened', tab: 'messages', user: 'U1', channel: 'D1' });
  const thread = { user_id: 'U1', channel_id: 'D1', thread_ts: '1.1' };
  await hear({ type: 'assistant_thread_started', assistant_thread: thread });
  expect(calls).toMatchObject([
    { method: 'assistant.threads.setSuggestedPrompts', acknowledged: true, args: { channel_id: 'D1' } },
    { method: 'assistant.threads.setSuggestedPrompts', args: { channel_id: 'D1', thread_ts: '1.1' } },
  ]);
  for (const { args } of calls) expect((args['prompts'] as unknown[]).length).toBeLessThanOrEqual(4);
});

test('the Home tab of somebody who may not use the bot says why, and an empty conversation suggests nothing', async () => {
  const { calls, hear } = createHarness({ refusal: 'Ask <Grace>.' });
  await hear({ type: 'app_home_opened', tab: 'messages', user: 'U1', channel: 'D1' });
  await hear({ type: 'app_home_opened', tab: 'home', user: 'U1', channel: 'D1' });
  expect(calls).toMatchObject([{ method: 'views.publish', args: { user_id: 'U1' } }]);
  const view = JSON.stringify(calls[0]?.args['view']);
  expect(view).toContain('Ask &lt;Grace&gt;.');
  expect(view).not.toContain('plotline-forget');
});
