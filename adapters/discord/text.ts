import type { APIMessage } from 'discord.js';

/** Who is meant by a mention of the bot. */
export interface DiscordSelf {
  readonly userId: string;
  readonly applicationId: string;
}

/** Names for the ids in a text; `null` where nobody knows. */
export type NameOf = (kind: 'role' | 'channel', id: string) => string | null;

/** Whether the text calls the bot by itself: a reply's ping, @everyone and roles the bot merely holds are none. */
export function mentionsBot(
  message: Pick<APIMessage, 'content' | 'mentions' | 'mention_roles'>,
  self: DiscordSelf,
  roleId: string | null,
): boolean {
  const isNamed = message.content.includes(`<@${self.userId}>`) || message.content.includes(`<@!${self.userId}>`);
  // Inside code it is no mention: then Discord does not list it.
  const isListed = message.mentions.some(({ id }) => id === self.userId);
  return (isNamed && isListed) || (roleId !== null && message.mention_roles.includes(roleId));
}

/** Mentions of people other than the bot. */
export function mentionsOthers(message: Pick<APIMessage, 'content'>, self: DiscordSelf): boolean {
  return [...message.content.matchAll(/<@!?(\d+)>/g)].some(([, id]) => id !== self.userId);
}

/** The question as a person reads it: without the mention of the bot, with names in place of ids. */
export function plainText(
  content: string,
  context: {
    readonly self: DiscordSelf;
    readonly roleId: string | null;
    readonly mentions: APIMessage['mentions'];
    readonly nameOf: NameOf;
  },
): string {
  const { self, roleId, nameOf } = context;
  const people = new Map(context.mentions.map((user) => [user.id, user.global_name ?? user.username]));
  return content
    .replace(new RegExp(String.raw`<@!?${self.userId}>[^\S\n]*`, 'g'), '')
    .replace(roleId === null ? /$^/ : new RegExp(String.raw`<@&${roleId}>[^\S\n]*`, 'g'), '')
    .replace(/<@!?(\d+)>/g, (_, id: string) => `@${people.get(id) ?? 'somebody'}`)
    .replace(/<@&(\d+)>/g, (_, id: string) => `@${nameOf('role', id) ?? 'a role'}`)
    .replace(/<#(\d+)>/g, (_, id: string) => `#${nameOf('channel', id) ?? 'a channel'}`)
    .replace(/<a?:(\w+):\d+>/g, ':$1:')
    .replace(/<\/([^:>]+):\d+>/g, '/$1')
    .replace(/<t:(-?\d{1,12})(?::\w)?>/g, (_, seconds: string) => new Date(Number(seconds) * 1000).toISOString())
    .trim();
}
