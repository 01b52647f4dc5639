import type { Dispatcher } from '../ports/dispatcher.ts';
import type { Store } from '../ports/store.ts';
import type { ThreadKey } from '../types.ts';
import { wakeFor } from './wake-for.ts';

/**
 * Wakes every thread that holds an unfinished task and that the dispatcher does not know: its wake was lost with a process or with the
 * queue's memory. `isServed`: threads of a platform that is not configured wait until it is. Resolves to how many were woken; rejects
 * where store or dispatcher do not answer: the next sweep may find them again.
 */
export async function sweepThreads(deps: {
  readonly store: Pick<Store, 'unfinishedThreads' | 'nextTask'>;
  readonly dispatcher: Dispatcher;
  readonly isServed: (threadKey: ThreadKey) => boolean;
}): Promise<number> {
  const { store, dispatcher } = deps;
  const unfinished = (await store.unfinishedThreads()).filter(deps.isServed);
  const lost = await dispatcher.unknown(unfinished);
  for (const threadKey of lost) {
    const task = await store.nextTask(threadKey);
    if (task !== null) await dispatcher.wake(threadKey, wakeFor(task, false));
  }
  return lost.length;
}
