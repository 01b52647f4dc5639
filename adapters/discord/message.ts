import { MessageReferenceType, MessageType } from 'discord.js';
import type { APIAttachment, APIMessage, APIMessageSnapshotFields } from 'discord.js';
import type { Attachment, Person, ThreadRef } from '../../src/types.ts';
import { asObject } from '../json.ts';
import { filesOf } from './attachments.ts';

/** What the message begins its thread from or was written in. */
export interface Place {
  readonly id: string;
  /**
   * `text`: a question gets a thread of its own. `flat`: a channel that can hold no threads (chats of voice channels).
   * `thread`: a thread or a post of a forum. `direct`: a direct message.
   */
  readonly kind: 'direct' | 'text' | 'thread' | 'flat';
  /** The channel of a thread. */
  readonly parentId: string | null;
  /** `null` in direct messages. */
  readonly guildId: string | null;
}

/** The same for every event about one message, so that the store keeps one task of them. At most 67 characters. */
export function taskIdOf(guildId: string | null, channelId: string, messageId: string): string {
  return `discord-${workspaceOf(guildId)}-${channelId}-${messageId}`;
}

/** A re-run that an interaction asked for: short enough for a custom id, the same for a replayed interaction. */
export function rerunIdOf(taskId: string, interactionId: string): string {
  return `${firstTaskIdOf(taskId)}-r${BigInt(interactionId).toString(36)}`;
}

/** The task of the message itself, which a re-run is of. */
export function firstTaskIdOf(taskId: string): string {
  return taskId.split('-').slice(0, 4).join('-');
}

/** Discord has no workspace in direct messages. */
export function workspaceOf(guildId: string | null): string {
  return guildId ?? '@me';
}

/** A thread made from a message has the message's id; elsewhere the conversation is where the message is. */
export function threadAt(place: Place, messageId: string): ThreadRef {
  return {
    platform: 'discord',
    workspaceId: workspaceOf(place.guildId),
    channelId: place.parentId ?? place.id,
    threadId: place.kind === 'text' ? messageId : place.id,
  };
}

/** A person or a bot talking; every other type is a notice of Discord's. */
export function isTalk(message: APIMessage): boolean {
  return message.type === MessageType.Default || message.type === MessageType.Reply;
}

export function isForward(message: APIMessage): boolean {
  return message.message_reference?.type === MessageReferenceType.Forward;
}

/** What was written, or else what was forwarded. */
export function contentOf(message: APIMessage): string {
  if (message.content !== '') return message.content;
  return snapshotsOf(message)
    .map(({ content }) => content)
    .filter((content) => content !== '')
    .join('\n\n');
}

/** Files of a message and of the one it replies to; its own come first. What the bot itself posted is in its thread already. */
export function filesWithReplied(message: APIMessage, selfId: string | null): readonly Attachment[] {
  const own = filesOf(asObject(message));
  const replied = isForward(message) ? null : (message.referenced_message ?? null);
  if (replied === null || replied.author.id === selfId) return own;
  const files = [...own, ...filesOf(asObject(replied))];
  return files.length === 0 && isHidden(replied) ? [unseen(replied)] : files;
}

/** A file that came with a command or a form. */
export function interactionFile(attachment: APIAttachment): readonly Attachment[] {
  const source = { kind: 'interaction', attachmentId: attachment.id, url: attachment.url } as const;
  return filesOf({ attachments: [attachment] }).map((file) => ({ ...file, source }));
}

/** Without Message Content Discord takes all of it away, so that it looks like a message that holds nothing. */
export function isHidden(message: APIMessage): boolean {
  const { content, attachments, embeds, components, sticker_items: stickers, poll } = message;
  const parts = [attachments, embeds, components, stickers, snapshotsOf(message)];
  return content === '' && poll === undefined && parts.every((part) => (part ?? []).length === 0);
}

export function personOf(
  user: { readonly id: string; readonly username: string; readonly global_name: string | null },
  nick: string | null | undefined,
): Person {
  return { id: user.id, displayName: nick ?? user.global_name ?? user.username };
}

function snapshotsOf(message: APIMessage): readonly APIMessageSnapshotFields[] {
  return (message.message_snapshots ?? []).map(({ message: forwarded }) => forwarded);
}

function unseen(message: APIMessage): Attachment {
  return {
    id: `unseen-${message.id}`,
    name: 'the message you replied to',
    mimeType: 'application/octet-stream',
    sizeBytes: null,
    source: { kind: 'unseen', channelId: message.channel_id, messageId: message.id },
  };
}
