/** A number of places for sessions, handed out in the order of asking. At the limit an idle holder is made to give up its own. */
export interface Places {
  /**
   * Resolves when a place is the caller's. One for whom nobody gives way hears how many are before it, at once and at each change.
   * Rejects with the signal's reason when aborted before; the others keep their order.
   */
  take(signal: AbortSignal, onPlace?: (before: number) => void): Promise<void>;
  /** Gives one place back. */
  free(): void;
  /** A holder became idle: whoever waits may have its place. */
  evictable(): void;
}

interface Waiter {
  readonly enter: () => void;
  readonly onPlace: (before: number) => void;
  told: number | null;
}

/** `evict` ends one idle holder, which calls `free`; it resolves to false when there is none, and never rejects. */
export function createPlaces(count: number, evict: () => Promise<boolean>): Places {
  let free = count;
  let evicting = 0;
  const queue: Waiter[] = [];

  const serve = (): void => {
    while (free > 0 && queue.length > 0) {
      free -= 1;
      queue.shift()?.enter();
    }
    if (queue.length > evicting) void evictOne();
  };

  const evictOne = async (): Promise<void> => {
    evicting += 1;
    const found = await evict();
    evicting -= 1;
    if (found) serve();
    else tellPlaces();
  };

  const tellPlaces = (): void => {
    for (const [before, waiter] of queue.entries()) {
      if (waiter.told === before) continue;
      waiter.told = before;
      waiter.onPlace(before);
    }
  };

  return {
    take: async (signal, onPlace = () => {}) => {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter: Waiter = { enter: resolve, onPlace, told: null };
      const leave = (): void => {
        const index = queue.indexOf(waiter);
        if (index !== -1) queue.splice(index, 1);
        tellPlaces();
        reject(signal.reason as Error);
      };
      queue.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
      serve();
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
    free: () => {
      free += 1;
      serve();
    },
    evictable: serve,
  };
}
