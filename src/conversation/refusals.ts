import type { Delivery } from '../answer/deliver.ts';
import type { InboxEntry, Store } from '../ports/store.ts';
import type { Reply } from '../types.ts';

/** Longer than posting a line takes: past it whoever posted is taken for gone, and the thread need not wait for them. */
const lockMs = 20_000;

/**
 * Posts the settled refusal of a task and ends it. Both who accepted the task and the worker that comes to it may try at the same
 * time, in two processes; one posts, and the other finds it done. Resolves to its outcome; rejects, retryable, where a later attempt may work.
 */
export async function deliverRefusal(
  taken: InboxEntry,
  { store, delivery }: { readonly store: Store; readonly delivery: Delivery },
): Promise<Reply['outcome']> {
  const { task } = taken;
  const options = { ttlMs: lockMs, signal: AbortSignal.timeout(3 * lockMs) };
  return store.withLock(`refusal/${task.id}`, options, async () => {
    const { outcome } = await delivery.deliverReply(taken);
    await store.endUsage(task, { outcome, bytesOut: 0, counts: false });
    await store.finish(task.id, 'done');
    return outcome;
  });
}
