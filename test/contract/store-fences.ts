import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InboxEntry, Store } from '../../src/ports/store.ts';
import { threadKeyOf } from '../../src/types.ts';
import { exampleCell, exampleCard, exampleTask, exampleThread, exampleFile } from '../fakes/store-examples.ts';

const key = threadKeyOf(exampleThread);
const task = exampleTask('t1');
const reply = { postId: 't1-reply', taskId: 't1', threadKey: key, kind: 'reply' as const, body: { text: 'answer' } };

/** Everything that a worker writes about its task, each as it would be written by one that stood still for too long. */
const writes: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  addCell: (store) => store.addCell(key, exampleCell('t1', 0)),
  dropCells: (store) => store.dropCells(key, 't1'),
  putTurn: (store) => store.putTurn(key, 't1', [{ role: 'user', text: 'late' }]),
  putFile: (store) => store.putFile(key, exampleFile('a.csv', 'late')),
  putCard: (store) => store.putCard(key, exampleCard),
  completeTask: (store) =>
    store.completeTask({ ...task, attachments: task.attachments.map((attachment) => ({ ...attachment, id: 'F2' })) }),
  giveBack: (store) => store.giveBack('t1'),
  settle: (store) => store.settle(task, reply),
  finish: (store) => store.finish('t1', 'done'),
};

/** What a `Store` promises to a worker about a task that it took. */
export function describeStoreFences(name: string, create: () => Promise<Store>): void {
  describe(`Store: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await create();
      await store.accept(task);
    });
    afterEach(() => store[Symbol.asyncDispose]());

    const take = async (): Promise<InboxEntry> => {
      const entry = await store.takeNext(key);
      if (entry === null) throw new Error('there was no task');
      return entry;
    };

    it.each(Object.keys(writes))(
      '%s works for the worker that has the task, and for no earlier one',
      async (method) => {
        const write = writes[method]!;
        const early = await take();
        const late = await take();
        if (method === 'dropCells') await store.addCell(key, exampleCell('t1', 0));
        const whole = async (): Promise<unknown> => [
          await store.task('t1'),
          await store.cells(key),
          await store.turns(key),
          await store.files(key),
          await store.cards(key),
          await store.posts('t1'),
        ];
        const before = await whole();
        await expect(write(store.heldBy(early))).rejects.toMatchObject({ code: 'internal', retryable: true });
        expect(await whole()).toEqual(before);
        await write(store.heldBy(late));
        expect(await whole()).not.toEqual(before);
      },
    );

    it('knows who holds a task, also after it was given back and revised', async () => {
      const first = await take();
      expect(await store.holds(first)).toBe(true);
      await store.giveBack('t1');
      expect(await store.holds(first)).toBe(true);
      const second = await take();
      expect([first.attempts, second.attempts]).toEqual([1, 1]);
      expect([await store.holds(first), await store.holds(second)]).toEqual([false, true]);
      await store.reviseTask({ ...task, text: 'another' });
      expect(await store.holds(second)).toBe(true);
      const third = await take();
      expect([await store.holds(second), await store.holds(third)]).toEqual([false, true]);
    });

    it('lets one of a write and the next start come first, never both half', async () => {
      const early = await take();
      const [write] = await Promise.allSettled([
        store.heldBy(early).addCell(key, exampleCell('t1', 0)),
        store.takeNext(key),
      ]);
      expect(await store.cells(key)).toHaveLength(write.status === 'fulfilled' ? 1 : 0);
    });
  });
}
