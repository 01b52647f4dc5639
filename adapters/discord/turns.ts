import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';

/** Discord takes the first answer to an interaction for three seconds. */
const longestWaitMs = 1000;

/**
 * Whether this process deals with an event: with one token several processes hear the same, and what the second one did would be said
 * over the first one's words. A store that fails, or does not say it in time, keeps nobody waiting: then each of them does.
 */
export function createTurns({ isOurs }: Pick<GatewayHandlers, 'isOurs'>): (event: string) => Promise<boolean> {
  return async (event) => {
    const asked = new AbortController();
    const late = delay(longestWaitMs, true, { signal: asked.signal, ref: false }).catch(() => true);
    try {
      return await Promise.race([isOurs(`discord/${event}`).catch(() => true), late]);
    } finally {
      asked.abort();
    }
  };
}
