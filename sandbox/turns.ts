import { AppError } from '../src/errors.ts';

/** One at a time, in the order of asking. */
export interface Turns {
  /** Resolves, when it is the caller's turn, to the function that ends it. Rejects with `cancelled` when aborted while waiting. */
  take(signal: AbortSignal | null): Promise<() => void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(signal) {
      const { promise: mine, resolve: end } = Promise.withResolvers<void>();
      const before = last;
      last = before.then(() => mine);
      try {
        await abortable(before, signal);
      } catch (error) {
        end();
        throw error;
      }
      return end;
    },
  };
}

/** `promise`, or `cancelled` as soon as `signal` aborts. The promise itself goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new AppError('cancelled', 'Stopped.', { cause: signal.reason }));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
