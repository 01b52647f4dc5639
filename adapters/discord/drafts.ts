import { setTimeout as delay } from 'node:timers/promises';
import { toAppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Draft } from '../../src/ports/store.ts';
import type { Attachment, Person } from '../../src/types.ts';
import { asObject, asText } from '../json.ts';
import { hasCode } from './errors.ts';
import { idOf, messagesAfter } from './history.ts';
import { taskIdOf, threadAt } from './message.ts';
import type { Place } from './message.ts';
import type { DiscordApi } from './rest.ts';

/** A question that a command or a form asks, before Discord has said which message shows it. */
export interface Question {
  readonly interactionId: string;
  readonly place: Place;
  readonly person: Person;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly askedAtMs: number;
}

/**
 * Between the answer to a command and the task there is a gap: the task's id and its thread come from the message that the answer
 * becomes. So the question is kept before Discord is answered, and the message, which names its interaction, can be found by
 * whichever process comes next. No message: nobody was promised anything.
 */
export interface Drafts {
  keep(question: Question): Promise<void>;
  /** The message is known: the question becomes a task. Harmless to repeat. */
  takeUp(question: Question, messageId: string): Promise<void>;
  drop(question: Question): Promise<void>;
  /** The id of the message that shows the question; `null` once it is certain that there is none. Rejects where Discord cannot be asked. */
  find(question: Question, signal: AbortSignal): Promise<string | null>;
  /** Takes up, or drops, what an earlier process left. Never rejects: what cannot be found out now is left to the next start. */
  recover(signal: AbortSignal): Promise<void>;
}

/** Discord takes the first answer for three seconds; the rest is for clocks that differ and requests on their way. */
const answerWindowMs = 6000;
const lookIntervalMs = 500;
const lookTimeoutMs = 15_000;
/** Between attempts at a Discord that does not answer. */
const pausesMs = [1000, 5000, 20_000, 60_000];

export function createDrafts(deps: {
  readonly handlers: Pick<GatewayHandlers, 'onTask' | 'keepDraft' | 'drafts' | 'dropDraft'>;
  readonly api: DiscordApi;
  readonly log: Logger;
  readonly windowMs?: number;
}): Drafts {
  const { handlers, api, log } = deps;
  const windowMs = deps.windowMs ?? answerWindowMs;

  const look = async ({ place, interactionId }: Question, signal: AbortSignal): Promise<string | null> => {
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(lookTimeoutMs)]);
      const messages = await messagesAfter(api, place.id, interactionId, within);
      const shown = messages.find(
        (message) => asText(asObject(message['interaction_metadata'])['id']) === interactionId,
      );
      return shown === undefined ? null : idOf(shown);
    } catch (error) {
      // Nobody can see, or answer, what stands there.
      if (hasCode(error, 'unknownChannel', 'missingAccess')) return null;
      throw error;
    }
  };

  const lookInsistently = async (question: Question, signal: AbortSignal): Promise<string | null> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await look(question, signal);
      } catch (error) {
        const pauseMs = pausesMs[attempt];
        if (pauseMs === undefined || signal.aborted) throw error;
        await delay(toAppError(error).retryAfterMs ?? pauseMs, undefined, { signal, ref: false });
      }
    }
  };

  const drafts: Drafts = {
    keep: (question) => handlers.keepDraft(draftOf(question)),

    takeUp: async (question, messageId) => {
      const { place, person, text, attachments, askedAtMs } = question;
      await handlers.onTask({
        id: taskIdOf(place.guildId, place.id, messageId),
        thread: threadAt(place, messageId),
        messageId,
        person,
        text,
        attachments,
        receivedAtMs: askedAtMs,
      });
      await drafts.drop(question);
    },

    drop: (question) => handlers.dropDraft(draftOf(question).id),

    find: async (question, signal) => {
      for (;;) {
        const isOver = Date.now() - question.askedAtMs > windowMs;
        const found = await lookInsistently(question, signal);
        if (found !== null || isOver) return found;
        await delay(Math.min(lookIntervalMs, windowMs), undefined, { signal, ref: false });
      }
    },

    recover: async (signal) => {
      try {
        const left = await handlers.drafts('discord');
        await Promise.all(left.map(({ body }) => recoverOne(body as unknown as Question, signal)));
      } catch (error) {
        log.error({ error: String(error) }, 'questions of an earlier process could not be looked for');
      }
    },
  };

  const recoverOne = async (question: Question, signal: AbortSignal): Promise<void> => {
    const { interactionId } = question;
    try {
      const messageId = await drafts.find(question, signal);
      log.info({ interactionId, messageId }, 'a question of an earlier process');
      await (messageId === null ? drafts.drop(question) : drafts.takeUp(question, messageId));
    } catch (error) {
      log.error({ interactionId, error: String(error) }, 'a question of an earlier process is left to the next start');
    }
  };

  return drafts;
}

function draftOf(question: Question): Draft {
  return { id: `discord-${question.interactionId}`, platform: 'discord', body: question as unknown as Draft['body'] };
}
