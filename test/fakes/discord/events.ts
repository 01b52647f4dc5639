import type { ChannelState, Json, MessageState } from './state.ts';
import { wireChannel, wireMessageEvent, wireThread } from './wire.ts';
import { intentBits } from './world.ts';
import type { DiscordWorld } from './world.ts';

/** Tells the gateway of changes, each to those who asked for it. */

function messageIntent(guildId: string | null): number {
  return guildId === null ? intentBits.DirectMessages : intentBits.GuildMessages;
}

export function emitMessage(
  world: DiscordWorld,
  type: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE',
  message: MessageState,
): void {
  // Bots hear nothing of messages that only one person sees.
  if (message.ephemeralFor !== null) return;
  world.emit({
    type,
    guildId: message.guildId,
    channelId: message.channelId,
    intents: messageIntent(message.guildId),
    payload: (hasContent) => wireMessageEvent(world, message, hasContent),
  });
}

export function emitMessageDelete(world: DiscordWorld, { id, channelId, guildId, ephemeralFor }: MessageState): void {
  if (ephemeralFor !== null) return;
  const payload: Json = { id, channel_id: channelId, ...(guildId === null ? {} : { guild_id: guildId }) };
  world.emit({ type: 'MESSAGE_DELETE', guildId, channelId, intents: messageIntent(guildId), payload: () => payload });
}

export function emitThread(world: DiscordWorld, type: 'THREAD_CREATE' | 'THREAD_UPDATE', thread: ChannelState): void {
  world.emit({
    type,
    guildId: thread.guildId,
    channelId: thread.id,
    intents: intentBits.Guilds,
    payload: () => ({ ...wireThread(world, thread), ...(type === 'THREAD_CREATE' ? { newly_created: true } : {}) }),
  });
}

export function emitChannel(
  world: DiscordWorld,
  type: 'CHANNEL_CREATE' | 'CHANNEL_UPDATE' | 'CHANNEL_DELETE' | 'THREAD_DELETE',
  channel: ChannelState,
): void {
  const payload = wireChannel(world, channel);
  const { guildId } = channel;
  world.emit({ type, guildId, channelId: null, intents: intentBits.Guilds, payload: () => payload });
}
