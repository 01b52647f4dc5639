import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installUrlOf } from '../../adapters/slack/installer.ts';
import { createSlackPlatform } from '../../adapters/slack/slack-platform.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { createBot } from '../../src/bot.ts';
import type { Platform } from '../../src/bot.ts';
import type { Store } from '../../src/ports/store.ts';
import { freePort } from '../fakes/free-port.ts';
import { createBrowser, startOauthSlack, traces } from '../fakes/oauth-slack.ts';
import type { OauthPlace } from '../fakes/oauth-slack.ts';
import { createScriptedModel } from '../fakes/scripted-model.ts';

const acme: OauthPlace = { team: { id: 'T1', name: 'Acme' }, enterprise: null };
const grid: OauthPlace = { team: null, enterprise: { id: 'E1', name: 'Grid' } };

test('whoever installed it is answered until they uninstall it, guests are refused in private, no secret is in the data or the log', async () => {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const dataDir = await mkdtemp(join(tmpdir(), 'plotline-oauth-bot-'));
  await using slack = await startOauthSlack([`${publicUrl}/slack/oauth_redirect`]);
  slack.rotate(3600);
  slack.users.set('U1', { id: 'U1', team_id: 'T1', profile: { display_name: 'Ada' } });
  slack.users.set('U3', { id: 'U3', team_id: 'T8', enterprise_user: { enterprise_id: 'E1' } });
  slack.users.set('U2', { id: 'U2', team_id: 'T1', is_restricted: true });

  const config = readConfig({
    DATA_DIR: dataDir,
    SANDBOX_POOL_SIZE: '0',
    SLACK_CLIENT_ID: slack.clientId,
    SLACK_CLIENT_SECRET: slack.clientSecret,
    SLACK_SIGNING_SECRET: slack.signingSecret,
    SLACK_PUBLIC_URL: publicUrl,
    SLACK_PORT: String(port),
    SLACK_API_URL: slack.apiUrl,
    SECRETS_KEY: randomBytes(32).toString('hex'),
  });
  const { secretsKey, slack: settings } = config;
  if (secretsKey === null || settings === null) throw new Error('the settings above are whole');
  const lines: string[] = [];
  const log = createLogger('debug', (line) => lines.push(line));

  const platformsOf = async (store: Store): Promise<ReadonlyMap<string, Platform>> =>
    new Map([['slack', await createSlackPlatform(settings, { store, secretsKey, model: 'scripted', log })]]);

  let events = 0;
  const event = (place: OauthPlace, inner: object): Promise<number> => {
    const enterprise = place.enterprise?.id ?? null;
    const team = place.team?.id ?? 'T7';
    events += 1;
    return slack.send(`${publicUrl}/slack/events`, {
      type: 'event_callback',
      team_id: team,
      enterprise_id: enterprise,
      event_id: `Ev${events}`,
      event_time: 1,
      authorizations: [
        {
          enterprise_id: enterprise,
          team_id: team,
          user_id: 'U0BOT',
          is_bot: true,
          is_enterprise_install: place.team === null,
        },
      ],
      event: inner,
    });
  };
  const mention = (place: OauthPlace, user: string, ts: string): Promise<number> =>
    event(place, { type: 'app_mention', user, channel: 'C1', ts, event_ts: ts, text: '<@U0BOT> how are sales?' });
  const install = async (place: OauthPlace): Promise<void> => {
    slack.consent({ place });
    expect(await createBrowser().install(installUrlOf(publicUrl))).toMatchObject({ status: 200 });
  };
  const texts = (method: string): readonly unknown[] =>
    slack.calls.filter((call) => call.method === method).map(({ args }) => args['text']);

  try {
    await using bot = await createBot(config, platformsOf, log, {
      model: createScriptedModel([{ text: 'Sales are fine.' }, { text: 'Sales are fine in the organisation.' }]),
    });
    await bot.start();
    await install(acme);
    await install(grid);

    expect(await mention(acme, 'U1', '100.1')).toBe(200);
    await expect.poll(() => texts('chat.postMessage').join('\n'), { timeout: 20_000 }).toContain('Sales are fine.');
    expect(await mention(acme, 'U2', '200.1')).toBe(200);
    await expect.poll(() => texts('chat.postEphemeral'), { timeout: 20_000 }).toHaveLength(1);
    expect(texts('chat.postEphemeral')[0]).toMatch(/guests.*SLACK_GUESTS/);
    expect(slack.calls.find(({ method }) => method === 'chat.postEphemeral')?.args).toMatchObject({ user: 'U2' });
    expect(slack.calls.some(({ args }) => args['grant_type'] === 'refresh_token')).toBe(true);

    expect(await mention(grid, 'U3', '300.1')).toBe(200);
    await expect.poll(() => texts('chat.postMessage').join('\n'), { timeout: 20_000 }).toContain('in the organisation');

    const names = await readdir(dataDir, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const disk = (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
    expect(disk).toContain('how are sales?');
    expect(disk).toContain('slack/T1');
    const secrets = [...slack.secrets, Buffer.from(secretsKey).toString('hex')];
    expect(secrets.filter((secret) => secret.startsWith('xox')).length).toBeGreaterThanOrEqual(4);
    expect(traces(secrets, disk)).toEqual([]);
    expect(lines.length).toBeGreaterThan(5);
    expect(traces(secrets, lines.join('\n'))).toEqual([]);

    slack.revoke(acme);
    expect(await event(acme, { type: 'app_uninstalled' })).toBe(200);
    await expect.poll(() => lines.join('')).toMatch(/"installation":"slack\/T1".*its tokens are removed/);
    expect(await mention(acme, 'U1', '400.1')).toBe(200);
    await expect.poll(() => lines.join('')).toContain('no installation for T1');
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);
