/** Who may use the bot where. Empty lists decide nothing. */
export interface AccessLists {
  /** `@me` stands for direct messages. */
  readonly guilds: readonly string[];
  /** Channels with all their threads, or single threads. */
  readonly channels: readonly string[];
  readonly roles: readonly string[];
  readonly users: readonly string[];
}

export interface AccessRules {
  readonly allow: AccessLists;
  readonly deny: AccessLists;
  /** Shortest time between two questions of one person; 0: none. */
  readonly cooldownMs: number;
}

export interface Asker {
  readonly userId: string;
  /** `null` in direct messages. */
  readonly guildId: string | null;
  /** The channel, and the thread in it where it is one. */
  readonly channelIds: readonly string[];
  readonly roleIds: readonly string[];
}

const direct = '@me';

/**
 * `null`: allowed; else why not, in words for the person. A deny wins over every allow; the person and the place must both be
 * allowed. Direct messages have neither guild, channel nor roles: once one of these is restricted, they are for `DISCORD_ALLOW_USERS`
 * and for bots with `@me` among the allowed guilds.
 */
export function refusalFor({ allow, deny }: AccessRules, asker: Asker): string | null {
  const { userId, channelIds, roleIds } = asker;
  const guild = asker.guildId ?? direct;
  if (deny.users.includes(userId) || deny.roles.some((id) => roleIds.includes(id))) return notYou;
  if (deny.guilds.includes(guild)) return asker.guildId === null ? notDirect : notServer;
  if (deny.channels.some((id) => channelIds.includes(id))) return notChannel;
  return asker.guildId === null ? refusalInDirect({ allow, deny }, userId) : refusalInGuild(allow, asker);
}

/** Whether a person's roles decide anything. */
export function needsRoles({ allow, deny }: AccessRules): boolean {
  return allow.roles.length > 0 || deny.roles.length > 0;
}

function refusalInGuild(allow: AccessLists, { userId, guildId, channelIds, roleIds }: Asker): string | null {
  if (allow.guilds.length > 0 && !allow.guilds.includes(guildId ?? direct)) return notServer;
  if (allow.channels.length > 0 && !allow.channels.some((id) => channelIds.includes(id))) return notChannel;
  if (allow.users.length + allow.roles.length === 0 || allow.users.includes(userId)) return null;
  return allow.roles.some((id) => roleIds.includes(id)) ? null : notYou;
}

function refusalInDirect({ allow, deny }: Pick<AccessRules, 'allow' | 'deny'>, userId: string): string | null {
  if (allow.users.includes(userId)) return null;
  if (allow.users.length > 0 && allow.roles.length === 0) return notYou;
  const restricted = [allow.guilds, allow.channels, allow.roles, deny.roles].some((list) => list.length > 0);
  return restricted && !allow.guilds.includes(direct) ? notDirect : null;
}

const whom = 'Whoever runs me here can change that.';
const notYou = `I may not answer you here. ${whom}`;
const notServer = `I may not answer on this server. ${whom}`;
const notChannel = `I may not answer in this channel; ask in one that I am allowed in. ${whom}`;
const notDirect = `I do not answer in direct messages. Ask me in a channel of your server. ${whom}`;

/** Spaces a person's questions. Kept in this process only: a restart begins anew. */
export interface Cooldown {
  /** `null`: it may be asked, and counts from `atMs` on; else why not. The same `key` again has the same answer. */
  take(userId: string, key: string, atMs: number): string | null;
}

const rememberedPeople = 10_000;

export function createCooldown(cooldownMs: number): Cooldown {
  const last = new Map<string, { readonly key: string; readonly atMs: number }>();
  return {
    take: (userId, key, atMs) => {
      const before = last.get(userId);
      // One from before the last is no new question: it is taken up again.
      if (cooldownMs === 0 || before?.key === key || atMs < (before?.atMs ?? atMs)) return null;
      const leftMs = before === undefined ? 0 : before.atMs + cooldownMs - atMs;
      if (leftMs > 0) {
        return `I take one question of each person every ${seconds(cooldownMs)} s: ask again in ${seconds(leftMs)} s. ${whom}`;
      }
      last.delete(userId);
      if (last.size >= rememberedPeople) last.delete(last.keys().next().value ?? '');
      last.set(userId, { key, atMs });
      return null;
    },
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
