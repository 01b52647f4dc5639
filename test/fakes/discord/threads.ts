import { emitMessage, emitThread } from './events.ts';
import { messageFlags } from './limits.ts';
import type { ChannelState, MessageState } from './state.ts';
import type { DiscordWorld } from './world.ts';

export interface NewThread {
  readonly name: string;
  readonly ownerId: string;
  readonly autoArchiveMinutes: number | null;
  /** The message that it starts from: its id is the thread's. null: a post of a forum, or a thread by itself. */
  readonly starter: MessageState | null;
}

/** A public thread, with the events and the first system message that Discord gives it. */
export function openThread(world: DiscordWorld, parent: ChannelState, given: NewThread): ChannelState {
  const { state } = world;
  const thread: ChannelState = {
    id: given.starter?.id ?? state.nextId(),
    kind: 'thread',
    guildId: parent.guildId,
    parentId: parent.id,
    ownerId: given.ownerId,
    name: given.name,
    overwrites: [],
    archived: false,
    locked: false,
    autoArchiveMinutes: given.autoArchiveMinutes ?? 4320,
    createdMs: state.now(),
    joined: new Set([given.ownerId]),
    renames: 0,
  };
  state.channels.set(thread.id, thread);
  emitThread(world, 'THREAD_CREATE', thread);
  const { starter } = given;
  if (starter === null) return thread;
  starter.flags |= messageFlags.hasThread;
  emitMessage(world, 'MESSAGE_UPDATE', starter);
  const opening: MessageState = {
    ...starter,
    id: state.nextId(),
    channelId: thread.id,
    type: 21,
    createdMs: state.now(),
    content: '',
    flags: 0,
    editedMs: null,
    embeds: [],
    components: [],
    attachments: [],
    mentions: [],
    mentionRoles: [],
    mentionEveryone: false,
    reference: { kind: 'reply', channelId: parent.id, messageId: starter.id },
    snapshot: null,
    nonce: null,
    reactions: new Map(),
    edits: 0,
  };
  state.messages.set(opening.id, opening);
  emitMessage(world, 'MESSAGE_CREATE', opening);
  return thread;
}
