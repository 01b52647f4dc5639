import type { AppError } from '../errors.ts';
import type { Lease, ThreadBook } from './thread-book.ts';
import { leaseLost, stoppedByPerson } from './ends.ts';

/** A lease counts as lost here so much earlier than in Redis, as a share of it: a handler is told before another may start. */
const earlier = 0.1;

/** A lease is renewed so often before it ends. */
const renewals = 3;

/** A handler's run under its lease. */
export interface HeldRun {
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly isLost: boolean;
  abort(reason: AppError): void;
  /** The handler has ended: nothing is renewed any more. */
  end(): void;
}

/**
 * Renews the lease until `end`. The signal aborts when the lease is lost, or could not be renewed in time; when the thread was cancelled,
 * be it between its hand-out and this call. `takenAtMs`: when the lease was asked for, by `performance.now()`.
 */
export function holdRun(options: {
  readonly lease: Lease;
  readonly takenAtMs: number;
  readonly leaseMs: number;
  readonly book: ThreadBook;
}): HeldRun {
  const { lease, leaseMs, book } = options;
  const controller = new AbortController();
  const safeMs = leaseMs * (1 - earlier);
  let heldUntilMs = options.takenAtMs + safeMs;
  let isLost = false;
  let ended = false;
  let deadline: NodeJS.Timeout | undefined;

  const abort = (reason: AppError): void => controller.abort(reason);
  const lose = (): void => {
    isLost = true;
    end();
    abort(leaseLost());
  };
  const watch = (): void => {
    clearTimeout(deadline);
    deadline = setTimeout(lose, heldUntilMs - performance.now());
  };
  const renew = async (): Promise<void> => {
    const askedAtMs = performance.now();
    // This process stood still: another may have the thread by now, which a lease taken anew would hide.
    if (askedAtMs >= heldUntilMs) return lose();
    const state = await book.renew(lease);
    if (ended) return undefined;
    if (state === 'lost' || performance.now() >= heldUntilMs) return lose();
    heldUntilMs = askedAtMs + safeMs;
    watch();
    return state === 'cancelled' ? abort(stoppedByPerson()) : undefined;
  };
  // Redis does not answer: the next renewal may find it again, and the deadline stands.
  const timer = setInterval(() => void renew().catch(() => {}), leaseMs / renewals);
  const end = (): void => {
    ended = true;
    clearInterval(timer);
    clearTimeout(deadline);
  };

  watch();
  const look = async (): Promise<void> => {
    if ((await book.isCancelled(lease)) && !ended) abort(stoppedByPerson());
  };
  look().catch(() => {});
  return {
    lease,
    signal: controller.signal,
    get isLost() {
      return isLost;
    },
    abort,
    end,
  };
}
