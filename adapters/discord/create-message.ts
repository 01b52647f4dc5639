import { setTimeout as delay } from 'node:timers/promises';
import type { RawFile } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import { asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { hasCode, isAmbiguous } from './errors.ts';
import type { DiscordApi } from './rest.ts';

/** How often a request is sent again whose answer was lost, beside what discord.js repeats at once. */
const lostAnswerAttempts = 2;

/**
 * Creates one message, once: whatever is repeated carries the same nonce, so that Discord gives back the first message instead of
 * making a second one. Resolves to its id.
 */
export type CreateMessage = (
  message: {
    readonly channelId: string;
    readonly body: Json;
    readonly files: readonly RawFile[];
    /** At most 25 characters. */
    readonly nonce: string;
    /** The message that this one answers; it may be gone. */
    readonly replyTo: string | null;
  },
  signal: AbortSignal,
) => Promise<string>;

export function createMessageCreator(deps: {
  readonly api: DiscordApi;
  /** How long Discord gets before a request whose answer was lost is sent again; then five times as long. */
  readonly settleMs: number;
  readonly log: Logger;
}): CreateMessage {
  const create: CreateMessage = async ({ channelId, body, files, nonce, replyTo }, signal) => {
    const reference = replyTo === null ? {} : { message_reference: { message_id: replyTo, fail_if_not_exists: false } };
    const whole = { ...body, ...reference, nonce, enforce_nonce: true };
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await deps.api.call('POST', `/channels/${channelId}/messages`, { body: whole, files, signal });
        return asText(asObject(answer)['id']) ?? '';
      } catch (error) {
        if (!isAmbiguous(error) || attempt >= lostAnswerAttempts) throw error;
        deps.log.warn({ channelId, error: String(error) }, 'the answer to a post was lost');
        await delay(deps.settleMs * 5 ** attempt, undefined, { signal });
      }
    }
  };

  return async (message, signal) => {
    try {
      return await create(message, signal);
    } catch (error) {
      // Without the permission to read what was said there, the message goes out as no reply.
      if (message.replyTo === null || !hasCode(error, 'replyWithoutHistory')) throw error;
      return await create({ ...message, replyTo: null }, signal);
    }
  };
}
