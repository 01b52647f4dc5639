import { ChannelType, Routes } from 'discord.js';
import type { APIChannel, Client, REST } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { Place } from './message.ts';
import { isModerator } from './permissions.ts';
import type { DiscordSelf, NameOf } from './text.ts';

/** What the gateway has told about servers and channels; asked of Discord where it has not (archived threads). */
export interface Surroundings {
  self(): DiscordSelf;
  /** The role that came with the bot to the server: people pick it from the list instead of the bot. */
  botRoleId(guildId: string | null): string | null;
  /** `null` for channels that cannot be read or talked in. */
  place(channelId: string, guildId: string | null): Promise<Place | null>;
  /** The bot's permissions in the channel, or in the channel of the thread; `null` where they are not known. */
  permissionsIn(place: Place): bigint | null;
  /** By the roles alone, without the channel's overwrites. */
  isModerator(guildId: string | null, userId: string, roleIds: readonly string[]): boolean;
  readonly nameOf: NameOf;
}

/** Threads stay what they are: those that were asked for are remembered. */
const rememberedPlaces = 2000;

export function createSurroundings(deps: {
  readonly client: () => Client;
  readonly rest: Pick<REST, 'get'>;
  readonly log: Logger;
}): Surroundings {
  const { client, rest, log } = deps;
  const asked = new Map<string, Place>();

  const askedPlace = async (channelId: string, guildId: string | null): Promise<Place | null> => {
    const known = asked.get(channelId);
    if (known !== undefined) return known;
    try {
      const channel = (await rest.get(Routes.channel(channelId))) as APIChannel;
      const parentId = 'parent_id' in channel ? (channel.parent_id ?? null) : null;
      const place = placeOf({ id: channelId, type: channel.type, parentId, guildId });
      if (asked.size >= rememberedPlaces) asked.clear();
      if (place !== null) asked.set(channelId, place);
      return place;
    } catch (error) {
      log.warn({ channelId, error: String(error) }, 'a channel could not be looked up');
      return null;
    }
  };

  return {
    self: () => {
      const { user, application } = client();
      const userId = user?.id ?? '';
      return { userId, applicationId: application?.id ?? userId };
    },

    botRoleId: (guildId) => {
      const guild = guildId === null ? undefined : client().guilds.cache.get(guildId);
      const userId = client().user?.id;
      return guild?.roles.cache.find(({ tags }) => tags?.botId === userId)?.id ?? null;
    },

    place: async (channelId, guildId) => {
      if (guildId === null) return { id: channelId, kind: 'direct', parentId: null, guildId };
      const channel = client().channels.cache.get(channelId);
      if (channel === undefined) return askedPlace(channelId, guildId);
      const parentId = 'parentId' in channel ? (channel.parentId ?? null) : null;
      return placeOf({ id: channelId, type: channel.type, parentId, guildId });
    },

    permissionsIn: ({ id, parentId, kind }) => {
      if (kind === 'direct') return null;
      const channel = client().channels.cache.get(kind === 'thread' ? (parentId ?? id) : id);
      const user = client().user;
      if (channel === undefined || channel.isDMBased() || user === null) return null;
      return channel.permissionsFor(user)?.bitfield ?? null;
    },

    isModerator: (guildId, userId, roleIds) => {
      const guild = guildId === null ? undefined : client().guilds.cache.get(guildId);
      if (guild === undefined) return false;
      // The role of everyone has the server's id.
      const held = [guild.id, ...roleIds].map((id) => guild.roles.cache.get(id)?.permissions.bitfield ?? 0n);
      return guild.ownerId === userId || held.some(isModerator);
    },

    nameOf: (kind, id) => {
      if (kind === 'channel') {
        const channel = client().channels.cache.get(id);
        return channel !== undefined && 'name' in channel ? (channel.name ?? null) : null;
      }
      return (
        client()
          .guilds.cache.find((guild) => guild.roles.cache.has(id))
          ?.roles.cache.get(id)?.name ?? null
      );
    },
  };
}

/** `null` for types that nobody talks in. */
export function placeOf(channel: {
  readonly id: string;
  readonly type: ChannelType;
  readonly parentId: string | null;
  readonly guildId: string | null;
}): Place | null {
  const { id, guildId, parentId } = channel;
  switch (channel.type) {
    case ChannelType.DM:
    case ChannelType.GroupDM:
      return { id, kind: 'direct', parentId: null, guildId: null };
    case ChannelType.GuildText:
    case ChannelType.GuildAnnouncement:
      return { id, kind: 'text', parentId: null, guildId };
    case ChannelType.PublicThread:
    case ChannelType.PrivateThread:
    case ChannelType.AnnouncementThread:
      return { id, kind: 'thread', parentId, guildId };
    case ChannelType.GuildVoice:
    case ChannelType.GuildStageVoice:
      return { id, kind: 'flat', parentId: null, guildId };
    default:
      return null;
  }
}
