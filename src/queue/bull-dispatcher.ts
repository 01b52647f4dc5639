import { randomUUID } from 'node:crypto';
import { AppError, toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Dispatcher, WakeHandler } from '../ports/dispatcher.ts';
import type { ThreadKey } from '../types.ts';
import { createCarriers } from './carriers.ts';
import { abortedGraceMs, leaseLost, processEnds, stoppedByPerson } from './ends.ts';
import { flowPathOf } from './fair-order.ts';
import { holdRun } from './held-run.ts';
import type { HeldRun } from './held-run.ts';
import { defaultPrefix, openRedis } from './redis.ts';
import { createThreadBook } from './thread-book.ts';
import type { Lease } from './thread-book.ts';
import { underSignal, within } from './within.ts';

/** How long a thread stays with a process that does not answer any more. Longer than Redis takes to start again. */
const defaultLeaseMs = 15_000;

/** Between attempts to give a lease back while Redis does not answer. */
const giveBackAgainMs = 250;

interface Run extends HeldRun {
  readonly ended: Promise<void>;
}

/**
 * Wakes over any number of processes. Which thread is next stands in the thread book; a job in Bull is a carrier: whichever worker gets
 * it runs the thread whose turn it is then. So a carrier too many does nothing, and one too few is noticed (`repair`).
 */
export function createBullDispatcher(options: {
  readonly redisUrl: string;
  readonly log: Logger;
  readonly prefix?: string;
  readonly leaseMs?: number;
}): Dispatcher {
  const { redisUrl, log, prefix = defaultPrefix, leaseMs = defaultLeaseMs } = options;
  const redis = openRedis({ url: redisUrl, prefix, log });
  const book = createThreadBook({ redis: redis.commands, prefix, ownerId: randomUUID(), leaseMs });
  const carriers = createCarriers(redis.queue);
  const runs = new Map<ThreadKey, Run>();
  const underWay = new Set<Promise<void>>();
  let repairTimer: NodeJS.Timeout | undefined;
  let isProcessing = false;
  let isClosing = false;
  const closed = new AbortController();

  const send = (threadKey: ThreadKey, delayMs = 0): Promise<void> =>
    // The thread waits all the same, and the next repair sends what is missing.
    carriers.send(threadKey, delayMs).catch((error: unknown) => {
      log.warn({ threadKey, error: toAppError(error).message }, 'a thread waits, but no worker was told');
    });

  /** One job of Bull. */
  const carry = async (handler: WakeHandler, tellBoard: (threadKey: ThreadKey) => void): Promise<void> => {
    if (isClosing) return;
    const takenAtMs = performance.now();
    const lease = await book.take();
    if (lease === null) return;
    const { threadKey } = lease;
    tellBoard(threadKey);
    const earlier = runs.get(threadKey)?.ended ?? Promise.resolve();
    const held = holdRun({ lease, takenAtMs, leaseMs, book });
    const ended = Promise.withResolvers<void>();
    const run = Object.assign(held, { ended: ended.promise });
    runs.set(threadKey, run);
    try {
      await runOnce(handler, run, earlier);
    } finally {
      held.end();
      if (runs.get(threadKey) === run) runs.delete(threadKey);
      ended.resolve();
    }
  };

  const runOnce = async (handler: WakeHandler, run: Run, earlier: Promise<void>): Promise<void> => {
    const { lease, signal } = run;
    const { threadKey } = lease;
    if (isClosing) run.abort(processEnds());
    try {
      // A handler here that lost its lease and was told so may still be ending. One that does not leaves the thread to others.
      if (!(await within(abortedGraceMs, earlier))) throw leaseLost();
      signal.throwIfAborted();
      const next = await handler(threadKey, signal);
      await giveBack(run, async () => {
        if (await book.done(lease, next === null ? null : flowPathOf(threadKey, next))) await send(threadKey);
      });
    } catch (error) {
      await failed(run, toAppError(error));
    }
  };

  const failed = async (run: Run, error: AppError): Promise<void> => {
    const { lease, signal } = run;
    const { threadKey } = lease;
    const isHandedOver = isClosing && signal.aborted && error.retryable;
    if (!isHandedOver) {
      log.error(
        { threadKey, code: error.code, retryable: error.retryable, error: error.message, cause: String(error.cause) },
        'thread handler failed',
      );
    }
    await giveBack(run, async () => {
      if (isHandedOver) return await handOver(lease);
      if (!error.retryable) return (await book.done(lease, null)) ? await send(threadKey) : undefined;
      const delayMs = await book.failed(lease, error.retryAfterMs);
      return delayMs === null ? undefined : await send(threadKey, delayMs);
    });
    // For the board; what went wrong is in the log alone, for it may speak of contents.
    if (!isHandedOver) throw new Error(error.code);
  };

  const handOver = async (lease: Lease): Promise<void> => {
    if (await book.done(lease, lease.path)) await send(lease.threadKey);
  };

  /** Tries as long as the lease is ours. After that the thread is run once more by another, which finds nothing to do. */
  const giveBack = async (run: Run, work: () => Promise<void>): Promise<void> => {
    while (!run.isLost && !closed.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        log.warn({ threadKey: run.lease.threadKey, error: toAppError(error).message }, 'a lease is not given back yet');
        await new Promise((resolve) => setTimeout(resolve, giveBackAgainMs));
      }
    }
  };

  const repair = async (): Promise<void> => {
    const { endedLeases, waiting } = await book.repair();
    if (endedLeases > 0) log.warn({ threads: endedLeases }, 'threads of a process that is gone wait again');
    await carriers.complete(waiting);
  };

  const startRepairs = (): void => {
    const again = (): void => {
      // Redis is away; its connections say so.
      void repair()
        .catch(() => {})
        .finally(() => {
          if (!isClosing) repairTimer = setTimeout(again, leaseMs / 3);
        });
    };
    again();
  };

  const listenForCancels = (): void => {
    const subscriber = redis.connect();
    subscriber.on('message', (_, token: string) => {
      for (const run of runs.values()) if (run.lease.token === token) run.abort(stoppedByPerson());
    });
    // Subscribed again by itself after every reconnection; what was missed meanwhile comes with the next renewal.
    subscriber.subscribe(book.cancelChannel).catch(() => {});
  };

  return {
    wake: async (threadKey, whom) => {
      if (isClosing) return;
      if (await book.wake(threadKey, flowPathOf(threadKey, whom))) await send(threadKey);
    },

    process: (handler, { concurrency }) => {
      if (isProcessing) {
        throw new AppError('internal', 'The bot is set up twice.', { detail: 'process() was called twice' });
      }
      isProcessing = true;
      listenForCancels();
      carriers.take(concurrency, async (tellBoard) => {
        const done = carry(handler, tellBoard);
        underWay.add(done);
        try {
          await done;
        } finally {
          underWay.delete(done);
        }
      });
      startRepairs();
    },

    cancel: (threadKey) => book.cancel(threadKey),

    place: (threadKey) => book.place(threadKey),

    depth: (signal) => underSignal(book.depth(), signal),

    unknown: (threadKeys) => book.unknown(threadKeys),

    close: async ({ graceMs }) => {
      if (isClosing) return;
      isClosing = true;
      clearTimeout(repairTimer);
      const stopped = isProcessing ? carriers.stop() : Promise.resolve();
      const allDone = Promise.allSettled(underWay);
      if (!(await within(graceMs, allDone))) {
        for (const run of runs.values()) run.abort(processEnds());
        if (!(await within(abortedGraceMs, allDone))) {
          log.error({ threads: [...runs.keys()] }, 'handlers did not stop when they were told to');
        }
      }
      for (const run of runs.values()) run.end();
      // Leases run out by themselves from here on.
      closed.abort();
      await stopped;
      // Carriers that Bull gave to this process meanwhile went for nothing; the threads they were for wait still.
      if (isProcessing) await repair().catch(() => {});
      await redis.close();
    },
  };
}
