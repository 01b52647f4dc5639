import type { Logger } from '../src/log.ts';
import type { RunningContainer } from './containers.ts';
import type { Slots } from './slots.ts';
import { abortable } from './turns.ts';

/** Containers that are ready before anybody asks. Each holds a slot; a container taken from here never comes back. */
export interface WarmPool {
  /** The oldest one, also where it is still starting: never slower than a new one. Null when there is none that lives. */
  take(signal: AbortSignal): Promise<RunningContainer | null>;
  /** Starts what is missing, as far as slots are free and nobody waits for one. */
  refill(): void;
  /** Gives up one container, if there is one, so that its slot becomes free. */
  evictOne(): boolean;
  /** Resolves when nothing is starting. */
  settled(): Promise<void>;
}

/** After one failed to start or died unused: no new attempt for this long, so that a broken image is not started in a loop. */
const pauseMs = 30_000;

interface Entry {
  readonly starting: Promise<RunningContainer>;
  ready: RunningContainer | null;
}

export function createWarmPool(deps: {
  readonly size: number;
  readonly slots: Slots;
  /** Takes over the caller's slot. */
  start(): Promise<RunningContainer>;
  /** Once aborted, nothing is started any more. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}): WarmPool {
  const { size, slots, closing, log } = deps;
  const entries: Entry[] = [];
  let pausedUntilMs = 0;

  const drop = (entry: Entry): void => {
    entries.splice(entries.indexOf(entry), 1);
    pausedUntilMs = Date.now() + pauseMs;
  };

  const prune = (): void => {
    for (const entry of entries.filter(({ ready }) => ready !== null && ready.connection.lost !== null)) {
      drop(entry);
      log.warn({ container: entry.ready?.id }, 'a warm sandbox died unused');
    }
  };

  const settle = async (entry: Entry): Promise<void> => {
    try {
      entry.ready = await entry.starting;
    } catch (error) {
      if (entries.includes(entry)) drop(entry);
      if (!closing.aborted) log.warn({ error: String(error) }, 'a warm sandbox could not be started');
    }
  };

  const refill = (): void => {
    prune();
    while (!closing.aborted && Date.now() >= pausedUntilMs && entries.length < size && slots.tryTake()) {
      const entry: Entry = { starting: deps.start(), ready: null };
      entries.push(entry);
      void settle(entry);
    }
  };

  const discard = async (entry: Entry): Promise<void> => {
    const container = await entry.starting.catch(() => null);
    container?.connection.close('disposed', 'a warm container that nobody takes');
  };

  return {
    refill,
    async take(signal) {
      prune();
      const entry = entries.shift();
      if (entry === undefined) return null;
      refill();
      try {
        const container = await abortable(entry.starting, signal);
        return container.connection.lost === null ? container : null;
      } catch (error) {
        // A start that failed is no failure of this caller: its own attempt will say why.
        if (!signal.aborted) return null;
        void discard(entry);
        throw error;
      }
    },
    evictOne() {
      const entry = entries.shift();
      if (entry === undefined) return false;
      void discard(entry);
      return true;
    },
    async settled() {
      await Promise.allSettled(entries.map(({ starting }) => starting));
    },
  };
}
