import { expect, test } from 'vitest';
import { createActions } from '../../adapters/slack/actions.ts';
import { workspaceIdOfPayload } from '../../adapters/slack/envelope.ts';
import { SlackCallError } from '../../adapters/slack/errors.ts';
import { createHome } from '../../adapters/slack/home.ts';
import { createShortcut, placed } from '../../adapters/slack/shortcut.ts';
import { createSlash } from '../../adapters/slack/slash.ts';
import { createDesk, readVisit } from '../../adapters/slack/visit.ts';
import type { Visit } from '../../adapters/slack/visit.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import type { SlackWorkspaces } from '../../adapters/slack/workspaces.ts';
import { createLogger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformClient } from '../../src/ports/platforms.ts';
import type { Task } from '../../src/types.ts';
import { createHandlers } from '../fakes/handlers.ts';

const log = createLogger('silent');
const thread = { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1.1' };
const task: Task = {
  id: 'slack-T1-C1-1.2',
  thread,
  messageId: '1.2',
  person: { id: 'U1', displayName: 'Ada' },
  text: 'as it was',
  attachments: [],
  receivedAtMs: 0,
};

type Answer = object | string;

/** A string as an answer is Slack's error. */
function createHarness(answers: Readonly<Record<string, Answer>>, given: Partial<GatewayHandlers> = {}) {
  const calls: { method: string; args: Readonly<Record<string, unknown>> }[] = [];
  const uploads: string[] = [];
  const web: SlackWeb = {
    call: async (method, args) => {
      calls.push({ method, args });
      const answer = answers[method] ?? {};
      if (typeof answer !== 'string') return { ok: true, ...answer };
      const what = { cause: null, detail: answer, retryable: false, slackCode: answer, ambiguous: false };
      throw new SlackCallError(answer, what);
    },
  };
  const workspaces: SlackWorkspaces = {
    open: async (id) => ({
      id,
      enterpriseId: null,
      isOrgWide: false,
      self: { teamId: 'T1', userId: 'UBOT', botId: 'BBOT' },
      web,
      token: 'x',
    }),
  };
  const handlers = createHandlers({
    findTask: async (id) => ({ task: { ...task, id }, state: 'done', attempts: 1, fence: 1 }),
    ...given,
  });
  const client = {
    upload: async (_thread: unknown, files: readonly { open(): AsyncIterable<Uint8Array> }[]) => {
      for (const { open } of files) for await (const bytes of open()) uploads.push(Buffer.from(bytes).toString());
    },
  } as unknown as PlatformClient;
  const desk = createDesk(workspaces);
  const home = createHome({ workspaces, handlers, followUps: 'mention', model: 'm', access: async () => null, log });
  const act = createActions({ handlers, client, desk, home });
  return { calls, uploads, act, shortcut: createShortcut({ handlers, desk }), slash: createSlash({ handlers, home }) };
}

function visit(payload: object): Visit {
  const read = readVisit({ team: { id: 'T1' }, user: { id: 'U1', team_id: 'T1' }, trigger_id: 't', ...payload });
  if (read === null) throw new Error('no visit');
  return read;
}

const click = (actionId: string, value: string = task.id): Visit =>
  visit({
    channel: { id: 'C1' },
    message: { ts: '1.3', thread_ts: '1.1', bot_id: 'BBOT', team: 'T1' },
    actions: [{ action_id: actionId, value, action_ts: '5.5' }],
  });

test('a re-run asks what the message says now; where it cannot be read, what it said', async () => {
  const reruns: unknown[] = [];
  const onRerun: GatewayHandlers['onRerun'] = async (taskId, { id, text }) => {
    reruns.push([taskId, id, text]);
    return true;
  };
  const messages = [{ ts: '1.2', user: 'U1', text: '<@UBOT> as it is' }];
  await createHarness({ 'conversations.replies': { messages } }, { onRerun }).act(click('plotline-rerun'));
  await createHarness({ 'conversations.replies': 'not_in_channel' }, { onRerun }).act(click('plotline-rerun'));
  // The words of a question that was asked about somebody's message are not in that message.
  const asked = click('plotline-rerun', `${task.id}-shortcut-V1`);
  await createHarness({ 'conversations.replies': { messages } }, { onRerun }).act(asked);
  const id = 'slack-T1-C1-1.2-rerun-5.5';
  expect(reruns).toEqual([
    [task.id, id, 'as it is'],
    [task.id, id, null],
    [`${task.id}-shortcut-V1`, id, null],
  ]);
});

test('a button under a message of another channel knows nothing', async () => {
  const stopped: unknown[] = [];
  const other = { ...task, thread: { ...thread, channelId: 'C2' } };
  const harness = createHarness(
    {},
    {
      findTask: async () => ({ task: other, state: 'running', attempts: 1, fence: 1 }),
      onCancel: async (where) => stopped.push(where),
    },
  );
  await harness.act(click('plotline-stop'));
  expect(stopped).toEqual([]);
  expect(harness.calls.map(({ method }) => method)).toEqual(['chat.postEphemeral']);
});

test('a task id of another workspace, in whatever button, reaches nothing; the person’s own does', async () => {
  const reached: unknown[] = [];
  const other = { ...task, thread: { ...thread, workspaceId: 'T2' }, person: { id: 'U2', displayName: 'Bob' } };
  const handlers: Partial<GatewayHandlers> = {
    findTask: async () => ({ task: other, state: 'done', attempts: 1, fence: 1 }),
    onShowCode: async () => {
      reached.push('code');
      return [];
    },
    onTask: async () => void reached.push('notebook'),
    onRerun: async () => reached.push('rerun') > 0,
    onCancel: async () => reached.push('stop'),
    onFeedback: async (...feedback) => void reached.push(feedback),
  };
  const harness = createHarness({}, handlers);
  const buttons = ['show-code', 'notebook', 'rerun', 'stop'].map((name) => click(`plotline-${name}`));
  for (const pressed of [...buttons, click('plotline-feedback', `good ${task.id}`)]) {
    await harness.act(pressed);
    // Nor in the Home tab or a modal, where no message says what it is about.
    await harness.act({ ...pressed, channelId: null });
  }
  expect(reached).toEqual([]);

  // An offer that only the asker saw may name the workspace they are from, in a channel shared with it.
  await harness.act({ ...click('plotline-rerun'), userId: 'U2' });
  // One workspace of a Grid organisation is the same, however it is named.
  const inGrid = createHarness(
    {},
    {
      ...handlers,
      findTask: async () => ({
        task: { ...task, thread: { ...thread, workspaceId: 'E1.T1' } },
        state: 'done',
        attempts: 1,
        fence: 1,
      }),
    },
  );
  await inGrid.act(click('plotline-feedback', `bad ${task.id}`));
  expect(reached).toEqual(['rerun', [task.id, 'U1', 'bad']]);
});

test('code that no modal holds is posted as a file, whole', async () => {
  const source = 'x = 1\n'.repeat(4000);
  const execution = { status: 'ok', stdout: '', error: null, durationMs: 1 };
  const onShowCode = (async () => [{ index: 0, title: 'Long', source, execution }]) as never;
  const { act, calls, uploads } = createHarness({}, { onShowCode });
  await act(click('plotline-show-code'));
  expect(uploads).toHaveLength(1);
  expect(uploads[0]).toContain(source.trimEnd());
  expect(calls.map(({ method }) => method)).not.toContain('views.open');
});

test('where the bot is no member, what it has to say comes as a direct message', async () => {
  const { calls, shortcut } = createHarness({
    'conversations.replies': 'not_in_channel',
    'chat.postEphemeral': 'not_in_channel',
  });
  const files = [{ id: 'F1', name: 'a.csv', url_private: 'https://files.slack.com/a' }];
  await shortcut.asked(visit({ channel: { id: 'C9' }, message: { ts: '1.2', user: 'U2', files } }));
  expect(calls.at(-1)).toMatchObject({
    method: 'chat.postMessage',
    args: { channel: 'U1', text: expect.stringContaining('/invite') as string },
  });
  expect(calls.map(({ method }) => method)).not.toContain('views.open');
});

test('what is said about a message without a thread is said in its channel, where it can be seen', async () => {
  const { calls, shortcut } = createHarness({});
  await shortcut.asked(visit({ channel: { id: 'C1' }, message: { ts: '1.2', user: 'U2' } }));
  await shortcut.asked(visit({ channel: { id: 'C1' }, message: { ts: '1.3', thread_ts: '1.2', user: 'U2' } }));
  const root = JSON.stringify({ channelId: 'C7', ts: '1.2', threadTs: '1.2' });
  await shortcut.submitted(placed(visit({ view: { id: 'V1', private_metadata: root } })));
  const said = calls.filter(({ method }) => method === 'chat.postEphemeral').map(({ args }) => args['thread_ts']);
  expect(said).toEqual([undefined, '1.2', undefined]);
});

test('a submitted question is of the channel that its view names; one that cannot be read asks nothing', async () => {
  const tasks: Task[] = [];
  const onTask = async (asked: Task): Promise<void> => void tasks.push(asked);
  const harness = createHarness({}, { onTask });
  const target = JSON.stringify({ channelId: 'C7', ts: '1.2', threadTs: '1.1' });
  expect(placed(visit({ view: { private_metadata: target } }))).toMatchObject({ channelId: 'C7', threadTs: '1.1' });
  await harness.shortcut.submitted(placed(visit({ view: { id: 'V1', private_metadata: '{' } })));
  await harness.shortcut.submitted(placed(visit({ view: { id: 'V1', private_metadata: target } })));
  expect(tasks).toEqual([]);
  // The message is gone, which is said where it was.
  expect(harness.calls.at(-1)).toMatchObject({ method: 'chat.postEphemeral', args: { channel: 'C7' } });
});

test('forgetting: all from the Home tab, which is shown anew; one channel from the command', async () => {
  const forgotten: unknown[] = [];
  const onForget: GatewayHandlers['onForget'] = async (what) => {
    forgotten.push(what);
    return 2;
  };
  const harness = createHarness({}, { onForget });
  await harness.act(visit({ actions: [{ action_id: 'plotline-forget' }], container: { type: 'view' } }));
  expect(harness.calls.map(({ method }) => method)).toEqual(['views.publish']);
  await harness.act(click('plotline-forget-channel', 'C1'));
  const person = { platform: 'slack', workspaceId: 'T1', personId: 'U1' };
  expect(forgotten).toEqual([
    { person, channelId: null },
    { person, channelId: 'C1' },
  ]);
});

test('"/plotline stop" stops what this person runs in this channel, and nothing else', async () => {
  const stopped: string[] = [];
  const entry = (channelId: string, threadId: string, state: 'running' | 'waiting' | 'done') => ({
    thread: { ...thread, channelId, threadId },
    question: 'q',
    messageId: threadId,
    askedAtMs: 0,
    state,
  });
  const { slash } = createHarness(
    {},
    {
      onOverview: async () => ({
        threads: [
          entry('C1', '1', 'running'),
          entry('C1', '2', 'waiting'),
          entry('C1', '3', 'done'),
          entry('C2', '4', 'running'),
        ],
        usage: {
          questions: 0,
          inputTokens: 0,
          cachedInputTokens: 0,
          outputTokens: 0,
          sandboxMs: 0,
          sinceMs: 0,
          money: [],
        },
        limits: [],
        everyone: { running: 0, waiting: 0 },
      }),
      onCancel: async ({ threadId }) => {
        stopped.push(threadId);
        return 1;
      },
    },
  );
  const command = { team_id: 'T1', team: undefined, user: undefined, user_id: 'U1', channel_id: 'C1', command: '/p' };
  expect(await slash(visit({ ...command, text: ' Stop ' }))).toMatchObject({ text: 'Stopping 2 questions.' });
  expect(stopped).toEqual(['1', '2']);
});

test('a click belongs to the workspace whose bot posted the message, in Grid together with the organisation', () => {
  const payload = { team: { id: 'TSTRANGER' }, user: { id: 'U1' } };
  expect(workspaceIdOfPayload({ ...payload, message: { bot_id: 'B1', team: 'T1' } })).toBe('T1');
  expect(workspaceIdOfPayload({ ...payload, view: { app_installed_team_id: 'T2' } })).toBe('T2');
  expect(workspaceIdOfPayload(payload)).toBe('TSTRANGER');
  const command = { team_id: 'T3', enterprise_id: 'E1', is_enterprise_install: 'true' };
  expect(workspaceIdOfPayload(command)).toBe('E1.T3');
  expect(workspaceIdOfPayload({ ...command, is_enterprise_install: 'false' })).toBe('T3');
});
