import { createHash } from 'node:crypto';

/** What a Discord holds, as far as a bot can see and change it. How it looks on the wire is elsewhere (`wire.ts`). */

export type Json = Readonly<Record<string, unknown>>;

export interface UserState {
  readonly id: string;
  readonly username: string;
  readonly bot: boolean;
  /** Refuses private messages: 50007. */
  closedDms: boolean;
}

export interface RoleState {
  readonly id: string;
  readonly name: string;
  permissions: bigint;
  /** The bot whose own role this is; Discord makes one per invited bot, named like it. */
  readonly botId: string | null;
  readonly position: number;
}

export interface GuildState {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly roles: Map<string, RoleState>;
  /** User id to the ids of the roles beside @everyone. */
  readonly members: Map<string, Set<string>>;
  premiumTier: 0 | 1 | 2 | 3;
}

export interface OverwriteState {
  readonly id: string;
  readonly kind: 'role' | 'member';
  allow: bigint;
  deny: bigint;
}

export interface ChannelState {
  readonly id: string;
  readonly kind: 'text' | 'forum' | 'dm' | 'thread';
  readonly guildId: string | null;
  /** Of a thread: its channel. */
  readonly parentId: string | null;
  /** Of a thread: who made it. Of a private channel: whom the bot talks with. */
  readonly ownerId: string | null;
  name: string;
  readonly overwrites: OverwriteState[];
  archived: boolean;
  locked: boolean;
  autoArchiveMinutes: number;
  readonly createdMs: number;
  readonly joined: Set<string>;
  renames: number;
}

export interface AttachmentState {
  readonly id: string;
  readonly channelId: string;
  readonly filename: string;
  readonly contentType: string | null;
  readonly bytes: Uint8Array;
  readonly ephemeral: boolean;
  description: string | null;
}

export interface MessageState {
  readonly id: string;
  readonly channelId: string;
  readonly guildId: string | null;
  readonly authorId: string;
  /** 0 ordinary, 19 reply, 20 slash, 21 a thread's first message, 23 context menu. */
  readonly type: number;
  readonly createdMs: number;
  content: string;
  flags: number;
  editedMs: number | null;
  embeds: readonly Json[];
  components: readonly Json[];
  attachments: readonly AttachmentState[];
  /** Users who are pinged by it. */
  mentions: readonly string[];
  mentionRoles: readonly string[];
  mentionEveryone: boolean;
  readonly reference: {
    readonly kind: 'reply' | 'forward';
    readonly channelId: string;
    readonly messageId: string;
  } | null;
  /** Of a forward: the message as it was. */
  readonly snapshot: MessageState | null;
  readonly nonce: string | number | null;
  readonly reactions: Map<string, Set<string>>;
  /** The interaction that this message answers. */
  readonly interaction: Json | null;
  /** Only this user sees it. */
  readonly ephemeralFor: string | null;
  /** How often it was edited. */
  edits: number;
}

export interface CommandState {
  readonly id: string;
  readonly guildId: string | null;
  readonly version: string;
  readonly definition: Json;
}

export interface DiscordState {
  readonly applicationId: string;
  readonly botId: string;
  readonly token: string;
  readonly users: Map<string, UserState>;
  readonly guilds: Map<string, GuildState>;
  readonly channels: Map<string, ChannelState>;
  /** In the order of their ids. */
  readonly messages: Map<string, MessageState>;
  readonly attachments: Map<string, AttachmentState>;
  commands: CommandState[];
  readonly typings: { readonly channelId: string; readonly atMs: number }[];
  /** `channel:nonce` to the message that it made, and when. */
  readonly nonces: Map<string, { readonly messageId: string; readonly atMs: number }>;
  /** Links signed before the last change of it are no longer served. */
  linkEpoch: number;
  now(): number;
  /** Moves the clock, for deadlines that no test waits for. */
  advance(ms: number): void;
  nextId(): string;
}

/** Ids are made from the time since then, in ms. Source: docs, reference, snowflakes. */
const discordEpochMs = 1_420_070_400_000n;

export function createState(): DiscordState {
  let offsetMs = 0;
  let last = 0n;
  const now = (): number => Date.now() + offsetMs;
  const nextId = (): string => {
    const fresh = (BigInt(now()) - discordEpochMs) << 22n;
    last = fresh > last ? fresh : last + 1n;
    return String(last);
  };
  const botId = nextId();
  const applicationId = botId;
  return {
    applicationId,
    botId,
    // Three parts, as real ones; nobody can use it anywhere.
    token: `${Buffer.from(botId).toString('base64url')}.fake00.${createHash('sha256').update(botId).digest('base64url').slice(0, 38)}`,
    users: new Map(),
    guilds: new Map(),
    channels: new Map(),
    messages: new Map(),
    attachments: new Map(),
    commands: [],
    typings: [],
    nonces: new Map(),
    linkEpoch: 0,
    now,
    advance: (ms) => {
      offsetMs += ms;
    },
    nextId,
  };
}
