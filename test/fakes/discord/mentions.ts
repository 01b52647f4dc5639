import { may } from './permissions.ts';
import type { ChannelState, Json, MessageState } from './state.ts';
import { allComponents, componentTypes } from './wire-components.ts';
import type { DiscordWorld } from './world.ts';

export type Mentions = Pick<MessageState, 'mentions' | 'mentionRoles' | 'mentionEveryone'>;

/** Whom a message pings. `allowed` is its `allowed_mentions`; null: everyone whom its text names. */
export function mentionsIn(
  { state }: DiscordWorld,
  channel: ChannelState,
  given: { readonly content: string; readonly components: readonly Json[] },
  authorId: string,
  allowed: Json | null,
  repliedTo: MessageState | null,
): Mentions {
  const displays = allComponents(given.components).filter(({ type }) => type === componentTypes.textDisplay);
  const text = [given.content, ...displays.map((display) => String(display['content']))].join('\n');
  const parse = (allowed?.['parse'] ?? []) as readonly string[];
  const isAllowed = (kind: 'users' | 'roles', id: string): boolean =>
    allowed === null || parse.includes(kind) || ((allowed[kind] ?? []) as readonly string[]).includes(id);
  const guild = channel.guildId === null ? undefined : state.guilds.get(channel.guildId);
  const named = [...text.matchAll(/<@!?(\d+)>/g)].map(([, id = '']) => id);
  const users = named.filter((id) => state.users.has(id) && isAllowed('users', id));
  const pingsReplied = allowed === null || allowed['replied_user'] === true;
  const replied = repliedTo === null || !pingsReplied ? [] : [repliedTo.authorId];
  const roles = [...text.matchAll(/<@&(\d+)>/g)].map(([, id = '']) => id);
  const canPingAll =
    may(state, channel, authorId, 'MentionEveryone') && (allowed === null || parse.includes('everyone'));
  return {
    mentions: [...new Set([...users, ...replied])],
    mentionRoles: [...new Set(roles.filter((id) => guild?.roles.has(id) === true && isAllowed('roles', id)))],
    mentionEveryone: canPingAll && /@(everyone|here)\b/.test(text),
  };
}
