import { createHash } from 'node:crypto';
import { ButtonStyle, ComponentType } from 'discord.js';
import type { APIMessageTopLevelComponent } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Task } from '../../src/types.ts';
import type { CustomIdAction } from './custom-ids.ts';
import type { HeardMessage, Intake } from './intake.ts';
import { isTalk, taskIdOf } from './message.ts';
import type { Speech } from './speech.ts';
import type { Surroundings } from './surroundings.ts';
import { mentionsBot } from './text.ts';

/** Messages that were edited or deleted. */
export interface MessageChanges {
  edited(message: HeardMessage): Promise<void>;
  deleted(ids: readonly string[], channelId: string, guildId: string | null): Promise<void>;
}

/** An edit that adds the mention of the bot is a question so long after the message was written. */
const lateMentionMs = 15 * 60_000;
/** Discord tells of every change of a message, also of one that was edited long ago. */
const freshEditMs = 2 * 60_000;
const rememberedOffers = 1000;

export function createMessageChanges(deps: {
  readonly surroundings: Surroundings;
  readonly handlers: GatewayHandlers;
  readonly intake: Intake;
  readonly speech: Speech;
  readonly hasMessageContent: boolean;
  readonly log: Logger;
}): MessageChanges {
  const { surroundings, handlers, intake, speech, hasMessageContent, log } = deps;
  const offered = new Set<string>();

  /** Without Message Content a message that lost its mention comes without its text, which then says nothing. */
  const isReadable = (message: HeardMessage, guildId: string | null): boolean => {
    if (guildId === null || hasMessageContent || message.content !== '') return true;
    return (
      message.mentions.some(({ id }) => id === surroundings.self().userId) || (message.attachments ?? []).length > 0
    );
  };

  /** With a button, for the bot does not answer twice unasked. */
  const offer = async (task: Task, message: HeardMessage): Promise<void> => {
    const digest = createHash('sha256').update(task.text).digest('hex').slice(0, 16);
    const key = `${task.id}-edited-${digest}`;
    if (offered.has(key)) return;
    if (offered.size >= rememberedOffers) offered.clear();
    offered.add(key);
    const saying = { text: 'You edited the question. Shall I answer the new text?', components: offerButtons(task.id) };
    const { channelId, threadId } = task.thread;
    const here = { channelId: message.channel_id, replyTo: message.id };
    try {
      const isHere = threadId === message.channel_id;
      await speech.say(isHere ? here : { channelId: threadId, replyTo: null }, saying, key);
    } catch (error) {
      // No thread could be made: the answer is in the channel.
      log.debug({ channelId, threadId, error: String(error) }, 'an offer goes to the channel');
      await speech.say(here, saying, key);
    }
  };

  return {
    edited: async (message) => {
      // Changes by Discord, as the preview of a link, come without an author in old messages and without an edit's time.
      if (message.author?.bot === true || message.content === undefined || message.edited_timestamp === null) return;
      if (!isTalk(message) || message.webhook_id !== undefined) return;
      const guildId = message.guild_id ?? null;
      if (!isReadable(message, guildId)) return;
      const known = await handlers.findTask(taskIdOf(guildId, message.channel_id, message.id));
      if (known === null) {
        if (isLateMention(message, guildId)) await intake.hear(message);
        return;
      }
      const task = { ...intake.taskOf(message, known.task.thread), receivedAtMs: known.task.receivedAtMs };
      const outcome = await handlers.onEdit(task);
      if (outcome === 'answered') await offer(task, message);
    },

    deleted: async (ids, channelId, guildId) => {
      for (const id of ids) await handlers.onDelete(taskIdOf(guildId, channelId, id));
    },
  };

  function isLateMention(message: HeardMessage, guildId: string | null): boolean {
    const isAddressed = mentionsBot(message, surroundings.self(), surroundings.botRoleId(guildId));
    const editedAtMs = Date.parse(message.edited_timestamp ?? '');
    const isFresh = Date.now() - editedAtMs < freshEditMs;
    return isAddressed && isFresh && editedAtMs - Date.parse(message.timestamp) < lateMentionMs;
  }
}

function offerButtons(taskId: string): readonly APIMessageTopLevelComponent[] {
  const button = (action: CustomIdAction, label: string, style: ButtonStyle.Primary | ButtonStyle.Secondary) =>
    ({ type: ComponentType.Button, style, label, custom_id: `${action}:${taskId}` }) as const;
  return [
    {
      type: ComponentType.ActionRow,
      components: [
        button('rerun-edited', 'Answer the new text', ButtonStyle.Primary),
        button('dismiss', 'No', ButtonStyle.Secondary),
      ],
    },
  ];
}
