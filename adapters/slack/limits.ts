import type { PlatformLimits } from '../../src/ports/platforms.ts';

/** Slack's limits, each with where it is from. Lengths in UTF-16 units, sizes in bytes. */
export const slackLimits = {
  /** All `markdown` blocks of one message together: 12,000 documented, whole messages fail from about 13,200. */
  markdownCharacters: 11_000,
  /** All that the blocks of one message say, table cells included: below the 13,200 from which Slack refused whole messages. */
  messageCharacters: 12_000,
  /** Blocks of a message: 50 documented. */
  messageBlocks: 50,
  /** `text` beyond 4,000 is split by the server into several messages of which only one `ts` is told. */
  textCharacters: 3900,
  /** Comment above an upload: shown as message text. */
  commentCharacters: 3000,
  /** The value of a button; longer ones make the whole message fail. */
  buttonValueCharacters: 2000,
  /** The text of a `section` block, and of any text object: 3,000 documented. */
  sectionCharacters: 2900,
  /** Alternative text and title of an image: 2,000 documented each. */
  imageTextCharacters: 2000,
  /** Blocks of a modal: 100 documented. */
  modalBlocks: 98,
  modalTitleCharacters: 24,
  /** A view as JSON: 250 KB documented. */
  viewBytes: 200_000,
  privateMetadataCharacters: 3000,
  /** What a person may type into a `plain_text_input`. */
  inputCharacters: 3000,
  /** As many as a person can attach to one message; more go into a second message. */
  filesPerMessage: 10,
  filesPerReply: 20,
  /** Slack's usual cap of a file; a workspace may set a lower one, which the upload then answers. */
  fileBytes: 1_000_000_000,
  /** `chat.update` is tier 3 (50 a minute) and looks calm at one edit a second. */
  editIntervalMs: 1000,
} as const;

/** Of a `data_table` block, from Slack's page on it. */
export const tableLimits = {
  /** Without the header: 100 documented. */
  rows: 100,
  columns: 20,
  /** All cells of all tables of one message: 10,000 documented. */
  cellCharacters: 9500,
  /** Our own: longer cells make a table that nobody can read; its file can. */
  charactersPerCell: 300,
  captionCharacters: 150,
  /** Rows to a page, 5 where none is said, 100 at most. */
  pageSize: 15,
} as const;

/** Of a `data_visualization` block, from Slack's page on it; two charts a message is what Slack was seen to take. */
export const chartLimits = {
  perMessage: 2,
  titleCharacters: 50,
  labelCharacters: 20,
  axisCharacters: 50,
  series: 6,
  segments: 6,
  categories: 20,
} as const;

export const slackPlatformLimits: PlatformLimits = {
  messageCharacters: slackLimits.markdownCharacters,
  fileBytes: slackLimits.fileBytes,
  filesPerMessage: slackLimits.filesPerMessage,
  editIntervalMs: slackLimits.editIntervalMs,
};

/** A table in the thread is a preview; the whole table is the file beside it. Width of a code block on a laptop's screen. */
export const tablePreview = { maxRows: 15, maxWidth: 88, maxCellWidth: 32, maxCharacters: 3000 } as const;
