import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createInstaller } from '../../adapters/slack/installer.ts';
import { createInstalledWorkspaces } from '../../adapters/slack/installed-workspaces.ts';
import { botScopes } from '../../adapters/slack/scopes.ts';
import { createSlackPlatform } from '../../adapters/slack/slack-platform.ts';
import { createSingleWorkspace } from '../../adapters/slack/workspaces.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSecretBox } from '../../src/store/secret-box.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { JsonValue } from '../../src/types.ts';

const log = createLogger('silent');
const signal = new AbortController().signal;

const openStore = () => createSqliteStore({ path: ':memory:', log, box: createSecretBox(new Uint8Array(32)) });

const installation = (token: string, more: Readonly<Record<string, JsonValue>> = {}): JsonValue => ({
  team: { id: 'T1' },
  bot: { token, id: 'B1', userId: 'U1' },
  ...more,
});

/** A Slack that answers every call with `answer`, and counts. */
function createSlack(answer: (url: string, body: string) => object | Promise<object>) {
  const requests: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const body = init?.body;
    requests.push(url);
    return Response.json(await answer(url, typeof body === 'string' ? body : ''));
  };
  return { fetch, requests };
}

const none = { workspaces: [], channels: [], groups: [], users: [] };
const settings = { clientId: '1.2', clientSecret: 's', apiUrl: 'https://slack.test/api/', installUrl: 'x', log };

const installerWith = (store: Store, secretsKey: Uint8Array = new Uint8Array(32)) =>
  createInstaller({
    ...settings,
    store,
    secretsKey,
    rules: { allow: none, deny: none },
    publicUrl: 'https://bot.test',
    port: 3000,
    scopes: [],
  });

test('the scopes asked for at installing are those of the manifest', () => {
  const manifest = readFileSync('adapters/slack/manifest.yaml', 'utf8');
  const list = /\n {4}bot:\n((?: {6}- .+\n)+)/.exec(manifest)?.[1] ?? '';
  const listed = [...list.matchAll(/- (\S+)/g)].map(([, scope]) => scope);
  expect(listed.length).toBeGreaterThan(5);
  expect(new Set(listed)).toEqual(new Set(botScopes));
});

test('the bot of the settings is asked once who it is; a failure is not kept', async () => {
  let isDown = true;
  const slack = createSlack(() =>
    isDown
      ? { ok: false, error: 'fatal_error' }
      : { ok: true, team_id: 'T1', user_id: 'U1', bot_id: 'B1', enterprise_id: 'E1' },
  );
  const { open } = createSingleWorkspace({ botToken: 'xoxb-1', apiUrl: settings.apiUrl, log, fetch: slack.fetch });
  await expect(open('T1', signal)).rejects.toMatchObject({ retryable: true });
  isDown = false;
  const [one, two] = await Promise.all([open('T1', signal), open('T1', signal)]);
  expect(one).toMatchObject({
    self: { teamId: 'T1', userId: 'U1', botId: 'B1' },
    enterpriseId: 'E1',
    isOrgWide: false,
  });
  expect(two).toBe(one);
  expect(slack.requests).toHaveLength(2);
});

test('one piece of work that is stopped does not take the bot of the settings from the next', async () => {
  const answer = Promise.withResolvers<object>();
  const slack = createSlack(() => answer.promise);
  const { open } = createSingleWorkspace({ botToken: 'xoxb-1', apiUrl: settings.apiUrl, log, fetch: slack.fetch });
  const stop = new AbortController();
  const [stopped, next] = [open('T1', stop.signal), open('T1', signal)];
  stop.abort();
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  answer.resolve({ ok: true, team_id: 'T1' });
  expect((await next).self.teamId).toBe('T1');
});

test('an organisation serves its workspaces before an older installation of one of them; clients go by token', async () => {
  await using store = await openStore();
  const workspaces = createInstalledWorkspaces({ ...settings, store });
  await store.putInstallation('slack/T1', installation('xoxb-team'));
  expect(await workspaces.open('E1.T1', signal)).toMatchObject({
    token: 'xoxb-team',
    enterpriseId: 'E1',
    isOrgWide: false,
  });
  const org = installation('xoxb-org', { team: null, enterprise: { id: 'E1' }, isEnterpriseInstall: true });
  await store.putInstallation('slack/E1', org);
  const one = await workspaces.open('E1.T1', signal);
  const other = await workspaces.open('E1.T2', signal);
  expect(one).toMatchObject({ token: 'xoxb-org', isOrgWide: true, self: { teamId: 'T1' } });
  expect(other).toMatchObject({ token: 'xoxb-org', isOrgWide: true, self: { teamId: 'T2' } });
  expect(other.web).toBe(one.web);
  expect((await workspaces.open('T1', signal)).token).toBe('xoxb-team');
});

test('somebody who stops waiting does not stop the renewal: the new refresh token is kept', async () => {
  await using store = await openStore();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<object>();
  const slack = createSlack(() => {
    asked.resolve();
    return answer.promise;
  });
  const workspaces = createInstalledWorkspaces({ ...settings, store, fetch: slack.fetch });
  const expiresAt = Math.floor(Date.now() / 1000) + 60;
  await store.putInstallation('slack/T1', {
    team: { id: 'T1' },
    bot: { token: 'xoxe.xoxb-old', refreshToken: 'xoxe-1-old', expiresAt },
  });
  const stop = new AbortController();
  const stopped = workspaces.open('T1', stop.signal);
  await asked.promise;
  stop.abort();
  answer.resolve({ ok: true, access_token: 'xoxe.xoxb-new', refresh_token: 'xoxe-1-new', expires_in: 43_200 });
  await stopped.catch(() => {});
  expect(await store.installation('slack/T1')).toMatchObject({
    bot: { token: 'xoxe.xoxb-new', refreshToken: 'xoxe-1-new' },
  });
});

test('an installation or uninstallation in the middle of a renewal wins', async () => {
  await using store = await openStore();
  const workspaces = createInstalledWorkspaces({
    ...settings,
    store,
    fetch: createSlack((url) => (url.endsWith('auth.test') ? { ok: false, error: 'account_inactive' } : renewed()))
      .fetch,
  });
  let asked = Promise.withResolvers<void>();
  let answer = Promise.withResolvers<object>();
  const renewed = (): Promise<object> => {
    asked.resolve();
    return answer.promise;
  };
  const { installationStore } = installerWith(store);
  const expiring = {
    team: { id: 'T1' },
    enterprise: undefined,
    user: { token: undefined, scopes: undefined, id: 'U1' },
    bot: { token: 'xoxe.xoxb-new', refreshToken: 'xoxe-1-new', expiresAt: 1, scopes: [], id: 'B1', userId: 'U1' },
  };
  await store.putInstallation('slack/T1', {
    bot: { token: 'xoxe.xoxb-old', refreshToken: 'xoxe-1-old', expiresAt: 1 },
  });
  const answered = { ok: true, access_token: 'xoxe.xoxb-renewed', refresh_token: 'xoxe-1-renewed', expires_in: 43_200 };

  const first = workspaces.open('T1', signal);
  await asked.promise;
  const installed = installationStore.storeInstallation(expiring);
  answer.resolve(answered);
  await Promise.all([first, installed]);
  expect(await store.installation('slack/T1')).toMatchObject({ bot: { token: 'xoxe.xoxb-new' } });

  asked = Promise.withResolvers();
  answer = Promise.withResolvers();
  const second = workspaces.open('T1', signal);
  await asked.promise;
  const removed = workspaces.uninstalled('T1', 'all');
  // Time enough for one that would not wait.
  await delay(50);
  answer.resolve(answered);
  await Promise.all([second, removed]);
  expect(await store.installation('slack/T1')).toBeNull();
});

test('Slack does not start with another SECRETS_KEY than the one its tokens were written with', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plotline-key-'));
  const path = join(dir, 'plotline.sqlite');
  const { slack } = readConfig({
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 's',
    SLACK_PUBLIC_URL: 'https://bot.test',
    SECRETS_KEY: '0'.repeat(64),
    SLACK_SIGNING_SECRET: 's',
  });
  if (slack === null) throw new Error('the settings above are whole');
  const platformWith = async (fill: number): Promise<object> => {
    const secretsKey = new Uint8Array(32).fill(fill);
    await using store = await createSqliteStore({ path, log, box: createSecretBox(secretsKey) });
    return await createSlackPlatform(slack, { store, secretsKey, model: 'm', log });
  };
  try {
    await platformWith(1);
    await platformWith(1);
    const words = { code: 'config', userMessage: expect.stringMatching(/SECRETS_KEY/) };
    await expect(platformWith(2)).rejects.toMatchObject(words);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('tokens of people that Slack takes back change nothing', async () => {
  await using store = await openStore();
  const slack = createSlack(() => ({ ok: false, error: 'account_inactive' }));
  const workspaces = createInstalledWorkspaces({ ...settings, store, fetch: slack.fetch });
  await store.putInstallation('slack/T1', installation('xoxb-team'));
  await workspaces.uninstalled('T1', { bot: [], users: ['U1'] });
  expect(await store.installation('slack/T1')).not.toBeNull();
  await workspaces.uninstalled('T1', { bot: ['UBOT'], users: [] });
  expect(await store.installation('slack/T1')).toBeNull();
});

test('the key of the state comes from SECRETS_KEY: the same in every process, another for another key, not the key itself', async () => {
  await using store = await openStore();
  const secretOf = (secretsKey: Uint8Array): unknown => installerWith(store, secretsKey).stateSecret;
  const key = new Uint8Array(32).fill(7);
  expect(secretOf(key)).toBe(secretOf(Uint8Array.from(key)));
  expect(secretOf(key)).not.toBe(secretOf(new Uint8Array(32)));
  expect(secretOf(key)).not.toContain(Buffer.from(key).toString('base64url'));
});
