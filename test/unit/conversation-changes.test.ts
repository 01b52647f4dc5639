import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Model } from '../../src/ports/model.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Task } from '../../src/types.ts';
import { attachmentOf, createCore, taskOf, testThread, testThreadKey, until } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import type { FakeSandbox } from '../fakes/fake-sandbox.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

/** Runs the code behind `run:` in the question and then answers with the question. */
const echoModel = (): Model =>
  createScriptedModel([], ({ messages }) => {
    const last = messages.at(-1);
    const code = last?.role === 'user' ? /run: (.*)$/m.exec(last.text)?.[1] : undefined;
    const question = messages.findLast(({ role }) => role === 'user')?.text ?? '';
    return code === undefined ? { text: `Answer to: ${question}` } : { calls: [pythonCall(code)] };
  });

const who = { platform: 'test', workspaceId: 'w', personId: 'p' };

describe('what people do to their questions', () => {
  let store: Store;
  let platform: StrictPlatform;
  let sandbox: FakeSandbox;
  let blobs: ReturnType<typeof createMemoryBlobs>;
  let core: Core;

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
    sandbox = createFakeSandbox();
    blobs = createMemoryBlobs();
    core = createCore({ store, blobs, client: platform.client, provider: sandbox, model: echoModel() });
    await core.start();
  });
  afterEach(async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  const stateOf = async (id: string): Promise<string | undefined> =>
    (await store.tasks(testThreadKey)).find(({ task }) => task.id === id)?.state;
  const ended = (id: string): Promise<void> =>
    until(`the end of ${id}`, async () => ['done', 'cancelled'].includes((await stateOf(id)) ?? ''));
  const ask = async (task: Task): Promise<void> => {
    await core.handlers.onTask(task);
    await ended(task.id);
  };
  const running = (code: string): Promise<void> =>
    until(`${code} to run`, () => sandbox.containers.some(({ ran }) => ran.at(-1)?.includes(code) === true));
  const visible = (id: string) =>
    platform.messages.filter(({ postId, isRemoved }) => postId.startsWith(`${id}-`) && !isRemoved);
  const repliesTo = (id: string): readonly string[] => platform.replies(id).map(({ text }) => text);
  const waiting = taskOf('t1', { text: 'run: wait()' });

  describe('an edit', () => {
    it('while it runs: one answer, to the new text', async () => {
      await core.handlers.onTask(waiting);
      await running('wait()');
      expect(await core.handlers.onEdit({ ...waiting, text: 'median by month' })).toBe('restarted');
      await ended('t1');
      expect(repliesTo('t1')).toEqual([expect.stringContaining('median by month')]);
      // One progress message, which went when the new text was answered without a step.
      expect(platform.messages.filter(({ postId }) => postId === 't1-progress')).toHaveLength(1);
      expect(visible('t1').map(({ postId }) => postId)).toEqual(['t1-reply']);
      expect(await store.cells(testThreadKey)).toEqual([]);
    });

    it('edited again and again it is still answered, once', async () => {
      await core.handlers.onTask(waiting);
      for (let count = 0; count < 6; count += 1) {
        await running('wait()');
        await core.handlers.onEdit({ ...waiting, text: `run: wait() # ${count}` });
        await until('the next start', async () => (await store.task('t1'))?.state === 'running');
      }
      await core.handlers.onEdit({ ...waiting, text: 'the last word' });
      await ended('t1');
      expect(repliesTo('t1')).toEqual([expect.stringContaining('the last word')]);
    });

    it('while it waits behind another: the other is not disturbed', async () => {
      await core.handlers.onTask(waiting);
      await running('wait()');
      await core.handlers.onTask(taskOf('t2', { text: 'old' }));
      expect(await core.handlers.onEdit(taskOf('t2', { text: 'new' }))).toBe('restarted');
      expect(await stateOf('t1')).toBe('running');
      await core.handlers.onEdit({ ...waiting, text: 'quick' });
      await ended('t1');
      await ended('t2');
      expect(repliesTo('t2')).toEqual([expect.stringContaining('new')]);
    });

    it('after the answer it changes nothing; the same text is no edit', async () => {
      await ask(taskOf('t1', { text: 'mean' }));
      expect(await core.handlers.onEdit(taskOf('t1', { text: 'mean' }))).toBe('unchanged');
      expect(await core.handlers.onEdit(taskOf('t1', { text: 'median' }))).toBe('answered');
      expect(await core.handlers.onEdit(taskOf('t9', { text: 'median' }))).toBe('unknown');
      expect(repliesTo('t1')).toHaveLength(1);
    });

    it('at any moment of the work, there is one answer, and to the text that was promised', async () => {
      for (let delayMs = 0; delayMs < 30; delayMs += 1) {
        const task = taskOf(`r${delayMs}`, { text: 'run: 1', thread: { ...testThread, threadId: `r${delayMs}` } });
        await core.handlers.onTask(task);
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        const outcome = await core.handlers.onEdit({ ...task, text: 'edited' });
        await until('its end', async () => ['done', 'cancelled'].includes((await store.task(task.id))?.state ?? ''));
        const replies = repliesTo(task.id);
        expect(replies).toHaveLength(1);
        expect(replies[0]?.includes('edited')).toBe(outcome === 'restarted');
      }
    });
  });

  describe('a deletion', () => {
    it('while it runs: it stops, and nothing of it stays', async () => {
      await core.handlers.onTask({ ...waiting, attachments: [attachmentOf('f1', 'a.csv')] });
      await running('wait()');
      await core.handlers.onDelete('t1');
      await ended('t1');
      await until('its posts to go', () => visible('t1').length === 0);
      expect(repliesTo('t1')).toEqual([]);
      await until('its container to go', () => sandbox.containers.every(({ alive }) => !alive));
      expect(await store.files(testThreadKey)).toEqual([]);
      expect(await store.knowsThread(testThreadKey)).toBe(false);
    });

    it('after the answer: what was posted for it goes, the rest of the thread stays', async () => {
      await ask(taskOf('t1', { text: 'run: 1' }));
      await ask(taskOf('t2', { text: 'second' }));
      await core.handlers.onDelete('t1');
      await until('its posts to go', () => visible('t1').length === 0);
      expect(visible('t2').length).toBeGreaterThan(0);
      expect(await store.task('t1')).toBeNull();
      expect((await store.turns(testThreadKey)).map(({ taskId }) => taskId)).toEqual(['t2']);
      await core.handlers.onDelete('t1');
      await core.handlers.onDelete('never asked');
    });

    it('while the answer is being posted takes that back as well', async () => {
      for (const part of ['text-1', 'files-1']) {
        const id = `t-${part}`;
        let deleted = false;
        platform.faults.beforePart = async (postId, partId) => {
          if (postId !== `${id}-reply` || partId !== part || deleted) return;
          deleted = true;
          await core.handlers.onDelete(id);
        };
        await ask(taskOf(id, { text: 'run: write("out.csv", "1")' }));
        await until('its posts to go', () => deleted && visible(id).length === 0);
        // Nothing of it is tried again.
        expect(await store.posts(id)).toEqual([]);
      }
    });

    it('while its place in the queue is being said takes that back', async () => {
      await core.handlers.onTask(waiting);
      await running('wait()');
      platform.faults.beforePart = async (postId) => {
        if (postId === 't2-progress') await core.handlers.onDelete('t2');
      };
      await core.handlers.onTask(taskOf('t2', { text: 'second' }));
      await until('the note', () => platform.messages.some(({ postId }) => postId === 't2-progress'));
      await until('the note to go', () => visible('t2').length === 0);
      expect(await store.posts('t2')).toEqual([]);
    });

    it('waits for no platform: the posts go afterwards', async () => {
      await ask(taskOf('t1', { text: 'mean' }));
      const gate = Promise.withResolvers<void>();
      platform.faults.remove = () => gate.promise;
      await core.handlers.onDelete('t1');
      expect(visible('t1').length).toBeGreaterThan(0);
      gate.resolve();
      await until('its posts to go', () => visible('t1').length === 0);
    });

    it('of a waiting one leaves the running one alone', async () => {
      await core.handlers.onTask(waiting);
      await running('wait()');
      await core.handlers.onTask(taskOf('t2', { text: 'second' }));
      await core.handlers.onDelete('t2');
      await core.handlers.onEdit({ ...waiting, text: 'quick' });
      await ended('t1');
      expect(repliesTo('t1')).toHaveLength(1);
      expect(repliesTo('t2')).toEqual([]);
    });
  });

  describe('again', () => {
    it('answers the question anew, with another text where there is one, each once', async () => {
      await ask(taskOf('t1', { text: 'mean' }));
      const person = { id: 'q', displayName: 'Bob' };
      const again = { id: 't1~1', person, text: null };
      expect(await core.handlers.onRerun('t1', again)).toBe(true);
      expect(await core.handlers.onRerun('t1', again)).toBe(true);
      expect(await core.handlers.onRerun('t1', { id: 't1~2', person, text: 'median' })).toBe(true);
      await ended('t1~1');
      await ended('t1~2');
      expect(repliesTo('t1~1')).toEqual([expect.stringContaining('mean')]);
      expect(repliesTo('t1~2')).toEqual([expect.stringContaining('median')]);
      expect(await core.handlers.onRerun('t9', again)).toBe(false);
    });

    it('a deleted question takes its re-runs with it', async () => {
      await ask(taskOf('t1', { text: 'mean' }));
      await core.handlers.onRerun('t1', { id: 't1~1', person: { id: 'q', displayName: 'Bob' }, text: null });
      await ended('t1~1');
      await core.handlers.onDelete('t1');
      await until('all posts to go', () => platform.messages.every(({ isRemoved }) => isRemoved));
      expect(await store.task('t1~1')).toBeNull();
    });
  });

  describe('forgetting', () => {
    it('a person’s threads: files, bytes, code, answers and the live sandbox', async () => {
      await ask(taskOf('t1', { text: 'run: write("out.csv", "1")', attachments: [attachmentOf('f1', 'a.csv')] }));
      const kept = (await store.files(testThreadKey)).map(({ sha256 }) => sha256);
      expect(kept.length).toBeGreaterThan(0);
      expect(await core.handlers.onForget({ person: who, channelId: 'other' })).toBe(0);
      expect(await core.handlers.onForget({ person: who, channelId: null })).toBe(1);
      for (const sha256 of kept) {
        await expect(blobs.get(sha256)[Symbol.asyncIterator]().next()).rejects.toThrow('no longer in my storage');
      }
      expect(await store.cells(testThreadKey)).toEqual([]);
      expect(sandbox.containers.every(({ alive }) => !alive)).toBe(true);
      expect((await core.handlers.onOverview(who)).threads).toEqual([]);
      // What was posted is the platform's.
      expect(visible('t1').length).toBeGreaterThan(0);
    });

    it('a thread for one person: only for who asked first in it', async () => {
      await ask(taskOf('t1', { text: 'mean' }));
      await ask(taskOf('t2', { text: 'median', person: { id: 'q', displayName: 'Bob' } }));
      expect(await core.handlers.onForget({ thread: testThread, begunBy: 'q' })).toBe(0);
      expect(await store.task('t2')).not.toBeNull();
      expect(await core.handlers.onForget({ thread: testThread, begunBy: 'p' })).toBe(1);
      expect(await store.task('t2')).toBeNull();
      expect(await core.handlers.onForget({ thread: testThread, begunBy: 'p' })).toBe(0);
    });

    it('a thread that runs, and it can be asked again', async () => {
      await core.handlers.onTask(waiting);
      await running('wait()');
      expect(await core.handlers.onForget({ thread: testThread })).toBe(1);
      await ended('t1');
      await until('its progress to go', () => visible('t1').length === 0);
      await ask(taskOf('t2', { text: 'new' }));
      expect(repliesTo('t2')).toHaveLength(1);
    });
  });

  describe('overview', () => {
    it('has the newest question of each thread and what they cost', async () => {
      const now = { receivedAtMs: Date.now() };
      await ask(taskOf('t1', { text: 'first', ...now }));
      await ask(taskOf('t2', { text: 'second', ...now }));
      const overview = await core.handlers.onOverview(who);
      expect(overview.threads).toMatchObject([{ question: 'second', state: 'done', thread: testThread }]);
      expect(overview.usage).toMatchObject({ questions: 2, inputTokens: 20, outputTokens: 10 });
      expect(overview.everyone).toEqual({ running: 0, waiting: 0 });
      expect(await core.handlers.knowsThread(testThread)).toBe(true);
      expect(await core.handlers.findTask('t1')).toMatchObject({ state: 'done' });
    });
  });

  describe('admission', () => {
    it('who may not ask is told why, alone, and nothing runs', async () => {
      platform.faults.admit = () => Promise.resolve({ kind: 'refused', text: 'Guests cannot ask me here.' });
      await ask(taskOf('t1', { text: 'run: 1' }));
      expect(visible('t1').map(({ content }) => content)).toEqual([
        { kind: 'refusal', personId: 'p', text: 'Guests cannot ask me here.' },
      ]);
      expect(sandbox.containers).toEqual([]);
    });

    it('a platform that cannot be asked is asked again, however often, and that is no attempt', async () => {
      let calls = 0;
      platform.faults.admit = (task) => {
        calls += 1;
        if (calls > 4) return Promise.resolve({ kind: 'admitted', task });
        const options = { retryable: true, retryAfterMs: 1 };
        return Promise.reject(new AppError('platform-failed', 'Slack did not answer.', options));
      };
      await ask(taskOf('t1', { text: 'mean' }));
      expect(repliesTo('t1')).toEqual([expect.stringContaining('mean')]);
      expect((await store.tasks(testThreadKey))[0]?.attempts).toBe(1);
    });

    it('an attachment that came as an id alone has the name that the platform found', async () => {
      platform.faults.admit = (task) =>
        Promise.resolve({ kind: 'admitted', task: { ...task, attachments: [attachmentOf('f1', 'sales.csv')] } });
      await ask(taskOf('t1', { text: 'mean', attachments: [attachmentOf('f1', 'f1')] }));
      expect((await store.files(testThreadKey)).map(({ name }) => name)).toEqual(['sales.csv']);
    });

    it('stopped while the platform is asked: one reply, at once', async () => {
      const asked = Promise.withResolvers<void>();
      platform.faults.admit = (_task, signal) => {
        asked.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new AppError('cancelled', 'Stopped.')));
        });
      };
      await core.handlers.onTask(taskOf('t1', { text: 'mean' }));
      await asked.promise;
      const startedAt = Date.now();
      expect(await core.handlers.onCancel(testThread, 'p')).toBe(1);
      await ended('t1');
      // A failure would wait for a second before it is tried again.
      expect(Date.now() - startedAt).toBeLessThan(900);
      expect(repliesTo('t1')).toEqual(['Stopped.']);
    });

    it('what the platform adds is part of the task', async () => {
      const person = { id: 'p', displayName: 'Ada Lovelace' };
      platform.faults.admit = (task) => {
        const whole = { ...task, person, attachments: [attachmentOf('f1', 'a.csv')] };
        return Promise.resolve({ kind: 'admitted', task: whole });
      };
      await ask(taskOf('t1', { text: 'mean', lookAgain: true }));
      expect((await store.files(testThreadKey)).map(({ name }) => name)).toEqual(['a.csv']);
      expect((await store.task('t1'))?.task.person).toEqual(person);
    });
  });
});
