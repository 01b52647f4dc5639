import type { Logger } from '../log.ts';
import type { Audit, ForgetReason } from '../ports/audit.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Store } from '../ports/store.ts';
import type { ThreadKey } from '../types.ts';
import { takeBack } from './taking-back.ts';
import type { TakingBackDeps } from './taking-back.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How often a round is due. */
export const retentionIntervalMs = hourMs;

/** Younger ones are under way in some process. */
const underWayMs = minuteMs;

/** A platform that refused to remove posts for so long will not do it any more. */
const givenUpAfterMs = 7 * dayMs;

/** All objects of a bucket are listed for it: a few times a day is enough. */
const sweepEveryMs = 6 * hourMs;

/** A blob is named at the latest when the task that made it has its reply, and no task takes a day. */
const sweepAgeMs = 2 * dayMs;

const roundMs = 10 * minuteMs;
const together = 100;

export interface RetentionDeps extends TakingBackDeps {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly endSession: (threadKey: ThreadKey) => Promise<void>;
  readonly audit: Audit;
  readonly log: Logger;
  /** In ms since 1970. */
  readonly now: () => number;
  /** Threads whose newest question is older are forgotten; `null`: they are kept for ever. */
  readonly keepMs: number | null;
}

/**
 * A round over what must go: what a process that died was about to remove, threads past their age, blobs that nothing names. Of many
 * processes one does it at a time; to the others it is nothing. Rejects only where the store does.
 */
export function createRetention(deps: RetentionDeps): (signal: AbortSignal) => Promise<void> {
  const { store, blobs, audit, log, now, keepMs } = deps;

  const forget = async (threadKey: ThreadKey, beforeMs: number, reason: ForgetReason): Promise<boolean> => {
    const unneeded = await store.forgetThreadAtRest(threadKey, beforeMs);
    if (unneeded === null) return false;
    audit.record({ event: 'forgot', threadKey, personId: null, reason });
    await removeBlobs(unneeded, deps);
    await deps.endSession(threadKey);
    log.info({ threadKey, reason, blobs: unneeded.length }, 'thread forgotten');
    return true;
  };

  const finishDeletions = async (signal: AbortSignal): Promise<void> => {
    // Before their threads, with which their posts would go unnoted.
    for (const taskId of await store.tasksWithRemains(together)) await store.forgetQuestion([taskId]);
    const threadKeys = [
      ...(await store.notedForgettings(underWayMs, together)),
      ...(await store.threadsWithRemains(together)),
    ];
    for (const threadKey of new Set(threadKeys)) {
      if (signal.aborted) return;
      await forget(threadKey, Number.MAX_SAFE_INTEGER, 'unfinished');
    }
    for (const removal of await store.postRemovals(underWayMs, together)) {
      // Each may wait for a platform that does not answer.
      if (signal.aborted) return;
      if (now() - removal.notedAtMs < givenUpAfterMs) {
        await takeBack(removal, deps);
        continue;
      }
      log.error({ removal: removal.id, messages: removal.messageIds.length }, 'posts stay: they could not be removed');
      await store.endPostRemoval(removal.id);
    }
  };

  const forgetOld = async (ageMs: number, signal: AbortSignal): Promise<void> => {
    const beforeMs = now() - ageMs;
    const endMs = now() + roundMs / 2;
    while (!signal.aborted && now() < endMs) {
      let forgotten = 0;
      for (const threadKey of await store.staleThreads(beforeMs, together)) {
        if (signal.aborted) return;
        if (await forget(threadKey, beforeMs, 'age')) forgotten += 1;
      }
      if (forgotten === 0) return;
    }
  };

  const sweep = async (signal: AbortSignal): Promise<void> => {
    if (!(await store.takeTurn('blob-sweep', sweepEveryMs))) return;
    await store.removeOldTurns();
    const keep = new Set<string>();
    for await (const sha256 of store.namedBlobs()) keep.add(sha256);
    const removed = await blobs.sweep(keep, sweepAgeMs, signal);
    log.info({ kept: keep.size, removed }, 'blobs swept');
  };

  return async (signal) => {
    let isOurs = false;
    const round = async (): Promise<void> => {
      isOurs = true;
      await finishDeletions(signal);
      if (keepMs !== null && !signal.aborted) await forgetOld(keepMs, signal);
      if (!signal.aborted)
        await sweep(signal).catch((error: unknown) => log.warn({ error: String(error) }, 'blobs not swept'));
    };
    try {
      // Whoever finds another process at it goes away: there will be nothing left to do.
      await store.withLock('retention', { ttlMs: roundMs, signal: AbortSignal.abort() }, round);
    } catch (error) {
      const isBusy = !isOurs && error instanceof Error && error.name === 'AbortError';
      if (!isBusy) throw error;
    }
  };
}

/** The store names them no more; where the storage does not answer, the sweep finds them later. Never rejects. */
export async function removeBlobs(
  sha256s: readonly string[],
  { blobs, log }: { readonly blobs: Blobs; readonly log: Logger },
): Promise<void> {
  if (sha256s.length === 0) return;
  await blobs
    .remove(sha256s)
    .catch((error: unknown) => log.error({ blobs: sha256s.length, error: String(error) }, 'blobs wait for the sweep'));
}
