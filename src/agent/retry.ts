import type { ModelError } from '../ports/model.ts';

/** A longer wait than this is not worth sitting out in a chat; the person is told when to ask again. */
const longestWaitMs = 60_000;
const firstWaitMs = 1000;

/**
 * How long to wait before attempt `failures + 1`, or `null` to give up. The server's own word counts most; without it the wait
 * doubles from one second, with up to 25 % on top so that many bots do not come back at the same moment.
 * `random` is in [0, 1).
 */
export function retryWaitMs(error: ModelError, failures: number, random: () => number): number | null {
  if (!error.retryable || failures > retriesOf(error)) return null;
  if (error.retryAfterMs !== null) return error.retryAfterMs > longestWaitMs ? null : error.retryAfterMs;
  return Math.round(firstWaitMs * 2 ** (failures - 1) * (1 + 0.25 * random()));
}

/** A server that cannot be reached at all is mostly a wrong setting: waiting long for it only delays saying so. */
function retriesOf(error: ModelError): number {
  return error.code === 'unreachable' ? 2 : 4;
}
