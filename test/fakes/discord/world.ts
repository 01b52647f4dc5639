import type { DiscordState, Json } from './state.ts';

/** Something that happened, for those gateway sessions that asked for it and may see it. */
export interface Dispatch {
  readonly type: string;
  /** null: in a private conversation; it goes to shard 0. */
  readonly guildId: string | null;
  /** Goes only to a bot that sees this channel. */
  readonly channelId: string | null;
  /** Sessions without one of these intent bits do not get it; 0: all get it. */
  readonly intents: number;
  /** `hasContent`: the session has the MessageContent intent. */
  readonly payload: (hasContent: boolean) => Json;
}

export interface DiscordLimits {
  /** Of one file, in bytes. */
  readonly maxFileBytes: number;
  /** Of one whole request, in bytes. */
  readonly maxRequestBytes: number;
}

/** Who may see what of messages, as the developer portal says. */
export interface PortalSettings {
  /** The MessageContent intent is turned on in the portal. */
  readonly messageContent: boolean;
}

/** Everything that the parts of the fake share. */
export interface DiscordWorld {
  readonly state: DiscordState;
  readonly limits: DiscordLimits;
  readonly portal: PortalSettings;
  /** How long links to files live, in ms. */
  readonly linkLifetimeMs: number;
  /** Where files are served, as in `http://127.0.0.1:4711`. */
  origin(): string;
  emit(dispatch: Dispatch): void;
}

/** Gateway intents. Source: docs, events/gateway. */
export const intentBits = {
  Guilds: 1 << 0,
  GuildMembers: 1 << 1,
  GuildPresences: 1 << 8,
  GuildMessages: 1 << 9,
  DirectMessages: 1 << 12,
  MessageContent: 1 << 15,
} as const;
