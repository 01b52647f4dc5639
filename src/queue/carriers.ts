import type Bull from 'bull';
import type { ThreadKey } from '../types.ts';
import { bounded } from './redis.ts';
import type { Carrier } from './redis.ts';
import { within } from './within.ts';

/** Jobs that `complete` adds at once; the next round adds more. */
const mostAtOnce = 1000;

/** How long Bull may take to let go of its blocking call. */
const stopMs = 3000;

/** Bull's side of the dispatcher: it carries the news that a thread waits to a worker with a free place. */
export interface Carriers {
  /** Rejects, retryable, where Redis does not answer. */
  send(threadKey: ThreadKey, delayMs: number): Promise<void>;
  /** Adds what is missing to a carrier for each waiting thread. */
  complete(waitingThreads: number): Promise<void>;
  /** `work` gets a function that says on the board which thread the job runs. Its rejection fails the job, nothing else. */
  take(concurrency: number, work: (tellBoard: (threadKey: ThreadKey) => void) => Promise<void>): void;
  /** No further carriers are taken here. */
  stop(): Promise<void>;
}

export function createCarriers(queue: Bull.Queue<Carrier>): Carriers {
  return {
    send: (threadKey, delayMs) => bounded(queue.add({ thread: threadKey }, delayMs > 0 ? { delay: delayMs } : {})),

    complete: async (waitingThreads) => {
      const missing = waitingThreads - (await queue.getWaitingCount());
      if (missing <= 0) return;
      const jobs = Array.from({ length: Math.min(missing, mostAtOnce) }, () => ({ data: { thread: '' } }));
      await bounded(queue.addBulk(jobs));
    },

    take: (concurrency, work) => {
      const taking = queue.process(concurrency, (job) =>
        work((threadKey) => {
          if (job.data.thread !== threadKey) job.update({ thread: threadKey }).catch(() => {});
        }),
      );
      // Bull rejects where the connection is closed before it was ever there.
      taking.catch(() => {});
    },

    stop: async () => {
      const paused = queue.pause(true, true).catch(() => {});
      await within(stopMs, paused);
    },
  };
}
