import { createHandlers } from '../fakes/handlers.ts';
import { expect, test } from 'vitest';
import { createCommands } from '../../adapters/slack/commands.ts';
import { createIntake } from '../../adapters/slack/intake.ts';
import { createPeople } from '../../adapters/slack/people.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import { createLogger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformClient } from '../../src/ports.ts';
import type { Task } from '../../src/types.ts';

const log = createLogger('silent');
const self = { teamId: 'T1', userId: 'UBOT', botId: 'BBOT' };
const file = {
  id: 'F1',
  name: 'a.csv',
  mimetype: 'text/csv',
  size: 9,
  url_private_download: 'https://files.slack.com/a',
};

function createHarness(
  answers: Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => object | Promise<object>>>,
) {
  const tasks: Task[] = [];
  const calls: string[] = [];
  const cancels: string[] = [];
  const notices: string[] = [];
  const web: SlackWeb = {
    call: async (method, args) => {
      calls.push(method);
      const answer = answers[method];
      if (answer === undefined) throw new Error(`unexpected ${method}`);
      return { ok: true, ...(await answer(args)) };
    },
  };
  const handlers = createHandlers({
    onTask: async (task) => {
      tasks.push(task);
    },
    onCancel: async (thread) => {
      cancels.push(thread.threadId);
      return 1;
    },
    onShowCode: async () => [],
    onShowDetails: async () => [],
  });
  const client = {
    post: async (_thread: unknown, message: { kind: string; text?: string }) => {
      notices.push(message.text ?? '');
      return { parts: [], notPosted: [] };
    },
  } as unknown as PlatformClient;
  const commands = createCommands({ client, handlers, log });
  const intake = createIntake({ self, handlers, commands });
  const hear = (event: object): Promise<void> =>
    intake.hear({ team_id: 'TFOREIGN', authorizations: [{ team_id: 'T1' }], event });
  return { tasks, calls, cancels, notices, hear };
}

const ada = { 'users.info': () => ({ user: { name: 'ada', profile: { display_name: 'Ada' } } }) };
const base = { user: 'U1', channel: 'C1', ts: '1700000000.000100', text: '<@UBOT> totals by month' };
const mention = { ...base, type: 'app_mention' };
const upload = { ...base, type: 'message', subtype: 'file_share', channel_type: 'channel', files: [file] };

test('either event alone, and both in either order, give tasks of one id with the file', async () => {
  for (const order of [[mention], [upload], [mention, upload], [upload, mention]]) {
    const { tasks, hear } = createHarness({ ...ada, 'conversations.replies': () => ({ messages: [upload] }) });
    for (const event of order) await hear(event);
    expect(new Set(tasks.map(({ id }) => id))).toEqual(new Set(['slack-T1-C1-1700000000.000100']));
    for (const task of tasks) {
      expect(task.attachments.map(({ name }) => name)).toEqual(['a.csv']);
      expect(task).toMatchObject({ text: 'totals by month', person: { displayName: 'Ada' } });
    }
  }
});

test('a mention is handed over without files when reading it again fails', async () => {
  const { tasks, hear } = createHarness(ada);
  await hear(mention);
  expect(tasks).toMatchObject([{ attachments: [] }]);
});

test('a name that takes too long does not hold up the task', async () => {
  const { tasks, hear } = createHarness({ 'users.info': () => new Promise<object>(() => {}) });
  const startedAt = Date.now();
  await hear(upload);
  expect(tasks).toMatchObject([{ person: { id: 'U1', displayName: 'U1' } }]);
  expect(Date.now() - startedAt).toBeLessThan(5000);
});

test('stubs of shared channels are completed; files without bytes keep what they are', async () => {
  const { tasks, hear } = createHarness({ ...ada, 'files.info': () => ({ file }) });
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
    { id: 'F1', name: 'a.csv', source: { kind: 'hosted', url: 'https://files.slack.com/a' } },
    { id: 'F2', source: { kind: 'external', service: 'gdrive' } },
    { id: 'F3', source: { kind: 'deleted' } },
    { id: 'F4', source: { kind: 'hidden' } },
    { id: 'F5', source: { kind: 'page' } },
  ]);
});

test('a forwarded message brings its files', async () => {
  const { tasks, hear } = createHarness(ada);
  await hear({ ...base, type: 'message', channel_type: 'channel', attachments: [{ is_share: true, files: [file] }] });
  expect(tasks[0]?.attachments).toHaveLength(1);
});

test('bots, edits, deletions, joins and talk among people are not for us', async () => {
  const { tasks, calls, hear } = createHarness(ada);
  await hear({ ...mention, bot_id: 'B2' });
  await hear({ ...mention, user: 'UBOT' });
  await hear({ ...upload, subtype: 'message_changed' });
  await hear({ ...upload, subtype: 'channel_join' });
  await hear({ type: 'message', subtype: 'message_deleted', channel: 'C1', ts: '1.2', deleted_ts: '1.1' });
  await hear({ ...upload, text: 'no mention' });
  await hear({ ...upload, text: '<@UBOTTLE> other' });
  await hear({ ...mention, channel: 'D1' });
  await hear({});
  expect(tasks).toEqual([]);
  expect(calls).toEqual([]);
});

test('a reply keeps its thread; a direct message needs no mention', async () => {
  const { tasks, hear } = createHarness(ada);
  await hear({ ...upload, subtype: 'thread_broadcast', thread_ts: '1600000000.000100' });
  await hear({ ...upload, channel: 'D1', channel_type: 'im', ts: '1700000001.000100', text: 'totals' });
  expect(tasks.map(({ thread }) => thread)).toEqual([
    { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1600000000.000100' },
    { platform: 'slack', workspaceId: 'T1', channelId: 'D1', threadId: '1700000001.000100' },
  ]);
});

test('"stop" is one order, whichever events and however often they come', async () => {
  const { tasks, cancels, notices, hear } = createHarness(ada);
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

test('a sentence with the word stop is a question', async () => {
  const { tasks, cancels, hear } = createHarness(ada);
  await hear({ ...upload, text: '<@UBOT> stop at row 10' });
  expect(tasks).toHaveLength(1);
  expect(cancels).toEqual([]);
});
