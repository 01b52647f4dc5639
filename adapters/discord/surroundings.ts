import { setTimeout as delay } from 'node:timers/promises';
import { ChannelType, DiscordAPIError, Routes } from 'discord.js';
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
  /** `null` for channels that cannot be read or talked in. Rejects where Discord cannot be asked, also not a few seconds later. */
  place(channelId: string, guildId: string | null): Promise<Place | null>;
  /** The bot's permissions in the channel, or in the channel of the thread; `null` where they are not known. */
  permissionsIn(place: Place): bigint | null;
  /** By the roles alone, without the channel's overwrites. */
  isModerator(guildId: string | null, userId: string, roleIds: readonly string[]): boolean;
  readonly nameOf: NameOf;
}

/** Threads stay what they are: those that were asked for are remembered. */
const rememberedPlaces = 2000;

const lookTimeoutMs = 10_000;
/** Between attempts at a Discord that does not answer. */
const pausesMs = [500, 3000];

export function createSurroundings(deps: {
  readonly client: () => Client;
  readonly rest: Pick<REST, 'get'>;
  /** Ends waiting for Discord. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}): Surroundings {
  const { client, rest, signal, log } = deps;
  const asked = new Map<string, Place>();

  const askedPlace = async (channelId: string, guildId: string | null): Promise<Place | null> => {
    const known = asked.get(channelId);
    if (known !== undefined) return known;
    try {
      const channel = await readChannel(channelId);
      const parentId = 'parent_id' in channel ? (channel.parent_id ?? null) : null;
      const place = placeOf({ id: channelId, type: channel.type, parentId, guildId });
      if (asked.size >= rememberedPlaces) asked.clear();
      if (place !== null) asked.set(channelId, place);
      return place;
    } catch (error) {
      log.warn({ channelId, error: String(error) }, 'a channel could not be looked up');
      if (error instanceof DiscordAPIError) return null;
      throw error;
    }
  };

  /** Rejects with a `DiscordAPIError` where Discord says no. */
  const readChannel = async (channelId: string): Promise<APIChannel> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const within = AbortSignal.any([signal, AbortSignal.timeout(lookTimeoutMs)]);
        return (await rest.get(Routes.channel(channelId), { signal: within })) as APIChannel;
      } catch (error) {
        const pauseMs = pausesMs[attempt];
        if (error instanceof DiscordAPIError || pauseMs === undefined || signal.aborted) throw error;
        await delay(pauseMs, undefined, { signal, ref: false });
      }
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

const kinds: ReadonlyMap<ChannelType, Place['kind']> = new Map([
  [ChannelType.DM, 'direct'],
  [ChannelType.GroupDM, 'direct'],
  [ChannelType.GuildText, 'text'],
  [ChannelType.GuildAnnouncement, 'text'],
  [ChannelType.PublicThread, 'thread'],
  [ChannelType.PrivateThread, 'thread'],
  [ChannelType.AnnouncementThread, 'thread'],
  [ChannelType.GuildVoice, 'flat'],
  [ChannelType.GuildStageVoice, 'flat'],
]);

/** `null` for types that nobody talks in. */
export function placeOf(channel: {
  readonly id: string;
  readonly type: ChannelType;
  readonly parentId: string | null;
  readonly guildId: string | null;
}): Place | null {
  const kind = kinds.get(channel.type);
  if (kind === undefined) return null;
  // The parent of a channel is a category, which nobody talks in.
  const parentId = kind === 'thread' ? channel.parentId : null;
  return { id: channel.id, kind, parentId, guildId: kind === 'direct' ? null : channel.guildId };
}
