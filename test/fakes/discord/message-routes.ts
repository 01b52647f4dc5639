import { emitMessageDelete } from './events.ts';
import { editMessage, sendMessage } from './messages.ts';
import { may, requirePermissions } from './permissions.ts';
import { refusal } from './refusal.ts';
import { bodyOf, channelOf, done, messageOf, ok } from './route.ts';
import type { Routes } from './route.ts';
import { wireMessage, wireUser } from './wire.ts';

const reactions = '/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}';

export const messageRoutes: Routes = {
  'GET /channels/{channel_id}/messages': (call) => {
    const { state, portal } = call.world;
    const channel = channelOf(call);
    if (!may(state, channel, state.botId, 'ReadMessageHistory')) return ok([]);
    const bound = (name: string): bigint | null => {
      const id = call.query.get(name);
      return id === null ? null : BigInt(id);
    };
    const [before, after, around] = [bound('before'), bound('after'), bound('around')];
    const limit = Number(call.query.get('limit') ?? 50);
    const newest = [...state.messages.values()]
      .filter(({ channelId, ephemeralFor }) => channelId === channel.id && ephemeralFor === null)
      .toReversed()
      .filter(({ id }) => (before === null || BigInt(id) < before) && (after === null || BigInt(id) > after));
    const distance = (id: string): bigint =>
      BigInt(id) > (around ?? 0n) ? BigInt(id) - (around ?? 0n) : (around ?? 0n) - BigInt(id);
    const nearest =
      around === null ? null : newest.toSorted((a, b) => (distance(a.id) < distance(b.id) ? -1 : 1)).slice(0, limit);
    const page =
      nearest === null
        ? after === null
          ? newest.slice(0, limit)
          : newest.slice(-limit)
        : newest.filter((one) => nearest.includes(one));
    return ok(page.map((message) => wireMessage(call.world, message, portal.messageContent)));
  },

  'GET /channels/{channel_id}/messages/{message_id}': (call) => {
    const { state, portal } = call.world;
    requirePermissions(state, channelOf(call), ['ReadMessageHistory']);
    return ok(wireMessage(call.world, messageOf(call), portal.messageContent));
  },

  'POST /channels/{channel_id}/messages': (call) =>
    ok(wireMessage(call.world, sendMessage(call.world, channelOf(call), bodyOf(call), call.files), true)),

  'PATCH /channels/{channel_id}/messages/{message_id}': (call) =>
    ok(wireMessage(call.world, editMessage(call.world, messageOf(call), bodyOf(call), call.files), true)),

  'DELETE /channels/{channel_id}/messages/{message_id}': (call) => {
    const { state } = call.world;
    const message = messageOf(call);
    const channel = channelOf(call);
    if (message.authorId !== state.botId) requirePermissions(state, channel, ['ManageMessages']);
    if (channel.archived) throw refusal('archived');
    state.messages.delete(message.id);
    emitMessageDelete(call.world, message);
    return done;
  },

  [`PUT ${reactions}/@me`]: (call) => {
    const { state } = call.world;
    const channel = channelOf(call);
    const message = messageOf(call);
    const emoji = call.parameters['emoji_name'] ?? '';
    const users = message.reactions.get(emoji) ?? new Set<string>();
    requirePermissions(state, channel, [
      'ReadMessageHistory',
      ...(users.size === 0 ? (['AddReactions'] as const) : []),
    ]);
    if (channel.archived) throw refusal('archived');
    message.reactions.set(emoji, users.add(state.botId));
    return done;
  },

  [`DELETE ${reactions}/@me`]: (call) => {
    const emoji = call.parameters['emoji_name'] ?? '';
    const message = messageOf(call);
    message.reactions.get(emoji)?.delete(call.world.state.botId);
    if (message.reactions.get(emoji)?.size === 0) message.reactions.delete(emoji);
    return done;
  },

  [`GET ${reactions}`]: (call) => {
    const { state } = call.world;
    const users = [...(messageOf(call).reactions.get(call.parameters['emoji_name'] ?? '') ?? [])];
    return ok(users.flatMap((id) => state.users.get(id) ?? []).map(wireUser));
  },

  'POST /channels/{channel_id}/typing': (call) => {
    const { state } = call.world;
    const channel = channelOf(call);
    requirePermissions(state, channel, [channel.kind === 'thread' ? 'SendMessagesInThreads' : 'SendMessages']);
    state.typings.push({ channelId: channel.id, atMs: state.now() });
    return done;
  },
};
