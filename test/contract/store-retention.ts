import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Task } from '../../src/types.ts';
import { exampleTask, exampleThread } from '../fakes/store-examples.ts';

const key = threadKeyOf(exampleThread);
const otherThread = { ...exampleThread, threadId: '2.5' };
const otherKey = threadKeyOf(otherThread);
const hash = (letter: string): string => letter.repeat(64);

/** What a `Store` promises about what must go: by age, by a person's wish, and after a crash on the way. */
export function describeStoreRetention(name: string, create: () => Promise<Store>): void {
  describe(`Store: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await create();
    });
    afterEach(() => store[Symbol.asyncDispose]());

    const ask = async (
      id: string,
      receivedAtMs: number,
      state: 'done' | 'waiting' = 'done',
      thread = exampleThread,
    ) => {
      const task: Task = { ...exampleTask(id, thread), receivedAtMs };
      await store.accept(task);
      if (state === 'done') await store.finish(id, 'done');
      return task;
    };
    const putFile = (threadKey: string, sha256: string) =>
      store.putFile(threadKey, {
        name: `${sha256[0]}.csv`,
        mimeType: 'text/csv',
        sizeBytes: 5,
        sha256,
        taskId: 't1',
        origin: 'attachment',
        attachmentId: 'F1',
      });
    const post = async (taskId: string, messageIds: readonly string[], postId = `${taskId}-reply`): Promise<void> => {
      await store.putPost({ postId, taskId, threadKey: key, kind: 'reply', body: { text: 'answer' } });
      for (const messageId of messageIds) await store.addPostedPart(postId, { partId: messageId, messageId });
    };

    describe('threads that are old', () => {
      it('are those at rest since before, longest first; a newer or unfinished task keeps a thread', async () => {
        const thread = (threadId: string) => ({ ...exampleThread, threadId });
        await ask('a1', 2000, 'done', thread('a'));
        await ask('b1', 1000, 'done', thread('b'));
        await ask('c1', 1000, 'done', thread('c'));
        await ask('c2', 9000, 'done', thread('c'));
        await ask('d1', 1000, 'done', thread('d'));
        await ask('d2', 1500, 'waiting', thread('d'));
        await ask('e1', 1000, 'done', thread('e'));
        await store.forgetThread(threadKeyOf(thread('e')));
        const keys = ['b', 'a'].map((id) => threadKeyOf(thread(id)));
        expect(await store.staleThreads(5000, 10)).toEqual(keys);
        expect(await store.staleThreads(5000, 1)).toEqual(keys.slice(0, 1));
        expect(await store.staleThreads(1000, 10)).toEqual([]);
      });

      it('go like forgotten ones, unless they went on meanwhile', async () => {
        await ask('t1', 1000);
        await putFile(key, hash('a'));
        expect(await store.forgetThreadAtRest(key, 1000)).toBeNull();
        await ask('t2', 500, 'waiting');
        expect(await store.forgetThreadAtRest(key, 5000)).toBeNull();
        await store.takeNext(key);
        expect(await store.forgetThreadAtRest(key, 5000)).toBeNull();
        expect(await store.files(key)).toHaveLength(1);
        await store.finish('t2', 'done');
        expect(await store.forgetThreadAtRest(key, 5000)).toEqual([hash('a')]);
        expect(await store.knowsThread(key)).toBe(false);
        expect(await store.staleThreads(5000, 10)).toEqual([]);
        expect(await store.accept({ ...exampleTask('t1'), receivedAtMs: 1000 })).toBe(false);
      });
    });

    describe('forgetting that was begun', () => {
      it('is known until it is done', async () => {
        await ask('t1', 1000);
        await store.noteForgetting([]);
        await store.noteForgetting([key, otherKey]);
        await store.noteForgetting([key]);
        expect(await store.notedForgettings(60_000, 10)).toEqual([]);
        expect((await store.notedForgettings(0, 10)).toSorted()).toEqual([key, otherKey].toSorted());
        expect(await store.notedForgettings(0, 1)).toHaveLength(1);
        await store.forgetThread(key);
        expect(await store.notedForgettings(0, 10)).toEqual([otherKey]);
        await store.forgetThreadAtRest(otherKey, 5000);
        expect(await store.notedForgettings(0, 10)).toEqual([]);
      });

      it('what a dying process wrote into a forgotten thread or task is found', async () => {
        await ask('t1', 1000);
        await ask('o1', 1000, 'done', otherThread);
        expect(await store.threadsWithRemains(10)).toEqual([]);
        expect(await store.tasksWithRemains(10)).toEqual([]);
        await store.forgetThread(key);
        await putFile(otherKey, hash('b'));
        await putFile(key, hash('a'));
        await store.putTurn(key, 't1', [{ role: 'user', text: 'late' }]);
        await post('t1', ['m1']);
        expect(await store.threadsWithRemains(10)).toEqual([key]);
        expect(await store.tasksWithRemains(10)).toEqual(['t1']);
        expect(await store.forgetThreadAtRest(key, 5000)).toEqual([hash('a')]);
        expect(await store.threadsWithRemains(10)).toEqual([]);
        expect(await store.files(otherKey)).toHaveLength(1);
      });
    });

    describe('posts of a question that was deleted', () => {
      it('are noted in the same step in which it is forgotten, until they are taken back', async () => {
        await ask('t1', 1000);
        await ask('t1~1', 1100);
        await ask('t2', 1200);
        await post('t1', ['m1', 'm2']);
        await post('t1~1', ['m3']);
        await post('t2', ['m4']);
        const noted = await store.forgetQuestion(['t1', 't1~1']);
        expect(noted).toMatchObject({ thread: exampleThread, messageIds: ['m1', 'm2', 'm3'] });
        expect(await store.task('t1')).toBeNull();
        expect(await store.posts('t1~1')).toEqual([]);
        expect(await store.posts('t2')).toHaveLength(1);
        expect(await store.postRemovals(60_000, 10)).toEqual([]);
        expect(await store.postRemovals(0, 10)).toEqual([noted]);
        expect(noted?.notedAtMs).toBeTypeOf('number');
        expect(Math.abs((noted?.notedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
        await store.endPostRemoval(noted?.id ?? 0);
        expect(await store.postRemovals(0, 10)).toEqual([]);
      });

      it('are no matter where there are none', async () => {
        await ask('t1', 1000);
        expect(await store.forgetQuestion(['t1'])).toBeNull();
        expect(await store.forgetQuestion(['unknown'])).toBeNull();
        expect(await store.forgetQuestion([])).toBeNull();
        expect(await store.task('t1')).toBeNull();
      });
    });

    it('a turn belongs to one of many for its time', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => store.takeTurn('sweep', 150)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await store.takeTurn('other', 150)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await store.takeTurn('sweep', 150)).toBe(true);
      await store.removeOldTurns();
      expect(await store.takeTurn('other', 60_000)).toBe(true);
      await store.removeOldTurns();
      expect(await store.takeTurn('other', 60_000)).toBe(false);
    });
  });
}
