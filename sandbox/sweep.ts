import type { Logger } from '../src/log.ts';
import { removePaused } from './containers.ts';
import type { Engine, OwnedContainer } from './engine.ts';
import { isOrphan, isOurs, labelNames } from './owner.ts';

/** A container that its owner created and has not started after this long never will be: a start takes seconds. */
const neverStartedMs = 5 * 60 * 1000;

/**
 * Removes what nobody owns any more (see `owner.ts`) and what ended without being removed. Resolves to how many it removed;
 * rejects where the engine cannot be asked. A container that resists is logged and left to the next sweep.
 */
export async function sweepOrphans(engine: Engine, ownerId: string, log: Logger): Promise<number> {
  const nowMs = Date.now();
  const orphans = (await engine.list()).filter((container) => isSweepable(container, ownerId, nowMs));
  const removed = await Promise.all(
    orphans.map(async ({ id, state }) => {
      try {
        await (state === 'paused' ? removePaused(engine, id, Promise.resolve()) : engine.remove(id));
        return true;
      } catch (error) {
        log.warn({ container: id, error: String(error) }, 'an orphaned sandbox could not be removed');
        return false;
      }
    }),
  );
  const count = removed.filter(Boolean).length;
  if (count > 0) log.info({ count }, 'removed orphaned sandboxes');
  return count;
}

function isSweepable({ labels, state }: OwnedContainer, ownerId: string, nowMs: number): boolean {
  if (isOrphan(labels, ownerId, nowMs)) return true;
  // It cannot be started again: its stdin is gone, and no session outlives its container.
  if (isOurs(labels) && (state === 'exited' || state === 'dead')) return true;
  const isOwn = labels[labelNames.owner] === ownerId;
  return isOwn && state === 'created' && nowMs > Number(labels[labelNames.created]) + neverStartedMs;
}
