import type { Logger } from '../../src/log.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { ThreadRef } from '../../src/types.ts';
import { oneLine, shorten } from '../format.ts';
import { asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { questionIn } from './analyze.ts';
import { filesOf } from './attachments.ts';
import { hasCode } from './errors.ts';
import { discordLimits } from './limits.ts';
import type { DiscordApi } from './rest.ts';

/** Where a thread's messages go. */
export interface Place {
  readonly channelId: string;
  /** The message that every message here answers, where there is no thread around it. */
  readonly replyTo: string | null;
}

/**
 * Finds, or makes, the place of a thread. Its id is the id of a channel (a thread, a forum's post, a direct conversation), or of
 * the question in a text channel, out of which the thread is made: it gets the message's id.
 */
export interface Places {
  /** Calls `use` with the thread's place, and once more where the thread had to be made first. */
  within<Result>(thread: ThreadRef, signal: AbortSignal, use: (place: Place) => Promise<Result>): Promise<Result>;
}

const rememberedPlaces = 1000;

export function createPlaces(deps: { readonly api: DiscordApi; readonly log: Logger }): Places {
  const { api, log } = deps;
  /** Threads that could not be made here, so that their messages went into the channel. */
  const inChannel = new Map<string, Place>();

  const make = async (thread: ThreadRef, signal: AbortSignal): Promise<Place> => {
    const { channelId, threadId } = thread;
    try {
      const name = threadName(await readQuestion(thread, signal));
      const body = { name, auto_archive_duration: discordLimits.autoArchiveMinutes };
      await api.call('POST', `/channels/${channelId}/messages/${threadId}/threads`, { body, signal });
    } catch (error) {
      if (!hasCode(error, 'hasThread')) {
        if (!hasCode(error, 'missingPermissions', 'missingAccess', 'wrongChannelType', 'tooManyThreads')) throw error;
        log.warn({ channelId, error: String(error) }, 'no thread can be made here; the answer goes into the channel');
        const place = { channelId, replyTo: threadId };
        inChannel.set(threadKeyOf(thread), place);
        for (const key of inChannel.keys()) if (inChannel.size > rememberedPlaces) inChannel.delete(key);
        return place;
      }
    }
    return { channelId: threadId, replyTo: null };
  };

  /** `null` where it cannot be read: then the thread gets a general name. */
  const readQuestion = async ({ channelId, threadId }: ThreadRef, signal: AbortSignal): Promise<Json | null> => {
    try {
      return asObject(await api.call('GET', `/channels/${channelId}/messages/${threadId}`, { signal }));
    } catch (error) {
      if (hasCode(error, 'unknownMessage', 'unknownChannel') || signal.aborted) throw error;
      return null;
    }
  };

  return {
    within: async (thread, signal, use) => {
      const known = inChannel.get(threadKeyOf(thread)) ?? { channelId: thread.threadId, replyTo: null };
      try {
        return await use(known);
      } catch (error) {
        const mayBeMade = known.channelId === thread.threadId && thread.threadId !== thread.channelId;
        if (!mayBeMade || !hasCode(error, 'unknownChannel')) throw error;
      }
      return await use(await make(thread, signal));
    },
  };
}

/** A thread's name: the question on one line without mentions, ids and mark-up; or the first file's name. */
export function threadName(question: Json | null): string {
  const written = asText(question?.['content']) ?? '';
  // The answer to a command shows the question among words of our own.
  const content = question?.['interaction_metadata'] === undefined ? written : questionIn(written);
  const words = oneLine(
    content
      .replace(/<a?:(\w+):\d+>/g, ':$1:')
      .replace(/<\/([^:<>]+):\d+>/g, '/$1')
      .replace(/<(?:@[!&]?|#|t:|id:)[^<>]*>/g, ' ')
      .replace(/\d{15,20}/g, ' ')
      .replace(/(^|\s)(?:#{1,3}|-#|>{1,3})(?=\s)/g, '$1')
      .replace(/[*`~|\u200b]+/g, ''),
  ).replace(/\s+/g, ' ');
  const name = words.replace(/^[\s,:;.–-]+/, '').trim();
  const fileName = question === null ? '' : oneLine(filesOf(question)[0]?.name ?? '').replace(/\d{15,20}/g, '');
  return shorten(name || fileName.trim() || 'Question', discordLimits.threadNameCharacters);
}
