import type { ThreadKey } from '../types.ts';

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
  /** Threads with work, over all processes: waiting for a handler, and in one. Cheap; rejects where the queue does not answer. */
  depth(signal: AbortSignal): Promise<{ readonly waiting: number; readonly running: number }>;
  /** Takes no more wakes; running handlers may finish within the grace, then their signal aborts. */
  close(options: { readonly graceMs: number }): Promise<void>;
}
