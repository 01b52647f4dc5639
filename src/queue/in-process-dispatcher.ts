import { AppError, toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Dispatcher } from '../ports/dispatcher.ts';
import type { ThreadKey } from '../types.ts';

/** Waits before a failed thread is woken again, when its error names none: doubled at each failure in a row. */
const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;

/** After the grace of `close`, how long a handler may take to see its aborted signal before it is left behind. */
const abortedGraceMs = 5000;

type Handler = (threadKey: ThreadKey, signal: AbortSignal) => Promise<void>;

interface Run {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** A wake came meanwhile: what it announced may be newer than what the handler has seen. */
  wokenAgain: boolean;
}

/**
 * Wakes within one process, first come first served over threads. Nothing here survives the process: a starting one wakes what
 * the store says is unfinished. An aborted signal's `reason` is an `AppError`: `cancelled` when a person stopped the thread;
 * `internal` and retryable when the process is closing, which leaves the task to the next process.
 */
export function createInProcessDispatcher(deps: { readonly log: Logger }): Dispatcher {
  const waiting = new Set<ThreadKey>();
  const running = new Map<ThreadKey, Run>();
  const retries = new Map<ThreadKey, NodeJS.Timeout>();
  const failuresInARow = new Map<ThreadKey, number>();
  let handler: Handler | null = null;
  let concurrency = 0;
  let closed = false;

  const enqueue = (threadKey: ThreadKey): void => {
    if (closed) return;
    clearTimeout(retries.get(threadKey));
    retries.delete(threadKey);
    const run = running.get(threadKey);
    if (run !== undefined) run.wokenAgain = true;
    else waiting.add(threadKey);
    startWaiting();
  };

  const startWaiting = (): void => {
    if (handler === null) return;
    for (const threadKey of waiting) {
      if (running.size >= concurrency) return;
      waiting.delete(threadKey);
      const controller = new AbortController();
      const run = runOnce.bind(null, handler, threadKey, controller.signal);
      // Whoever woke it, or ended before it, may have worked on another thread.
      running.set(threadKey, { controller, done: deps.log.within({ threadKey }, run), wokenAgain: false });
    }
  };

  const runOnce = async (run: Handler, threadKey: ThreadKey, signal: AbortSignal): Promise<void> => {
    // Lets the caller of `wake` go on first, and enter this run in `running`.
    await Promise.resolve();
    try {
      await run(threadKey, signal);
      failuresInARow.delete(threadKey);
    } catch (error) {
      failed(threadKey, toAppError(error));
    }
    const { wokenAgain } = running.get(threadKey) ?? { wokenAgain: false };
    running.delete(threadKey);
    if (wokenAgain) enqueue(threadKey);
    else startWaiting();
  };

  const failed = (threadKey: ThreadKey, error: AppError): void => {
    deps.log.error(
      { threadKey, code: error.code, retryable: error.retryable, error: error.message, cause: String(error.cause) },
      'thread handler failed',
    );
    if (!error.retryable || closed) {
      failuresInARow.delete(threadKey);
      return;
    }
    const failures = (failuresInARow.get(threadKey) ?? 0) + 1;
    failuresInARow.set(threadKey, failures);
    const delayMs = error.retryAfterMs ?? Math.min(firstBackoffMs * 2 ** (failures - 1), maxBackoffMs);
    retries.set(
      threadKey,
      setTimeout(() => enqueue(threadKey), delayMs),
    );
  };

  return {
    wake: (threadKey) => Promise.resolve(enqueue(threadKey)),

    process: (given, options) => {
      if (handler !== null)
        throw new AppError('internal', 'The bot is set up twice.', { detail: 'process() was called twice' });
      handler = given;
      concurrency = options.concurrency;
      startWaiting();
    },

    cancel: (threadKey) => {
      running.get(threadKey)?.controller.abort(new AppError('cancelled', 'Stopped.'));
      return Promise.resolve();
    },

    place: (threadKey) => Promise.resolve(waiting.has(threadKey) ? [...waiting].indexOf(threadKey) : 0),

    depth: () => Promise.resolve({ waiting: waiting.size + retries.size, running: running.size }),

    close: async ({ graceMs }) => {
      closed = true;
      waiting.clear();
      for (const timer of retries.values()) clearTimeout(timer);
      retries.clear();
      const allDone = Promise.all([...running.values()].map(({ done }) => done));
      if (await within(graceMs, allDone)) return;
      for (const { controller } of running.values()) {
        controller.abort(
          new AppError('internal', 'I am being restarted and will go on afterwards.', { retryable: true }),
        );
      }
      if (!(await within(abortedGraceMs, allDone))) {
        deps.log.error({ threads: [...running.keys()] }, 'handlers did not stop when they were told to');
      }
    },
  };
}

/** True when `work` was done in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
