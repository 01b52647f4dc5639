import { refusal } from './refusal.ts';
import type { AttachmentState, Json } from './state.ts';
import type { DiscordWorld } from './world.ts';

/** The first answer must come within this, and the token lives for that long, in ms. Source: docs, receiving and responding. */
export const firstAnswerMs = 3000;
export const tokenMs = 15 * 60_000;

/** How an interaction was first answered: a message, a deferred one, a deferred or real change of its message, or a form. */
export type AnswerKind = 'message' | 'deferred' | 'update-deferred' | 'update' | 'modal';

export interface InteractionState {
  readonly id: string;
  readonly token: string;
  readonly kind: 'slash' | 'message-command' | 'component' | 'modal-submit';
  readonly channelId: string;
  readonly guildId: string | null;
  readonly userId: string;
  readonly createdMs: number;
  /** The message whose button or menu was used, or from whose form this comes. */
  readonly messageId: string | null;
  /** What its answers say of where they come from. */
  readonly metadata: Json;
  readonly files: readonly AttachmentState[];
  answer: { readonly kind: AnswerKind; readonly afterMs: number } | null;
  /** The message that answers it: of a component, where it was. */
  responseId: string | null;
  /** The form that was opened. */
  modal: Json | null;
  /** Resolves with the first answer. */
  readonly answered: Promise<AnswerKind>;
  readonly settle: (kind: AnswerKind) => void;
}

export interface Interactions {
  readonly all: Map<string, InteractionState>;
  open(
    given: Omit<
      InteractionState,
      'id' | 'token' | 'createdMs' | 'answer' | 'responseId' | 'modal' | 'answered' | 'settle'
    >,
  ): InteractionState;
  /** @throws DiscordRefusal 10062 too late or unknown, 40060 answered already. */
  take(id: string, token: string): InteractionState;
  /** For what comes after the first answer. @throws DiscordRefusal 10015 unknown or not answered, 50027 after 15 minutes. */
  byToken(applicationId: string, token: string): InteractionState;
}

export function createInteractions({ state }: Pick<DiscordWorld, 'state'>): Interactions {
  const all = new Map<string, InteractionState>();
  return {
    all,
    open: (given) => {
      const id = state.nextId();
      const { promise, resolve } = promiseWithResolver<AnswerKind>();
      const token = Buffer.from(`interaction:${id}:fake`).toString('base64url');
      const interaction: InteractionState = {
        ...given,
        id,
        token,
        createdMs: state.now(),
        answer: null,
        responseId: null,
        modal: null,
        answered: promise,
        settle: resolve,
      };
      all.set(id, interaction);
      return interaction;
    },
    take: (id, token) => {
      const interaction = all.get(id);
      if (interaction === undefined || interaction.token !== token) throw refusal('unknownInteraction');
      if (interaction.answer !== null) throw refusal('alreadyAcknowledged');
      if (state.now() - interaction.createdMs > firstAnswerMs) throw refusal('unknownInteraction');
      return interaction;
    },
    byToken: (applicationId, token) => {
      const interaction = [...all.values()].find((one) => one.token === token);
      if (applicationId !== state.applicationId || interaction === undefined) throw refusal('unknownWebhook');
      if (state.now() - interaction.createdMs > tokenMs) throw refusal('invalidWebhookToken');
      if (interaction.answer === null) throw refusal('unknownWebhook');
      return interaction;
    },
  };
}

function promiseWithResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
