import type { Draft, InboxEntry } from './store.ts';
import type { Bytes } from './blobs.ts';
import type { LimitUse, Money } from './usage.ts';
import type {
  Attachment,
  Cell,
  ModelUsage,
  Person,
  Progress,
  Reply,
  StoredFile,
  Task,
  TaskState,
  ThreadRef,
} from '../types.ts';

// The ports, a file for each part of the world: what the core asks of it, and what every implementation promises. All members
// are required. One contract suite per port (`test/contract/`) runs on every implementation.

/** What a gateway hands over. Each call resolves once the store has it (milliseconds), never after the answer. */
export interface GatewayHandlers {
  /**
   * A message the bot must answer. Handing over the same task twice is harmless; attachments that only the second one has are
   * added while the task waits.
   */
  onTask(task: Task): Promise<void>;
  /**
   * Whether this process has the event, where a platform brings it to all that hear it and an answer may be given once: true for one
   * of them. `event` names it among all of the platform.
   */
  isOurs(event: string): Promise<boolean>;
  /**
   * For questions whose message the platform names only once it shows them: kept before, dropped after `onTask`, so that a process
   * that ends between the two leaves what the next one needs to go on. `platform` may name a kind of the platform's own drafts.
   */
  keepDraft(draft: Draft): Promise<void>;
  drafts(platform: string): Promise<readonly Draft[]>;
  dropDraft(id: string): Promise<void>;
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
   * that one, on the word of the person `by`; with `begunBy` only where this person asked the first question of it that is known. A person: all that they began, in `channelId` or everywhere. Running ones are stopped. Resolves to how many.
   */
  onForget(
    what:
      | { readonly thread: ThreadRef; readonly begunBy?: string; readonly by?: string }
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
  readonly usage: ModelUsage & {
    readonly questions: number;
    readonly sandboxMs: number;
    readonly sinceMs: number;
    readonly money: readonly Money[];
  };
  /** Of the person and their workspace, as they stand now; none where none is set. */
  readonly limits: readonly LimitUse[];
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
  /** Events can arrive now: false before the start, after the stop, and while a lost connection is made anew. */
  isConnected(): boolean;
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

/** An artifact to post. `picture`: the artifact's, where it has one. */
export interface OutgoingArtifact extends OutgoingFile {
  readonly picture?: OutgoingFile;
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
  | { readonly kind: 'reply'; readonly reply: Reply; readonly files: readonly OutgoingArtifact[] };

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
