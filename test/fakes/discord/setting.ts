import { invitedPermissions, permissionBits } from './permissions.ts';
import type { ChannelState, DiscordState, GuildState, UserState } from './state.ts';

/** The people and places of a test. */
export interface Setting {
  readonly guild: GuildState;
  readonly general: ChannelState;
  readonly forum: ChannelState;
  /** The bot's own role, which Discord made when it was invited; it is named like the bot. */
  readonly botRoleId: string;
  /** A role whose members may manage messages and threads. */
  readonly moderatorRoleId: string;
  readonly bot: UserState;
  /** Owns the guild. */
  readonly olivia: UserState;
  /** An ordinary member, who writes unless a test says otherwise. */
  readonly ada: UserState;
  readonly grace: UserState;
  /** A moderator. */
  readonly moira: UserState;
}

/** What members may do unless an overwrite says otherwise. */
const everyonesPermissions =
  permissionBits.ViewChannel |
  permissionBits.SendMessages |
  permissionBits.SendMessagesInThreads |
  permissionBits.CreatePublicThreads |
  permissionBits.AttachFiles |
  permissionBits.EmbedLinks |
  permissionBits.ReadMessageHistory |
  permissionBits.AddReactions |
  permissionBits.UseApplicationCommands;

export function createSetting(state: DiscordState): Setting {
  const bot = addUser(state, { id: state.botId, username: 'Plotline', bot: true });
  const [olivia, ada, grace, moira] = ['olivia', 'ada', 'grace', 'moira'].map((username) =>
    addUser(state, { username }),
  ) as [UserState, UserState, UserState, UserState];
  const { guild, botRoleId, moderatorRoleId } = addGuild(state, 'Data people', olivia.id);
  for (const { id } of [ada, grace, moira]) guild.members.set(id, new Set());
  guild.members.get(moira.id)?.add(moderatorRoleId);
  const general = addChannel(state, { kind: 'text', guildId: guild.id, name: 'general' });
  const forum = addChannel(state, { kind: 'forum', guildId: guild.id, name: 'questions' });
  return { guild, general, forum, botRoleId, moderatorRoleId, bot, olivia, ada, grace, moira };
}

export function addUser(
  state: DiscordState,
  given: { readonly id?: string; readonly username: string; readonly bot?: boolean },
): UserState {
  const user: UserState = { bot: false, closedDms: false, id: given.id ?? state.nextId(), ...given };
  state.users.set(user.id, user);
  return user;
}

/** A guild that invited the bot with the permissions of its link. */
export function addGuild(
  state: DiscordState,
  name: string,
  ownerId: string,
): { readonly guild: GuildState; readonly botRoleId: string; readonly moderatorRoleId: string } {
  const id = state.nextId();
  const botRoleId = state.nextId();
  const moderatorRoleId = state.nextId();
  const moderating = permissionBits.ManageMessages | permissionBits.ManageThreads;
  const guild: GuildState = {
    id,
    name,
    ownerId,
    roles: new Map([
      [id, { id, name: '@everyone', permissions: everyonesPermissions, botId: null, position: 0 }],
      [
        botRoleId,
        { id: botRoleId, name: 'Plotline', permissions: invitedPermissions, botId: state.botId, position: 1 },
      ],
      [moderatorRoleId, { id: moderatorRoleId, name: 'Moderators', permissions: moderating, botId: null, position: 2 }],
    ]),
    members: new Map([
      [ownerId, new Set<string>()],
      [state.botId, new Set([botRoleId])],
    ]),
    premiumTier: 0,
  };
  state.guilds.set(id, guild);
  return { guild, botRoleId, moderatorRoleId };
}

export function addChannel(
  state: DiscordState,
  given: Pick<ChannelState, 'kind' | 'guildId' | 'name'> & Partial<ChannelState>,
): ChannelState {
  const channel: ChannelState = {
    id: state.nextId(),
    parentId: null,
    ownerId: null,
    overwrites: [],
    archived: false,
    locked: false,
    autoArchiveMinutes: 4320,
    createdMs: state.now(),
    joined: new Set(),
    renames: 0,
    ...given,
  };
  state.channels.set(channel.id, channel);
  return channel;
}

/** The private channel of the bot with a user: always the same one. */
export function privateChannel(state: DiscordState, userId: string): ChannelState {
  const known = [...state.channels.values()].find(({ kind, ownerId }) => kind === 'dm' && ownerId === userId);
  return known ?? addChannel(state, { kind: 'dm', guildId: null, name: '', ownerId: userId });
}
