import { DiscordAPIError, InteractionResponseType, MessageFlags, RESTJSONErrorCodes, Routes } from 'discord.js';
import type {
  APIInteraction,
  APIMessage,
  APIModalInteractionResponseCallbackData,
  REST,
  RESTPostAPIInteractionCallbackWithResponseResult,
} from 'discord.js';
import type { Logger } from '../../src/log.ts';
import { bodyOf, filesOf } from './speech.ts';
import type { Saying, Speech } from './speech.ts';

/** The answer to one interaction. Discord waits three seconds for the first of these, and takes the rest for 15 minutes. */
export interface Responder {
  /** For an answer that only the person sees. False: it came too late; then the person sees that it failed, and there is nothing to do. */
  defer(): Promise<boolean>;
  /** For a button whose message changes, or not, without a word. */
  deferUpdate(): Promise<boolean>;
  /** At once, seen by the person alone. */
  refuse(text: string): Promise<boolean>;
  /** At once, seen by all, with the message that it becomes; `unknown`: it may have become one, Discord's word on it was lost. */
  announce(saying: Saying): Promise<Announced>;
  openForm(form: APIModalInteractionResponseCallbackData): Promise<boolean>;
  /**
   * Fills in what was deferred. Past its time it is posted in the channel, or, where only the person was to see it, in a direct
   * message to them. Resolves to the message.
   */
  answer(saying: Saying): Promise<APIMessage>;
  /** In whatever way is still open, for when the work behind it failed: nobody is left with “thinking…”. Never rejects. */
  apologize(text: string): Promise<void>;
  /** Takes away what was deferred, or the message that an updating button is on. */
  remove(): Promise<void>;
  /** A further message that only the person sees. */
  whisper(text: string): Promise<void>;
}

/** `messageId` is `null` where Discord did not take the answer: the person sees that it failed. */
export type Announced = { readonly kind: 'known'; readonly messageId: string | null } | { readonly kind: 'unknown' };

const firstAnswerTimeoutMs = 5000;
const answerTimeoutMs = 20_000;
/** Discord's 15 minutes, less what a slow request may take. */
const tokenLifeMs = 14 * 60_000;

export function createResponder(
  interaction: Pick<APIInteraction, 'id' | 'token' | 'application_id'>,
  from: { readonly channelId: string; readonly userId: string },
  deps: { readonly rest: Pick<REST, 'post' | 'patch' | 'delete'>; readonly speech: Speech; readonly log: Logger },
): Responder {
  const { rest, speech, log } = deps;
  const receivedAtMs = Date.now();
  /** How Discord was answered first; `null`: not yet. */
  let begun: InteractionResponseType | null = null;
  let seenBy: 'public' | 'only-them' = 'only-them';
  const original = Routes.webhookMessage(interaction.application_id, interaction.token, '@original');

  const first = async (type: InteractionResponseType, data?: object): Promise<boolean> => {
    try {
      await rest.post(Routes.interactionCallback(interaction.id, interaction.token), {
        body: { type, ...(data === undefined ? {} : { data }) },
        auth: false,
        signal: AbortSignal.timeout(firstAnswerTimeoutMs),
      });
      begun = type;
      return true;
    } catch (error) {
      // By an attempt of ours whose answer was lost, or by another process: what follows is the same for both, once.
      if (codeOf(error) === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged) {
        begun = type;
        return true;
      }
      log.warn({ interaction: interaction.id, error: String(error) }, 'an interaction could not be acknowledged');
      return false;
    }
  };

  const announce: Responder['announce'] = async (saying) => {
    seenBy = 'public';
    const type = InteractionResponseType.ChannelMessageWithSource;
    try {
      const response = (await rest.post(Routes.interactionCallback(interaction.id, interaction.token), {
        body: { type, data: bodyOf(saying) },
        query: new URLSearchParams({ with_response: 'true' }),
        auth: false,
        signal: AbortSignal.timeout(firstAnswerTimeoutMs),
      })) as RESTPostAPIInteractionCallbackWithResponseResult;
      begun = type;
      const messageId = response.resource?.message?.id;
      return messageId === undefined ? { kind: 'unknown' } : { kind: 'known', messageId };
    } catch (error) {
      log.warn({ interaction: interaction.id, error: String(error) }, 'the answer to a command may be lost');
      const isDone = codeOf(error) === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged;
      if (!isDone && error instanceof DiscordAPIError) return { kind: 'known', messageId: null };
      begun = type;
      return { kind: 'unknown' };
    }
  };

  const refuse: Responder['refuse'] = (text) =>
    first(InteractionResponseType.ChannelMessageWithSource, {
      content: text,
      flags: MessageFlags.Ephemeral,
      allowed_mentions: { parse: [] },
    });

  const answer: Responder['answer'] = async (saying) => {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    try {
      if (Date.now() - receivedAtMs > tokenLifeMs) throw new Error('the token of the interaction has ended');
      return (await rest.patch(original, {
        body: bodyOf(saying),
        auth: false,
        signal,
        ...filesOf(saying),
      })) as APIMessage;
    } catch (error) {
      log.warn({ interaction: interaction.id, error: String(error) }, 'an interaction is answered by a message');
      const key = `interaction-${interaction.id}`;
      if (seenBy === 'only-them') return await speech.tell(from.userId, saying, key);
      return await speech.say({ channelId: from.channelId, replyTo: null }, saying, key);
    }
  };

  const whisper: Responder['whisper'] = async (text) => {
    await rest.post(Routes.webhook(interaction.application_id, interaction.token), {
      body: { content: text, flags: MessageFlags.Ephemeral, allowed_mentions: { parse: [] } },
      auth: false,
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
  };

  return {
    defer: () => first(InteractionResponseType.DeferredChannelMessageWithSource, { flags: MessageFlags.Ephemeral }),
    deferUpdate: () => first(InteractionResponseType.DeferredMessageUpdate),
    refuse,
    announce,
    openForm: (form) => first(InteractionResponseType.Modal, form),

    answer,

    apologize: async (text) => {
      try {
        if (begun === null) await refuse(text);
        else if (isMessage(begun)) await answer({ text });
        else await whisper(text);
      } catch (error) {
        log.warn({ interaction: interaction.id, error: String(error) }, 'a failure could not be said');
      }
    },

    remove: async () => {
      await rest
        .delete(original, { auth: false, signal: AbortSignal.timeout(answerTimeoutMs) })
        .catch((error: unknown) => log.debug({ error: String(error) }, 'a message of an interaction was not removed'));
    },

    whisper,
  };
}

/** What was answered is a message of its own, which can be rewritten. */
function isMessage(type: InteractionResponseType): boolean {
  return (
    type === InteractionResponseType.DeferredChannelMessageWithSource ||
    type === InteractionResponseType.ChannelMessageWithSource
  );
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}
