import type { Interactions } from './interactions.ts';
import type { UploadedFile } from './multipart.ts';
import { refusal } from './refusal.ts';
import { may } from './permissions.ts';
import type { ChannelState, Json, MessageState } from './state.ts';
import type { DiscordWorld } from './world.ts';

export interface Call {
  readonly world: DiscordWorld;
  readonly interactions: Interactions;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
}

/** `body` null: none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** By operation, as in `GET /channels/{channel_id}`. */
export type Routes = Readonly<Record<string, (call: Call) => Answer>>;

export const done: Answer = { status: 204, body: null };

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function bodyOf({ body }: Call): Json {
  return (body ?? {}) as Json;
}

/** The channel of the address, if the bot may see it. @throws DiscordRefusal 10003, 50001 */
export function channelOf({ world, parameters }: Call): ChannelState {
  const channel = world.state.channels.get(parameters['channel_id'] ?? '');
  if (channel === undefined) throw refusal('unknownChannel');
  if (!may(world.state, channel, world.state.botId, 'ViewChannel')) throw refusal('missingAccess');
  return channel;
}

/** The message of the address. @throws DiscordRefusal 10003, 50001, 10008: also for what only one person sees. */
export function messageOf(call: Call): MessageState {
  const channel = channelOf(call);
  const message = call.world.state.messages.get(call.parameters['message_id'] ?? '');
  if (message === undefined || message.channelId !== channel.id || message.ephemeralFor !== null) {
    throw refusal('unknownMessage');
  }
  return message;
}
