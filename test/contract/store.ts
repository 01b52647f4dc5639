import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { FileCard, ThreadRef } from '../../src/types.ts';
import { exampleCard, exampleCell, exampleFile, exampleTask, exampleThread } from '../fakes/store-examples.ts';

const otherThread: ThreadRef = { ...exampleThread, threadId: '2.5' };
const key = threadKeyOf(exampleThread);
const otherKey = threadKeyOf(otherThread);

/** What every `Store` promises. `create` gives an empty one; the suite disposes it. */
export function describeStore(name: string, create: () => Promise<Store>): void {
  describe(`Store: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await create();
    });
    afterEach(() => store[Symbol.asyncDispose]());

    describe('inbox', () => {
      it('accepts a task id once, however often and at once it is handed over', async () => {
        const task = exampleTask('t1');
        const answers = await Promise.all(Array.from({ length: 50 }, () => store.accept(task)));
        expect(answers.filter(Boolean)).toHaveLength(1);
        expect(await store.accept({ ...task, text: 'another text' })).toBe(false);
        expect(await store.tasks(key)).toEqual([{ task, state: 'waiting', attempts: 0 }]);
      });

      it('takes the oldest unfinished task of the thread and counts its attempts', async () => {
        for (const id of ['t1', 't2']) await store.accept(exampleTask(id));
        await store.accept(exampleTask('o1', otherThread));
        expect(await store.takeNext(key)).toEqual({ task: exampleTask('t1'), state: 'running', attempts: 1 });
        // Not finished: the worker died, and whoever comes next takes the same one.
        expect(await store.takeNext(key)).toMatchObject({ task: { id: 't1' }, attempts: 2 });
        await store.finish('t1', 'done');
        expect(await store.takeNext(key)).toMatchObject({ task: { id: 't2' }, attempts: 1 });
        await store.finish('t2', 'cancelled');
        expect(await store.takeNext(key)).toBeNull();
        expect((await store.tasks(key)).map(({ task, state }) => [task.id, state])).toEqual([
          ['t1', 'done'],
          ['t2', 'cancelled'],
        ]);
      });

      it('takes nothing from an unknown thread', async () => {
        expect(await store.takeNext('unknown')).toBeNull();
        expect(await store.tasks('unknown')).toEqual([]);
      });

      it('counts every one of many takes at once', async () => {
        await store.accept(exampleTask('t1'));
        const taken = await Promise.all(Array.from({ length: 20 }, () => store.takeNext(key)));
        expect(taken.map((entry) => entry?.attempts).toSorted((one, other) => Number(one) - Number(other))).toEqual(
          Array.from({ length: 20 }, (_, index) => index + 1),
        );
      });

      it('keeps how a task ended first', async () => {
        await store.accept(exampleTask('t1'));
        await store.finish('t1', 'done');
        await store.finish('t1', 'cancelled');
        expect((await store.tasks(key))[0]?.state).toBe('done');
      });

      it('lists threads with unfinished tasks, oldest first', async () => {
        expect(await store.unfinishedThreads()).toEqual([]);
        await store.accept(exampleTask('t1'));
        await store.accept(exampleTask('o1', otherThread));
        await store.accept(exampleTask('t2'));
        await store.takeNext(key);
        expect(await store.unfinishedThreads()).toEqual([key, otherKey]);
        await store.finish('t1', 'done');
        expect(await store.unfinishedThreads()).toEqual([otherKey, key]);
        await store.finish('o1', 'done');
        expect(await store.unfinishedThreads()).toEqual([key]);
      });
    });

    describe('outbox', () => {
      const entry = {
        postId: 'p1',
        taskId: 't1',
        threadKey: key,
        kind: 'reply',
        body: { text: 'one', list: [1, null] },
      } as const;
      beforeEach(() => store.accept(exampleTask('t1')));

      it('writes a post once and returns what is stored', async () => {
        const stored = { ...entry, parts: [], sent: false };
        expect(await store.putPost(entry)).toEqual(stored);
        expect(await store.putPost({ ...entry, body: { text: 'two' } })).toEqual(stored);
        expect(await store.posts('t1')).toEqual([stored]);
      });

      it('keeps parts in order and each once', async () => {
        await store.putPost(entry);
        await store.addPostedPart('p1', { partId: 'text-1', messageId: 'm1' });
        await store.addPostedPart('p1', { partId: 'files-1', messageId: 'm2' });
        await store.addPostedPart('p1', { partId: 'text-1', messageId: 'm3' });
        const parts = [
          { partId: 'text-1', messageId: 'm1' },
          { partId: 'files-1', messageId: 'm2' },
        ];
        expect((await store.putPost(entry)).parts).toEqual(parts);
        expect((await store.posts('t1'))[0]?.parts).toEqual(parts);
      });

      it('changes a body until the post is sent', async () => {
        await store.putPost(entry);
        await store.updatePost('p1', { text: 'two' });
        await store.markSent('p1');
        await store.updatePost('p1', { text: 'three' });
        expect(await store.posts('t1')).toEqual([{ ...entry, body: { text: 'two' }, parts: [], sent: true }]);
      });

      it('lists the posts of one task in order', async () => {
        await store.accept(exampleTask('t2'));
        for (const postId of ['z', 'a']) await store.putPost({ ...entry, postId });
        await store.putPost({ ...entry, postId: 'b', taskId: 't2' });
        await store.addPostedPart('a', { partId: 'text-1', messageId: 'm1' });
        expect((await store.posts('t1')).map(({ postId, parts }) => [postId, parts.length])).toEqual([
          ['z', 0],
          ['a', 1],
        ]);
        expect(await store.posts('unknown')).toEqual([]);
      });
    });

    describe('thread records', () => {
      beforeEach(async () => {
        for (const id of ['t1', 't2']) await store.accept(exampleTask(id));
      });

      it('keeps cells whole, in order, with no gap and no double', async () => {
        await store.addCell(key, exampleCell('t1', 0));
        await store.addCell(key, exampleCell('t1', 1));
        await expect(store.addCell(key, exampleCell('t1', 1))).rejects.toThrow('next index');
        await expect(store.addCell(key, exampleCell('t1', 3))).rejects.toThrow('next index');
        await expect(store.addCell(otherKey, exampleCell('t1', 1))).rejects.toThrow('next index');
        await store.addCell(otherKey, exampleCell('t1', 0));
        expect(await store.cells(key)).toEqual([exampleCell('t1', 0), exampleCell('t1', 1)]);
      });

      it('lets one of many cells with the same index in', async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 10 }, () => store.addCell(key, exampleCell('t1', 0))),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(await store.cells(key)).toHaveLength(1);
      });

      it('drops the cells of one task of one thread, after which their index is free', async () => {
        await store.addCell(key, exampleCell('t1', 0));
        await store.addCell(key, exampleCell('t2', 1));
        await store.addCell(otherKey, exampleCell('t2', 0));
        await store.dropCells(key, 't2');
        expect(await store.cells(key)).toEqual([exampleCell('t1', 0)]);
        expect(await store.cells(otherKey)).toHaveLength(1);
        await store.addCell(key, exampleCell('t2', 1));
      });

      it('replaces the turn of the same task in its place', async () => {
        await store.putTurn(key, 't1', [{ role: 'user', text: 'one' }]);
        await store.putTurn(key, 't2', [{ role: 'user', text: 'two' }]);
        const again = [
          {
            role: 'assistant',
            text: 'x',
            toolCalls: [{ id: 'c', name: 'run_python', argumentsText: '{' }],
            providerItems: null,
          },
          { role: 'tool', callId: 'c', text: 'y' },
        ] as const;
        await store.putTurn(key, 't1', again);
        expect(await store.turns(key)).toEqual([
          { taskId: 't1', messages: again },
          { taskId: 't2', messages: [{ role: 'user', text: 'two' }] },
        ]);
        expect(await store.turns(otherKey)).toEqual([]);
      });

      it('keeps one card for each file of a thread, the newest', async () => {
        const card = (file: string, rejected_count: number): FileCard => ({ ...exampleCard, file, rejected_count });
        await store.putCard(key, card('a.csv', 1));
        await store.putCard(key, card('b\u0000 \ud800.csv', 2));
        await store.putCard(otherKey, card('a.csv', 3));
        await store.putCard(key, card('a.csv', 4));
        expect(await store.cards(key)).toEqual([card('a.csv', 4), card('b\u0000 \ud800.csv', 2)]);
        expect(await store.cards(otherKey)).toEqual([card('a.csv', 3)]);
      });

      it('replaces a file of the same name in the same thread only', async () => {
        await store.putFile(key, exampleFile('a.csv', 'aa'));
        await store.putFile(key, exampleFile('b.csv', 'bb'));
        await store.putFile(otherKey, exampleFile('a.csv', 'cc'));
        await store.putFile(key, exampleFile('a.csv', 'dd'));
        expect(await store.files(key)).toEqual([exampleFile('a.csv', 'dd'), exampleFile('b.csv', 'bb')]);
        expect(await store.files(otherKey)).toEqual([exampleFile('a.csv', 'cc')]);
      });

      it('takes usage, also twice and with fractions of a millisecond', async () => {
        const usage = { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, sandboxMs: 1.25 };
        await store.addUsage('t1', usage);
        await expect(store.addUsage('t1', usage)).resolves.toBeUndefined();
      });
    });
  });
}
