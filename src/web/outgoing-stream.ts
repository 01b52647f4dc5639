import type { Bytes } from '../ports/blobs.ts';

/**
 * The bytes as a stream that reads no further than its reader takes, one chunk ahead. Resolves once the first chunk is there, and rejects where it is
 * not: nothing has been answered yet then. A reader that takes nothing for `stalledMs` loses it. `onEnd` is called once, however it ends.
 */
export async function outgoingStream(
  bytes: Bytes,
  { stalledMs, onEnd }: { readonly stalledMs: number; readonly onEnd: () => void },
): Promise<ReadableStream<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  let next: IteratorResult<Uint8Array>;
  try {
    next = await iterator.next();
  } catch (error) {
    onEnd();
    throw error;
  }
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(timer);
    if (isOver) return;
    isOver = true;
    onEnd();
  };
  const leave = async (): Promise<void> => {
    end();
    await iterator.return?.();
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        timer = setTimeout(() => {
          controller.error(new Error(`nothing was taken for ${stalledMs / 1000} s`));
          void leave().catch(() => {});
        }, stalledMs).unref();
      },
      pull: async (controller) => {
        timer?.refresh();
        const current = next;
        try {
          // Before the current one is let go: what fails at its end must not look whole.
          if (current.done !== true) next = await iterator.next();
        } catch (error) {
          end();
          controller.error(error);
          return;
        }
        if (isOver) return;
        if (current.done !== true) controller.enqueue(current.value);
        if (next.done === true) {
          end();
          controller.close();
        }
      },
      cancel: leave,
    },
    { highWaterMark: 1 },
  );
}
