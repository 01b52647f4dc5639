import type { PlatformLimits } from '../../src/ports.ts';

/** Slack's limits, each with where it is from. Lengths in characters, sizes in bytes. */
export const slackLimits = {
  /** All `markdown` blocks of one message together: 12,000 documented, whole messages fail from about 13,200. */
  markdownCharacters: 11_000,
  /** `text` beyond 4,000 is split by the server into several messages of which only one `ts` is told. */
  textCharacters: 3900,
  /** Comment above an upload: shown as message text. */
  commentCharacters: 3000,
  /** The value of a button; longer ones make the whole message fail. */
  buttonValueCharacters: 2000,
  /** The text of a `section` block: 3,000 documented. */
  sectionCharacters: 2900,
  /** Blocks of a modal: 100 documented. */
  modalBlocks: 98,
  modalTitleCharacters: 24,
  /** As many as a person can attach to one message; more go into a second message. */
  filesPerMessage: 10,
  filesPerReply: 20,
  /** Slack's usual cap of a file; a workspace may set a lower one, which the upload then answers. */
  fileBytes: 1_000_000_000,
  /** `chat.update` is tier 3 (50 a minute) and looks calm at one edit a second. */
  editIntervalMs: 1000,
} as const;

export const slackPlatformLimits: PlatformLimits = {
  messageCharacters: slackLimits.markdownCharacters,
  fileBytes: slackLimits.fileBytes,
  filesPerMessage: slackLimits.filesPerMessage,
  editIntervalMs: slackLimits.editIntervalMs,
};

/** A table in the thread is a preview; the whole table is the file beside it. Width of a code block on a laptop's screen. */
export const tablePreview = { maxRows: 15, maxWidth: 88, maxCellWidth: 32, maxCharacters: 3000 } as const;
