import { emitMessageDelete } from './events.ts';
import { messageFlags } from './limits.ts';
import { addMessage, editMessage } from './messages.ts';
import type { Origin } from './messages.ts';
import type { AnswerKind, InteractionState } from './interactions.ts';
import { invalidForm, refusal } from './refusal.ts';
import { bodyOf, done, ok } from './route.ts';
import type { Answer, Call, Routes } from './route.ts';
import type { ChannelState, Json, MessageState } from './state.ts';
import { modalProblems } from './modal-limits.ts';
import { wireMessage } from './wire.ts';

const hook = '/webhooks/{webhook_id}/{webhook_token}';

/** Kinds of answer by their number. Source: docs, receiving and responding. */
const answerKinds: Readonly<Record<number, AnswerKind>> = {
  4: 'message',
  5: 'deferred',
  6: 'update-deferred',
  7: 'update',
  9: 'modal',
};

export const interactionRoutes: Routes = {
  'POST /interactions/{interaction_id}/{interaction_token}/callback': (call) => {
    const { interaction_id: id = '', interaction_token: token = '' } = call.parameters;
    const interaction = call.interactions.take(id, token);
    const { type, data } = bodyOf(call) as { readonly type: number; readonly data?: Json | null };
    const kind = answerKinds[type];
    if (kind === undefined) throw notAllowed(`The fake knows no answer of type ${type}.`);
    const message = answerFirst(call, interaction, kind, data ?? {});
    interaction.answer = { kind, afterMs: call.world.state.now() - interaction.createdMs };
    interaction.settle(kind);
    if (call.query.get('with_response') !== 'true') return done;
    return ok(callbackResponse(call, interaction, type, message));
  },

  [`POST ${hook}`]: (call) => {
    const interaction = interactionOf(call);
    const { state } = call.world;
    const first = state.messages.get(interaction.responseId ?? '');
    const isLoading = first !== undefined && (first.flags & messageFlags.loading) !== 0;
    // The first follow-up of a deferred answer takes its place, and with it whether only one person sees it.
    if (isLoading) return wired(call, editMessage(call.world, first, withoutFlag(bodyOf(call)), call.files));
    return wired(call, respond(call, interaction, bodyOf(call)));
  },

  [`GET ${hook}/messages/@original`]: (call) => wired(call, originalOf(call)),
  [`PATCH ${hook}/messages/@original`]: (call) =>
    wired(call, editMessage(call.world, originalOf(call), bodyOf(call), call.files)),
  [`DELETE ${hook}/messages/@original`]: (call) => remove(call, originalOf(call)),
  [`GET ${hook}/messages/{message_id}`]: (call) => wired(call, followUpOf(call)),
  [`PATCH ${hook}/messages/{message_id}`]: (call) =>
    wired(call, editMessage(call.world, followUpOf(call), bodyOf(call), call.files)),
  [`DELETE ${hook}/messages/{message_id}`]: (call) => remove(call, followUpOf(call)),
};

/** The message that the answer is or changes; null for a form. */
function answerFirst(call: Call, interaction: InteractionState, kind: AnswerKind, data: Json): MessageState | null {
  if (kind === 'modal') {
    if (interaction.kind === 'modal-submit') throw notAllowed('A form cannot answer a form.');
    checkModal(data);
    interaction.modal = data;
    return null;
  }
  const isUpdate = kind === 'update' || kind === 'update-deferred';
  const message = isUpdate ? update(call, interaction, kind, data) : create(call, interaction, kind, data);
  interaction.responseId = message.id;
  return message;
}

function create(call: Call, interaction: InteractionState, kind: AnswerKind, data: Json): MessageState {
  if (kind === 'message') return respond(call, interaction, data);
  const flags = (data['flags'] ?? 0) as number;
  if ((flags & ~messageFlags.ephemeral) !== 0) throw notAllowed('Only the flag EPHEMERAL is valid when deferring.');
  return respond(call, interaction, { flags }, messageFlags.loading);
}

function update(call: Call, interaction: InteractionState, kind: AnswerKind, data: Json): MessageState {
  const message = call.world.state.messages.get(interaction.messageId ?? '');
  if (message === undefined) throw notAllowed('There is no message to change.');
  return kind === 'update' ? editMessage(call.world, message, data, call.files) : message;
}

function checkModal(modal: Json): void {
  const problems = modalProblems(modal);
  if (problems.length > 0) throw invalidForm(problems);
}

function notAllowed(message: string): Error {
  return invalidForm([{ path: 'type', code: 'INTERACTION_CALLBACK_TYPE', message }]);
}

/** A new message that answers an interaction; its channel may be gone or closed to the bot, it needs no permission there. */
function respond(call: Call, interaction: InteractionState, data: Json, systemFlags = 0): MessageState {
  const { world } = call;
  const channel = channelOf(call, interaction);
  const isEphemeral = (((data['flags'] ?? 0) as number) & messageFlags.ephemeral) !== 0;
  const origin: Origin = {
    type: interaction.kind === 'slash' ? 20 : interaction.kind === 'message-command' ? 23 : 0,
    interaction: interaction.metadata,
    ephemeralFor: isEphemeral ? interaction.userId : null,
    systemFlags,
  };
  return addMessage(world, channel, data, call.files, origin);
}

function channelOf({ world }: Call, interaction: InteractionState): ChannelState {
  const channel = world.state.channels.get(interaction.channelId);
  if (channel === undefined) throw refusal('unknownChannel');
  return channel;
}

function interactionOf(call: Call): InteractionState {
  return call.interactions.byToken(call.parameters['webhook_id'] ?? '', call.parameters['webhook_token'] ?? '');
}

function originalOf(call: Call): MessageState {
  const message = call.world.state.messages.get(interactionOf(call).responseId ?? '');
  if (message === undefined) throw refusal('unknownMessage');
  return message;
}

/** Only messages of the same interaction. */
function followUpOf(call: Call): MessageState {
  const interaction = interactionOf(call);
  const message = call.world.state.messages.get(call.parameters['message_id'] ?? '');
  const isOurs = message?.id === interaction.responseId || message?.interaction?.['id'] === interaction.id;
  if (message === undefined || !isOurs) throw refusal('unknownMessage');
  return message;
}

function remove(call: Call, message: MessageState): Answer {
  call.world.state.messages.delete(message.id);
  emitMessageDelete(call.world, message);
  return done;
}

function wired(call: Call, message: MessageState): Answer {
  return ok(wireMessage(call.world, message, true));
}

function withoutFlag(body: Json): Json {
  return { ...body, flags: ((body['flags'] ?? 0) as number) & ~messageFlags.ephemeral };
}

function callbackResponse(call: Call, interaction: InteractionState, type: number, message: MessageState | null): Json {
  const isShown = message !== null && (type === 4 || type === 5 || type === 7);
  return {
    interaction: {
      id: interaction.id,
      type: { slash: 2, 'message-command': 2, component: 3, 'modal-submit': 5 }[interaction.kind],
      ...(message === null
        ? {}
        : {
            response_message_id: message.id,
            response_message_loading: (message.flags & messageFlags.loading) !== 0,
            response_message_ephemeral: message.ephemeralFor !== null,
          }),
    },
    ...(isShown ? { resource: { type: type === 5 ? 4 : type, message: wireMessage(call.world, message, true) } } : {}),
  };
}
