import type { Logger } from '../src/log.ts';
import type { RunningContainer } from './containers.ts';
import { checkAfterMs, maxWarmMs } from './limits.ts';
import type { Slots } from './slots.ts';
import { abortable } from './turns.ts';

/** Containers that are ready before anybody asks. Each holds a slot; a container taken from here never comes back. */
export interface WarmPool {
  /**
   * The oldest ready one, else the oldest that is starting: never slower than a new one. One that was left alone for long shows
   * a sign of life first. Null when there is none that lives.
   */
  take(signal: AbortSignal): Promise<RunningContainer | null>;
  /** Starts what is missing, as far as slots and boots are free and nobody waits for them. */
  refill(): void;
  /** Why the last ones failed is over: refills without waiting. */
  resume(): void;
  /** Asks each one that was left alone for a sign of life, and has those replaced that give none or are old. */
  check(): Promise<void>;
  /** Gives up one container, if there is one, so that its slot becomes free. */
  evictOne(): boolean;
  /** Resolves when the pool is full, or as full as it gets now. */
  settled(): Promise<void>;
  /** Containers that a `take` would get at once. */
  readonly ready: number;
}

/**
 * After one failed to start or died within this time: no new attempt for as long, so that a broken image is not started in a
 * loop. One that lived longer was ended from outside and is replaced at once.
 */
const pauseMs = 30_000;

interface Entry {
  readonly starting: Promise<RunningContainer>;
  ready: RunningContainer | null;
  readyAtMs: number;
  /** When its driver last said something. */
  heardAtMs: number;
  checking: Promise<boolean> | null;
}

export function createWarmPool(deps: {
  readonly size: number;
  readonly slots: Slots;
  /** Places for containers that start. */
  readonly boots: Slots;
  /** Takes over the caller's slot and its boot place. */
  start(): Promise<RunningContainer>;
  /** Once aborted, nothing is started any more. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}): WarmPool {
  const { size, slots, boots, closing, log } = deps;
  const entries: Entry[] = [];
  let pausedUntilMs = 0;
  let resume: NodeJS.Timeout | null = null;

  const forget = (entry: Entry): void => {
    const index = entries.indexOf(entry);
    if (index !== -1) entries.splice(index, 1);
  };

  const first = (): Entry | undefined => entries.find(({ ready }) => ready !== null) ?? entries[0];

  const pause = (): void => {
    pausedUntilMs = Date.now() + pauseMs;
    if (resume !== null) clearTimeout(resume);
    resume = setTimeout(refill, pauseMs).unref();
  };

  const prune = (): void => {
    for (const entry of entries.filter(({ ready }) => ready !== null && ready.connection.lost !== null)) {
      forget(entry);
      if (closing.aborted) continue;
      log.warn({ container: entry.ready?.id }, 'a warm sandbox died unused');
      if (Date.now() < entry.readyAtMs + pauseMs) pause();
    }
  };

  const settle = async (entry: Entry): Promise<void> => {
    try {
      entry.ready = await entry.starting;
      entry.readyAtMs = Date.now();
      entry.heardAtMs = entry.readyAtMs;
      retire();
    } catch (error) {
      forget(entry);
      if (closing.aborted) return;
      log.warn({ error: String(error) }, 'a warm sandbox could not be started');
      pause();
    }
    refill();
  };

  const isOld = ({ ready, readyAtMs }: Entry): boolean => ready !== null && Date.now() > readyAtMs + maxWarmMs;

  /** Lets old ones go where younger ones stand in for them. */
  const retire = (): void => {
    for (const entry of entries.filter(isOld)) {
      if (entries.filter(({ ready }) => ready !== null).length <= size) return;
      forget(entry);
      void discard(entry);
    }
  };

  const takePlaces = (): boolean => {
    if (!slots.tryTake()) return false;
    if (boots.tryTake()) return true;
    slots.free();
    return false;
  };

  const refill = (): void => {
    prune();
    const missing = (): boolean => entries.filter((entry) => !isOld(entry)).length < size;
    while (!closing.aborted && Date.now() >= pausedUntilMs && missing() && takePlaces()) {
      const entry: Entry = { starting: deps.start(), ready: null, readyAtMs: 0, heardAtMs: 0, checking: null };
      entries.push(entry);
      void settle(entry);
    }
  };

  const discard = async (entry: Entry): Promise<void> => {
    const container = await entry.starting.catch(() => null);
    container?.connection.close('disposed', 'a warm container that nobody takes');
  };

  const lives = async (entry: Entry, container: RunningContainer): Promise<boolean> => {
    if (entry.checking === null && Date.now() < entry.heardAtMs + checkAfterMs)
      return container.connection.lost === null;
    entry.checking ??= container.answers().finally(() => {
      entry.checking = null;
      entry.heardAtMs = Date.now();
    });
    return entry.checking;
  };

  /** The container of an entry that is the caller's; null where it failed or is dead. */
  const claim = async (entry: Entry, signal: AbortSignal): Promise<RunningContainer | null> => {
    try {
      const container = entry.ready ?? (await abortable(entry.starting, signal));
      return (await abortable(lives(entry, container), signal)) ? container : null;
    } catch (error) {
      // A start that failed is no failure of this caller: its own attempt will say why.
      if (!signal.aborted) return null;
      void discard(entry);
      throw error;
    }
  };

  return {
    refill,
    resume() {
      pausedUntilMs = 0;
      refill();
    },
    get ready() {
      return entries.filter(({ ready }) => ready !== null && ready.connection.lost === null).length;
    },
    async take(signal) {
      for (;;) {
        prune();
        const entry = first();
        if (entry === undefined) return null;
        forget(entry);
        refill();
        const container = await claim(entry, signal);
        if (container !== null) return container;
        if (entry.ready === null) return null;
        log.warn({ container: entry.ready.id }, 'a warm sandbox gave no sign of life; taking another');
      }
    },
    async check() {
      await Promise.all(entries.map(async (entry) => entry.ready !== null && (await lives(entry, entry.ready))));
      refill();
    },
    evictOne() {
      const entry = first();
      if (entry === undefined) return false;
      forget(entry);
      void discard(entry);
      return true;
    },
    async settled() {
      while (entries.some(({ ready }) => ready === null)) {
        await Promise.allSettled(entries.map(({ starting }) => starting));
        // What just became ready may have made place for the next.
        await Promise.resolve();
      }
    },
  };
}
