import type { PlatformLimits } from '../../src/ports/platforms.ts';

const mebibyte = 1024 * 1024;

/** Discord's limits, each with where it is from. Lengths in characters, sizes in bytes. */
export const discordLimits = {
  /** `content` of a plain message: 2,000 documented (the OpenAPI file says 4,000, the API does not). */
  contentCharacters: 2000,
  /** All text displays of one message together: 4,000 (guide of discord.js; api-docs#8562). */
  displayCharacters: 4000,
  /** Components of one message, nested ones counted: 40 documented. */
  components: 40,
  buttonsPerRow: 5,
  customIdCharacters: 100,
  /** Description of an attachment or a gallery item. */
  altTextCharacters: 1024,
  threadNameCharacters: 100,
  /** Minutes without a message after which a thread is archived: one of 60, 1440, 4320, 10080. */
  autoArchiveMinutes: 1440,
  filesPerMessage: 10,
  filesPerReply: 20,
  /** The body of one create-message request: 25 MiB documented. */
  requestBytes: 25 * mebibyte,
  /** Of a request, kept for JSON and multipart headers. */
  requestOverheadBytes: 256 * 1024,
  /** Largest file by boost level of the guild, levels 0 to 3 (the first two documented, the others seen in the wild). */
  fileBytesByTier: [10 * mebibyte, 10 * mebibyte, 50 * mebibyte, 100 * mebibyte],
  /** About 5 edits in 5 s per channel are let through (api-docs#20); other posts need their share. */
  editIntervalMs: 1500,
  /** The typing sign lasts 10 s. */
  typingRenewalMs: 8000,
  messagesPerPage: 100,
} as const;

/** Longer answers are shown in part, with the whole text as a file beside it. */
export const shownMessages = 3;

/** Text of one message before fences are closed and notes are added. */
export const displayBudget = discordLimits.displayCharacters - 200;
export const contentBudget = discordLimits.contentCharacters - 50;

export const discordPlatformLimits: PlatformLimits = {
  messageCharacters: displayBudget,
  fileBytes: Math.max(...discordLimits.fileBytesByTier),
  filesPerMessage: discordLimits.filesPerMessage,
  editIntervalMs: discordLimits.editIntervalMs,
};

/** A table in the thread is a preview; the whole table is the file beside it. A phone's code block wraps at about this width; wider ones come
 * with a picture from the sandbox (`TEXT_COLUMNS` of plotline/table_picture/picture.py). */
export const tablePreview = { maxRows: 15, maxWidth: 48, maxCellWidth: 24, maxCharacters: 1800 } as const;

/** Pictures of tables in one reply, beside its files; further tables are previews in text. */
export const tablePicturesPerReply = 5;

/** Row by row, a line for each cell. */
export const recordPreview = { ...tablePreview, maxCellWidth: 60 } as const;

/** Tables of up to so many rows are shown row by row where their columns do not fit beside each other. */
export const recordRows = 5;
