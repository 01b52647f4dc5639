import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { threadKeyOf } from '../../src/types.ts';
import { exampleCell, exampleFile, exampleTask, exampleThread } from '../fakes/store-examples.ts';

const key = threadKeyOf(exampleThread);
const otherThread = { ...exampleThread, threadId: '2.5' };
const otherKey = threadKeyOf(otherThread);
const ada = { platform: 'test', workspaceId: 'W/1', personId: 'U1' };
const hash = (letter: string): string => letter.repeat(64);

/** What a `Store` promises about changed, forgotten and counted tasks, installations and locks. `create` keeps secrets. */
export function describeStoreChanges(name: string, create: () => Promise<Store>): void {
  describe(`Store: ${name}`, () => {
    let store: Store;
    let signal: AbortSignal;
    beforeEach(async () => {
      signal = AbortSignal.timeout(60_000);
      store = await create();
    });
    afterEach(() => store[Symbol.asyncDispose]());

    const replyOf = (taskId: string, threadKey = key) => ({
      postId: `${taskId}-reply`,
      taskId,
      threadKey,
      kind: 'reply' as const,
      body: { text: 'answer' },
    });

    describe('changes of a task', () => {
      it('completes what its event lacked, while it is unfinished', async () => {
        const task = { ...exampleTask('t1'), attachments: [], lookAgain: true };
        await store.accept(task);
        const [attachment] = exampleTask('t1').attachments;
        if (attachment === undefined) throw new Error('no attachment');
        const person = { id: 'U1', displayName: 'Ada Lovelace' };
        await store.completeTask({ ...task, text: 'not this', person, attachments: [attachment], lookAgain: true });
        await store.completeTask({ ...task, person, attachments: [attachment], lookAgain: false });
        const completed = { ...task, person, attachments: [attachment], lookAgain: false };
        expect((await store.task('t1'))?.task).toEqual(completed);
        // Whoever knows the person by the id alone takes no name away.
        await store.completeTask({ ...task, person: { id: 'U1', displayName: 'U1' } });
        expect((await store.task('t1'))?.task).toEqual(completed);
        await store.finish('t1', 'done');
        await store.completeTask({ ...task, attachments: [{ ...attachment, id: 'F2' }] });
        expect((await store.task('t1'))?.task).toEqual(completed);
        await expect(store.completeTask(exampleTask('unknown'))).resolves.toBeUndefined();
      });

      it('takes a new text until there is a reply, and counts its attempts anew', async () => {
        const task = exampleTask('t1');
        await store.accept(task);
        expect(await store.reviseTask({ ...task, text: 'two' })).toBe('waiting');
        for (let attempt = 0; attempt < 3; attempt += 1) await store.takeNext(key);
        expect(await store.reviseTask({ ...task, text: 'three' })).toBe('running');
        expect(await store.takeNext(key)).toMatchObject({ task: { text: 'three' }, attempts: 2 });
        expect(await store.settle({ ...task, text: 'two' }, replyOf('t1'))).toBeNull();
        expect(await store.posts('t1')).toEqual([]);
        expect(await store.settle({ ...task, text: 'three' }, replyOf('t1'))).toMatchObject({ sent: false });
        expect(await store.reviseTask({ ...task, text: 'four' })).toBeNull();
        await store.finish('t1', 'done');
        expect(await store.reviseTask({ ...task, text: 'five' })).toBeNull();
        expect(await store.reviseTask(exampleTask('unknown'))).toBeNull();
        expect((await store.task('t1'))?.task.text).toBe('three');
      });

      it('of an edit and an answer at once, one wins and the other knows', async () => {
        for (let round = 0; round < 20; round += 1) {
          const task = exampleTask(`t${round}`);
          await store.accept(task);
          const [revised, settled] = await Promise.all([
            store.reviseTask({ ...task, text: 'new' }),
            store.settle(task, replyOf(task.id)),
          ]);
          expect(revised === null).toBe(settled !== null);
        }
      });

      it('settles once: a second reply gives the first', async () => {
        const task = exampleTask('t1');
        await store.accept(task);
        await store.settle(task, replyOf('t1'));
        expect(await store.settle(task, { ...replyOf('t1'), body: { text: 'other' } })).toMatchObject({
          body: { text: 'answer' },
        });
      });

      it('gives a start back', async () => {
        await store.accept(exampleTask('t1'));
        await store.takeNext(key);
        await store.giveBack('t1');
        expect(await store.tasks(key)).toMatchObject([{ state: 'waiting', attempts: 0 }]);
        await store.giveBack('t1');
        expect(await store.tasks(key)).toMatchObject([{ state: 'waiting', attempts: 0 }]);
      });
    });

    describe('people', () => {
      it('finds tasks by their person, newest first, and the threads they began', async () => {
        const other = { ...exampleTask('o1', otherThread), person: { id: 'U2', displayName: 'Bob' } };
        await store.accept(exampleTask('t1'));
        await store.accept(other);
        await store.accept(exampleTask('o2', otherThread));
        expect((await store.tasksOf(ada, 10)).map(({ task }) => task.id)).toEqual(['o2', 't1']);
        expect(await store.tasksOf(ada, 1)).toHaveLength(1);
        expect(await store.tasksOf({ ...ada, workspaceId: 'W' }, 10)).toEqual([]);
        expect(await store.threadsBegunBy(ada)).toEqual([key]);
        expect(await store.threadsBegunBy({ ...ada, personId: 'U2' })).toEqual([otherKey]);
      });

      it('counts what runs and waits in a workspace', async () => {
        expect(await store.load('test', 'W/1')).toEqual({ running: 0, waiting: 0 });
        for (const id of ['t1', 't2', 't3']) await store.accept(exampleTask(id));
        await store.takeNext(key);
        expect(await store.load('test', 'W/1')).toEqual({ running: 1, waiting: 2 });
        expect(await store.load('test', 'W')).toEqual({ running: 0, waiting: 0 });
      });

      it('adds up usage since a moment', async () => {
        const at = exampleTask('t1').receivedAtMs;
        await store.accept(exampleTask('t1'));
        await store.accept({ ...exampleTask('t2'), receivedAtMs: at + 5000 });
        const usage = { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, sandboxMs: 1.25 };
        for (const id of ['t1', 't1', 't2']) await store.addUsage(id, usage);
        expect(await store.usageOf(ada, at)).toEqual({
          questions: 2,
          inputTokens: 9,
          cachedInputTokens: 3,
          outputTokens: 6,
          sandboxMs: 3.75,
        });
        expect(await store.usageOf(ada, at + 1)).toEqual({ questions: 1, ...usage });
        expect(await store.usageOf({ ...ada, personId: 'U2' }, 0)).toMatchObject({ questions: 0, inputTokens: 0 });
      });

      it('keeps the last word of a person about a task', async () => {
        await store.accept(exampleTask('t1'));
        await store.putFeedback('t1', 'U1', 'good');
        await expect(store.putFeedback('t1', 'U1', 'bad')).resolves.toBeUndefined();
        await expect(store.putFeedback('unknown', 'U1', 'bad')).rejects.toThrow(/foreign key/i);
      });
    });

    describe('forgetting', () => {
      const file = (sha: string) => ({
        name: `${sha[0]}.csv`,
        mimeType: 'text/csv',
        sizeBytes: 5,
        sha256: sha,
        taskId: 't1',
        origin: 'attachment' as const,
        attachmentId: 'F1',
      });

      beforeEach(async () => {
        await store.accept(exampleTask('t1'));
        await store.accept(exampleTask('t2'));
        await store.accept(exampleTask('o1', otherThread));
        await store.putFile(key, file(hash('a')));
        await store.putFile(key, file(hash('b')));
        await store.putFile(otherKey, file(hash('b')));
        await store.putTurn(key, 't1', [{ role: 'user', text: 'secret' }]);
        await store.putPost({ ...replyOf('t1'), body: { artifacts: [{ file: { sha256: hash('c') } }] } });
        await store.addUsage('t1', { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, sandboxMs: 1 });
      });

      it('a thread: nothing of it is left but ids, and blobs of others are kept', async () => {
        expect((await store.forgetThread(key)).toSorted()).toEqual([hash('a'), hash('c')]);
        expect(await store.files(key)).toEqual([]);
        expect(await store.turns(key)).toEqual([]);
        expect(await store.posts('t1')).toEqual([]);
        expect(await store.files(otherKey)).toHaveLength(1);
        expect(await store.task('t1')).toBeNull();
        expect(await store.knowsThread(key)).toBe(false);
        expect(await store.knowsThread(otherKey)).toBe(true);
        expect((await store.tasksOf(ada, 10)).map(({ task }) => task.id)).toEqual(['o1']);
        expect(await store.takeNext(key)).toBeNull();
        expect(JSON.stringify(await store.tasks(key))).not.toMatch(/question|csv|Ada/);
        // The event that comes once more is still known.
        expect(await store.accept(exampleTask('t1'))).toBe(false);
        expect(await store.settle(exampleTask('t1'), replyOf('t1'))).toBeNull();
      });

      it('a task: its words and posts go, the thread goes on', async () => {
        await store.forgetTask('t1');
        expect(await store.task('t1')).toBeNull();
        expect(await store.posts('t1')).toEqual([]);
        expect(await store.turns(key)).toEqual([]);
        expect(await store.files(key)).toHaveLength(2);
        expect(await store.takeNext(key)).toMatchObject({ task: { id: 't2' } });
      });
    });

    describe('named blobs', () => {
      const named = async (): Promise<readonly string[]> => {
        const hashes: string[] = [];
        for await (const sha256 of store.namedBlobs()) hashes.push(sha256);
        return hashes;
      };
      const postOf = (postId: string, ...sha256s: readonly string[]) => ({
        ...replyOf('t1'),
        postId,
        body: { artifacts: sha256s.map((sha256) => ({ file: { sha256 } })) },
      });

      beforeEach(async () => {
        await store.accept(exampleTask('t1'));
        await store.accept(exampleTask('o1', otherThread));
      });

      it('are those of files, cells and posts, each once, as long as something names them', async () => {
        expect(await named()).toEqual([]);
        await store.putFile(key, exampleFile('a.csv', hash('b')));
        await store.putFile(otherKey, exampleFile('a.csv', hash('b')));
        await store.putFile(key, exampleFile('a.csv', hash('a')));
        await store.putPost(postOf('p1', hash('c'), hash('c'), hash('d')));
        await store.putPost(postOf('p2', hash('d')));
        await store.updatePost('p1', { artifacts: [] });
        await store.addCell(key, exampleCell('t1', 0, hash('e')));
        expect(await named()).toEqual([hash('a'), hash('b'), hash('d'), hash('e')]);
        await store.dropCells(key, 't1');
        await store.forgetTask('t1');
        expect(await named()).toEqual([hash('a'), hash('b')]);
        expect(await store.forgetThread(otherKey)).toEqual([hash('b')]);
        expect(await store.forgetThread(key)).toEqual([hash('a')]);
        expect(await named()).toEqual([]);
      });

      it('are listed whole where there are many', async () => {
        const many = Array.from({ length: 2500 }, (_, index) => index.toString(16).padStart(64, '0'));
        await store.putPost(postOf('p1', ...many));
        await store.putPost(postOf('p2', ...many.slice(0, 1500)));
        expect(await named()).toEqual(many);
        expect(await store.forgetThread(key)).toHaveLength(2500);
      });

      it('are not what only looks like a hash, also inside of texts', async () => {
        const body = { sha256: 'cd', stdoutSha256: hash('a'), text: `"sha256":"${hash('b')}"`, list: [hash('c')] };
        await store.putPost({ ...replyOf('t1'), body });
        expect(await named()).toEqual([]);
      });
    });

    describe('installations', () => {
      it('keeps secrets by name and replaces them', async () => {
        expect(await store.installation('slack/T1')).toBeNull();
        await store.putInstallation('slack/T1', { token: 'xoxb-1' });
        await store.putInstallation('slack/T2', { token: 'xoxb-2' });
        await store.putInstallation('slack/T1', { token: 'xoxb-3' });
        expect(await store.installation('slack/T1')).toEqual({ token: 'xoxb-3' });
        await store.removeInstallation('slack/T1');
        expect(await store.installation('slack/T1')).toBeNull();
        expect(await store.installation('slack/T2')).toEqual({ token: 'xoxb-2' });
      });
    });

    describe('locks', () => {
      it('lets one in at a time, each in the end', async () => {
        let inside = 0;
        let most = 0;
        const work = async (): Promise<number> => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 5));
          inside -= 1;
          return inside;
        };
        const all = Array.from({ length: 5 }, () => store.withLock('l', { ttlMs: 10_000, signal }, work));
        expect(await Promise.all(all)).toEqual([0, 0, 0, 0, 0]);
        expect(most).toBe(1);
      });

      it('is free after a failure, and from a holder that died', async () => {
        const fail = store.withLock('l', { ttlMs: 10_000, signal }, () => Promise.reject(new Error('broken')));
        await expect(fail).rejects.toThrow('broken');
        const died = store.withLock('l', { ttlMs: 50, signal }, () => new Promise<void>(() => {}));
        void died;
        expect(await store.withLock('l', { ttlMs: 10_000, signal }, () => Promise.resolve('in'))).toBe('in');
      });

      it('is waited for until the signal, under another name not at all', async () => {
        const { promise: held, resolve: release } = Promise.withResolvers<void>();
        const holder = store.withLock('l', { ttlMs: 10_000, signal }, () => held);
        await expect(
          store.withLock('l', { ttlMs: 10_000, signal: AbortSignal.timeout(150) }, () => Promise.resolve()),
        ).rejects.toThrow('aborted');
        expect(await store.withLock('m', { ttlMs: 10_000, signal }, () => Promise.resolve(1))).toBe(1);
        release();
        await holder;
      });
    });
  });
}
