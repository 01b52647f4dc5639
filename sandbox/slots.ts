import { AppError } from '../src/errors.ts';

/** A number of places, handed out in the order of asking. */
export interface Slots {
  /** Resolves when a place is the caller's. Rejects with `cancelled` when aborted before; the others keep their order. */
  take(signal: AbortSignal): Promise<void>;
  /** A place at once and only if nobody waits for one. */
  tryTake(): boolean;
  /** Gives one place back. */
  free(): void;
  readonly waiting: number;
}

export function createSlots(count: number): Slots {
  let free = count;
  const queue: (() => void)[] = [];
  return {
    get waiting() {
      return queue.length;
    },
    async take(signal) {
      if (signal.aborted) throw new AppError('cancelled', 'Stopped.', { cause: signal.reason });
      if (free > 0 && queue.length === 0) {
        free -= 1;
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const abort = () => {
        const place = queue.indexOf(resolve);
        if (place !== -1) queue.splice(place, 1);
        reject(new AppError('cancelled', 'Stopped.', { cause: signal.reason }));
      };
      queue.push(resolve);
      signal.addEventListener('abort', abort, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    tryTake() {
      if (free === 0 || queue.length > 0) return false;
      free -= 1;
      return true;
    },
    free() {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
