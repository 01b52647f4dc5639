import { refusal } from './refusal.ts';
import type { ChannelState, DiscordState, GuildState } from './state.ts';

/** Bits of the permissions that matter to this bot. Source: docs, topics/permissions. */
export const permissionBits = {
  AddReactions: 1n << 6n,
  Administrator: 1n << 3n,
  ManageMessages: 1n << 13n,
  ViewChannel: 1n << 10n,
  SendMessages: 1n << 11n,
  EmbedLinks: 1n << 14n,
  AttachFiles: 1n << 15n,
  ReadMessageHistory: 1n << 16n,
  MentionEveryone: 1n << 17n,
  UseApplicationCommands: 1n << 31n,
  ManageThreads: 1n << 34n,
  CreatePublicThreads: 1n << 35n,
  SendMessagesInThreads: 1n << 38n,
} as const;

export type PermissionName = keyof typeof permissionBits;

/** What the invite link of this bot asks for (reference, section 4). */
export const invitedPermissions = 309_237_763_072n;

const everything = (1n << 52n) - 1n;

/** The permissions of a member in a channel; in a thread those of its channel. A private channel allows all. */
export function permissionsIn(state: DiscordState, channel: ChannelState, userId: string): bigint {
  const guild = channel.guildId === null ? undefined : state.guilds.get(channel.guildId);
  if (guild === undefined) return everything & ~permissionBits.ManageMessages;
  const base = guildPermissions(guild, userId);
  if (base === everything) return base;
  const place = (channel.kind === 'thread' && state.channels.get(channel.parentId ?? '')) || channel;
  const roles = guild.members.get(userId) ?? new Set();
  const apply = (held: bigint, ids: (id: string, kind: string) => boolean): bigint => {
    const matching = place.overwrites.filter(({ id, kind }) => ids(id, kind));
    const deny = matching.reduce((sum, one) => sum | one.deny, 0n);
    const allow = matching.reduce((sum, one) => sum | one.allow, 0n);
    return (held & ~deny) | allow;
  };
  const everyone = apply(base, (id, kind) => kind === 'role' && id === guild.id);
  const byRole = apply(everyone, (id, kind) => kind === 'role' && id !== guild.id && roles.has(id));
  return apply(byRole, (id, kind) => kind === 'member' && id === userId);
}

export function guildPermissions(guild: GuildState, userId: string): bigint {
  if (guild.ownerId === userId) return everything;
  if (!guild.members.has(userId)) return 0n;
  const ids = [guild.id, ...(guild.members.get(userId) ?? [])];
  const held = ids.reduce((sum, id) => sum | (guild.roles.get(id)?.permissions ?? 0n), 0n);
  return (held & permissionBits.Administrator) === 0n ? held : everything;
}

export function may(state: DiscordState, channel: ChannelState, userId: string, name: PermissionName): boolean {
  return (permissionsIn(state, channel, userId) & permissionBits[name]) !== 0n;
}

/** @throws DiscordRefusal 50001 where the bot does not see the channel, 50013 where it may not do that. */
export function requirePermissions(state: DiscordState, channel: ChannelState, names: readonly PermissionName[]): void {
  if (!may(state, channel, state.botId, 'ViewChannel')) throw refusal('missingAccess');
  for (const name of names) if (!may(state, channel, state.botId, name)) throw refusal('missingPermissions');
}

/** What speaking there needs: in threads it is another permission. */
export function sendingPermission(channel: ChannelState): PermissionName {
  return channel.kind === 'thread' ? 'SendMessagesInThreads' : 'SendMessages';
}
