import { DiscordAPIError, HTTPError, RateLimitError } from 'discord.js';
import { AppError } from '../../src/errors.ts';

/** What Discord said, kept beside the words for a person: callers decide by `discordCode` what can be done about it. */
export class DiscordCallError extends AppError {
  /** Discord's JSON error code; `null` where no answer of its API arrived. */
  readonly discordCode: number | null;
  readonly status: number | null;
  /** The call may have taken effect: its answer was lost, or Discord failed half-way. */
  readonly ambiguous: boolean;

  constructor(
    userMessage: string,
    options: {
      readonly cause: unknown;
      readonly detail: string;
      readonly retryable: boolean;
      readonly discordCode: number | null;
      readonly status: number | null;
      readonly ambiguous: boolean;
    },
  ) {
    super('platform-failed', userMessage, options);
    this.discordCode = options.discordCode;
    this.status = options.status;
    this.ambiguous = options.ambiguous;
  }
}

/** Codes of Discord's API that decide what happens next (docs: topics/opcodes-and-status-codes). */
export const discordCodes = {
  unknownChannel: 10_003,
  unknownMessage: 10_008,
  editsOfOldMessages: 30_046,
  requestTooLarge: 40_005,
  missingAccess: 50_001,
  emptyMessage: 50_006,
  missingPermissions: 50_013,
  wrongChannelType: 50_024,
  invalidForm: 50_035,
  archivedThread: 50_083,
  replyWithoutHistory: 160_002,
  hasThread: 160_004,
  lockedThread: 160_005,
  tooManyThreads: 160_006,
} as const;

/** `doing` names the call for the log, e.g. `POST /channels/1/messages`. */
export function discordError(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof RateLimitError) {
    const retryAfterMs = Math.max(error.retryAfter, error.timeToReset, error.sublimitTimeout, 1000);
    const seconds = Math.ceil(retryAfterMs / 1000);
    return new AppError('platform-rate-limited', `Discord asks me to wait ${seconds} s before I post more.`, {
      cause: error,
      retryable: true,
      retryAfterMs,
      detail: `${doing}: rate limited, retry after ${seconds} s${error.global ? ' (global)' : ''}`,
    });
  }
  if (error instanceof DiscordAPIError) {
    const code = typeof error.code === 'number' ? error.code : null;
    return new DiscordCallError(words(code, error.status), {
      cause: error,
      detail: `${doing}: HTTP ${error.status}, ${error.code}: ${error.message.slice(0, 500)}`,
      retryable: false,
      discordCode: code,
      status: error.status,
      ambiguous: false,
    });
  }
  // discord.js forgets a token that Discord refused once, and then says this.
  if (error instanceof Error && error.message.startsWith('Expected token to be set')) {
    return new DiscordCallError(words(null, 401), {
      cause: error,
      detail: `${doing}: the token was refused before`,
      retryable: false,
      discordCode: null,
      status: 401,
      ambiguous: false,
    });
  }
  const status = error instanceof HTTPError ? error.status : null;
  return new DiscordCallError('Discord did not answer; its status page is https://discordstatus.com.', {
    cause: error,
    detail: `${doing}: ${status === null ? String(error) : `HTTP ${status}`}`,
    retryable: true,
    discordCode: null,
    status,
    ambiguous: true,
  });
}

/** For a call that the caller's signal ended, whatever the signal's reason is. */
export function cancelled(signal: AbortSignal, doing: string): AppError {
  return new AppError('cancelled', 'Stopped.', { cause: signal.reason, detail: `${doing}: aborted` });
}

export function isAmbiguous(error: unknown): boolean {
  return error instanceof DiscordCallError && error.ambiguous;
}

export function hasCode(error: unknown, ...names: readonly (keyof typeof discordCodes)[]): boolean {
  return error instanceof DiscordCallError && names.some((name) => discordCodes[name] === error.discordCode);
}

/** The whole request was too large for Discord, whatever it says about the parts. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof DiscordCallError && (error.status === 413 || hasCode(error, 'requestTooLarge'));
}

/** Discord does not take a message of this form; a simpler one may do. */
export function isFormRefused(error: unknown): boolean {
  return hasCode(error, 'invalidForm', 'emptyMessage');
}

function words(code: number | null, status: number): string {
  switch (code) {
    case discordCodes.unknownChannel:
      return 'The channel or thread was deleted, so I cannot post there.';
    case discordCodes.unknownMessage:
      return 'The message I wanted to change or answer was deleted.';
    case discordCodes.editsOfOldMessages:
      return 'Discord lets me change messages older than an hour only rarely; try again in some minutes.';
    case discordCodes.requestTooLarge:
      return 'Discord found the message and its files too large.';
    case discordCodes.missingAccess:
      return 'I cannot see this channel: a moderator must give me the permission *View Channel* here (in a private channel or thread, add me to it).';
    case discordCodes.missingPermissions:
      return 'I lack a permission here. A moderator must allow me *Send Messages*, *Send Messages in Threads*, *Create Public Threads*, *Attach Files* and *Read Message History* in this channel.';
    case discordCodes.replyWithoutHistory:
      return 'I lack the permission *Read Message History* in this channel; a moderator can give it to me.';
    case discordCodes.archivedThread:
      return 'This thread is archived. Write a message in it to open it again.';
    case discordCodes.lockedThread:
      return 'This thread is locked. A moderator must unlock it, or ask in the channel again.';
    case discordCodes.tooManyThreads:
      return 'This server has as many active threads as Discord allows (1,000); close some of them.';
    case null:
    default:
      if (status === 401) {
        return 'Discord does not accept my token (`DISCORD_TOKEN`): make a new one in the developer portal and set it.';
      }
      return `Discord refused it (${code ?? `status ${status}`}).`;
  }
}
