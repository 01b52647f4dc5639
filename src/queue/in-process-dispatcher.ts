import { AppError, toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Dispatcher, WakeFor, WakeHandler } from '../ports/dispatcher.ts';
import type { ThreadKey } from '../types.ts';
import { abortedGraceMs, firstBackoffMs, maxBackoffMs, processEnds, stoppedByPerson } from './ends.ts';
import { FairOrder, flowPathOf } from './fair-order.ts';
import { within } from './within.ts';

interface Run {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** A wake came meanwhile: what it announced may be newer than what the handler has seen. */
  wokenFor: WakeFor | null;
}

/** Wakes within one process, in the fair order. Nothing here survives the process: a starting one wakes what the store says is unfinished. */
export function createInProcessDispatcher(deps: { readonly log: Logger }): Dispatcher {
  const waiting = new FairOrder();
  const wakes = new Map<ThreadKey, WakeFor>();
  const running = new Map<ThreadKey, Run>();
  const retries = new Map<ThreadKey, NodeJS.Timeout>();
  const failuresInARow = new Map<ThreadKey, number>();
  let handler: WakeHandler | null = null;
  let concurrency = 0;
  let closed = false;

  const enqueue = (threadKey: ThreadKey, whom: WakeFor): void => {
    if (closed) return;
    clearTimeout(retries.get(threadKey));
    retries.delete(threadKey);
    const run = running.get(threadKey);
    if (run !== undefined) run.wokenFor = whom;
    else if (!waiting.has(threadKey)) {
      waiting.add(threadKey, flowPathOf(threadKey, whom));
      wakes.set(threadKey, whom);
    }
    startWaiting();
  };

  const startWaiting = (): void => {
    if (handler === null) return;
    while (running.size < concurrency) {
      const threadKey = waiting.take();
      const whom = threadKey === null ? undefined : wakes.get(threadKey);
      if (threadKey === null || whom === undefined) return;
      wakes.delete(threadKey);
      const controller = new AbortController();
      // Whoever woke it, or ended before it, may have worked on another thread.
      const run = runOnce.bind(null, handler, threadKey, whom, controller.signal);
      running.set(threadKey, { controller, done: deps.log.within({ threadKey }, run), wokenFor: null });
    }
  };

  const runOnce = async (run: WakeHandler, threadKey: ThreadKey, whom: WakeFor, signal: AbortSignal): Promise<void> => {
    // Lets the caller of `wake` go on first, and enter this run in `running`.
    await Promise.resolve();
    let next: WakeFor | null = null;
    try {
      next = await run(threadKey, signal);
      failuresInARow.delete(threadKey);
    } catch (error) {
      failed(threadKey, whom, toAppError(error));
    }
    next ??= running.get(threadKey)?.wokenFor ?? null;
    running.delete(threadKey);
    if (next !== null) enqueue(threadKey, next);
    else startWaiting();
  };

  const failed = (threadKey: ThreadKey, whom: WakeFor, error: AppError): void => {
    // An orderly end is no failure: the next start finds the task waiting.
    if (!(closed && error.code === 'restarting')) {
      deps.log.error(
        { threadKey, code: error.code, retryable: error.retryable, error: error.message, cause: String(error.cause) },
        'thread handler failed',
      );
    }
    if (!error.retryable || closed) {
      failuresInARow.delete(threadKey);
      return;
    }
    const failures = (failuresInARow.get(threadKey) ?? 0) + 1;
    failuresInARow.set(threadKey, failures);
    const delayMs = error.retryAfterMs ?? Math.min(firstBackoffMs * 2 ** (failures - 1), maxBackoffMs);
    retries.set(
      threadKey,
      setTimeout(() => enqueue(threadKey, whom), delayMs),
    );
  };

  return {
    wake: (threadKey, whom) => Promise.resolve(enqueue(threadKey, whom)),

    process: (given, options) => {
      if (handler !== null)
        throw new AppError('internal', 'The bot is set up twice.', { detail: 'process() was called twice' });
      handler = given;
      concurrency = options.concurrency;
      startWaiting();
    },

    cancel: (threadKey) => {
      running.get(threadKey)?.controller.abort(stoppedByPerson());
      return Promise.resolve();
    },

    place: (threadKey) => Promise.resolve(waiting.place(threadKey)),

    unknown: (threadKeys) =>
      Promise.resolve(
        threadKeys.filter((threadKey) => !waiting.has(threadKey) && !running.has(threadKey) && !retries.has(threadKey)),
      ),

    depth: () => Promise.resolve({ waiting: waiting.size + retries.size, running: running.size }),

    close: async ({ graceMs }) => {
      closed = true;
      waiting.clear();
      wakes.clear();
      for (const timer of retries.values()) clearTimeout(timer);
      retries.clear();
      const allDone = Promise.all([...running.values()].map(({ done }) => done));
      if (await within(graceMs, allDone)) return;
      for (const { controller } of running.values()) {
        controller.abort(processEnds());
      }
      if (!(await within(abortedGraceMs, allDone))) {
        deps.log.error({ threads: [...running.keys()] }, 'handlers did not stop when they were told to');
      }
    },
  };
}
