import { z } from 'zod';
import { idList } from './id-list.ts';

/** As whom the bot is in Discord, what it may read there, and who may use it. */
export interface DiscordConfig {
  readonly token: string;
  /** `null`: the one that the token is of. */
  readonly applicationId: string | null;
  /** The bot may read messages that are not addressed to it. */
  readonly messageContent: boolean;
  readonly apiUrl: string;
  readonly access: {
    readonly allow: DiscordAccessLists;
    readonly deny: DiscordAccessLists;
    readonly cooldownMs: number;
  };
}

/** Ids of Discord; `@me` among the guilds stands for direct messages. Empty: no rule. */
interface DiscordAccessLists {
  readonly guilds: readonly string[];
  readonly channels: readonly string[];
  readonly roles: readonly string[];
  readonly users: readonly string[];
}

const text = z.string().trim().min(1);
const idPattern = /^\d{15,20}$/;

/** `words` are taken beside them. */
const ids = (words: readonly string[] = []) =>
  idList(
    (id) => idPattern.test(id) || words.includes(id),
    `ids of Discord (numbers of 15 to 20 digits)${words.map((word) => ` or ${word}`).join('')}`,
  );

export const discordEnvironment = {
  DISCORD_TOKEN: text.optional(),
  DISCORD_APPLICATION_ID: text.regex(idPattern, 'must be an id of Discord (a number of 15 to 20 digits)').optional(),
  DISCORD_MESSAGE_CONTENT: z.enum(['true', 'false'], 'must be true or false').default('false'),
  DISCORD_API_URL: z.url({ protocol: /^https?$/ }).default('https://discord.com/api'),
  DISCORD_ALLOW_GUILDS: ids(['@me']),
  DISCORD_ALLOW_CHANNELS: ids(),
  DISCORD_ALLOW_ROLES: ids(),
  DISCORD_ALLOW_USERS: ids(),
  DISCORD_DENY_GUILDS: ids(['@me']),
  DISCORD_DENY_CHANNELS: ids(),
  DISCORD_DENY_ROLES: ids(),
  DISCORD_DENY_USERS: ids(),
  DISCORD_COOLDOWN_SECONDS: z.coerce.number().min(0).max(86_400).default(0),
};

const discordShape = z.object(discordEnvironment);

/** `null` where Discord is not configured. */
export function discordConfig(values: z.infer<typeof discordShape>): DiscordConfig | null {
  if (values.DISCORD_TOKEN === undefined) return null;
  return {
    token: values.DISCORD_TOKEN,
    applicationId: values.DISCORD_APPLICATION_ID ?? null,
    messageContent: values.DISCORD_MESSAGE_CONTENT === 'true',
    apiUrl: values.DISCORD_API_URL,
    access: {
      allow: {
        guilds: values.DISCORD_ALLOW_GUILDS,
        channels: values.DISCORD_ALLOW_CHANNELS,
        roles: values.DISCORD_ALLOW_ROLES,
        users: values.DISCORD_ALLOW_USERS,
      },
      deny: {
        guilds: values.DISCORD_DENY_GUILDS,
        channels: values.DISCORD_DENY_CHANNELS,
        roles: values.DISCORD_DENY_ROLES,
        users: values.DISCORD_DENY_USERS,
      },
      cooldownMs: values.DISCORD_COOLDOWN_SECONDS * 1000,
    },
  };
}
