/**
 * The plain data that travels between the parts. Everything here survives JSON (bytes travel as blobs,
 * named by their SHA-256), so a task can be accepted by one process and answered by another.
 */

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Where a conversation lives. Two refs with the same `threadKey` are the same thread, and share one sandbox. */
export interface ThreadRef {
  readonly platform: string;
  /** Slack team, Discord guild; `local` for the terminal. */
  readonly workspaceId: string;
  readonly channelId: string;
  readonly threadId: string;
}

/** The unit of isolation as one string: `platform/workspace/channel/thread`, each part percent-encoded. */
export type ThreadKey = string;

export function threadKeyOf(thread: ThreadRef): ThreadKey {
  return [thread.platform, thread.workspaceId, thread.channelId, thread.threadId].map(encodeURIComponent).join('/');
}

export interface Person {
  readonly id: string;
  readonly displayName: string;
}

/** A file that came in, before its bytes were fetched. `source` is whatever the adapter needs to fetch it; never a token. */
export interface Attachment {
  readonly id: string;
  /** As the sender wrote it: may hold separators, newlines or be 300 characters long. Never used as a path. */
  readonly name: string;
  readonly mimeType: string;
  /** `null` where the platform does not say. */
  readonly sizeBytes: number | null;
  readonly source: JsonValue;
}

/** One message the bot must answer. `id` derives from platform + channel + message, so replays collapse in the store. */
export interface Task {
  readonly id: string;
  readonly thread: ThreadRef;
  readonly messageId: string;
  readonly person: Person;
  /** The question, the mention of the bot already removed. */
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly receivedAtMs: number;
  /** The event may have come without the message's files: `admit` looks at the message again. Absent where all is known. */
  readonly lookAgain?: boolean;
}

export type TaskState = 'waiting' | 'running' | 'done' | 'cancelled';

/** A file whose bytes are in the blob store and whose name is the one it has in the thread's working directory. */
export interface StoredFile {
  /** One path segment, at most 255 bytes: the name in `/mnt/data` of a thread's file (unique there), or of a reply's artifact (unique in the reply). */
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A table as a person sees it: the first rows only; the whole of it is always a file beside it. */
export interface TableData {
  readonly columns: readonly { readonly name: string; readonly type: TableColumnType }[];
  /** At most 100 rows. Numbers stay numbers; dates are ISO 8601 text; missing is `null`. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  /** Rows of the whole table, of which `rows` are the first. */
  readonly rowCount: number;
}

export type TableColumnType = 'number' | 'text' | 'date' | 'boolean' | 'other';

/** What a drawn figure holds, read back from the figure itself: the source of alt texts and of native charts. */
export interface ChartData {
  readonly type: 'line' | 'scatter' | 'bar' | 'pie' | 'box' | 'histogram' | 'heatmap' | 'unknown';
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** As the axis titles name them: `EUR`, `%`, `°C`. `null` where they name none. */
  readonly xUnit: string | null;
  readonly yUnit: string | null;
  readonly xScale: ChartScale;
  readonly yScale: ChartScale;
  readonly series: readonly ChartSeries[];
}

export type ChartScale = 'linear' | 'log' | 'date' | 'category' | 'other';

export interface ChartSeries {
  readonly name: string;
  readonly x: readonly (string | number | null)[];
  readonly y: readonly (string | number | null)[];
}

/** A chart, table or file that goes out. `file` is present once its bytes are in the blob store, which is before it is posted. */
export interface Artifact {
  readonly kind: 'chart' | 'table' | 'file';
  readonly title: string;
  readonly file: StoredFile;
  /** Charts only: what is drawn, in words, from the plotted values. At most 1,000 characters. */
  readonly altText: string;
  /** Tables only: the first rows for showing in the thread. */
  readonly table: TableData | null;
  /** Charts only, where the figure could be read back. */
  readonly chart: ChartData | null;
  /** Tables that are too wide for text: the first rows as a PNG, for platforms without tables of their own. Absent: there is none. */
  readonly picture?: StoredFile;
}

/** A piece of code that was executed for this task, as it is shown to a person. */
export interface ShownCell {
  readonly title: string;
  readonly source: string;
  readonly status: ExecutionStatus;
  readonly durationMs: number;
}

/** The one final answer of a task. `partial` and `failed` say their reason in `text`. */
export interface Reply {
  readonly taskId: string;
  /** `refused`: the person may not use the bot here; only they see why. */
  readonly outcome: 'answered' | 'partial' | 'failed' | 'cancelled' | 'refused';
  /** Markdown. */
  readonly text: string;
  readonly artifacts: readonly Artifact[];
  /** One sentence each: what was left out, reset or could not be shown, and why. */
  readonly notices: readonly string[];
  readonly code: readonly ShownCell[];
}

/** What the person sees while the task runs: one line per step, the last one live. */
export interface Progress {
  readonly taskId: string;
  /** Who asked. */
  readonly personId: string;
  /** False once nothing more will follow: then there is nothing to stop. */
  readonly running: boolean;
  readonly steps: readonly ProgressStep[];
  /** Shown instead of steps while the task waits, e.g. "2 questions before yours". */
  readonly note: string;
}

export interface ProgressStep {
  readonly title: string;
  readonly state: 'running' | 'done' | 'failed';
}

export type ExecutionStatus = 'ok' | 'error' | 'timeout' | 'out-of-memory' | 'cancelled' | 'lost';

/** A Jupyter MIME bundle. Text types hold strings, `+json` types hold JSON, images and PDF hold bytes. */
export type MimeBundle = Readonly<Record<string, string | Uint8Array | JsonValue>>;

/** MIME types of our own, beside Jupyter's. */
export const chartMime = 'application/vnd.plotline.chart+json';
export const tableMime = 'application/vnd.plotline.table+json';
/** Beside a wide table: its first rows as a PNG. Drawn for chats, and no part of what the cell gave. */
export const tablePictureMime = 'application/vnd.plotline.table+png';

/** What running a cell gave. Bad Python is data: every status but a thrown error is an answer of the sandbox. */
export interface Execution {
  readonly status: ExecutionStatus;
  readonly stdout: string;
  readonly stderr: string;
  readonly results: readonly MimeBundle[];
  /** Present when `status` is not `ok`. */
  readonly error: ExecutionError | null;
  /**
   * The Python process lives on with its variables, also where the cell was stopped; false where it ended, and with it the
   * variables of all cells before. `null`: the container was lost; the cells before run again in the next one.
   */
  readonly stateKept: boolean | null;
  /** Files in `/mnt/data` that are new or changed since the previous cell. */
  readonly files: readonly OutputFile[];
  readonly durationMs: number;
  /** Output, results or files went over a cap and were cut; `error` or `stderr` says which. */
  readonly truncated: boolean;
}

export interface ExecutionError {
  /** The Python exception's class name, or the status for deaths of the kernel. */
  readonly name: string;
  /** For timeouts, memory and lost kernels: which limit, its value, what was lost, what to try. */
  readonly message: string;
  /** Without ANSI colours and without frames of the driver. Empty for deaths of the kernel. */
  readonly traceback: string;
}

export interface OutputFile {
  /** Relative to `/mnt/data`, `/` between segments. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly change: 'new' | 'changed';
  /** CSV and Excel files: text cells that a spreadsheet program would run as formulas. `null`: none, or no such file. */
  readonly formulas: FormulaCells | null;
}

export interface FormulaCells {
  readonly count: number;
  /** The first ones: `A2` or `Sheet1!A2`, and their text, at most 100 characters of it. */
  readonly examples: readonly { readonly cell: string; readonly text: string }[];
  /** The file was too large to look at all of it in time; `count` is of the part that was. */
  readonly partial: boolean;
}

/** A piece of Python that was executed in a thread, in order. Replaying them rebuilds the thread's Python state. */
export interface Cell {
  readonly taskId: string;
  /** 0, 1, 2 … within the thread. */
  readonly index: number;
  readonly title: string;
  readonly source: string;
  /** Given to its run; `null` where the random numbers went on from the cell before. */
  readonly seed: number | null;
  /** Its clock at its begin, in ms since 1970. 0 in cells of before clocks and results were kept: then both are unknown. */
  readonly startedAtMs: number;
  readonly execution: CellRecord;
}

/** An execution as it is kept: its text is capped and its results are blobs. */
export interface CellRecord {
  readonly status: ExecutionStatus;
  readonly stdout: string;
  /** Of all that it printed, without what differs by chance; `null` in cells of before this was kept. */
  readonly stdoutSha256: string | null;
  readonly stderr: string;
  readonly results: readonly RecordedResult[];
  readonly error: ExecutionError | null;
  /** As in `Execution`. */
  readonly stateKept: boolean | null;
  readonly files: readonly OutputFile[];
  readonly durationMs: number;
}

/** A MIME bundle whose parts are blobs: text as UTF-8, JSON as `JSON.stringify` writes it. */
export type RecordedResult = Readonly<Record<string, { readonly sha256: string; readonly sizeBytes: number }>>;

/** Tokens a task used, as the model's server counted them. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Of the output tokens, those nobody reads; absent where the server does not say. */
  readonly reasoningTokens?: number;
}

/** What is known about a file before any model is called. Made in the sandbox by `plotline.card`; keys are its JSON's. */
export interface FileCard {
  readonly file: string;
  readonly ok: boolean;
  /** Why it could not be read, for a person. `null` when `ok`. */
  readonly error: string | null;
  /** `csv`, `xlsx`, `xls`, `ods`, `json`, `zip`, `image`, `pdf`, `text`, `other`, … */
  readonly kind: string;
  readonly size_bytes: number;
  readonly seconds: number;
  readonly dialect: {
    readonly encoding: string;
    readonly delimiter: string;
    readonly quote: string | null;
    readonly escape: string | null;
  } | null;
  readonly tables: readonly CardTable[];
  /** `line` is the physical line of the file from 1; in a workbook the sheet's row. */
  readonly rejected: readonly { readonly table: string; readonly line: number; readonly reason: string }[];
  /** All rejected lines, of which `rejected` may be the first 2,000. */
  readonly rejected_count: number;
  readonly warnings: readonly {
    readonly code: string;
    readonly message: string;
    readonly table: string | null;
    readonly line: number | null;
  }[];
}

export interface CardTable {
  readonly name: string;
  readonly hidden: boolean;
  readonly range: string;
  readonly rows: number;
  readonly columns: number;
  readonly header_rows: number;
  readonly columns_info: readonly CardColumn[];
}

export interface CardColumn {
  readonly name: string;
  readonly type: 'integer' | 'number' | 'text' | 'date' | 'boolean' | 'id' | 'empty' | 'mixed';
  readonly unit: string | null;
  readonly missing: number;
  readonly distinct: number;
  /** Numbers and dates (ISO 8601 text); `null` for the rest. */
  readonly min: number | string | null;
  readonly max: number | string | null;
  /** The most frequent values of text columns; all of them where there are at most 50. */
  readonly top: readonly { readonly value: string; readonly count: number }[];
  readonly examples: readonly string[];
  /** Present where the table's header has several rows: what each of them says of this column; `name` joins them. */
  readonly header?: readonly string[];
  /** Present where the values allow two readings (03/04/2025, 1.234): both, the other columns and rows do not decide. */
  readonly readings?: readonly CardReading[];
}

export interface CardReading {
  readonly reading: 'day-first' | 'month-first' | 'decimal' | 'thousands';
  readonly min: number | string;
  readonly max: number | string;
  /** `03/04/2025 = 2025-04-03`: as written, then as read. */
  readonly examples: readonly string[];
}

export const cardMime = 'application/vnd.plotline.card+json';

/** Which rows a cell loaded and lost, as the last of its results; no result for a person. */
export const ledgerMime = 'application/vnd.plotline.ledger+json';
