import { MessageReferenceType, MessageType } from 'discord.js';
import type { APIAttachment, APIMessage, APIMessageSnapshotFields } from 'discord.js';
import type { Attachment, Person, ThreadRef } from '../../src/types.ts';

/** How the file can be fetched later. Never holds a token; `url` is signed, lives about a day, and is only ever fetched from Discord's hosts. */
export type DiscordFileSource =
  /** Reading the message again gives a fresh URL. */
  | {
      readonly kind: 'message';
      readonly channelId: string;
      readonly messageId: string;
      readonly attachmentId: string;
      readonly url: string;
    }
  /** Given to a command or a form: it belongs to no message, so that an expired URL cannot be renewed. */
  | { readonly kind: 'interaction'; readonly attachmentId: string; readonly url: string }
  /** Whatever the message replied to holds: Discord hides it from a bot without Message Content. */
  | { readonly kind: 'unseen'; readonly channelId: string; readonly messageId: string };

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
  return `${taskId.split('-').slice(0, 4).join('-')}-r${BigInt(interactionId).toString(36)}`;
}

/** The channel that a task's message is in, which is not always its thread's. `null` for ids of other platforms. */
export function channelOfTask(taskId: string): string | null {
  const [platform, , channelId] = taskId.split('-');
  return platform === 'discord' ? (channelId ?? null) : null;
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

/** The files of the message itself and of what it forwards. */
export function filesOf(message: APIMessage): readonly Attachment[] {
  const forwarded = snapshotsOf(message).flatMap(({ attachments }) => attachments ?? []);
  return unique(
    [...(message.attachments ?? []), ...forwarded].map((attachment) =>
      readFile(attachment, {
        kind: 'message',
        channelId: message.channel_id,
        messageId: message.id,
        attachmentId: attachment.id,
        url: attachment.url,
      }),
    ),
  );
}

/** Files of a message and of the one it replies to; its own come first. */
export function filesWithReplied(message: APIMessage): readonly Attachment[] {
  const replied = isForward(message) ? null : (message.referenced_message ?? null);
  if (replied === null) return filesOf(message);
  const files = [...filesOf(message), ...filesOf(replied)];
  return unique(files.length === 0 && isHidden(replied) ? [unseen(replied)] : files);
}

/** A file that came with a command or a form. */
export function interactionFile(attachment: APIAttachment): Attachment {
  return readFile(attachment, { kind: 'interaction', attachmentId: attachment.id, url: attachment.url });
}

/** The stored form of a source, read back; `null` for what another adapter wrote. */
export function readSource(source: unknown): DiscordFileSource | null {
  if (typeof source !== 'object' || source === null || !('kind' in source)) return null;
  const known = ['message', 'interaction', 'unseen'];
  return known.includes(String(source.kind)) ? (source as DiscordFileSource) : null;
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

function readFile(attachment: APIAttachment, source: DiscordFileSource): Attachment {
  return {
    id: attachment.id,
    name: nameOf(attachment),
    mimeType: attachment.content_type?.split(';')[0]?.trim() ?? 'application/octet-stream',
    sizeBytes: attachment.size,
    source,
  };
}

/** Discord takes signs it does not like out of `filename` and keeps the name as it was, without its ending, in `title`. */
function nameOf({ filename, title }: APIAttachment): string {
  if (title === undefined || title === null || title === '') return filename;
  const ending = /\.\w{1,8}$/.exec(filename)?.[0] ?? '';
  return title.toLowerCase().endsWith(ending.toLowerCase()) ? title : `${title}${ending}`;
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

function unique(files: readonly Attachment[]): readonly Attachment[] {
  return files.filter((file, index) => files.findIndex(({ id }) => id === file.id) === index);
}
