import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { slackManifest } from '../../scripts/slack-manifest.mjs';

/** The items of a YAML list, by the name above it. */
function listOf(yaml: string, name: string): readonly string[] {
  const [, items = ''] = new RegExp(`^ +${name}:\\n((?: +- .*\\n)+)`, 'm').exec(yaml) ?? [];
  return items.match(/(?<=- )[\w.:]+/g) ?? [];
}

/** The scope that each event and feature needs, by Slack's reference. */
const scopesOfEvents: Readonly<Record<string, string | null>> = {
  agent_session_stopped: 'chat:write',
  app_home_opened: null,
  app_mention: 'app_mentions:read',
  app_uninstalled: null,
  assistant_thread_started: 'assistant:write',
  file_shared: 'files:read',
  'message.channels': 'channels:history',
  'message.groups': 'groups:history',
  'message.im': 'im:history',
  'message.mpim': 'mpim:history',
  tokens_revoked: null,
};

/** For calls: conversations.info, files, users, user groups; for the slash command and the shortcut. */
const scopesOfCalls = ['commands', 'files:write', 'usergroups:read', 'users:read'];

test('the manifest subscribes to what is heard, and asks for the scopes of that and of the calls alone', () => {
  const yaml = slackManifest([]);
  expect(listOf(yaml, 'bot_events')).toEqual(Object.keys(scopesOfEvents));
  const needed = [...Object.values(scopesOfEvents).filter((scope) => scope !== null), ...scopesOfCalls];
  expect([...listOf(yaml, 'bot')].toSorted()).toEqual([...new Set(needed)].toSorted());
  expect(yaml).toContain('socket_mode_enabled: true');
  expect(yaml).toContain('callback_id: analyze_message');
  expect(yaml).not.toMatch(/request_url|redirect_urls|^#/m);
});

test('with an address Slack posts there; with a name all of it has that name', () => {
  const yaml = slackManifest(['--url', 'https://bots.example.com/', '--name', 'Data Bot', '--rotation']);
  expect(yaml.match(/request_url: .*|url: .*/g)).toEqual([
    'url: "https://bots.example.com/slack/events"',
    'request_url: "https://bots.example.com/slack/events"',
    'request_url: "https://bots.example.com/slack/events"',
  ]);
  expect(yaml).toContain('redirect_urls:\n    - "https://bots.example.com/slack/oauth_redirect"\n');
  expect(yaml).toContain('socket_mode_enabled: false');
  expect(yaml).toContain('token_rotation_enabled: true');
  expect(yaml).toContain('name: "Data Bot"');
  expect(yaml).toContain('display_name: data-bot');
  expect(yaml).toContain('command: /data-bot');
  expect(yaml).not.toMatch(/plotline/i);
});

test('without the agent nothing of it is left', () => {
  expect(slackManifest(['--no-agent'])).not.toMatch(/agent|assistant/);
});

test('what Slack would refuse is refused here, in words', () => {
  expect(() => slackManifest(['--name', 'x'.repeat(36)])).toThrow('35 characters');
  expect(() => slackManifest(['--name', '数据'])).toThrow('slash command');
  expect(() => slackManifest(['--url', 'http://example.com'])).toThrow('https://');
  expect(() => slackManifest(['--rotation'])).toThrow('--url');
  expect(() => slackManifest(['--what'])).toThrow('Usage');
});

test('the command prints it and nothing else', () => {
  const script = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
  const printed = spawnSync(process.execPath, [script, 'slack-manifest', '--name', 'Ada'], { encoding: 'utf8' });
  expect(printed.status).toBe(0);
  expect(printed.stdout).toBe(slackManifest(['--name', 'Ada']));
});
