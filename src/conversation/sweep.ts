import { toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Dispatcher } from '../ports/dispatcher.ts';
import type { Store } from '../ports/store.ts';
import type { ThreadKey } from '../types.ts';
import { wakeFor } from './wake-for.ts';

/**
 * Gives a sweep that wakes every thread with an unfinished task that the dispatcher does not know: its wake was lost with a process or
 * with the queue's memory. `isServed`: threads of a platform that is not configured wait until it is. Resolves to how many were woken;
 * where store or dispatcher do not answer it says so in the log, and the next sweep may find them again. A sweep that is called while one
 * is under way is that one.
 */
export function createThreadSweep(deps: {
  readonly store: Pick<Store, 'unfinishedThreads' | 'nextTask'>;
  readonly dispatcher: Pick<Dispatcher, 'unknown' | 'wake'>;
  readonly isServed: (threadKey: ThreadKey) => boolean;
  readonly log: Logger;
}): () => Promise<number> {
  const { store, dispatcher, log } = deps;
  let underWay: Promise<number> | null = null;

  const sweep = async (): Promise<number> => {
    let woken = 0;
    try {
      const unfinished = (await store.unfinishedThreads()).filter(deps.isServed);
      for (const threadKey of await dispatcher.unknown(unfinished)) {
        const task = await store.nextTask(threadKey);
        if (task === null) continue;
        await dispatcher.wake(threadKey, wakeFor(task, false));
        woken += 1;
      }
    } catch (error) {
      log.warn({ error: toAppError(error).message }, 'unfinished threads could not be woken; tried again soon');
    }
    if (woken > 0) log.info({ threads: woken }, 'threads with unfinished questions woken');
    return woken;
  };

  return () => {
    underWay ??= sweep().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
