import { emitChannel, emitThread } from './events.ts';
import { addMessage } from './messages.ts';
import { may, requirePermissions } from './permissions.ts';
import { invalidForm, refusal } from './refusal.ts';
import { bodyOf, channelOf, done, messageOf, ok } from './route.ts';
import type { Routes } from './route.ts';
import type { ChannelState, Json } from './state.ts';
import { openThread } from './threads.ts';
import { wireChannel, wireMessage, wireThread, wireThreadMember } from './wire.ts';
import type { DiscordWorld } from './world.ts';

const me = '/channels/{channel_id}/thread-members/@me';

export const channelRoutes: Routes = {
  'GET /channels/{channel_id}': (call) => ok(wireChannel(call.world, channelOf(call))),

  'PATCH /channels/{channel_id}': (call) => {
    const { state } = call.world;
    const thread = channelOf(call);
    const { name, archived, locked, auto_archive_duration: minutes } = bodyOf(call);
    // The bot changes threads only; what it may do with channels is not asked for in its invitation.
    if (thread.kind !== 'thread') throw refusal('missingPermissions');
    const isManager = may(state, thread, state.botId, 'ManageThreads');
    if (!isManager && (thread.ownerId !== state.botId || typeof locked === 'boolean' || thread.locked)) {
      throw refusal('missingPermissions');
    }
    if (thread.archived && archived !== false) throw refusal('archived');
    if (typeof name === 'string' && (name.length === 0 || name.length > 100)) {
      throw invalidForm([
        { path: 'name', code: 'BASE_TYPE_BAD_LENGTH', message: 'Must be between 1 and 100 in length.' },
      ]);
    }
    if (typeof name === 'string' && name !== thread.name) {
      thread.name = name;
      thread.renames += 1;
    }
    if (typeof archived === 'boolean') thread.archived = archived;
    if (typeof locked === 'boolean') thread.locked = locked;
    if (typeof minutes === 'number') thread.autoArchiveMinutes = minutes;
    emitThread(call.world, 'THREAD_UPDATE', thread);
    return ok(wireThread(call.world, thread));
  },

  'DELETE /channels/{channel_id}': (call) => {
    const { state } = call.world;
    const thread = channelOf(call);
    if (thread.kind === 'thread') requirePermissions(state, thread, ['ManageThreads']);
    else if (thread.kind !== 'dm') throw refusal('missingPermissions');
    return ok(removeChannel(call.world, thread));
  },

  'POST /channels/{channel_id}/messages/{message_id}/threads': (call) => {
    const { state } = call.world;
    const parent = channelOf(call);
    const starter = messageOf(call);
    if (parent.kind !== 'text' || starter.type === 21) throw refusal('wrongChannelKind');
    requirePermissions(state, parent, ['CreatePublicThreads']);
    if (state.channels.has(starter.id)) throw refusal('threadExists');
    const thread = openThread(call.world, parent, { ...newThread(bodyOf(call)), ownerId: state.botId, starter });
    return { status: 201, body: wireThread(call.world, thread) };
  },

  'POST /channels/{channel_id}/threads': (call) => {
    const { state } = call.world;
    const parent = channelOf(call);
    const body = bodyOf(call);
    if (parent.kind === 'thread' || parent.kind === 'dm') throw refusal('wrongChannelKind');
    requirePermissions(state, parent, parent.kind === 'forum' ? ['SendMessages'] : ['CreatePublicThreads']);
    const first = body['message'] as Json | undefined;
    if (parent.kind === 'forum' && first === undefined) {
      throw invalidForm([{ path: 'message', code: 'BASE_TYPE_REQUIRED', message: 'This field is required' }]);
    }
    const thread = openThread(call.world, parent, { ...newThread(body), ownerId: state.botId, starter: null });
    if (first === undefined) return { status: 201, body: wireThread(call.world, thread) };
    const message = addMessage(call.world, thread, first, call.files, {
      type: 0,
      interaction: null,
      ephemeralFor: null,
      ...(parent.kind === 'forum' ? { id: thread.id } : {}),
    });
    return {
      status: 201,
      body: { ...wireThread(call.world, thread), message: wireMessage(call.world, message, true) },
    };
  },

  [`GET ${me.replace('@me', '{user_id}')}`]: (call) => {
    const userId = call.parameters['user_id'] ?? '';
    const thread = channelOf(call);
    if (!thread.joined.has(userId)) throw refusal('unknownMember');
    return ok(wireThreadMember(thread, userId));
  },

  [`PUT ${me}`]: (call) => {
    const thread = channelOf(call);
    if (thread.archived) throw refusal('archived');
    thread.joined.add(call.world.state.botId);
    return done;
  },

  [`DELETE ${me}`]: (call) => {
    channelOf(call).joined.delete(call.world.state.botId);
    return done;
  },

  'GET /channels/{channel_id}/threads/archived/public': (call) => {
    const { state } = call.world;
    const parent = channelOf(call);
    requirePermissions(state, parent, ['ReadMessageHistory']);
    const threads = [...state.channels.values()].filter(({ parentId, archived }) => parentId === parent.id && archived);
    return ok({ threads: threads.map((thread) => wireThread(call.world, thread)), members: [], has_more: false });
  },

  'GET /guilds/{guild_id}/threads/active': (call) => {
    const { state } = call.world;
    const threads = [...state.channels.values()].filter(
      (channel) =>
        channel.kind === 'thread' &&
        channel.guildId === call.parameters['guild_id'] &&
        !channel.archived &&
        may(state, channel, state.botId, 'ViewChannel'),
    );
    const joined = threads.filter((thread) => thread.joined.has(state.botId));
    return ok({
      threads: threads.map((thread) => wireThread(call.world, thread)),
      members: joined.map((thread) => wireThreadMember(thread, state.botId)),
      has_more: false,
    });
  },
};

function newThread(body: Json): { readonly name: string; readonly autoArchiveMinutes: number | null } {
  return {
    name: String(body['name']),
    autoArchiveMinutes: (body['auto_archive_duration'] ?? null) as number | null,
  };
}

/** With its threads and its messages; gives what it was. */
export function removeChannel(world: DiscordWorld, channel: ChannelState): Json {
  const { state } = world;
  const threads = [...state.channels.values()].filter(({ parentId }) => parentId === channel.id);
  for (const thread of threads) removeChannel(world, thread);
  const was = wireChannel(world, channel);
  emitChannel(world, channel.kind === 'thread' ? 'THREAD_DELETE' : 'CHANNEL_DELETE', channel);
  state.channels.delete(channel.id);
  for (const message of state.messages.values())
    if (message.channelId === channel.id) state.messages.delete(message.id);
  return was;
}
