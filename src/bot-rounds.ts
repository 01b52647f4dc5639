/** What a process does again and again: it wakes threads whose wake was lost, and keeps no longer what is past its time. */
import { retentionIntervalMs } from './conversation/retention.ts';
import type { Logger } from './log.ts';

/** How long a thread waits whose wake was lost. */
const threadSweepIntervalMs = 15_000;

export interface BotRounds {
  /** The first wakes are sent when it resolves. */
  start(): Promise<void>;
  /** Resolves when none is under way. */
  stop(): Promise<void>;
}

export function createBotRounds(deps: {
  readonly wakeUnfinished: () => Promise<unknown>;
  readonly retention: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}): BotRounds {
  const closing = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let retaining = Promise.resolve();
  const retain = (): void => {
    retaining = retaining
      .then(() => deps.retention(closing.signal))
      .catch((error: unknown) => deps.log.warn({ error: String(error) }, 'retention failed'));
  };
  return {
    start: async () => {
      await deps.wakeUnfinished();
      if (closing.signal.aborted) return;
      retain();
      timers.push(
        setInterval(() => void deps.wakeUnfinished(), threadSweepIntervalMs).unref(),
        setInterval(retain, retentionIntervalMs).unref(),
      );
    },
    stop: async () => {
      closing.abort();
      for (const timer of timers) clearInterval(timer);
      await retaining;
    },
  };
}
