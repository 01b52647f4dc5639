/** Waiting times and limits of the connection. Discord allows 1,000 sessions a day and resets the token past that. */
export interface ConnectionTimes {
  /** From logging in until all shards are ready. */
  readonly readyMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** So many closed connections in the window without one that became ready are a loop, not an outage. */
  readonly closes: number;
  readonly closesWindowMs: number;
}

export const connectionTimes: ConnectionTimes = {
  readyMs: 60_000,
  firstPauseMs: 5000,
  longestPauseMs: 300_000,
  closes: 10,
  closesWindowMs: 60_000,
};

/** Sessions left untouched, for a start by hand. */
const spareSessions = 20;

/** How long to wait before a new client is tried: doubled each time, up to a fifth of chance so that bots do not march in step. */
export function pauseMs(attempt: number, times: ConnectionTimes, random = Math.random()): number {
  const pause = Math.min(times.longestPauseMs, times.firstPauseMs * 2 ** attempt);
  return Math.round(pause * (1 - random / 5));
}

/** How long to wait until Discord allows so many sessions again; 0: now. */
export function sessionWaitMs(
  limit: { readonly remaining: number; readonly reset_after: number },
  shards: number,
): number {
  return limit.remaining >= shards + spareSessions || limit.remaining >= shards * 2 ? 0 : limit.reset_after;
}

/** Notices a connection that is closed again and again. */
export interface CloseCounter {
  /** True: it is a loop. */
  closed(atMs: number): boolean;
  /** A shard is ready or went on: what was before does not count. */
  ready(): void;
}

export function createCloseCounter({ closes, closesWindowMs }: ConnectionTimes): CloseCounter {
  let times: number[] = [];
  return {
    closed: (atMs) => {
      times = [...times.filter((time) => atMs - time < closesWindowMs), atMs];
      return times.length >= closes;
    },
    ready: () => {
      times = [];
    },
  };
}
