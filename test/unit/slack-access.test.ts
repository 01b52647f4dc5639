import { expect, test } from 'vitest';
import { createAccess } from '../../adapters/slack/access.ts';
import type { SlackAccessRules, SlackAsker } from '../../adapters/slack/access.ts';
import { createAdmission } from '../../adapters/slack/admission.ts';
import { SlackCallError } from '../../adapters/slack/errors.ts';
import type { Json } from '../../adapters/json.ts';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { readFile } from '../../adapters/slack/message.ts';
import { createPeople } from '../../adapters/slack/people.ts';
import type { SlackWorkspace } from '../../adapters/slack/workspaces.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Task } from '../../src/types.ts';

const log = createLogger('silent');
const signal = new AbortController().signal;
const nothing = { workspaces: [], channels: [], groups: [], users: [] };
const everyone: SlackAccessRules = { allow: nothing, deny: nothing, guests: false, connect: false };

/** As Slack describes them to a bot of T1. */
const slackUsers: Readonly<Record<string, Json>> = {
  U1: { team_id: 'T1', profile: { display_name: 'Ada' } },
  U2: { team_id: 'T1', profile: {} },
  UGUEST: { team_id: 'T1', is_restricted: true },
  UONE: { team_id: 'T1', is_restricted: true, is_ultra_restricted: true },
  UGONE: { team_id: 'T1', deleted: true },
  UBOT: { team_id: 'T1', is_bot: true },
  USLACKBOT: { team_id: 'T1' },
  // In a shared channel Slack does not call them strangers.
  UEXT: { team_id: 'T9', is_stranger: false },
  USTRANGE: { team_id: 'T1', is_stranger: true },
  UGRID: { team_id: 'T8', enterprise_user: { enterprise_id: 'E1', teams: ['T8'] } },
  UGRID2: { team_id: 'T7', enterprise_user: { enterprise_id: 'E2', teams: ['T7'] } },
  UORG: { team_id: 'E1' },
  UNOWHERE: {},
};

function slackFailure(code: string): SlackCallError {
  return new SlackCallError(code, { cause: null, detail: code, retryable: false, slackCode: code, ambiguous: false });
}

function createHarness(
  rules: Partial<SlackAccessRules> = {},
  workspace: Partial<SlackWorkspace> = {},
  methods: Readonly<Record<string, (args: Json) => Json | Promise<Json>>> = {},
) {
  const calls: { method: string; args: Json }[] = [];
  let nowMs = 0;
  const usersInfo = (args: Json): Json => {
    const user = slackUsers[String(args['user'])];
    if (user === undefined) throw slackFailure('user_not_found');
    return { user };
  };
  const opened: SlackWorkspace = {
    id: 'T1',
    self: { teamId: 'T1', userId: 'UME', botId: 'BME' },
    enterpriseId: null,
    isOrgWide: false,
    token: 'xoxb-1',
    web: {
      call: async (method, args) => {
        calls.push({ method, args });
        const answer: ((args: Json) => Json | Promise<Json>) | undefined = { 'users.info': usersInfo, ...methods }[
          method
        ];
        if (answer === undefined) throw slackFailure('unknown_method');
        return await answer(args);
      },
    },
    ...workspace,
  };
  const now = (): number => nowMs;
  const people = createPeople({ now });
  const workspaces = { open: async () => opened };
  const access = createAccess({ rules: { ...everyone, ...rules }, workspaces, people, log, now });
  return {
    calls,
    admit: createAdmission({ workspaces, people, access, log }),
    ask: (userId: string, more: Partial<SlackAsker> = {}): Promise<string | null> =>
      access({ workspaceId: opened.id, channelId: 'C1', userId, userTeamId: null, ...more }, signal),
    pass: (ms: number): void => {
      nowMs += ms;
    },
  };
}

/** Who decides it is named in every refusal, and whom to ask. */
const refusal = (setting: string) => expect.stringMatching(new RegExp(`${setting}\\b.*admins of this workspace`));

test('without rules every person of the workspace is welcome', async () => {
  const { ask } = createHarness();
  expect(await ask('U1')).toBeNull();
  expect(await ask('U2', { channelId: null })).toBeNull();
});

test.each([
  ['UGUEST', 'SLACK_GUESTS'],
  ['UONE', 'SLACK_GUESTS'],
  ['UEXT', 'SLACK_CONNECT'],
  ['USTRANGE', 'SLACK_CONNECT'],
  ['UNOWHERE', 'SLACK_CONNECT'],
])('%s is refused by %s until it is on', async (userId, setting) => {
  expect(await createHarness().ask(userId)).toEqual(refusal(setting));
  expect(await createHarness({ guests: true, connect: true }).ask(userId)).toBeNull();
  const onlyOther = setting === 'SLACK_GUESTS' ? { connect: true } : { guests: true };
  expect(await createHarness(onlyOther).ask(userId)).toEqual(refusal(setting));
});

test('bots and deactivated accounts are refused whatever is allowed', async () => {
  const { ask } = createHarness({ guests: true, connect: true, allow: { ...nothing, users: ['UBOT', 'UGONE'] } });
  expect(await ask('UBOT')).toMatch(/not bots/);
  expect(await ask('USLACKBOT')).toMatch(/not bots/);
  expect(await ask('UGONE')).toMatch(/deactivated/);
});

test('the home that the event names counts where Slack does not say one', async () => {
  const { ask } = createHarness();
  expect(await ask('UNOWHERE', { userTeamId: 'T1' })).toBeNull();
  expect(await ask('UNOWHERE', { userTeamId: 'T9' })).toEqual(refusal('SLACK_CONNECT'));
  expect(await ask('UEXT', { userTeamId: 'T1' })).toEqual(refusal('SLACK_CONNECT'));
});

test('people of other workspaces of the same organisation are no strangers', async () => {
  for (const workspace of [{ enterpriseId: 'E1' }, { enterpriseId: 'E1', isOrgWide: true, id: 'E1.T1' }]) {
    const { ask } = createHarness({}, workspace);
    expect(await ask('UGRID')).toBeNull();
    expect(await ask('UORG')).toBeNull();
    expect(await ask('UGRID2')).toEqual(refusal('SLACK_CONNECT'));
    expect(await ask('UEXT')).toEqual(refusal('SLACK_CONNECT'));
  }
  expect(await createHarness().ask('UGRID')).toEqual(refusal('SLACK_CONNECT'));
});

test('lists of workspaces and channels', async () => {
  const allows = (lists: object) => createHarness({ allow: { ...nothing, ...lists } }, { enterpriseId: 'E1' });
  const denies = (lists: object) => createHarness({ deny: { ...nothing, ...lists } }, { enterpriseId: 'E1' });
  expect(await allows({ workspaces: ['T1'] }).ask('U1')).toBeNull();
  expect(await allows({ workspaces: ['E1'] }).ask('U1')).toBeNull();
  expect(await allows({ workspaces: ['T2', 'E2'] }).ask('U1')).toEqual(refusal('SLACK_ALLOW_WORKSPACES'));
  expect(await denies({ workspaces: ['E1'] }).ask('U1')).toEqual(refusal('SLACK_DENY_WORKSPACES'));
  expect(await denies({ workspaces: ['T2'] }).ask('U1')).toBeNull();
  expect(await allows({ channels: ['C1', 'C2'] }).ask('U1')).toBeNull();
  expect(await allows({ channels: ['C2'] }).ask('U1')).toEqual(refusal('SLACK_ALLOW_CHANNELS'));
  expect(await allows({ channels: ['C2'] }).ask('U1', { channelId: 'D1' })).toEqual(refusal('SLACK_ALLOW_CHANNELS'));
  expect(await allows({ channels: ['C2'] }).ask('U1', { channelId: null })).toBeNull();
  expect(await denies({ channels: ['C1'] }).ask('U1')).toEqual(refusal('SLACK_DENY_CHANNELS'));
});

const groupMembers: Readonly<Record<string, readonly string[]>> = { S1: ['U1', 'UGUEST'], S2: ['U2'] };
const withGroups = {
  'usergroups.users.list': ({ usergroup }: Json): Json => {
    const users = groupMembers[String(usergroup)];
    if (users === undefined) throw slackFailure('no_such_subteam');
    return { users };
  },
};

test('people are let in by their id or by a user group, and what is denied beats what is allowed', async () => {
  const by = (allow: object, deny: object = {}) =>
    createHarness({ allow: { ...nothing, ...allow }, deny: { ...nothing, ...deny } }, {}, withGroups);
  const notListed = refusal('SLACK_ALLOW_USERS, SLACK_ALLOW_GROUPS');
  expect(await by({ users: ['U1'] }).ask('U1')).toBeNull();
  expect(await by({ users: ['U1'] }).ask('U2')).toEqual(notListed);
  expect(await by({ groups: ['S1', 'S2'] }).ask('U2')).toBeNull();
  expect(await by({ groups: ['S1'] }).ask('U2')).toEqual(notListed);
  expect(await by({ users: ['U2'], groups: ['S1'] }).ask('U2')).toBeNull();
  expect(await by({ groups: ['S9'] }).ask('U1')).toEqual(notListed);
  expect(await by({ groups: ['S1'] }).ask('UGUEST')).toEqual(refusal('SLACK_GUESTS'));
  expect(await by({ users: ['U1'] }, { users: ['U1'] }).ask('U1')).toEqual(refusal('SLACK_DENY_USERS'));
  expect(await by({ users: ['U1'] }, { groups: ['S1'] }).ask('U1')).toEqual(refusal('SLACK_DENY_GROUPS'));
  expect(await by({}, { groups: ['S1'] }).ask('U2')).toBeNull();
});

test('for an organisation Slack is told which workspace the group is of', async () => {
  const rules = { allow: { ...nothing, groups: ['S1'] } };
  const grid = createHarness(rules, { isOrgWide: true, enterpriseId: 'E1', id: 'E1.T1' }, withGroups);
  const single = createHarness(rules, {}, withGroups);
  await Promise.all([grid.ask('U1'), single.ask('U1')]);
  expect(grid.calls.at(-1)?.args).toEqual({ usergroup: 'S1', team_id: 'T1' });
  expect(single.calls.at(-1)?.args).toEqual({ usergroup: 'S1' });
});

test('a missing scope is named; whoever cannot be looked at is not let in', async () => {
  const missing = (): never => {
    throw slackFailure('missing_scope');
  };
  expect(await createHarness({}, {}, { 'users.info': missing }).ask('U1')).toMatch(/users:read.*install the app again/);
  const groups = { 'usergroups.users.list': missing };
  for (const lists of [{ allow: { ...nothing, groups: ['S1'] } }, { deny: { ...nothing, groups: ['S1'] } }]) {
    expect(await createHarness(lists, {}, groups).ask('U1')).toMatch(/usergroups:read.*install the app again/);
  }
  expect(await createHarness().ask('UNKNOWN')).toMatch(/does not show me who you are/);
});

test('where Slack cannot be asked the question waits, and the next one asks anew', async () => {
  let isDown = true;
  const down = new AppError('platform-failed', 'Slack did not answer.', { retryable: true });
  const { ask, admit } = createHarness(
    {},
    {},
    {
      'users.info': () => {
        if (isDown) throw down;
        return { user: slackUsers['U1'] };
      },
    },
  );
  await expect(ask('U1')).rejects.toBe(down);
  await expect(admit(taskOf('U1'), signal)).rejects.toMatchObject({ retryable: true });
  isDown = false;
  expect(await ask('U1')).toBeNull();
});

test('what Slack says is believed for ten minutes of people and five of groups, and no longer', async () => {
  const { ask, calls, pass } = createHarness({ allow: { ...nothing, groups: ['S1'] } }, {}, withGroups);
  const counts = (): readonly number[] =>
    ['users.info', 'usergroups.users.list'].map((name) => calls.filter(({ method }) => method === name).length);
  await Promise.all([ask('U1'), ask('U1')]);
  await ask('U1');
  expect(counts()).toEqual([1, 1]);
  pass(5 * 60_000);
  await ask('U1');
  expect(counts()).toEqual([1, 2]);
  pass(5 * 60_000);
  await ask('U1');
  expect(counts()).toEqual([2, 3]);
});

test('what one workspace says of a person is not believed of another', async () => {
  const people = createPeople();
  const workspace = (id: string, user: Json) =>
    ({ id, web: { call: async () => ({ user }) } }) as unknown as SlackWorkspace;
  expect(await people.look(workspace('T1', { team_id: 'T1' }), 'U1', signal)).toMatchObject({ isStranger: false });
  expect(await people.look(workspace('T2', { is_stranger: true }), 'U1', signal)).toMatchObject({ isStranger: true });
});

test('somebody who gives up waiting does not take the answer from others', async () => {
  const answer = Promise.withResolvers<Json>();
  const { ask, calls } = createHarness({}, {}, { 'users.info': () => answer.promise });
  const people = createPeople();
  const workspace = { id: 'T1', web: { call: () => answer.promise } } as unknown as SlackWorkspace;
  const stop = new AbortController();
  const impatient = people.look(workspace, 'U1', stop.signal);
  const patient = people.look(workspace, 'U1', signal);
  const asked = ask('U1');
  stop.abort();
  await expect(impatient).rejects.toMatchObject({ code: 'cancelled' });
  answer.resolve({ user: slackUsers['U1'] });
  expect(await patient).toMatchObject({ displayName: 'Ada' });
  expect(await asked).toBeNull();
  expect(calls).toHaveLength(1);
});

const taskOf = (personId: string): Task => ({
  id: 't1',
  thread: { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1.0' },
  messageId: '1.0',
  person: { id: personId, displayName: personId },
  text: 'how many?',
  attachments: [],
  receivedAtMs: 0,
});

test('a task of a welcome person is admitted with their name, from the same look-up; another one is refused in words', async () => {
  const { admit, calls } = createHarness();
  expect(await admit(taskOf('U1'), signal)).toMatchObject({
    kind: 'admitted',
    task: { id: 't1', person: { id: 'U1', displayName: 'Ada' } },
  });
  expect(calls.map(({ method }) => method)).toEqual(['users.info']);
  expect(await admit(taskOf('UGUEST'), signal)).toEqual({ kind: 'refused', text: refusal('SLACK_GUESTS') });
});

test('a file that the text merely names is fetched where the person can see it: theirs, public, or shared in the channel', async () => {
  const url = 'https://files.slack.com/files-pri/T1-F9/a.csv';
  const attachment = readFile({ id: 'F9', isNamed: true }, 'T1');
  if (attachment === null) throw new Error('it has an id');
  const sourceOf = async (file: Json): Promise<unknown> => {
    const info = (): Json => ({ file: { id: 'F9', name: 'a.csv', url_private: url, user: 'U2', ...file } });
    const { admit } = createHarness({}, {}, { 'files.info': info });
    const admission = await admit({ ...taskOf('U1'), attachments: [attachment] }, signal);
    return admission.kind === 'admitted' ? admission.task.attachments[0]?.source : null;
  };
  for (const file of [
    { user: 'U1' },
    { is_public: true },
    { shares: { private: { C1: [{ ts: '1.0' }] } } },
    { groups: ['C1'] },
  ]) {
    expect(await sourceOf(file)).toMatchObject({ kind: 'hosted', url });
  }
  // It is of a private channel of others, where the bot happens to be.
  expect(await sourceOf({ shares: { private: { C9: [{ ts: '1.0' }] } }, groups: ['C9'] })).toMatchObject({
    kind: 'named',
  });
});

test('files of earlier messages that came as an id alone have their names; what Slack does not tell stays an id', async () => {
  const call = async (method: string, args: Json): Promise<Json> => {
    if (method === 'conversations.replies') {
      const files = ['F1', 'F2'].map((id) => ({ id, file_access: 'check_file_info' }));
      return { messages: [{ ts: '1.0', user: 'U2', text: 'look', files }] };
    }
    if (args['file'] === 'F2') throw slackFailure('file_not_found');
    return { file: { id: 'F1', name: 'may.xlsx', url_private: 'https://files.slack.com/files-pri/T1-F1/may.xlsx' } };
  };
  const self = { teamId: 'T1', userId: 'UME', botId: 'BME' };
  const opened: SlackWorkspace = { id: 'T1', self, enterpriseId: null, isOrgWide: false, token: 'x', web: { call } };
  const client = createSlackClient({ workspaces: { open: async () => opened }, apiUrl: 'https://slack.com/api/', log });
  const messages = await client.history(taskOf('U1').thread, { limit: 10, signal });
  expect(messages[0]?.attachments.map(({ name }) => name)).toEqual(['may.xlsx', 'F2']);
});
