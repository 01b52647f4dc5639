import { signedLink } from './links.ts';
import { guildPermissions, permissionsIn } from './permissions.ts';
import type {
  AttachmentState,
  ChannelState,
  CommandState,
  GuildState,
  Json,
  MessageState,
  RoleState,
  UserState,
} from './state.ts';
import { isContentVisible } from './visibility.ts';
import type { DiscordWorld } from './world.ts';
import { shownAttachments, wireComponents, wireEmbeds } from './wire-components.ts';

/** How the things of a Discord look in its answers and events: as the schemas of its OpenAPI file say. */

export function wireUser({ id, username, bot }: UserState): Json {
  return {
    id,
    username,
    global_name: bot ? null : username,
    discriminator: bot ? '4711' : '0',
    avatar: null,
    public_flags: 0,
    flags: 0,
    primary_guild: null,
    ...(bot ? { bot } : {}),
  };
}

export function wireMember(guild: GuildState, user: UserState | null, userId: string): Json {
  return {
    avatar: null,
    banner: null,
    communication_disabled_until: null,
    flags: 0,
    joined_at: '2026-01-01T00:00:00.000000+00:00',
    nick: null,
    pending: false,
    premium_since: null,
    roles: [...(guild.members.get(userId) ?? [])],
    mute: false,
    deaf: false,
    ...(user === null ? {} : { user: wireUser(user) }),
  };
}

export function wireRole(role: RoleState): Json {
  return {
    id: role.id,
    name: role.name,
    permissions: String(role.permissions),
    position: role.position,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: role.botId !== null,
    mentionable: role.botId === null && role.position > 0,
    icon: null,
    unicode_emoji: null,
    flags: 0,
    ...(role.botId === null ? {} : { tags: { bot_id: role.botId } }),
  };
}

/** Numbers of the kinds of channel. Source: docs, resources/channel. */
export function channelType(channel: ChannelState): number {
  return { text: 0, dm: 1, thread: 11, forum: 15 }[channel.kind];
}

export function wireChannel(world: DiscordWorld, channel: ChannelState): Json {
  const { state } = world;
  const common = { id: channel.id, type: channelType(channel), flags: 0, last_message_id: null };
  if (channel.kind === 'dm') {
    const user = state.users.get(channel.ownerId ?? '');
    return { ...common, recipients: user === undefined ? [] : [wireUser(user)] };
  }
  if (channel.kind === 'thread') return wireThread(world, channel);
  return {
    ...common,
    guild_id: channel.guildId,
    name: channel.name,
    position: 0,
    parent_id: null,
    topic: null,
    nsfw: false,
    rate_limit_per_user: 0,
    permission_overwrites: channel.overwrites.map(({ id, kind, allow, deny }) => ({
      id,
      type: kind === 'role' ? 0 : 1,
      allow: String(allow),
      deny: String(deny),
    })),
    ...(channel.kind === 'forum' ? { available_tags: [], default_reaction_emoji: null, default_sort_order: null } : {}),
  };
}

export function wireThread({ state }: DiscordWorld, thread: ChannelState): Json {
  const count = [...state.messages.values()].filter(
    ({ channelId, type }) => channelId === thread.id && type !== 21,
  ).length;
  return {
    id: thread.id,
    type: 11,
    flags: 0,
    guild_id: thread.guildId,
    parent_id: thread.parentId,
    name: thread.name,
    owner_id: thread.ownerId,
    last_message_id: null,
    rate_limit_per_user: 0,
    message_count: Math.min(50, count),
    member_count: Math.min(50, thread.joined.size),
    total_message_sent: count,
    thread_metadata: {
      archived: thread.archived,
      archive_timestamp: timestamp(thread.createdMs),
      auto_archive_duration: thread.autoArchiveMinutes,
      locked: thread.locked,
      create_timestamp: timestamp(thread.createdMs),
    },
    ...(thread.joined.has(state.botId) ? { member: wireThreadMember(thread, state.botId) } : {}),
  };
}

export function wireThreadMember(thread: ChannelState, userId: string): Json {
  return { id: thread.id, user_id: userId, join_timestamp: timestamp(thread.createdMs), flags: 0 };
}

export function wireAttachment(world: DiscordWorld, file: AttachmentState): Json {
  const url = signedLink(world, file);
  return {
    id: file.id,
    filename: file.filename,
    size: file.bytes.byteLength,
    url,
    proxy_url: url,
    ...(file.contentType === null ? {} : { content_type: file.contentType }),
    ...(file.description === null ? {} : { description: file.description }),
    ...(file.ephemeral ? { ephemeral: true } : {}),
    ...sizeOfPng(file.bytes),
  };
}

export function wireMessage(world: DiscordWorld, message: MessageState, hasContent: boolean): Json {
  const { state } = world;
  const { reference } = message;
  const referenced = reference?.kind === 'reply' ? state.messages.get(reference.messageId) : undefined;
  const thread = message.channelId === message.id ? undefined : state.channels.get(message.id);
  return {
    ...wireContent(world, message, isContentVisible(state, message, hasContent)),
    id: message.id,
    channel_id: message.channelId,
    author: userOf(world, message.authorId),
    pinned: false,
    mention_everyone: message.mentionEveryone,
    tts: false,
    ...(message.nonce === null ? {} : { nonce: message.nonce }),
    ...(message.authorId === state.botId ? { application_id: state.applicationId } : {}),
    ...(message.interaction === null
      ? {}
      : { interaction_metadata: message.interaction, webhook_id: state.applicationId }),
    ...(reference === null
      ? {}
      : {
          message_reference: {
            type: reference.kind === 'reply' ? 0 : 1,
            channel_id: reference.channelId,
            message_id: reference.messageId,
            ...(message.guildId === null ? {} : { guild_id: message.guildId }),
          },
        }),
    ...(reference?.kind === 'reply'
      ? {
          referenced_message:
            referenced === undefined ? null : withoutReference(wireMessage(world, referenced, hasContent)),
        }
      : {}),
    ...(message.snapshot === null
      ? {}
      : {
          message_snapshots: [
            { message: wireContent(world, message.snapshot, isContentVisible(state, message, hasContent)) },
          ],
        }),
    ...(thread === undefined || thread.kind !== 'thread' ? {} : { thread: wireThread(world, thread) }),
    ...(message.reactions.size === 0 ? {} : { reactions: wireReactions(message, state.botId) }),
  };
}

/** What of a message is also in a forward of it. */
function wireContent(world: DiscordWorld, message: MessageState, isVisible: boolean): Json {
  const attachments = shownAttachments(message);
  return {
    type: message.type,
    content: isVisible ? message.content : '',
    mentions: message.mentions.map((id) => userOf(world, id)),
    mention_roles: message.mentionRoles,
    attachments: isVisible ? attachments.map((file) => wireAttachment(world, file)) : [],
    embeds: isVisible ? wireEmbeds(world, message) : [],
    timestamp: timestamp(message.createdMs),
    edited_timestamp: message.editedMs === null ? null : timestamp(message.editedMs),
    flags: message.flags,
    components: isVisible ? wireComponents(world, message) : [],
  };
}

/** Discord nests one message only. */
function withoutReference({ referenced_message: _nested, ...message }: Record<string, unknown>): Json {
  return message;
}

function wireReactions(message: MessageState, botId: string): readonly Json[] {
  return [...message.reactions].map(([name, users]) => ({
    emoji: { id: null, name },
    count: users.size,
    count_details: { burst: 0, normal: users.size },
    burst_colors: [],
    me_burst: false,
    me: users.has(botId),
  }));
}

/** The extra members that a message has in gateway events. */
export function wireMessageEvent(world: DiscordWorld, message: MessageState, hasContent: boolean): Json {
  const { state } = world;
  const guild = message.guildId === null ? undefined : state.guilds.get(message.guildId);
  const channel = state.channels.get(message.channelId);
  return {
    ...wireMessage(world, message, hasContent),
    ...(channel === undefined ? {} : { channel_type: channelType(channel) }),
    ...(guild === undefined ? {} : { guild_id: guild.id, member: wireMember(guild, null, message.authorId) }),
  };
}

/** The member of an interaction, who brings along what they may do in the channel. */
export function wireInteractionMember(
  world: DiscordWorld,
  guild: GuildState,
  channel: ChannelState,
  userId: string,
): Json {
  const { state } = world;
  const user = state.users.get(userId) ?? null;
  const permissions = permissionsIn(state, channel, userId) | guildPermissions(guild, userId);
  return { ...wireMember(guild, user, userId), permissions: String(permissions) };
}

export function wireCommand({ id, guildId, version, definition }: CommandState, applicationId: string): Json {
  const set = Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== null));
  const permissions = definition['default_member_permissions'] as string | number | null | undefined;
  return {
    type: 1,
    description: '',
    ...set,
    id,
    application_id: applicationId,
    version,
    default_member_permissions: permissions === undefined || permissions === null ? null : String(permissions),
    ...(guildId === null ? {} : { guild_id: guildId }),
  };
}

function userOf({ state }: DiscordWorld, id: string): Json {
  return wireUser(state.users.get(id) ?? { id, username: 'Deleted User', bot: false, closedDms: true });
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000+00:00');
}

/** Discord measures pictures; only PNGs here, by their first chunk. */
function sizeOfPng(bytes: Uint8Array): Json {
  const isPng = bytes.byteLength > 24 && bytes[0] === 0x89 && bytes[1] === 0x50;
  if (!isPng) return {};
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
