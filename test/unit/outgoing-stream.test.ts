import { expect, it, vi } from 'vitest';
import { outgoingStream } from '../../src/web/outgoing-stream.ts';

const chunks = (count: number, onClose: () => void) =>
  (async function* some() {
    try {
      for (let index = 0; index < count; index += 1) yield Uint8Array.from([index]);
    } finally {
      onClose();
    }
  })();

it('whoever takes nothing for a while loses the rest, and its place', async () => {
  const [onEnd, onClose] = [vi.fn<() => void>(), vi.fn<() => void>()];
  const stream = await outgoingStream(chunks(100, onClose), { stalledMs: 50, onEnd });
  const reader = stream.getReader();
  expect((await reader.read()).value).toEqual(Uint8Array.from([0]));
  await expect.poll(() => onEnd.mock.calls.length).toBe(1);
  await expect(reader.closed).rejects.toThrow('nothing was taken for 0.05 s');
  expect(onClose).toHaveBeenCalledTimes(1);
});

it('whoever goes on taking gets all of it, however long it takes', async () => {
  const onEnd = vi.fn<() => void>();
  const stream = await outgoingStream(
    chunks(12, () => {}),
    { stalledMs: 120, onEnd },
  );
  const taken: number[] = [];
  for await (const chunk of stream) {
    taken.push(...chunk);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect([taken.length, onEnd.mock.calls.length]).toEqual([12, 1]);
});
