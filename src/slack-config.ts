import { z } from 'zod';
import { idList } from './id-list.ts';

/** How Slack reaches the bot, as whom it acts, and who may use it. */
export interface SlackConfig {
  /** `null` in a process that does not hear it. */
  readonly transport: SlackTransport | null;
  readonly install: SlackInstall;
  /** Of signed events, and of the pages for installing. */
  readonly port: number;
  readonly apiUrl: string;
  /** Whether an answer in a thread that the bot was asked in needs a mention. */
  readonly followUps: 'mention' | 'thread';
  readonly access: SlackAccessConfig;
}

export type SlackTransport =
  | { readonly kind: 'socket'; readonly appToken: string }
  | { readonly kind: 'http'; readonly signingSecret: string; readonly port: number };

export type SlackInstall =
  /** One workspace, from the settings. */
  | { readonly kind: 'token'; readonly botToken: string }
  /** Any number, each of which installs the app itself. `publicUrl` has no slash at its end. */
  | { readonly kind: 'oauth'; readonly clientId: string; readonly clientSecret: string; readonly publicUrl: string };

/** Ids as Slack has them (T… or E…, C…/G…/D…, S…, U…/W…). An empty list of `allow` excludes nobody. */
export interface SlackAccessConfig {
  readonly allow: SlackAccessLists;
  readonly deny: SlackAccessLists;
  /** Whether guests of the workspace may ask. */
  readonly guests: boolean;
  /** Whether people of other organisations may ask, in channels shared with them. */
  readonly connect: boolean;
}

interface SlackAccessLists {
  readonly workspaces: readonly string[];
  readonly channels: readonly string[];
  readonly groups: readonly string[];
  readonly users: readonly string[];
}

const text = z.string().trim().min(1);
const onOff = z.enum(['off', 'on']).default('off');

/** `kinds`: the letters that such an id may begin with. */
const ids = (kinds: string, example: string) =>
  idList((id) => new RegExp(`^[${kinds}][A-Z0-9]+$`).test(id), `ids like ${example}`);

const workspaceIds = ids('TE', 'T0123ABCD (or E0123ABCD, an organisation)');
const channelIds = ids('CGD', 'C0123ABCD');
const groupIds = ids('S', 'S0123ABCD');
const userIds = ids('UW', 'U0123ABCD');

export const slackEnvironment = {
  SLACK_BOT_TOKEN: text.startsWith('xoxb-').optional(),
  SLACK_APP_TOKEN: text.startsWith('xapp-').optional(),
  SLACK_SIGNING_SECRET: text.optional(),
  SLACK_CLIENT_ID: text.optional(),
  SLACK_CLIENT_SECRET: text.optional(),
  SLACK_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#]/.test(url), 'must have nothing behind its path')
    .optional(),
  SLACK_PORT: z.coerce.number().int('must be a whole number').min(1).max(65_535).default(3000),
  SLACK_API_URL: z.url({ protocol: /^https?$/ }).default('https://slack.com/api/'),
  SLACK_FOLLOW_UPS: z.enum(['mention', 'thread']).default('mention'),
  SLACK_ALLOW_WORKSPACES: workspaceIds,
  SLACK_ALLOW_CHANNELS: channelIds,
  SLACK_ALLOW_GROUPS: groupIds,
  SLACK_ALLOW_USERS: userIds,
  SLACK_DENY_WORKSPACES: workspaceIds,
  SLACK_DENY_CHANNELS: channelIds,
  SLACK_DENY_GROUPS: groupIds,
  SLACK_DENY_USERS: userIds,
  SLACK_GUESTS: onOff,
  SLACK_CONNECT: onOff,
};

const slackShape = z.object(slackEnvironment);
type Values = z.infer<typeof slackShape>;

/** What does not go together, in words, without values. A process that does not hear Slack needs no way for its events. */
export function slackProblems(
  values: Values & { readonly SECRETS_KEY?: string | undefined },
  isHearing: boolean,
): readonly string[] {
  const problems: string[] = [];
  const has = (name: keyof Values): boolean => values[name] !== undefined;
  const isOauth = has('SLACK_CLIENT_ID') || has('SLACK_CLIENT_SECRET');
  const isToken = has('SLACK_BOT_TOKEN');
  const hears = has('SLACK_APP_TOKEN') || has('SLACK_SIGNING_SECRET');

  if (isOauth && isToken) {
    problems.push(
      'SLACK_BOT_TOKEN: serves one workspace, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET any number that install the app. Leave one of the two ways out',
    );
  }
  if (isOauth) {
    if (!has('SLACK_CLIENT_ID')) problems.push('SLACK_CLIENT_ID: needed beside SLACK_CLIENT_SECRET');
    if (!has('SLACK_CLIENT_SECRET')) problems.push('SLACK_CLIENT_SECRET: needed beside SLACK_CLIENT_ID');
    if (!has('SLACK_PUBLIC_URL')) {
      problems.push(
        'SLACK_PUBLIC_URL: needed beside SLACK_CLIENT_ID: the address (https://…) at which browsers reach SLACK_PORT, to install the app',
      );
    }
    if (values.SECRETS_KEY === undefined) {
      problems.push(
        'SECRETS_KEY: needed beside SLACK_CLIENT_ID: the tokens of installed workspaces are kept under it (openssl rand -hex 32)',
      );
    }
  } else if (has('SLACK_PUBLIC_URL')) {
    problems.push('SLACK_PUBLIC_URL: is only for installing, with SLACK_CLIENT_ID and SLACK_CLIENT_SECRET');
  }
  if (isUnsafe(values.SLACK_PUBLIC_URL)) {
    problems.push(
      'SLACK_PUBLIC_URL: must be https:// (http:// only for localhost): Slack and browsers send secrets there',
    );
  }
  if (has('SLACK_APP_TOKEN') && has('SLACK_SIGNING_SECRET')) {
    problems.push(
      'SLACK_SIGNING_SECRET: is for signed HTTP, SLACK_APP_TOKEN for Socket Mode. Events come by one of them: leave the other out',
    );
  }
  if ((isOauth || isToken) && !hears && isHearing) {
    problems.push(
      `SLACK_APP_TOKEN: needed beside ${isToken ? 'SLACK_BOT_TOKEN' : 'SLACK_CLIENT_ID'} (an app-level token, xapp-…, scope connections:write), or SLACK_SIGNING_SECRET for signed HTTP`,
    );
  }
  if (hears && !isOauth && !isToken) {
    problems.push(
      `SLACK_BOT_TOKEN: needed beside ${has('SLACK_APP_TOKEN') ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET'} (the bot token, xoxb-…), or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET for many workspaces`,
    );
  }
  return problems;
}

/** `null` where Slack is not configured. Call it with values that have no problems. */
export function slackConfig(values: Values, isHearing: boolean): SlackConfig | null {
  const install = installOf(values);
  const transport = isHearing ? transportOf(values) : null;
  if (install === null || (transport === null && isHearing)) return null;
  return {
    transport,
    install,
    port: values.SLACK_PORT,
    apiUrl: values.SLACK_API_URL,
    followUps: values.SLACK_FOLLOW_UPS,
    access: {
      allow: {
        workspaces: values.SLACK_ALLOW_WORKSPACES,
        channels: values.SLACK_ALLOW_CHANNELS,
        groups: values.SLACK_ALLOW_GROUPS,
        users: values.SLACK_ALLOW_USERS,
      },
      deny: {
        workspaces: values.SLACK_DENY_WORKSPACES,
        channels: values.SLACK_DENY_CHANNELS,
        groups: values.SLACK_DENY_GROUPS,
        users: values.SLACK_DENY_USERS,
      },
      guests: values.SLACK_GUESTS === 'on',
      connect: values.SLACK_CONNECT === 'on',
    },
  };
}

function installOf(values: Values): SlackInstall | null {
  const { SLACK_BOT_TOKEN: botToken, SLACK_CLIENT_ID: clientId, SLACK_CLIENT_SECRET: clientSecret } = values;
  if (botToken !== undefined) return { kind: 'token', botToken };
  if (clientId === undefined || clientSecret === undefined || values.SLACK_PUBLIC_URL === undefined) return null;
  return { kind: 'oauth', clientId, clientSecret, publicUrl: values.SLACK_PUBLIC_URL.replace(/\/+$/, '') };
}

function transportOf(values: Values): SlackTransport | null {
  if (values.SLACK_APP_TOKEN !== undefined) return { kind: 'socket', appToken: values.SLACK_APP_TOKEN };
  if (values.SLACK_SIGNING_SECRET === undefined) return null;
  return { kind: 'http', signingSecret: values.SLACK_SIGNING_SECRET, port: values.SLACK_PORT };
}

/** Codes and cookies that travel there must not be read on the way; a browser sends the cookie of the install page by https alone. */
function isUnsafe(url: string | undefined): boolean {
  if (url === undefined) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
