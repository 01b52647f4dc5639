import type { APIMessage, GatewayMessageCreateDispatchData } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Person, Task, ThreadRef } from '../../src/types.ts';
import { commandIn } from '../command-words.ts';
import type { Command } from '../command-words.ts';
import { asObject } from '../json.ts';
import { refusalFor } from './access.ts';
import type { AccessRules } from './access.ts';
import { filesOf, readSource } from './attachments.ts';
import { contentOf, filesWithReplied, isForward, isTalk, personOf, taskIdOf, threadAt } from './message.ts';
import type { Place } from './message.ts';
import type { Giver, Orders } from './orders.ts';
import { helpText } from './overview-text.ts';
import type { PermissionCheck } from './permission-check.ts';
import type { Saying, Speech } from './speech.ts';
import type { Surroundings } from './surroundings.ts';
import { mentionsBot, mentionsOthers, plainText } from './text.ts';
import { createTurns } from './turns.ts';

/** A message as the gateway tells it. */
export type HeardMessage = APIMessage & Pick<GatewayMessageCreateDispatchData, 'guild_id' | 'member'>;

/** Turns messages into tasks and orders. Each call resolves once it is handed over, or is nothing for us. */
export interface Intake {
  hear(message: HeardMessage): Promise<void>;
  /** A message that has a task-like shape: also used for a question that was edited to address the bot. */
  taskOf(message: HeardMessage, thread: ThreadRef): Task;
}

/** Whether a message is for the bot; `hidden`: it is, `unheard`: it may be, but Discord does not show us what it says. */
type Address = 'ours' | 'hidden' | 'unheard';

const notKept = 'I could not take this question: something failed on my side. Ask it again in a minute.';

const rememberedHints = 1000;

export function createIntake(deps: {
  readonly surroundings: Surroundings;
  readonly handlers: GatewayHandlers;
  readonly orders: Orders;
  readonly speech: Speech;
  readonly permissions: PermissionCheck;
  readonly access: AccessRules;
  /** The bot may read messages that are not addressed to it. */
  readonly hasMessageContent: boolean;
  readonly log: Logger;
}): Intake {
  const { surroundings, handlers, orders, speech, access, hasMessageContent, log } = deps;
  const isOurs = createTurns(handlers);
  /** Conversations that were told what cannot be heard in them. */
  const hinted = new Set<string>();

  const guildOf = (message: HeardMessage): string | null => message.guild_id ?? null;

  const addressOf = async (message: HeardMessage): Promise<Address | null> => {
    const guildId = guildOf(message);
    if (guildId === null) return 'ours';
    const self = surroundings.self();
    const isMention = mentionsBot(message, self, surroundings.botRoleId(guildId));
    const isToBot = message.referenced_message?.author.id === self.userId && !isForward(message);
    const isEmpty = contentOf(message) === '' && filesOf(asObject(message)).length === 0;
    // A mention of the bot's role, and a reply without its ping, come without what they say.
    if (isMention || isToBot) return isEmpty && !hasMessageContent ? 'hidden' : 'ours';
    // Talk among people: with each other, or with one who is named.
    const isElsewhere = mentionsOthers(message, self) || message.mention_roles.length > 0 || message.mention_everyone;
    if (isElsewhere || (message.referenced_message ?? null) !== null) return null;
    const place = await surroundings.place(message.channel_id, guildId);
    if (place?.kind !== 'thread' || !(await handlers.knowsThread(threadAt(place, message.id)))) return null;
    return hasMessageContent ? 'ours' : 'unheard';
  };

  /** A reply in a channel goes on with the conversation of the message it replies to, where no thread could be made. */
  const threadOf = async (message: HeardMessage, place: Place): Promise<ThreadRef> => {
    const thread = threadAt(place, message.id);
    const replied = message.referenced_message ?? null;
    if (place.kind !== 'text' || replied?.author.id !== surroundings.self().userId) return thread;
    for (const threadId of [replied.message_reference?.message_id, replied.id]) {
      const earlier = threadId === undefined ? null : { ...thread, threadId };
      if (earlier !== null && (await handlers.knowsThread(earlier))) return earlier;
    }
    return thread;
  };

  const taskOf: Intake['taskOf'] = (message, thread) => {
    const guildId = guildOf(message);
    const isReplyUnknown = message.message_reference !== undefined && message.referenced_message === undefined;
    return {
      id: taskIdOf(guildId, message.channel_id, message.id),
      thread,
      messageId: message.id,
      person: personOf(message.author, message.member?.nick),
      text: plainText(contentOf(message), {
        self: surroundings.self(),
        roleId: surroundings.botRoleId(guildId),
        mentions: message.mentions,
        nameOf: surroundings.nameOf,
      }),
      attachments: filesWithReplied(message, surroundings.self().userId),
      receivedAtMs: Date.now(),
      lookAgain: isReplyUnknown && !isForward(message),
    };
  };

  const hint = async ({ id, channel_id: channelId }: HeardMessage, address: Address): Promise<void> => {
    // Talk in a thread of the bot may be meant for others: once is enough.
    if (address === 'unheard' && hinted.has(channelId)) return;
    if (hinted.size >= rememberedHints) hinted.clear();
    hinted.add(channelId);
    const text = `I cannot read this message: I read those that mention me (<@${surroundings.self().userId}>), and replies to me with the ping on.`;
    await speech.say({ channelId, replyTo: id }, { text }, `hint-${id}`);
  };

  const carryOut = async (command: Command, giver: Giver, thread: ThreadRef): Promise<Saying> => {
    switch (command) {
      case 'stop':
        return { text: await orders.stop(giver) };
      case 'show-code':
        return await orders.code(thread, null);
      case 'forget':
        return { text: await orders.forget('thread', giver) };
      case 'help':
        break;
    }
    return { text: helpText(surroundings.self().userId, hasMessageContent) };
  };

  const obey = async (
    command: Command,
    message: HeardMessage,
    place: Place,
    task: Task,
    refusal: string | null,
  ): Promise<void> => {
    if (!(await isOurs(`${message.id}-${command}`))) return;
    const { thread, person } = task;
    const giver: Giver = {
      person,
      place,
      thread: place.kind === 'text' && thread.threadId === message.id ? null : thread,
      isModerator: isModerator(message, person),
    };
    const saying = refusal === null ? await carryOut(command, giver, thread) : { text: refusal };
    await speech.say({ channelId: message.channel_id, replyTo: message.id }, saying, `${task.id}-${command}`);
  };

  const isModerator = (message: HeardMessage, person: Person): boolean =>
    surroundings.isModerator(guildOf(message), person.id, message.member?.roles ?? []);

  /** Discord tells of a message once: one that cannot be kept is said, so that nobody waits for an answer. */
  const orSayNotKept = async <Result>(message: HeardMessage, work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (error) {
      const { id, channel_id: channelId } = message;
      await speech
        .say({ channelId, replyTo: id }, { text: notKept }, `${taskIdOf(guildOf(message), channelId, id)}-not-kept`)
        .catch((failure: unknown) => log.warn({ channelId, error: String(failure) }, 'a failure could not be said'));
      throw error;
    }
  };

  return {
    taskOf,
    hear: async (message) => {
      if (message.author.bot === true || message.webhook_id !== undefined || !isTalk(message)) return;
      const address = await addressOf(message);
      if (address === null) return;
      const place = await orSayNotKept(message, surroundings.place(message.channel_id, guildOf(message)));
      if (place === null) {
        log.warn({ channelId: message.channel_id }, 'a question in a channel that is not known');
        return;
      }
      const refusal = refusalFor(access, {
        userId: message.author.id,
        guildId: place.guildId,
        channelIds: [place.id, ...(place.parentId === null ? [] : [place.parentId])],
        roleIds: message.member?.roles ?? [],
      });
      // Where it may not be used it speaks only to those who call it.
      if (address !== 'ours') return refusal === null ? await hint(message, address) : undefined;
      const task = taskOf(message, await threadOf(message, place));
      if (refusal === null && !(await deps.permissions.allows(place, task))) return;
      const command = task.attachments.every(isUnseen) ? commandIn(task.text) : null;
      // Whether somebody may ask is looked at when the question is taken up.
      if (command === null) return await orSayNotKept(message, handlers.onTask(task));
      await obey(command, message, place, task, refusal);
    },
  };
}

function isUnseen({ source }: Task['attachments'][number]): boolean {
  return readSource(source)?.kind === 'unseen';
}
