import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';

/** What is left to do for an event once it is acknowledged: everything that asks Slack. `null`: nothing. */
export type Rest = (() => Promise<void>) | null;

/** Slack waits three seconds; half of them are left for the way back and a busy process. */
const ackWithinMs = 1500;

const firstRetryMs = 1000;
const longestRetryMs = 30_000;
/** Together with the pauses some ten minutes, after which Slack itself has given up as well. */
const mostRetries = 24;

/** When an event may be acknowledged: once the store has it, or when Slack would not wait any longer. */
export interface Acknowledgements {
  /**
   * Hears an event. Resolves when it may be acknowledged, to what is to be called right after that; rejects where the store
   * refused it in time, so that Slack sends it again.
   */
  take(body: unknown): Promise<() => void>;
  /** Takes no retry any more. Resolves when nothing is under way. */
  drain(): Promise<void>;
}

export function createAcknowledgements(deps: {
  /** Resolves once the store has what the event says. Hearing the same event again is harmless. */
  readonly hear: (body: unknown) => Promise<Rest>;
  readonly log: Logger;
  readonly withinMs?: number;
  readonly retryMs?: number;
}): Acknowledgements {
  const { hear, log } = deps;
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();

  const track = (work: Promise<void>): void => {
    const settled: Promise<void> = work
      .catch((error: unknown) => log.error({ error: String(error) }, 'a Slack event could not be worked on'))
      .finally(() => underWay.delete(settled));
    underWay.add(settled);
  };

  /** For an event that is acknowledged already: nobody else will bring it again. */
  const insist = async (body: unknown, first: Promise<Rest>): Promise<void> => {
    let attempt = first;
    let pauseMs = deps.retryMs ?? firstRetryMs;
    for (let retry = 0; ; retry += 1) {
      try {
        const rest = await attempt;
        return await rest?.();
      } catch (error) {
        const isLast = retry === mostRetries || stopping.signal.aborted;
        log.error({ error: String(error), retry }, isLast ? 'a Slack event is lost' : 'a Slack event is tried again');
        if (isLast) return;
        await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
        pauseMs = Math.min(longestRetryMs, pauseMs * 2);
        attempt = hear(body);
      }
    }
  };

  return {
    take: async (body) => {
      if (stopping.signal.aborted) throw new Error('the gateway is stopping');
      const heard = hear(body);
      // Counted from the first moment, so that `drain` waits for it; its failure is the caller's.
      track(heard.then(ignore, ignore));
      const timer = new AbortController();
      const tooLate = delay(deps.withinMs ?? ackWithinMs, 'too-late' as const, { signal: timer.signal });
      tooLate.catch(() => {});
      try {
        const first = await Promise.race([heard.then((rest) => ({ rest })), tooLate]);
        if (first === 'too-late') {
          log.warn({}, 'a Slack event is acknowledged before the store has it');
          return () => track(insist(body, heard));
        }
        const { rest } = first;
        return rest === null ? ignore : () => track(rest());
      } finally {
        timer.abort();
      }
    },
    drain: async () => {
      stopping.abort();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function ignore(): void {}
