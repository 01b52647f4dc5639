import { AppError } from '../src/errors.ts';

/** A number of places, handed out in the order of asking. */
export interface Slots {
  /**
   * Resolves when a place is the caller's; who has to wait hears how many are before it, at once and at each change. Rejects with
   * `cancelled` when aborted before; the others keep their order.
   */
  take(signal: AbortSignal, onPlace?: (before: number) => void): Promise<void>;
  /** A place at once and only if nobody waits for one. */
  tryTake(): boolean;
  /** Gives one place back. */
  free(): void;
  readonly unused: number;
  readonly waiting: number;
}

interface Waiter {
  readonly enter: () => void;
  readonly onPlace: (before: number) => void;
}

export function createSlots(count: number): Slots {
  let unused = count;
  const queue: Waiter[] = [];
  const tellFrom = (index: number): void => {
    for (const [offset, { onPlace }] of queue.slice(index).entries()) onPlace(index + offset);
  };
  return {
    get unused() {
      return unused;
    },
    get waiting() {
      return queue.length;
    },
    async take(signal, onPlace = () => {}) {
      if (signal.aborted) throw new AppError('cancelled', 'Stopped.', { cause: signal.reason });
      if (unused > 0 && queue.length === 0) {
        unused -= 1;
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter: Waiter = { enter: resolve, onPlace };
      const abort = () => {
        const place = queue.indexOf(waiter);
        if (place !== -1) {
          queue.splice(place, 1);
          tellFrom(place);
        }
        reject(new AppError('cancelled', 'Stopped.', { cause: signal.reason }));
      };
      queue.push(waiter);
      signal.addEventListener('abort', abort, { once: true });
      tellFrom(queue.length - 1);
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    tryTake() {
      if (unused === 0 || queue.length > 0) return false;
      unused -= 1;
      return true;
    },
    free() {
      const next = queue.shift();
      if (next === undefined) {
        unused += 1;
        return;
      }
      next.enter();
      tellFrom(0);
    },
  };
}
