import { readFileSync } from 'node:fs';
import type { ThreadKey } from '../types.ts';
import { firstBackoffMs, maxBackoffMs } from './ends.ts';
import type { FlowPath } from './fair-order.ts';
import { queueAway } from './redis.ts';
import type { Redis } from './redis.ts';

/** The thread that may be run now, and the token that proves it. */
export interface Lease {
  readonly threadKey: ThreadKey;
  /** Grows with every lease; no two are alike. */
  readonly token: string;
  readonly path: FlowPath;
}

/**
 * What all processes know about the threads: who waits in which order, who runs, who is woken again later. Every call is one atomic
 * step in Redis (thread-book.lua) of at most O(log n) in the number of threads, and rejects, retryable, where Redis does not answer.
 */
export interface ThreadBook {
  /** True where the thread waits from now on: then a carrier must be sent. False where it waited, or runs and will wait again. */
  wake(threadKey: ThreadKey, path: FlowPath): Promise<boolean>;
  /** The thread whose turn it is; `null` where none waits. */
  take(): Promise<Lease | null>;
  /** Prolongs the lease. `lost`: another has the thread, or had it. */
  renew(lease: Lease): Promise<'held' | 'cancelled' | 'lost'>;
  /** Gives the lease back. `next`: where the thread waits again; a wake that came meanwhile makes it wait as well. True as with `wake`. */
  done(lease: Lease, next: FlowPath | null): Promise<boolean>;
  /** As above, to be woken after a while: `null`: longer with every failure in a row. Resolves to that time; 0: it waits now; `null`: not at all. */
  failed(lease: Lease, retryAfterMs: number | null): Promise<number | null>;
  /** Whoever runs the thread is told on `cancelChannel`, and finds it noted. */
  cancel(threadKey: ThreadKey): Promise<void>;
  isCancelled(lease: Lease): Promise<boolean>;
  place(threadKey: ThreadKey): Promise<number>;
  depth(): Promise<{ readonly waiting: number; readonly running: number }>;
  unknown(threadKeys: readonly ThreadKey[]): Promise<readonly ThreadKey[]>;
  /** Puts back what ended leases held, and whose time has come. */
  repair(): Promise<{ readonly endedLeases: number; readonly waiting: number }>;
  /** On which tokens of cancelled leases come. */
  readonly cancelChannel: string;
}

const script = readFileSync(new URL('thread-book.lua', import.meta.url), 'utf8');

/** Threads in one call of `unknown`. */
const batch = 500;

type Command = (prefix: string, ...given: readonly (string | number)[]) => Promise<unknown>;

export function createThreadBook(options: {
  readonly redis: Redis;
  readonly prefix: string;
  /** Names this process; no other one has it. */
  readonly ownerId: string;
  readonly leaseMs: number;
}): ThreadBook {
  const { redis, ownerId, leaseMs } = options;
  const prefix = `${options.prefix}:threads:`;
  redis.defineCommand('threadBook', { numberOfKeys: 1, lua: script });
  const { threadBook } = redis as unknown as { readonly threadBook: Command };

  const call = async (name: string, ...given: readonly (string | number)[]): Promise<unknown> => {
    try {
      return await threadBook.call(redis, prefix, name, ...given);
    } catch (error) {
      throw queueAway(error);
    }
  };
  const text = (path: FlowPath): string => JSON.stringify(path);

  return {
    wake: async (threadKey, path) => (await call('wake', threadKey, text(path))) === 1,

    take: async () => {
      const [threadKey, token, path] = (await call('take', ownerId, leaseMs)) as readonly string[];
      if (threadKey === undefined || token === undefined || path === undefined) return null;
      return { threadKey, token, path: JSON.parse(path) as FlowPath };
    },

    renew: async ({ threadKey, token, path }) =>
      (await call('renew', threadKey, token, text(path), leaseMs)) as 'held' | 'cancelled' | 'lost',

    done: async ({ threadKey, token }, next) =>
      (await call('done', threadKey, token, next === null ? '' : text(next))) === 1,

    failed: async ({ threadKey, token, path }, retryAfterMs) => {
      const waits = [retryAfterMs ?? -1, firstBackoffMs, maxBackoffMs].map(Math.ceil);
      const waitMs = (await call('failed', threadKey, token, text(path), ...waits)) as number;
      return waitMs < 0 ? null : waitMs;
    },

    cancel: async (threadKey) => {
      await call('cancel', threadKey);
    },

    isCancelled: async ({ threadKey, token }) => (await call('cancelled', threadKey, token)) === 1,

    place: async (threadKey) => (await call('place', threadKey)) as number,

    depth: async () => {
      const [waiting = 0, running = 0] = (await call('depth')) as readonly number[];
      return { waiting, running };
    },

    unknown: async (threadKeys) => {
      const unknown: ThreadKey[] = [];
      for (let from = 0; from < threadKeys.length; from += batch) {
        unknown.push(...((await call('unknown', ...threadKeys.slice(from, from + batch))) as readonly ThreadKey[]));
      }
      return unknown;
    },

    repair: async () => {
      const [endedLeases = 0, waiting = 0] = (await call('repair')) as readonly number[];
      return { endedLeases, waiting };
    },

    cancelChannel: `${prefix}cancel`,
  };
}
