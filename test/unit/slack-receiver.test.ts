import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createSlackClient } from '../../adapters/slack/client.ts';
import { createSlackGateway } from '../../adapters/slack/gateway.ts';
import { createInstaller } from '../../adapters/slack/installer.ts';
import { createTransport } from '../../adapters/slack/receiver.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import type { SlackWorkspaces } from '../../adapters/slack/workspaces.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformGateway } from '../../src/ports/platforms.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Task } from '../../src/types.ts';
import { freePort } from '../fakes/free-port.ts';
import { createHandlers } from '../fakes/handlers.ts';
import { postSigned } from '../fakes/slack-post.ts';

/** Real Bolt over HTTP, on a port of this machine. */

const log = createLogger('silent');
const secret = 'a signing secret';
const noIds = { workspaces: [], channels: [], groups: [], users: [] };
let gateway: PlatformGateway | null = null;
let port = 0;

afterEach(async () => {
  await gateway?.stop();
  gateway = null;
});

const apiUrl = 'http://127.0.0.1:9/api/';

const workspaces: SlackWorkspaces = {
  open: () => Promise.reject(new Error('Slack was asked before the acknowledgement')),
};

async function start(given: Partial<GatewayHandlers>, tokenChecked: Promise<never> | null = null): Promise<void> {
  port = await freePort();
  gateway = createSlackGateway({
    transport: { kind: 'http', signingSecret: secret, port },
    workspaces: tokenChecked === null ? workspaces : { open: () => tokenChecked },
    client: createSlackClient({ workspaces, apiUrl, log }),
    singleTeam: tokenChecked !== null,
    followUps: 'mention',
    model: 'm',
    apiUrl,
    log,
  });
  await gateway.start(createHandlers(given));
}

function mention(ts: string): string {
  const event = { type: 'app_mention', user: 'U1', channel: 'C1', ts, text: '<@UBOT> totals' };
  const authorizations = [{ team_id: 'T1', user_id: 'UBOT', is_bot: true }];
  return JSON.stringify({ type: 'event_callback', team_id: 'T1', event_id: `Ev${ts}`, authorizations, event });
}

const post = (text: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
  postSigned(`http://127.0.0.1:${port}/slack/events`, text, { secret, headers });

test('an event is acknowledged once the store has it, and never with a wrong signature', async () => {
  const tasks: Task[] = [];
  const onTask = async (task: Task): Promise<void> => {
    await delay(200);
    tasks.push(task);
  };
  await start({ onTask });
  expect(gateway?.isConnected()).toBe(true);
  expect(await post(mention('1.1'))).toBe(200);
  expect(tasks).toHaveLength(1);
  expect(await postSigned(`http://127.0.0.1:${port}/slack/events`, mention('1.2'), { secret: 'another' })).toBe(401);
  expect(tasks).toHaveLength(1);
});

test('a gateway that is stopped while it starts hears nothing afterwards', async () => {
  const checked = Promise.withResolvers<never>();
  const starting = start({}, checked.promise);
  await expect.poll(() => gateway).not.toBeNull();
  await gateway?.stop();
  checked.resolve({} as never);
  await starting;
  expect(gateway?.isConnected()).toBe(false);
  await expect(post(mention('1.1'))).rejects.toThrow('fetch failed');
});

test('a store that fails gives no acknowledgement; what Slack then sends again is taken', async () => {
  const ids: string[] = [];
  let fails = true;
  const onTask = async ({ id }: Task): Promise<void> => {
    if (fails) throw new Error('disk full');
    ids.push(id);
  };
  await start({ onTask });
  expect(await post(mention('1.1'))).toBe(503);
  expect(await post(mention('1.1'), { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_error' })).toBe(503);
  fails = false;
  expect(await post(mention('1.1'), { 'x-slack-retry-num': '2', 'x-slack-retry-reason': 'http_error' })).toBe(200);
  expect(ids).toEqual(['slack-T1-C1-1.1']);
});

test('a store that hangs for ten seconds holds up no acknowledgement, and loses nothing', async () => {
  const ids: string[] = [];
  const onTask = async ({ id }: Task): Promise<void> => {
    await delay(10_000);
    ids.push(id);
  };
  await start({ onTask });
  const posts = ['1.1', '1.2', '1.3'].map(async (ts) => {
    const startedAt = performance.now();
    const status = await post(mention(ts));
    return { status, ms: performance.now() - startedAt };
  });
  for (const { status, ms } of await Promise.all(posts)) {
    expect(status).toBe(200);
    expect(ms).toBeLessThan(3000);
  }
  expect(ids).toEqual([]);
  // Stopping waits for what is under way.
  await gateway?.stop();
  expect(ids.toSorted()).toEqual(['slack-T1-C1-1.1', 'slack-T1-C1-1.2', 'slack-T1-C1-1.3']);
}, 20_000);

test('a port that is taken is named', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const taken = (server.address() as AddressInfo).port;
  const other = createSlackGateway({
    transport: { kind: 'http', signingSecret: secret, port: taken },
    workspaces,
    client: createSlackClient({ workspaces, apiUrl, log }),
    singleTeam: false,
    followUps: 'mention',
    model: 'm',
    apiUrl,
    log,
  });
  await expect(other.start(createHandlers())).rejects.toMatchObject({
    code: 'config',
    userMessage: expect.stringContaining(String(taken)) as string,
  });
  server.close();
});

test('with Socket Mode too: the port of the pages for installing that is taken ends the start in words', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const taken = (server.address() as AddressInfo).port;
  const installer = createInstaller({
    store: {} as Store,
    rules: { allow: noIds, deny: noIds },
    secretsKey: new Uint8Array(32),
    clientId: '1.2',
    clientSecret: 'c',
    publicUrl: `http://127.0.0.1:${taken}`,
    port: taken,
    scopes: ['chat:write'],
    apiUrl,
    log,
  });
  const transport = createTransport({ transport: { kind: 'socket', appToken: 'xapp-1' }, installer, apiUrl, log });
  await expect(transport.start(() => transport.receiver.start())).rejects.toMatchObject({
    code: 'config',
    userMessage: expect.stringMatching(new RegExp(`${taken}.*installing.*SLACK_PORT`)) as string,
  });
  server.close();
});

test('a click that fails, also where Slack does not say who may use the bot, is answered in words', async () => {
  const said: unknown[] = [];
  const web: SlackWeb = {
    call: async (method, args) => {
      said.push([method, args['user'], args['text']]);
      return { ok: true };
    },
  };
  const self = { teamId: 'T1', userId: 'UBOT', botId: 'BBOT' };
  const open: SlackWorkspaces['open'] = async (id) => ({
    id,
    self,
    enterpriseId: null,
    isOrgWide: false,
    web,
    token: 'x',
  });
  port = await freePort();
  gateway = createSlackGateway({
    transport: { kind: 'http', signingSecret: secret, port },
    workspaces: { open },
    client: createSlackClient({ workspaces: { open }, apiUrl, log }),
    singleTeam: false,
    followUps: 'mention',
    model: 'm',
    apiUrl,
    access: () => Promise.reject(new AppError('platform-failed', 'Slack did not answer.', { retryable: true })),
    log,
  });
  await gateway.start(createHandlers());
  const click = {
    type: 'block_actions',
    team: { id: 'T1' },
    user: { id: 'U1' },
    channel: { id: 'C1' },
    message: { ts: '1.3', thread_ts: '1.1' },
    actions: [
      { type: 'button', action_id: 'plotline-stop', block_id: 'b', value: 'slack-T1-C1-1.1', action_ts: '5.5' },
    ],
  };
  const form = new URLSearchParams({ payload: JSON.stringify(click) }).toString();
  expect(await post(form, { 'content-type': 'application/x-www-form-urlencoded' })).toBe(200);
  await expect.poll(() => said).toHaveLength(1);
  expect(said[0]).toEqual(['chat.postEphemeral', 'U1', expect.stringMatching(/did not work.*Slack did not answer/)]);
});
