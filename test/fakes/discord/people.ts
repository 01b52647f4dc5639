import { emitChannel, emitMessage, emitMessageDelete, emitThread } from './events.ts';
import { safeName } from './limits.ts';
import { mentionsIn } from './mentions.ts';
import { permissionBits } from './permissions.ts';
import type { PermissionName } from './permissions.ts';
import { removeChannel } from './channel-routes.ts';
import { privateChannel } from './setting.ts';
import type { Setting } from './setting.ts';
import type { AttachmentState, ChannelState, Json, MessageState } from './state.ts';
import { openThread } from './threads.ts';
import type { DiscordWorld } from './world.ts';

export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly contentType?: string;
  readonly description?: string;
}

export interface Said {
  /** Default: the channel `general`. */
  readonly channelId?: string;
  readonly text: string;
  readonly files?: readonly GivenFile[];
  /** Id of a message in the same channel. */
  readonly replyTo?: string;
  /** Whether a reply pings whom it answers. Default: it does. */
  readonly ping?: boolean;
  /** Id of a message that is forwarded; the text is then empty on Discord. */
  readonly forward?: string;
  /** Default: Ada. */
  readonly author?: string;
}

/** What people do on this Discord. Every id that is unknown throws: the test is wrong then. */
export interface People {
  say(said: Said): MessageState;
  edit(messageId: string, text: string): MessageState;
  remove(messageId: string): void;
  /** Discord adds the preview of a link: an update that changes no text. */
  unfurl(messageId: string, embed: Json): MessageState;
  /** A thread by a person, on a message or by itself. */
  thread(given: {
    readonly channelId?: string;
    readonly name: string;
    readonly messageId?: string;
    readonly author?: string;
  }): ChannelState;
  /** A post of a forum: a thread whose first message has its id. */
  forumPost(given: { readonly name: string } & Omit<Said, 'channelId' | 'replyTo' | 'forward'>): {
    readonly thread: ChannelState;
    readonly message: MessageState;
  };
  /** The private channel of the bot with a user; default: Ada. */
  dm(userId?: string): ChannelState;
  archive(threadId: string, locked?: boolean): void;
  unarchive(threadId: string): void;
  deleteChannel(channelId: string): void;
  /** Takes a permission from the bot in a channel and its threads; without one in every channel. */
  takePermission(name: PermissionName, channelId?: string): void;
  givePermission(name: PermissionName, channelId?: string): void;
  store(channelId: string, file: GivenFile, ephemeral: boolean): AttachmentState;
}

export function createPeople(world: DiscordWorld, setting: Setting): People {
  const { state } = world;

  const channelOf = (id: string): ChannelState => {
    const channel = state.channels.get(id);
    if (channel === undefined) throw new Error(`there is no channel ${id}`);
    return channel;
  };

  const messageOf = (id: string): MessageState => {
    const message = state.messages.get(id);
    if (message === undefined) throw new Error(`there is no message ${id}`);
    return message;
  };

  const store = (channelId: string, file: GivenFile, ephemeral: boolean): AttachmentState => {
    const stored: AttachmentState = {
      id: state.nextId(),
      channelId,
      filename: safeName(file.name),
      contentType: file.contentType ?? null,
      bytes: file.bytes,
      ephemeral,
      description: file.description ?? null,
    };
    state.attachments.set(stored.id, stored);
    return stored;
  };

  const write = (channel: ChannelState, said: Said, id: string | null): MessageState => {
    if (channel.kind === 'forum') throw new Error('people post in a forum by forumPost');
    const author = said.author ?? (channel.kind === 'dm' ? (channel.ownerId ?? '') : setting.ada.id);
    const repliedTo = said.replyTo === undefined ? null : messageOf(said.replyTo);
    const forwarded = said.forward === undefined ? null : messageOf(said.forward);
    const reference: MessageState['reference'] =
      repliedTo !== null
        ? { kind: 'reply', channelId: repliedTo.channelId, messageId: repliedTo.id }
        : forwarded === null
          ? null
          : { kind: 'forward', channelId: forwarded.channelId, messageId: forwarded.id };
    const content = forwarded === null ? said.text : '';
    if (channel.archived && !channel.locked) {
      channel.archived = false;
      emitThread(world, 'THREAD_UPDATE', channel);
    }
    channel.joined.add(author);
    const message: MessageState = {
      ...mentionsIn(world, channel, { content, components: [] }, author, null, said.ping === false ? null : repliedTo),
      id: id ?? state.nextId(),
      channelId: channel.id,
      guildId: channel.guildId,
      authorId: author,
      type: repliedTo === null ? 0 : 19,
      createdMs: state.now(),
      content,
      flags: 0,
      editedMs: null,
      embeds: [],
      components: [],
      attachments: (said.files ?? []).map((file) => store(channel.id, file, false)),
      reference,
      // A copy: later changes of the original do not show in it.
      snapshot: forwarded === null ? null : { ...forwarded },
      nonce: null,
      reactions: new Map(),
      interaction: null,
      ephemeralFor: null,
      edits: 0,
    };
    state.messages.set(message.id, message);
    emitMessage(world, 'MESSAGE_CREATE', message);
    return message;
  };

  const changePermission = (name: PermissionName, channelId: string | undefined, isTaken: boolean): void => {
    const places =
      channelId === undefined
        ? [...state.channels.values()].filter(({ kind }) => kind === 'text' || kind === 'forum')
        : [channelOf(channelId)];
    for (const place of places) {
      if (place.kind === 'thread' || place.kind === 'dm')
        throw new Error('permissions are those of a channel of a guild');
      let own = place.overwrites.find(({ id }) => id === state.botId);
      if (own === undefined) place.overwrites.push((own = { id: state.botId, kind: 'member', allow: 0n, deny: 0n }));
      if (isTaken) own.deny |= permissionBits[name];
      else own.deny &= ~permissionBits[name];
      emitChannel(world, 'CHANNEL_UPDATE', place);
    }
  };

  const archive = (threadId: string, archived: boolean, locked: boolean): void => {
    const thread = channelOf(threadId);
    if (thread.kind !== 'thread') throw new Error('only threads can be archived');
    thread.archived = archived;
    thread.locked = locked;
    emitThread(world, 'THREAD_UPDATE', thread);
  };

  return {
    say: (said) => write(channelOf(said.channelId ?? setting.general.id), said, null),
    edit: (messageId, text) => {
      const message = messageOf(messageId);
      const channel = channelOf(message.channelId);
      const mentions = mentionsIn(world, channel, { content: text, components: [] }, message.authorId, null, null);
      Object.assign(message, { ...mentions, content: text, editedMs: state.now(), edits: message.edits + 1 });
      emitMessage(world, 'MESSAGE_UPDATE', message);
      return message;
    },
    remove: (messageId) => {
      const message = messageOf(messageId);
      state.messages.delete(messageId);
      emitMessageDelete(world, message);
    },
    unfurl: (messageId, embed) => {
      const message = messageOf(messageId);
      message.embeds = [embed];
      emitMessage(world, 'MESSAGE_UPDATE', message);
      return message;
    },
    thread: ({ channelId = setting.general.id, name, messageId, author = setting.ada.id }) => {
      const starter = messageId === undefined ? null : messageOf(messageId);
      const parent = channelOf(starter?.channelId ?? channelId);
      return openThread(world, parent, { name, ownerId: author, autoArchiveMinutes: null, starter });
    },
    forumPost: ({ name, ...said }) => {
      const author = said.author ?? setting.ada.id;
      const thread = openThread(world, setting.forum, {
        name,
        ownerId: author,
        autoArchiveMinutes: null,
        starter: null,
      });
      return { thread, message: write(thread, { ...said, author }, thread.id) };
    },
    dm: (userId = setting.ada.id) => privateChannel(state, userId),
    archive: (threadId, locked = false) => archive(threadId, true, locked),
    unarchive: (threadId) => archive(threadId, false, false),
    deleteChannel: (channelId) => void removeChannel(world, channelOf(channelId)),
    takePermission: (name, channelId) => changePermission(name, channelId, true),
    givePermission: (name, channelId) => changePermission(name, channelId, false),
    store,
  };
}
