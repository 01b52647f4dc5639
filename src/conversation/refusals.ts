import type { Delivery } from '../answer/deliver.ts';
import type { Store } from '../ports/store.ts';
import type { Reply, Task } from '../types.ts';

/** Longer than posting may take: past it whoever posted is gone. */
const lockMs = 150_000;

/**
 * Posts the settled refusal of a task and ends it. Both who accepted the task and the worker that comes to it may try at the same
 * time, in two processes; one posts, and the other finds it done. Resolves to its outcome; rejects, retryable, where a later attempt may work.
 */
export async function deliverRefusal(
  task: Task,
  attempt: number,
  { store, delivery }: { readonly store: Store; readonly delivery: Delivery },
): Promise<Reply['outcome']> {
  const options = { ttlMs: lockMs, signal: AbortSignal.timeout(2 * lockMs) };
  return store.withLock(`refusal/${task.id}`, options, async () => {
    const { outcome } = await delivery.deliverReply(task, attempt);
    await store.endUsage(task, { outcome, bytesOut: 0, counts: false });
    await store.finish(task.id, 'done');
    return outcome;
  });
}
