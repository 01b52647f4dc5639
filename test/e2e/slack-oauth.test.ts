import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SlackAccessRules } from '../../adapters/slack/access.ts';
import { createInstalledWorkspaces } from '../../adapters/slack/installed-workspaces.ts';
import type { InstalledWorkspaces } from '../../adapters/slack/installed-workspaces.ts';
import { createInstaller, installUrlOf } from '../../adapters/slack/installer.ts';
import { botScopes } from '../../adapters/slack/scopes.ts';
import { sdkLogger } from '../../adapters/slack/sdk-log.ts';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSecretBox } from '../../src/store/secret-box.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { exampleTask } from '../fakes/store-examples.ts';
import { freePort } from '../fakes/free-port.ts';
import { createBrowser, startOauthSlack, traces } from '../fakes/oauth-slack.ts';
import type { OauthPlace, OauthSlack } from '../fakes/oauth-slack.ts';

const acme: OauthPlace = { team: { id: 'T1', name: 'Acme <b>& Söhne</b>' }, enterprise: null };
const globex: OauthPlace = { team: { id: 'T2', name: 'Globex' }, enterprise: { id: 'E1', name: 'Grid' } };
const grid: OauthPlace = { team: null, enterprise: { id: 'E1', name: 'Grid' } };
const hour = 3600;

const signal = AbortSignal.timeout(120_000);
const secretsKey = randomBytes(32);
let dir: string;
let lines: string[];
let slack: OauthSlack;
let bot: Bot;

interface Bot {
  readonly store: Store;
  readonly workspaces: InstalledWorkspaces;
  readonly installUrl: string;
  readonly eventsUrl: string;
  readonly mentions: readonly string[];
  close(): Promise<void>;
}

type Rules = Pick<SlackAccessRules, 'allow' | 'deny'>;
const nothing = { workspaces: [], channels: [], groups: [], users: [] };
const rulesOf = (allowed: readonly string[], denied: readonly string[] = []): Rules => ({
  allow: { ...nothing, workspaces: allowed },
  deny: { ...nothing, workspaces: denied },
});

const log = createLogger('debug', (line) => lines.push(line));

const openStore = (key: Uint8Array = secretsKey): Promise<Store> =>
  createSqliteStore({ path: join(dir, 'plotline.sqlite'), box: createSecretBox(key), log });

const workspacesWith = (store: Store): InstalledWorkspaces => {
  const { apiUrl, clientId, clientSecret } = slack;
  return createInstalledWorkspaces({
    store,
    apiUrl,
    clientId,
    clientSecret,
    log,
    installUrl: 'https://bot.example/slack/install',
  });
};

/** Bolt's own receiver with what `createInstaller` gives it, on this machine. */
async function startBot(
  publicUrl: string,
  port: number,
  changed: { readonly clientSecret?: string; readonly rules?: Rules } = {},
): Promise<Bot> {
  const { apiUrl, clientId, clientSecret, signingSecret } = slack;
  const store = await openStore();
  const shared = { store, apiUrl, clientId, clientSecret, log, rules: rulesOf([]), ...changed };
  const installer = createInstaller({ ...shared, secretsKey, publicUrl, port, scopes: botScopes });
  const workspaces = workspacesWith(store);
  const receiver = new HTTPReceiver({ ...installer, signingSecret, logger: sdkLogger(log) });
  const app = new App({ receiver, logger: sdkLogger(log), convoStore: false });
  const removed = async ({
    body,
    event,
  }: {
    readonly body: object;
    readonly event: { readonly type: string; readonly tokens?: { readonly bot?: string[] } };
  }): Promise<void> => {
    const { team_id: team, enterprise_id: enterprise } = body as Readonly<Record<string, string | null>>;
    const isOrgWide = JSON.stringify(body).includes('"is_enterprise_install":true');
    const id = isOrgWide ? `${enterprise}.${team}` : String(team);
    await workspaces.uninstalled(
      id,
      event.type === 'app_uninstalled' ? 'all' : { bot: [], users: [], ...event.tokens },
    );
  };
  const mentions: string[] = [];
  app.event('app_mention', async ({ event: { text } }) => {
    mentions.push(text);
  });
  app.event('app_uninstalled', removed);
  app.event('tokens_revoked', removed);
  await app.start({ port, host: '127.0.0.1' });
  return {
    store,
    workspaces,
    installUrl: installUrlOf(publicUrl),
    eventsUrl: `${publicUrl}/slack/events`,
    mentions,
    close: async () => {
      await app.stop();
      await store[Symbol.asyncDispose]();
    },
  };
}

let port: number;
let publicUrl: string;

beforeEach(async () => {
  lines = [];
  dir = await mkdtemp(join(tmpdir(), 'plotline-oauth-'));
  port = await freePort();
  publicUrl = `http://127.0.0.1:${port}`;
  slack = await startOauthSlack([`${publicUrl}/slack/oauth_redirect`]);
  bot = await startBot(publicUrl, port);
});

afterEach(async () => {
  await bot.close();
  await slack[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

const install = async (place: OauthPlace): Promise<{ readonly status: number; readonly page: string }> => {
  slack.consent({ place });
  return await createBrowser().install(bot.installUrl);
};

/** As Slack sends it: of an organisation's installation the envelope names the workspace, the authorization only the organisation. */
const event = (place: OauthPlace, inner: object): Promise<number> => {
  const isOrgWide = place.team === null;
  const enterprise = place.enterprise?.id ?? null;
  const authorization = { enterprise_id: enterprise, team_id: place.team?.id ?? null, user_id: 'U0BOT', is_bot: true };
  return slack.send(bot.eventsUrl, {
    type: 'event_callback',
    team_id: place.team?.id ?? 'T9',
    enterprise_id: enterprise,
    authorizations: [{ ...authorization, is_enterprise_install: isOrgWide }],
    event_id: 'Ev1',
    event_time: 1,
    event: inner,
  });
};

const tokenOf = async (workspaceId: string, workspaces = bot.workspaces): Promise<string> =>
  (await workspaces.open(workspaceId, signal)).token;

const callsOf = (method: string) => slack.calls.filter((call) => call.method === method);

/** Every byte that the store has on disk. */
const onDisk = async (): Promise<string> => {
  const names = await readdir(dir);
  expect(names).toContain('plotline.sqlite');
  return (await Promise.all(names.map((name) => readFile(join(dir, name), 'latin1')))).join('\n');
};

test('a workspace installs the app with the scopes of the manifest and can be worked in', async () => {
  slack.consent({ place: acme });
  const browser = createBrowser();
  const asked = new URL(await browser.begin(bot.installUrl)).searchParams;
  expect(asked.get('scope')?.split(',')).toEqual(botScopes);
  expect(asked.get('redirect_uri')).toBe(`${publicUrl}/slack/oauth_redirect`);

  const { status, page } = await browser.install(bot.installUrl);
  expect(status).toBe(200);
  expect(page).toContain('Acme &lt;b&gt;&amp; Söhne&lt;/b&gt;');
  expect(page).not.toMatch(/<script|src=|<b>/);

  const workspace = await bot.workspaces.open('T1', signal);
  expect(workspace).toMatchObject({ self: { teamId: 'T1', userId: 'U0BOT', botId: 'B0BOT' }, isOrgWide: false });
  expect(await workspace.web.call('auth.test', {}, signal)).toMatchObject({ team_id: 'T1' });
});

test('each workspace is served by its own token, and an installation anew replaces the old one', async () => {
  await install(acme);
  await install(globex);
  const before = await tokenOf('T1');
  expect(await tokenOf('T2')).not.toBe(before);
  expect((await install(acme)).status).toBe(200);
  expect(await tokenOf('T1')).not.toBe(before);
  const { web } = await bot.workspaces.open('T1', signal);
  expect(await web.call('auth.test', {}, signal)).toMatchObject({ team_id: 'T1' });
});

test('a whole organisation installs it, for all of its workspaces', async () => {
  expect((await install(grid)).page).toContain('An admin of the organisation can now add it to workspaces');
  const workspace = await bot.workspaces.open('E1.T7', signal);
  expect(workspace).toMatchObject({
    id: 'E1.T7',
    self: { teamId: 'T7', userId: 'U0BOT' },
    enterpriseId: 'E1',
    isOrgWide: true,
  });
  await expect(bot.workspaces.open('T7', signal)).rejects.toMatchObject({ code: 'config' });
});

test('events of whoever installed it are heard, and Bolt renews no token on its own', async () => {
  slack.rotate(hour);
  await install(acme);
  await install(grid);
  const mention = { type: 'app_mention', user: 'U1', channel: 'C1', ts: '1.0', event_ts: '1.0' };
  expect(await event(acme, { ...mention, text: 'from a workspace' })).toBe(200);
  expect(await event(grid, { ...mention, text: 'from an organisation' })).toBe(200);
  await expect.poll(() => bot.mentions).toEqual(['from a workspace', 'from an organisation']);
  await event({ team: { id: 'T404', name: 'Nobody' }, enterprise: null }, { ...mention, text: 'from nobody' });
  expect(callsOf('oauth.v2.access').map(({ args }) => args['grant_type'] ?? 'code')).toEqual(['code', 'code']);
  expect(bot.mentions).toHaveLength(2);
});

test.each([
  [rulesOf(['T1']), acme, true],
  [rulesOf(['T1']), globex, false],
  [rulesOf(['E1']), globex, true],
  [rulesOf([], ['E1']), globex, false],
  [rulesOf([], ['E1']), grid, false],
  [rulesOf(['E2']), grid, false],
  // Of which organisation T1 is nobody knows yet.
  [rulesOf(['T1']), grid, true],
])('by the rules %o the workspace %o may install it: %s', async (rules, place, isWelcome) => {
  await bot.close();
  bot = await startBot(publicUrl, port, { rules });
  const { status, page } = await install(place);
  const kept = await bot.store.installation(place.team === null ? 'slack/E1' : `slack/${place.team.id}`);
  expect(status).toBe(isWelcome ? 200 : 403);
  expect(kept === null).toBe(!isWelcome);
  expect(callsOf('auth.revoke')).toHaveLength(isWelcome ? 0 : 1);
  expect(page.includes('SLACK_ALLOW_WORKSPACES')).toBe(!isWelcome);
});

test('the pages are the same beside Socket Mode', async () => {
  const { apiUrl, clientId, clientSecret } = slack;
  await bot.close();
  const store = await openStore();
  const shared = { store, apiUrl, clientId, clientSecret, log, rules: rulesOf([]) };
  const installer = createInstaller({ ...shared, secretsKey, publicUrl, port, scopes: botScopes });
  const receiver = new SocketModeReceiver({ ...installer, appToken: 'xapp-1', logger: sdkLogger(log) });
  // Nobody answers at the other end of the socket; the pages need none.
  const started = receiver.start().catch(() => {});
  slack.consent({ place: acme });
  await expect
    .poll(() =>
      fetch(bot.installUrl).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
  expect(await createBrowser().install(bot.installUrl)).toMatchObject({ status: 200 });
  expect(await store.installation('slack/T1')).not.toBeNull();
  await receiver.stop();
  await started;
  await store[Symbol.asyncDispose]();
  bot = await startBot(publicUrl, port);
});

test('a workspace that installed nothing is told where to do so', async () => {
  await expect(bot.workspaces.open('T404', signal)).rejects.toMatchObject({
    code: 'config',
    retryable: false,
    userMessage: expect.stringMatching(/not installed.*https:\/\/bot\.example\/slack\/install/),
  });
});

test('somebody who does not agree installs nothing, and can begin again', async () => {
  slack.consent('deny');
  const { status, page } = await createBrowser().install(bot.installUrl);
  expect(status).toBe(403);
  expect(page).toContain(bot.installUrl);
  expect(callsOf('oauth.v2.access')).toEqual([]);
});

test.each([
  ['of another browser', async (back: URL) => createBrowser().get(back.href)],
  [
    'that nobody signed',
    async (back: URL, browser: ReturnType<typeof createBrowser>) => {
      back.searchParams.set('state', 'made.up.state');
      return browser.get(back.href);
    },
  ],
  [
    'that is missing',
    async (back: URL, browser: ReturnType<typeof createBrowser>) => {
      back.searchParams.delete('state');
      return browser.get(back.href);
    },
  ],
])('a state %s installs nothing', async (_which, goBack) => {
  slack.consent({ place: acme });
  const browser = createBrowser();
  const back = new URL((await browser.get(await browser.begin(bot.installUrl))).headers.get('location') ?? '');
  const response = await goBack(back, browser);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('Nothing was changed');
  expect(callsOf('oauth.v2.access')).toEqual([]);
  await expect(bot.workspaces.open('T1', signal)).rejects.toMatchObject({ code: 'config' });
});

test('a client secret that Slack does not take is named on the page, and nowhere shown', async () => {
  await bot.close();
  const wrong = 'wrong-secret-0123456789abcdef';
  bot = await startBot(publicUrl, port, { clientSecret: wrong });
  const { status, page } = await install(acme);
  expect(status).toBe(502);
  expect(page).toContain('bad_client_secret');
  expect(traces([wrong], page + lines.join('\n'))).toEqual([]);
});

test.each([
  ['app_uninstalled', { type: 'app_uninstalled' }],
  ['tokens_revoked', { type: 'tokens_revoked', tokens: { bot: ['U0BOT'] } }],
])('%s removes what is kept of the workspace, and of no other', async (_name, inner) => {
  await install(acme);
  await install(globex);
  slack.revoke(acme);
  expect(await event(acme, inner)).toBe(200);
  await expect.poll(() => bot.store.installation('slack/T1')).toBeNull();
  await expect(bot.workspaces.open('T1', signal)).rejects.toMatchObject({ code: 'config' });
  expect(await tokenOf('T2')).toMatch(/^xoxb-/);
});

test('an organisation that uninstalls it is forgotten; an uninstallation that comes after the next installation changes nothing', async () => {
  await install(grid);
  slack.revoke(grid);
  await install(grid);
  expect(await event(grid, { type: 'app_uninstalled' })).toBe(200);
  await expect.poll(() => lines.join('')).toContain('Slack takes the token: it stays');
  expect(await tokenOf('E1.T9')).toMatch(/^xoxb-/);
  slack.revoke(grid);
  await event(grid, { type: 'app_uninstalled' });
  await expect.poll(() => bot.store.installation('slack/E1')).toBeNull();
});

test('two workers at once renew a token once, and both work with the new one', async () => {
  slack.rotate(hour);
  await install(acme);
  slack.rotate(12 * hour);
  await using otherStore = await openStore();
  const other = workspacesWith(otherStore);
  const opened = await Promise.all([
    ...Array.from({ length: 5 }, () => bot.workspaces.open('T1', signal)),
    ...Array.from({ length: 5 }, () => other.open('T1', signal)),
  ]);
  expect(new Set(opened.map(({ token }) => token)).size).toBe(1);
  expect(callsOf('oauth.v2.access').map(({ args }) => args['grant_type'] ?? 'code')).toEqual(['code', 'refresh_token']);
  for (const { web } of opened) expect(await web.call('auth.test', {}, signal)).toMatchObject({ team_id: 'T1' });
  await tokenOf('T1');
  expect(callsOf('oauth.v2.access')).toHaveLength(2);
});

test('a token that cannot be renewed serves until it ends, and the log says why', async () => {
  slack.rotate(hour);
  await install(acme);
  slack.answers.set('oauth.v2.access', () => ({ ok: false, error: 'invalid_refresh_token' }));
  const token = await tokenOf('T1');
  expect(await tokenOf('T1')).toBe(token);
  expect(callsOf('oauth.v2.access')).toHaveLength(2);
  const { web } = await bot.workspaces.open('T1', signal);
  expect(await web.call('auth.test', {}, signal)).toMatchObject({ team_id: 'T1' });
  expect(lines.join('')).toMatch(/could not be renewed/);
  expect(lines.join('')).toMatch(/invalid_refresh_token/);
});

test('an expired token that Slack does not renew says to install the app again; silence of Slack is worth another try', async () => {
  slack.rotate(1);
  await install(acme);
  const { apiUrl, clientId, clientSecret } = slack;
  const later = createInstalledWorkspaces({
    store: bot.store,
    apiUrl,
    clientId,
    clientSecret,
    log,
    installUrl: 'x',
    now: () => Date.now() + 10_000,
  });
  slack.answers.set('oauth.v2.access', () => ({ ok: false, error: 'fatal_error' }));
  await expect(later.open('T1', signal)).rejects.toMatchObject({ retryable: true });
  slack.answers.set('oauth.v2.access', () => ({ ok: false, error: 'invalid_refresh_token' }));
  await expect(later.open('T1', signal)).rejects.toMatchObject({
    code: 'config',
    retryable: false,
    userMessage: expect.stringMatching(/install the app again/),
  });
  slack.answers.clear();
  expect(await tokenOf('T1', later)).toMatch(/^xoxe\.xoxb-/);
});

test('no token and no secret stands in the database, in a log line or in an error', async () => {
  slack.rotate(hour);
  await install(acme);
  await install(grid);
  const { web } = await bot.workspaces.open('T1', signal);
  const failed = await web.call('no.such.method', {}, signal).catch((error: unknown) => error);
  log.error({ error: String(failed), failed }, 'a call failed');
  await bot.store.accept({
    ...exampleTask('t1'),
    thread: { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1' },
  });
  slack.answers.set('oauth.v2.access', () => ({ ok: false, error: 'invalid_refresh_token' }));
  await bot.workspaces.open('E1.T1', signal);

  const disk = await onDisk();
  expect(disk).toContain('slack/T1');
  expect(disk).toContain('t1');
  const secrets = [...slack.secrets, secretsKey.toString('hex'), secretsKey.toString('base64')];
  expect(secrets.filter((secret) => secret.startsWith('xox')).length).toBeGreaterThanOrEqual(5);
  expect(traces(secrets, disk)).toEqual([]);
  expect(lines.length).toBeGreaterThan(5);
  expect(traces(secrets, lines.join('\n'))).toEqual([]);
});

test('another SECRETS_KEY is named in words, at the start and at work', async () => {
  await install(acme);
  await bot.workspaces.checkKey();
  await using otherStore = await openStore(randomBytes(32));
  const other = workspacesWith(otherStore);
  const words = { code: 'config', userMessage: expect.stringMatching(/SECRETS_KEY/) };
  await expect(other.checkKey()).rejects.toMatchObject(words);
  await expect(other.open('T1', signal)).rejects.toMatchObject(words);
  await bot.workspaces.checkKey();
  expect(await tokenOf('T1')).toMatch(/^xoxb-/);
});
