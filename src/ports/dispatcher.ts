import type { ThreadKey } from '../types.ts';

/** Whose turn a wake takes in the fair order, in which workspaces, then their people, then a person's channels take turns. */
export interface WakeFor {
  readonly personId: string;
  /** A question without files where one was answered before: it takes turns with the person's other questions, and so passes a batch of them. */
  readonly isFollowUp: boolean;
}

/**
 * Runs the thread's next task, or finds that there is none. Resolves to whom the next one is for that waits in the thread by then:
 * the thread is woken again, behind others. `null`: none does.
 */
export type WakeHandler = (threadKey: ThreadKey, signal: AbortSignal) => Promise<WakeFor | null>;

/**
 * Only wakes: the truth is in the store. An aborted signal's `reason` is an `AppError`: `cancelled` when a person stopped the thread;
 * retryable when this process may not go on with it, which leaves the task to the next one: `restarting` where it ends in order, and
 * still holds the task; `internal` where another one may have it already.
 */
export interface Dispatcher {
  /** Something waits in this thread. Cheap; repeating it is harmless. Rejects, retryable, within seconds where it cannot be kept. */
  wake(threadKey: ThreadKey, whom: WakeFor): Promise<void>;
  /**
   * Starts taking wakes. At least once per wake, at most one running handler per thread over all processes. A handler that rejects
   * is logged and, if its error is retryable, woken again later.
   */
  process(handler: WakeHandler, options: { readonly concurrency: number }): void;
  /** Aborts the signal of the thread's running handler, in whichever process it runs. */
  cancel(threadKey: ThreadKey): Promise<void>;
  /** Wakes waiting before this thread's; 0 when it is next or running. */
  place(threadKey: ThreadKey): Promise<number>;
  /** Threads with work, over all processes: waiting for a handler, and in one. Cheap; rejects where the queue does not answer. */
  depth(signal: AbortSignal): Promise<{ readonly waiting: number; readonly running: number }>;
  /** Those that neither wait nor run, nor are woken again later: their wakes were lost, or they had none. */
  unknown(threadKeys: readonly ThreadKey[]): Promise<readonly ThreadKey[]>;
  /**
   * Takes no more wakes; running handlers may finish within the grace, then their signal aborts and their threads are left to other
   * processes.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}
