/**
 * The ports: what the core asks of the world, and what every implementation promises. All members are required.
 * One contract suite per port (`test/contract/`) runs on every implementation.
 */
import type {
  Attachment,
  Cell,
  Execution,
  FileCard,
  JsonValue,
  ModelUsage,
  Person,
  Progress,
  Reply,
  StoredFile,
  Task,
  TaskState,
  ThreadKey,
  ThreadRef,
} from './types.ts';

export type Bytes = AsyncIterable<Uint8Array>;

// ---------------------------------------------------------------- platforms

/** What a gateway hands over. Each call resolves once the store has it (milliseconds), never after the answer. */
export interface GatewayHandlers {
  /**
   * A message the bot must answer. Handing over the same task twice is harmless; attachments that only the second one has are
   * added while the task waits.
   */
  onTask(task: Task): Promise<void>;
  /**
   * The person asked to stop what runs or waits in the thread: all of it, or `only` one task or one person's; the rest goes on.
   * Resolves to the number of tasks it stopped.
   */
  onCancel(
    thread: ThreadRef,
    personId: string,
    only?: { readonly taskId: string } | { readonly askedBy: string },
  ): Promise<number>;
  /**
   * The message of a task was edited; `task` is what it would be now. One that waits or runs is answered with the new text
   * (`restarted`); `answered`: it has its reply, and `onRerun` would answer the new text.
   */
  onEdit(task: Task): Promise<'unknown' | 'unchanged' | 'restarted' | 'answered'>;
  /** The message of the task (and of its re-runs) was deleted: what runs is stopped, what the bot posted for it is removed. */
  onDelete(taskId: string): Promise<void>;
  /** The question again, with `text` where it is not `null`; its re-run has the id `id`. False where the task is not known. */
  onRerun(
    taskId: string,
    again: { readonly id: string; readonly person: Person; readonly text: string | null },
  ): Promise<boolean>;
  /** Kept with the run; the person's last word counts. */
  onFeedback(taskId: string, personId: string, value: 'good' | 'bad'): Promise<void>;
  /** Whether the bot was asked something in the thread. */
  knowsThread(thread: ThreadRef): Promise<boolean>;
  /** A task as it is known; `null` for one that never was, or was forgotten. */
  findTask(taskId: string): Promise<InboxEntry | null>;
  /** What this person asked, newest first, at most 20 threads; and what it took since the month (UTC) began. */
  onOverview(who: PersonRef): Promise<PersonOverview>;
  /**
   * Forgets threads for good: questions, files, code, answers kept here; what is posted stays on the platform. A thread reference:
   * that one; with `begunBy` only where this person asked the first question of it that is known. A person: all that they began, in `channelId` or everywhere. Running ones are stopped. Resolves to how many.
   */
  onForget(
    what:
      | { readonly thread: ThreadRef; readonly begunBy?: string }
      | { readonly person: PersonRef; readonly channelId: string | null },
  ): Promise<number>;
  /** The code of the thread's newest answered task (or of `taskId`), for *Show code*. Empty when there is none. */
  onShowCode(thread: ThreadRef, taskId: string | null): Promise<readonly Cell[]>;
  /** All that is known about the thread's files (or about `file`, its name there), for *Details*. Empty when there is none. */
  onShowDetails(thread: ThreadRef, file: string | null): Promise<readonly FileDetails[]>;
}

export interface PersonRef {
  readonly platform: string;
  readonly workspaceId: string;
  readonly personId: string;
}

export interface PersonOverview {
  readonly threads: readonly {
    readonly thread: ThreadRef;
    /** Their newest question there. */
    readonly question: string;
    readonly messageId: string;
    readonly askedAtMs: number;
    readonly state: TaskState;
  }[];
  readonly usage: ModelUsage & { readonly questions: number; readonly sandboxMs: number; readonly sinceMs: number };
  /** Of all people of the workspace. */
  readonly everyone: { readonly running: number; readonly waiting: number };
}

/** A file card for a person: plain text without markup, made anew from the store each time. */
export interface FileDetails {
  readonly file: string;
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

/** Hears a platform: parses events to plain data, acknowledges first, hands over. */
export interface PlatformGateway {
  readonly name: string;
  /** Resolves when events can arrive; rejects with an `AppError` that names the setting to fix. */
  start(handlers: GatewayHandlers): Promise<void>;
  /** Stops hearing. Resolves when no handler call is under way. */
  stop(): Promise<void>;
}

/** Limits as data, so that the core can plan and refuse in words. Sizes in bytes, lengths in characters. */
export interface PlatformLimits {
  readonly messageCharacters: number;
  readonly fileBytes: number;
  readonly filesPerMessage: number;
  /** Shortest time between two edits of one message. */
  readonly editIntervalMs: number;
}

/** A file to post. `open` may be called more than once (a retry) and gives the same bytes each time. */
export interface OutgoingFile {
  readonly file: StoredFile;
  open(): Bytes;
}

/** What can be posted. Adapters decide how each looks best on their platform. */
export type OutgoingMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** `file` names the file in its thread, for `onShowDetails`. */
  | { readonly kind: 'card'; readonly text: string; readonly file: string }
  | { readonly kind: 'notice'; readonly text: string }
  /** Only the person sees it, where the platform can do that. */
  | { readonly kind: 'refusal'; readonly personId: string; readonly text: string }
  /**
   * `files` has one entry for each artifact of the reply, in the same order. None although there are artifacts: the files are left
   * out, after attempts that failed at them. The text is then cut as it would be beside them, for parts of it may be posted
   * already; `notPosted` names the files that no earlier attempt posted (none named: all of them).
   */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly files: readonly OutgoingFile[] };

/** One platform message that a post became. A long reply becomes several, each with its own part id. */
export interface PostedPart {
  /** Stable for the same message: `text-1`, `text-2`, `files-1` … */
  readonly partId: string;
  readonly messageId: string;
}

export interface PostContext {
  /** The outbox id: the same on every attempt. */
  readonly postId: string;
  /** Parts that an earlier attempt already posted; they must not be posted again. */
  readonly alreadyPosted: readonly PostedPart[];
  /**
   * True: an earlier attempt, perhaps of a process that is gone, may have posted parts that nobody noted; they may also show up
   * late. False: there was none.
   */
  readonly isRepeat: boolean;
  /** Call and await after each part, before the next, so that a crash between two parts repeats nothing. */
  onPosted(part: PostedPart): Promise<void>;
  readonly signal: AbortSignal;
}

export interface PostReceipt {
  readonly parts: readonly PostedPart[];
  /** Artifacts that this platform could not take, each with its reason in words. */
  readonly notPosted: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Stateless outbound REST of one platform. Credentials go only to the platform's own hosts. Mentions and links in model
 * text are neutralised. Rejects with `platform-rate-limited` (and `retryAfterMs`) or `platform-failed`.
 */
export interface PlatformClient {
  readonly limits: PlatformLimits;
  /**
   * Before a task is worked on: may this person ask here, and what did its event not bring (names, files that came late)?
   * Rejects, retryable, where the platform cannot be asked.
   */
  admit(task: Task, signal: AbortSignal): Promise<Admission>;
  /** A progress that is over may only be looked for: no part, where an earlier attempt did not post it. */
  post(thread: ThreadRef, message: OutgoingMessage, context: PostContext): Promise<PostReceipt>;
  /** Replaces a posted progress, card or notice. Editing to the same content is harmless. */
  edit(thread: ThreadRef, messageId: string, message: OutgoingMessage, signal: AbortSignal): Promise<void>;
  /** Removes messages of the bot. One that is gone already is no failure. */
  remove(thread: ThreadRef, messageIds: readonly string[], signal: AbortSignal): Promise<void>;
  /** Posts files on their own, e.g. code that is too long to show. */
  upload(thread: ThreadRef, files: readonly OutgoingFile[], text: string, context: PostContext): Promise<PostReceipt>;
  /** The small "is working" sign of the platform; `null` clears it. Never rejects for a platform without one. */
  status(thread: ThreadRef, text: string | null, signal: AbortSignal): Promise<void>;
  /** The attachment's bytes. Rejects with `file-unavailable` (in words) or, past `maxBytes`, `file-too-large`. */
  download(attachment: Attachment, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Bytes;
  /** Earlier messages of the thread, oldest first, without the bot's progress messages. */
  history(
    thread: ThreadRef,
    options: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<readonly HistoryMessage[]>;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly task: Task }
  /** In words for the person: who decides it, what to do next. */
  | { readonly kind: 'refused'; readonly text: string };

export interface HistoryMessage {
  readonly messageId: string;
  readonly from: 'person' | 'bot';
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

// ----------------------------------------------------------------- sandbox

/** Limits of one session's container and of its cells. */
export interface SandboxLimits {
  /** Python and workspace together: tmpfs pages count as memory. No swap. */
  readonly memoryBytes: number;
  readonly workspaceBytes: number;
  readonly cpus: number;
  readonly processes: number;
}

/** Told to who waits for a sandbox: how many wait before it; `null`: no place counts, for Docker is restarting. */
export type OnPlace = (before: number | null) => void;

export interface SandboxProvider extends AsyncDisposable {
  /**
   * A fresh container that belongs to the caller alone. Where all are in use the caller waits in order; `onPlace` is then called
   * at once and whenever its place changes. An engine that answered before and is gone is waited for, half a minute at most.
   * Rejects with `docker-unavailable` or `sandbox-image-missing`.
   */
  acquire(limits: SandboxLimits, signal: AbortSignal, onPlace?: OnPlace): Promise<SandboxSession>;
  /** Removes containers whose owner is gone. Never touches a container without our labels. Resolves to how many it removed. */
  sweep(): Promise<number>;
}

/** One thread's live sandbox. Calls run one at a time, in order. Disposing removes the container and everything in it. */
export interface SandboxSession extends AsyncDisposable {
  readonly id: string;
  /** Digest of the image it runs (`sha256:…`): cells repeat exactly only in the same one. */
  readonly imageDigest: string;
  /** False once the container is gone; every later `run` answers `lost`. */
  readonly alive: boolean;
  /** Streams a file to `/mnt/data/<name>`. `name` is one path segment; an existing file is replaced. Rejects over the workspace size. */
  write(
    name: string,
    bytes: Bytes,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly sha256: string }>;
  /** Runs one cell in the session's kernel. Python errors, timeouts, memory and lost kernels are data; it rejects never but for bugs. */
  run(code: string, options: RunOptions): Promise<Execution>;
  /** Regular files below `dir` ("" = the working directory), links and special files left out. */
  list(dir: string): Promise<readonly { readonly path: string; readonly sizeBytes: number }[]>;
  /** Bytes of one regular file. Rejects with `file-too-large` past `maxBytes`, `file-unavailable` where it is not a plain file. */
  read(path: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Bytes;
  /** Its processes stand still, also threads that a cell left running, until the next call wakes them. Never rejects; harmless twice. */
  suspend(): Promise<void>;
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Random numbers begin anew from here before the cell runs; absent: they go on where the last cell left them. */
  readonly seed?: number;
  /** What the cell's clock shows when it begins, in ms since 1970, going on from there; absent: the real time. */
  readonly clockMs?: number;
  readonly signal: AbortSignal;
  /** Output as it comes, already valid UTF-8. The same text is in the execution. */
  onOutput(stream: 'stdout' | 'stderr', text: string): void;
}

// ------------------------------------------------------------------- model

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments object. */
  readonly parameters: JsonValue;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote it: may be malformed or cut. */
  readonly argumentsText: string;
}

export type ModelMessage =
  | { readonly role: 'user'; readonly text: string }
  | AssistantMessage
  | { readonly role: 'tool'; readonly callId: string; readonly text: string };

export interface AssistantMessage {
  readonly role: 'assistant';
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** What the provider wants replayed (e.g. encrypted reasoning items). Opaque to everyone but the adapter named in it. */
  readonly providerItems: { readonly adapter: string; readonly items: readonly JsonValue[] } | null;
}

export interface ModelRequest {
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** `none`: the tools stay declared (their calls are in the history) but must not be called. */
  readonly toolChoice: 'auto' | 'none';
  readonly maxOutputTokens: number;
}

export type ModelErrorCode =
  | 'rate-limited'
  | 'server-error'
  | 'unreachable'
  | 'interrupted'
  | 'context-overflow'
  | 'auth'
  | 'rejected';

export interface ModelError {
  readonly code: ModelErrorCode;
  /** Worth asking again as it is. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  /** The provider's words, for the log. */
  readonly detail: string;
}

export type ModelEvent =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | {
      readonly type: 'finish';
      readonly reason: 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'cancelled' | 'error';
      /** What was said until then; its tool calls are the ones announced as events, whole or cut. */
      readonly message: AssistantMessage;
      readonly usage: ModelUsage;
      /** Present exactly when `reason` is `error`. */
      readonly error: ModelError | null;
    };

/**
 * Streams one model turn. Never throws after the call, ends with exactly one `finish`; a stream that ends without its
 * terminal event is a failure (`interrupted`). Does not retry: the loop does.
 */
export interface Model {
  readonly name: string;
  /** True for the built-in analyst, which says so in its first reply. */
  readonly builtIn: boolean;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

// ---------------------------------------------------------- queue and store

export interface Dispatcher {
  /** Something waits in this thread. Cheap; repeating it is harmless. */
  wake(threadKey: ThreadKey): Promise<void>;
  /**
   * Starts taking wakes. At least once per wake, at most one running handler per thread. A handler that rejects is
   * logged and, if its error is retryable, woken again later.
   */
  process(
    handler: (threadKey: ThreadKey, signal: AbortSignal) => Promise<void>,
    options: { readonly concurrency: number },
  ): void;
  /** Aborts the signal of the thread's running handler, in whichever process it runs. */
  cancel(threadKey: ThreadKey): Promise<void>;
  /** Wakes waiting before this thread's; 0 when it is next or running. */
  place(threadKey: ThreadKey): Promise<number>;
  /** Takes no more wakes; running handlers may finish within the grace, then their signal aborts. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

export interface InboxEntry {
  readonly task: Task;
  readonly state: TaskState;
  /** How often a worker has started it; above 1 means an earlier one died. */
  readonly attempts: number;
}

export type PostKind = 'progress' | 'card' | 'reply' | 'notice';

/** A post that must happen exactly once. Written before it is tried, so that a crash cannot lose or double it. */
export interface OutboxEntry {
  readonly postId: string;
  readonly taskId: string;
  readonly threadKey: ThreadKey;
  readonly kind: PostKind;
  /** Without the bytes: files are blobs, named in the reply's artifacts. */
  readonly body: JsonValue;
  readonly parts: readonly PostedPart[];
  readonly sent: boolean;
}

/** A thread file: an attachment that came in, or a file a cell made that later cells may need. */
export interface ThreadFile extends StoredFile {
  readonly taskId: string;
  readonly origin: 'attachment' | 'output';
  /** The platform's id of an attachment, so that the same upload is not fetched twice. */
  readonly attachmentId: string | null;
}

/** The truth. Every method is atomic; what it returned is on disk. */
export interface Store extends AsyncDisposable {
  /** False when this task id was accepted before; then nothing changes. */
  accept(task: Task): Promise<boolean>;
  /** Threads that hold a task in state waiting or running, oldest first: what a starting process must wake. */
  unfinishedThreads(): Promise<readonly ThreadKey[]>;
  /** The thread's oldest unfinished task, marked running with its attempts counted; `null` when there is none. */
  takeNext(threadKey: ThreadKey): Promise<InboxEntry | null>;
  finish(taskId: string, state: 'done' | 'cancelled'): Promise<void>;
  /** Adds what a waiting or running task lacked: attachments with new ids, the person's name where it is more than the id. Its text stays. */
  completeTask(task: Task): Promise<void>;
  /**
   * Replaces the text and attachments of a task that has no reply yet; it counts as started once more. Resolves to its state
   * before, `null` where it is unknown, ended, or has its reply.
   */
  reviseTask(task: Task): Promise<'waiting' | 'running' | null>;
  /** The task was not begun after all: it waits again, and this start does not count. */
  giveBack(taskId: string): Promise<void>;
  /** `null` for one that never was, or was forgotten. */
  task(taskId: string): Promise<InboxEntry | null>;
  /** Whether the thread holds a task that is not forgotten. */
  knowsThread(threadKey: ThreadKey): Promise<boolean>;
  /** The tasks of a person, newest first. */
  tasksOf(who: PersonRef, limit: number): Promise<readonly InboxEntry[]>;
  /** Threads that the person began, oldest first. */
  threadsBegunBy(who: PersonRef): Promise<readonly ThreadKey[]>;
  /** Unfinished tasks of a workspace. */
  load(platform: string, workspaceId: string): Promise<{ readonly running: number; readonly waiting: number }>;
  usageOf(
    who: PersonRef,
    sinceMs: number,
  ): Promise<ModelUsage & { readonly questions: number; readonly sandboxMs: number }>;
  /**
   * Removes all of the thread but the ids of its tasks, so that a replayed event stays without effect, and what they cost.
   * Resolves to the blobs that nothing names any more.
   */
  forgetThread(threadKey: ThreadKey): Promise<readonly string[]>;
  /** Removes what the task said and was told: text, attachments, posts, turn. Its id stays, as above. */
  forgetTask(taskId: string): Promise<void>;
  putFeedback(taskId: string, personId: string, value: 'good' | 'bad'): Promise<void>;
  /** All tasks of the thread, oldest first. */
  tasks(threadKey: ThreadKey): Promise<readonly InboxEntry[]>;

  /** Writes the entry unless its `postId` exists; returns what is stored then. */
  putPost(entry: Omit<OutboxEntry, 'parts' | 'sent'>): Promise<OutboxEntry>;
  /** Replaces the body of a post that is not sent yet. */
  updatePost(postId: string, body: JsonValue): Promise<void>;
  addPostedPart(postId: string, part: PostedPart): Promise<void>;
  /** False where there is no such post any more: its question was deleted or forgotten while it was sent. */
  markSent(postId: string): Promise<boolean>;
  /**
   * Writes the task's reply unless one is there. `null`: the task's text is not `task.text` any more, or it was forgotten; then
   * nothing is written.
   */
  settle(task: Task, entry: Omit<OutboxEntry, 'parts' | 'sent'>): Promise<OutboxEntry | null>;
  posts(taskId: string): Promise<readonly OutboxEntry[]>;

  /** Appends; `index` must be the thread's next. */
  addCell(threadKey: ThreadKey, cell: Cell): Promise<void>;
  cells(threadKey: ThreadKey): Promise<readonly Cell[]>;
  /** Removes the cells that a killed attempt of this task left, which are the thread's last ones, before it is started again. */
  dropCells(threadKey: ThreadKey, taskId: string): Promise<void>;

  /** The model's view of the conversation, appended per task; replaces what the same task wrote before. */
  putTurn(threadKey: ThreadKey, taskId: string, messages: readonly ModelMessage[]): Promise<void>;
  turns(
    threadKey: ThreadKey,
  ): Promise<readonly { readonly taskId: string; readonly messages: readonly ModelMessage[] }[]>;

  /** A file of the same name in the thread is replaced. */
  putFile(threadKey: ThreadKey, file: ThreadFile): Promise<void>;
  files(threadKey: ThreadKey): Promise<readonly ThreadFile[]>;

  /** What was found in one file of the thread; a card of the same file is replaced. */
  putCard(threadKey: ThreadKey, card: FileCard): Promise<void>;
  /** Oldest first. */
  cards(threadKey: ThreadKey): Promise<readonly FileCard[]>;

  addUsage(taskId: string, usage: ModelUsage & { readonly sandboxMs: number }): Promise<void>;

  /** Secrets of an installed workspace, kept encrypted. `id` names platform and workspace; a second put replaces. */
  putInstallation(id: string, secrets: JsonValue): Promise<void>;
  /** `null` where there is none. Rejects with `config` where the key is not the one it was written with. */
  installation(id: string): Promise<JsonValue | null>;
  removeInstallation(id: string): Promise<void>;
  /** Runs `work` while no other process does so under this name; a holder that dies gives way after `ttlMs`. */
  withLock<T>(
    name: string,
    options: { readonly ttlMs: number; readonly signal: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T>;
}

/** Content-addressed bytes. */
export interface Blobs {
  /** Rejects with `file-too-large` past `maxBytes`, keeping nothing. The same bytes are stored once. */
  put(
    bytes: Bytes,
    options: { readonly maxBytes: number },
  ): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Rejects with `file-unavailable` when it is not there or its bytes no longer match the hash. */
  get(sha256: string): Bytes;
  /** Removes these; one that is not there is no failure. */
  remove(sha256s: readonly string[]): Promise<void>;
  /** Removes blobs that are older than `olderThanMs` and not in `keep`; resolves to how many. */
  sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number>;
}
