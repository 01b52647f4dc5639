import type { PersonRef, PostedPart } from './platforms.ts';
import type { ModelMessage } from './model.ts';
import type { RetentionRecords } from './retention.ts';
import type { UsageLedger } from './usage.ts';
import type { Cell, FileCard, JsonValue, ModelUsage, StoredFile, Task, TaskState, ThreadKey } from '../types.ts';

export interface InboxEntry {
  readonly task: Task;
  readonly state: TaskState;
  /** How often a worker has started it; above 1 means an earlier one died. */
  readonly attempts: number;
  /** Grows with every start, whatever becomes of it: the last one holds the task. */
  readonly fence: number;
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

/** A question that the platform is about to show, before it has said under which message: no task yet. */
export interface Draft {
  readonly id: string;
  readonly platform: string;
  readonly body: JsonValue;
}

/** The truth. Every method is atomic; what it returned is on disk. */
export interface Store extends AsyncDisposable, RetentionRecords, UsageLedger {
  /** Resolves where the store answers; rejects with the reason. */
  ping(signal: AbortSignal): Promise<void>;
  /** False when this task id was accepted before; then nothing changes. */
  accept(task: Task): Promise<boolean>;
  /** Threads that hold a task in state waiting or running, oldest first: what a starting process must wake. */
  unfinishedThreads(): Promise<readonly ThreadKey[]>;
  /** The thread's oldest unfinished task, marked running with its attempts counted; `null` when there is none. */
  takeNext(threadKey: ThreadKey): Promise<InboxEntry | null>;
  /** The same task as it is, or `null`: who is to be woken for the thread next. */
  nextTask(threadKey: ThreadKey): Promise<Task | null>;
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
  /** How often tasks of the thread were started in all, by any worker: grows with every `takeNext` that gives one. */
  starts(threadKey: ThreadKey): Promise<number>;
  /** Whether no worker has started the task since it was taken as this entry. */
  holds(entry: InboxEntry): Promise<boolean>;
  /**
   * The store for the worker that took this entry. What it writes about the task and its thread is refused, retryable, once another
   * has started the task: a worker that stood still must not write into the work of the next one. What was posted it may note.
   */
  heldBy(entry: InboxEntry): Store;
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
  /**
   * The SHA-256 of every blob that a file, cell or post of any thread names, each once: what a sweep must keep. In steps, so memory stays
   * small; one that becomes named meanwhile may be missing, so a sweep spares what is young.
   */
  namedBlobs(): AsyncIterable<string>;
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
  lastCell(threadKey: ThreadKey): Promise<Cell | null>;
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

  /** Changes nothing where the id is known. */
  putDraft(draft: Draft): Promise<void>;
  /** Of the platform, oldest first. */
  drafts(platform: string): Promise<readonly Draft[]>;
  /** One that is not there is no failure. */
  removeDraft(id: string): Promise<void>;

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
