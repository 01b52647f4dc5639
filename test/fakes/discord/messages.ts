import { emitMessage, emitThread } from './events.ts';
import { checkMessage, messageFlags, safeName } from './limits.ts';
import { mentionsIn } from './mentions.ts';
import type { UploadedFile } from './multipart.ts';
import { may, requirePermissions, sendingPermission } from './permissions.ts';
import type { PermissionName } from './permissions.ts';
import { invalidForm, refusal } from './refusal.ts';
import type { AttachmentState, ChannelState, Json, MessageState } from './state.ts';
import type { DiscordWorld } from './world.ts';

/** How the bot's messages come to be and change; what people write is in `people.ts`. */

/** How long a nonce is remembered, in ms. The docs say "a few minutes" (resources/message). */
const nonceMs = 5 * 60_000;

export interface Origin {
  readonly type: number;
  readonly interaction: Json | null;
  readonly ephemeralFor: string | null;
  /** Of the first message of a forum post: that of its thread. */
  readonly id?: string;
  /** Flags that Discord sets: a deferred answer has LOADING and is empty. */
  readonly systemFlags?: number;
}

const ordinary: Origin = { type: 0, interaction: null, ephemeralFor: null };

/** A message by `POST /channels/{channel_id}/messages`. */
export function sendMessage(
  world: DiscordWorld,
  channel: ChannelState,
  body: Json,
  files: readonly UploadedFile[],
): MessageState {
  const { state } = world;
  if (channel.kind === 'forum') throw refusal('notATextChannel');
  requirePermissions(state, channel, [sendingPermission(channel), ...permissionsFor(body, files)]);
  if (channel.kind === 'dm' && state.users.get(channel.ownerId ?? '')?.closedDms === true) throw refusal('closedDms');
  if (channel.locked && !may(state, channel, state.botId, 'ManageThreads')) throw refusal('locked');
  const nonce = (body['nonce'] ?? null) as string | number | null;
  const key = `${channel.id}:${nonce}`;
  const first = state.nonces.get(key);
  if (nonce !== null && body['enforce_nonce'] === true && first !== undefined && state.now() - first.atMs < nonceMs) {
    const known = state.messages.get(first.messageId);
    if (known !== undefined) return known;
  }
  const message = addMessage(world, channel, body, files, ordinary);
  if (nonce !== null) state.nonces.set(key, { messageId: message.id, atMs: state.now() });
  return message;
}

function permissionsFor(body: Json, files: readonly UploadedFile[]): readonly PermissionName[] {
  const embeds = (body['embeds'] ?? []) as readonly Json[];
  return [
    ...(files.length > 0 ? (['AttachFiles'] as const) : []),
    ...(embeds.length > 0 ? (['EmbedLinks'] as const) : []),
  ];
}

/** A message of the bot, permissions apart: an ordinary one or the answer to an interaction. */
export function addMessage(
  world: DiscordWorld,
  channel: ChannelState,
  body: Json,
  files: readonly UploadedFile[],
  origin: Origin,
): MessageState {
  const { state } = world;
  const content = (body['content'] ?? '') as string;
  const embeds = (body['embeds'] ?? []) as readonly Json[];
  const components = (body['components'] ?? []) as readonly Json[];
  const flags = ((body['flags'] ?? 0) as number) & ~messageFlags.loading;
  const reference = referenceOf(world, channel, body);
  const forwarded = reference?.kind === 'forward' ? state.messages.get(reference.messageId) : undefined;
  checkMessage(
    {
      content,
      embeds,
      components,
      flags,
      files,
      kept: [],
      hasPoll: Boolean(body['poll']),
      hasStickers: ((body['sticker_ids'] ?? []) as readonly string[]).length > 0,
      isInteraction: origin.interaction !== null,
      mayBeEmpty: forwarded !== undefined || origin.systemFlags === messageFlags.loading,
    },
    world.limits,
  );
  const repliedTo = reference?.kind === 'reply' ? (state.messages.get(reference.messageId) ?? null) : null;
  const id = origin.id ?? state.nextId();
  if (channel.archived) {
    channel.archived = false;
    emitThread(world, 'THREAD_UPDATE', channel);
  }
  const message: MessageState = {
    ...mentionsIn(
      world,
      channel,
      { content, components },
      state.botId,
      (body['allowed_mentions'] ?? null) as Json | null,
      repliedTo,
    ),
    id,
    channelId: channel.id,
    guildId: channel.guildId,
    authorId: state.botId,
    type: repliedTo === null ? origin.type : 19,
    createdMs: state.now(),
    content: content.trim(),
    flags: flags | (origin.systemFlags ?? 0) | (origin.ephemeralFor === null ? 0 : messageFlags.ephemeral),
    editedMs: null,
    embeds,
    components,
    attachments: storeFiles(
      world,
      channel.id,
      files,
      (body['attachments'] ?? []) as readonly Json[],
      origin.ephemeralFor !== null,
    ),
    reference,
    snapshot: forwarded ?? null,
    nonce: (body['nonce'] ?? null) as string | number | null,
    reactions: new Map(),
    interaction: origin.interaction,
    ephemeralFor: origin.ephemeralFor,
    edits: 0,
  };
  state.messages.set(id, message);
  emitMessage(world, 'MESSAGE_CREATE', message);
  return message;
}

function referenceOf({ state }: DiscordWorld, channel: ChannelState, body: Json): MessageState['reference'] {
  const given = (body['message_reference'] ?? null) as Json | null;
  if (given === null) return null;
  const kind = given['type'] === 1 ? 'forward' : 'reply';
  const messageId = given['message_id'] as string;
  const channelId = (given['channel_id'] ?? channel.id) as string;
  if (!may(state, channel, state.botId, 'ReadMessageHistory')) throw refusal('noHistory');
  const target = state.messages.get(messageId);
  const isThere =
    target !== undefined && target.channelId === channelId && (kind === 'forward' || channelId === channel.id);
  if (!isThere) {
    if (given['fail_if_not_exists'] === false) return null;
    throw invalidForm([
      { path: 'message_reference', code: 'MESSAGE_REFERENCE_UNKNOWN_MESSAGE', message: 'Unknown message' },
    ]);
  }
  if (target.type === 21) {
    const message = 'Cannot reply to a system message';
    throw invalidForm([{ path: 'message_reference', code: 'REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE', message }]);
  }
  return { kind, channelId, messageId };
}

/**
 * Changes a message of the bot. Members that are missing stay as they are; of old files only those listed in `attachments` stay,
 * if it is there or new files come.
 */
export function editMessage(
  world: DiscordWorld,
  message: MessageState,
  body: Json,
  files: readonly UploadedFile[],
): MessageState {
  const { state } = world;
  const channel = state.channels.get(message.channelId);
  if (channel === undefined) throw refusal('unknownChannel');
  if (message.authorId !== state.botId) throw refusal('otherAuthor');
  if (channel.archived) throw refusal('archived');
  const given = <T>(name: string, old: T, empty: T): T =>
    body[name] === undefined ? old : ((body[name] ?? empty) as T);
  const settable = messageFlags.suppressEmbeds | messageFlags.componentsV2;
  const wasV2 = message.flags & messageFlags.componentsV2;
  const flags = given('flags', message.flags & settable, 0) | wasV2;
  const isLoading = (message.flags & messageFlags.loading) !== 0;
  const listed = body['attachments'] as readonly Json[] | null | undefined;
  const keepsAll = listed === undefined && files.length === 0;
  const kept = keepsAll
    ? message.attachments
    : message.attachments.filter(({ id }) => (listed ?? []).some((one) => one['id'] === id));
  const content = given('content', message.content, '');
  const embeds = given<readonly Json[]>('embeds', message.embeds, []);
  const components = given<readonly Json[]>('components', message.components, []);
  checkMessage(
    {
      content,
      embeds,
      components,
      kept,
      files,
      // The answer to an interaction has the bit from its start; an edit may name it again.
      flags: message.interaction === null ? flags : flags & ~messageFlags.ephemeral,
      hasPoll: Boolean(body['poll']),
      hasStickers: false,
      isInteraction: message.interaction !== null,
      mayBeEmpty: false,
    },
    world.limits,
  );
  for (const one of listed ?? []) {
    const old = kept.find(({ id }) => id === one['id']);
    if (old !== undefined && one['description'] !== undefined) old.description = one['description'] as string | null;
  }
  const added = storeFiles(world, channel.id, files, listed ?? [], message.ephemeralFor !== null, message.attachments);
  Object.assign(message, {
    ...mentionsIn(
      world,
      channel,
      { content, components },
      state.botId,
      (body['allowed_mentions'] ?? null) as Json | null,
      null,
    ),
    content: content.trim(),
    embeds,
    components,
    attachments: [...kept, ...added],
    flags: (message.flags & ~(settable | messageFlags.loading)) | (flags & settable),
    editedMs: isLoading ? null : state.now(),
    edits: message.edits + 1,
  });
  emitMessage(world, 'MESSAGE_UPDATE', message);
  return message;
}

function storeFiles(
  { state }: DiscordWorld,
  channelId: string,
  files: readonly UploadedFile[],
  listed: readonly Json[],
  ephemeral: boolean,
  old: readonly AttachmentState[] = [],
): readonly AttachmentState[] {
  for (const [index, { id }] of listed.entries()) {
    const isKnown = old.some((file) => file.id === id) || files.some((file) => String(file.index) === String(id));
    const message = 'Neither an uploaded file nor one that the message has.';
    if (!isKnown) throw invalidForm([{ path: `attachments.${index}.id`, code: 'ATTACHMENT_NOT_FOUND', message }]);
  }
  return files.map((file) => {
    const about = listed.find(({ id }) => String(id) === String(file.index));
    const stored: AttachmentState = {
      id: state.nextId(),
      channelId,
      filename: safeName((about?.['filename'] ?? file.name) as string),
      contentType: file.contentType === '' ? null : file.contentType,
      bytes: file.bytes,
      ephemeral,
      description: (about?.['description'] ?? null) as string | null,
    };
    state.attachments.set(stored.id, stored);
    return stored;
  });
}
