/**
 * `npm run slack:manifest -- [--name NAME] [--url URL] [--no-agent] [--rotation]`: the manifest of a Slack app as YAML, made from
 * `adapters/slack/manifest.yaml`, for Node 20 without any package.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SetupProblem } from './setup/problem.mjs';

const source = new URL('../adapters/slack/manifest.yaml', import.meta.url);

/** Slack's limits, in characters. */
const nameCharacters = 35;
const commandCharacters = 32;

const usage = 'npm run slack:manifest -- [--name NAME] [--url https://HOST] [--no-agent] [--rotation]';

/**
 * @param {string[]} args
 * @returns {string} YAML
 * @throws {SetupProblem} in words, where an argument is none that Slack would take
 */
export function slackManifest(args) {
  const { name, url, agent, rotation } = read(args);
  let yaml = readFileSync(source, 'utf8').replace(/^(?:#.*\n)+/, '');
  if (name !== undefined) yaml = named(yaml, name);
  if (url !== undefined) yaml = overHttp(yaml, url);
  if (!agent) yaml = dropAgent(yaml);
  return rotation ? replaceOnce(yaml, /token_rotation_enabled: false/, 'token_rotation_enabled: true') : yaml;
}

/** @param {string[]} args */
function read(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        name: { type: 'string' },
        url: { type: 'string' },
        'no-agent': { type: 'boolean', default: false },
        rotation: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new SetupProblem(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
  const { name, url, rotation, 'no-agent': withoutAgent } = values;
  if (name !== undefined && (name.trim() === '' || name.length > nameCharacters || /\p{Cc}/u.test(name))) {
    throw new SetupProblem(`Slack takes names of 1 to ${nameCharacters} characters; "${name}" has ${name.length}.`);
  }
  if (url !== undefined && !/^https:\/\/[^/\s?#]+(?:\/[^\s?#]*)?$/.test(url)) {
    throw new SetupProblem(`--url must be the https:// address under which Slack reaches the bot, not "${url}".`);
  }
  if (rotation && url === undefined) {
    throw new SetupProblem('--rotation needs --url: tokens are only renewed for apps that are installed over OAuth.');
  }
  return { name, url: url?.replace(/\/+$/, ''), agent: !withoutAgent, rotation };
}

/**
 * The app, its bot user and its command.
 * @param {string} yaml
 * @param {string} name
 */
function named(yaml, name) {
  const word = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, commandCharacters - 1);
  if (word === '') throw new SetupProblem(`"${name}" has no letter or digit that a slash command could have.`);
  let made = replaceOnce(yaml, /^ {2}name: .*$/m, `  name: ${JSON.stringify(name)}`);
  made = replaceOnce(made, /^ {4}display_name: .*$/m, `    display_name: ${word}`);
  made = replaceOnce(made, /^ {4}- command: .*$/m, `    - command: /${word}`);
  return made.replaceAll('Plotline', name.replaceAll(/[:#]/g, ' '));
}

/**
 * @param {string} yaml
 * @param {string} url
 */
function overHttp(yaml, url) {
  const events = JSON.stringify(`${url}/slack/events`);
  let made = replaceOnce(yaml, /socket_mode_enabled: true/, 'socket_mode_enabled: false');
  made = replaceOnce(
    made,
    /^oauth_config:$/m,
    `oauth_config:\n  redirect_urls:\n    - ${JSON.stringify(`${url}/slack/oauth_redirect`)}`,
  );
  made = replaceOnce(made, /^ {2}event_subscriptions:$/m, `  event_subscriptions:\n    request_url: ${events}`);
  made = replaceOnce(made, /^( {4}is_enabled: true.*)$/m, `$1\n    request_url: ${events}`);
  return replaceOnce(made, /^( {4}- command: .*)$/m, `$1\n      url: ${events}`);
}

/** @param {string} yaml */
function dropAgent(yaml) {
  return yaml
    .replace(/^ {2}agent_view:.*\n(?: {4}.*\n)+/m, '')
    .replaceAll(/^ +- (?:agent_session_stopped|assistant_thread_started|assistant:write)\b.*\n/gm, '');
}

/**
 * @param {string} yaml
 * @param {RegExp} what
 * @param {string} by
 */
function replaceOnce(yaml, what, by) {
  if (!what.test(yaml)) throw new Error(`adapters/slack/manifest.yaml has no ${what}`);
  return yaml.replace(what, by);
}
