import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../src/log.ts';
import type { Engine } from './engine.ts';
import { oomEventWaitMs } from './limits.ts';

/**
 * The engine's word on memory: it tells of every memory kill in a container, where the container's own `OOMKilled` flag is set
 * only for its first process and is gone with the container.
 */
export interface MemoryWatch {
  /** Begins to listen, once; a stream that breaks is taken up again by the next call. */
  start(): void;
  /** Whether container `id` had a memory kill since that moment (`Date.now()`). Waits a little for an event on its way. */
  hitLimitSince(id: string, sinceMs: number): Promise<boolean>;
  forget(id: string): void;
}

const pollMs = 30;

export function createMemoryWatch(engine: Engine, ownerId: string, signal: AbortSignal, log: Logger): MemoryWatch {
  const lastKillMs = new Map<string, number>();
  let listening = false;
  return {
    start() {
      if (listening) return;
      listening = true;
      engine
        .watchMemory(ownerId, signal, (id) => lastKillMs.set(id, Date.now()))
        .catch((error: unknown) => {
          if (!signal.aborted) log.warn({ error: String(error) }, 'the engine stopped telling of memory kills');
        })
        .finally(() => {
          listening = false;
        });
    },
    async hitLimitSince(id, sinceMs) {
      const hit = () => (lastKillMs.get(id) ?? -1) >= sinceMs;
      const until = Date.now() + oomEventWaitMs;
      const mayCome = () => listening && Date.now() < until;
      while (!hit() && mayCome()) await sleep(pollMs);
      return hit();
    },
    forget(id) {
      lastKillMs.delete(id);
    },
  };
}
