import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAuditFiles } from '../../src/audit/audit-files.ts';
import { createDirectoryBlobs } from '../../src/blobs/directory-blobs.ts';
import { createRetention } from '../../src/conversation/retention.ts';
import { createLogger } from '../../src/log.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Task, ThreadRef } from '../../src/types.ts';
import { collect } from '../contract/blobs.ts';
import { attachmentOf, createCore, taskOf, testThread, testThreadKey, until } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import type { FakeSandbox } from '../fakes/fake-sandbox.ts';
import { bytesOf } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const log = createLogger('silent');
const signal = new AbortController().signal;

describe('what is kept', () => {
  let dir: string;
  let store: Store;
  let blobs: Blobs;
  let platform: StrictPlatform;
  let sandbox: FakeSandbox;
  let audit: ReturnType<typeof openAuditFiles>;
  let core: Core;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    dir = mkdtempSync(join(tmpdir(), 'plotline-kept-'));
    store = await createSqliteStore({ path: join(dir, 'plotline.sqlite'), log });
    blobs = createDirectoryBlobs({ dir: join(dir, 'blobs') });
    audit = openAuditFiles({ path: join(dir, 'audit.jsonl'), host: 'h', processId: 1, log });
    platform = createStrictPlatform();
    sandbox = createFakeSandbox();
    const model = createScriptedModel([], ({ messages }) => {
      const last = messages.at(-1);
      const code = last?.role === 'user' ? /run: (.*)$/m.exec(last.text)?.[1] : undefined;
      return code === undefined ? { text: 'Answer-canary' } : { calls: [pythonCall(code.replaceAll('; ', '\n'))] };
    });
    core = createCore({ store, blobs, client: platform.client, provider: sandbox, model, audit });
    await core.start();
  });
  afterEach(async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    audit[Symbol.dispose]();
    rmSync(dir, { recursive: true });
    vi.useRealTimers();
  });

  const later = (ms: number): void => {
    vi.setSystemTime(Date.now() + ms);
  };
  const round = (keepMs: number | null = null, stopped = signal): Promise<void> =>
    createRetention({
      store,
      blobs,
      clientOf: () => platform.client,
      endSession: (threadKey) => core.sessions.drop(threadKey),
      audit,
      log,
      now: Date.now,
      keepMs,
    })(stopped);
  const isOver = async (task: Task): Promise<boolean> =>
    (await store.tasks(threadKeyOf(task.thread))).some(({ task: { id }, state }) => id === task.id && state === 'done');
  const ask = async (id: string, given: Partial<Task> = {}): Promise<Task> => {
    const task = taskOf(id, { receivedAtMs: Date.now(), ...given });
    await core.handlers.onTask(task);
    await until(`the end of ${id}`, () => isOver(task));
    return task;
  };
  const other: ThreadRef = { ...testThread, threadId: 'q9' };
  const otherKey = threadKeyOf(other);
  const visible = (id: string) =>
    platform.messages.filter(({ postId, isRemoved }) => postId.startsWith(`${id}-`) && !isRemoved);
  const filesOf = (folder: string): readonly string[] =>
    readdirSync(folder, { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((path) => statSync(path).isFile());
  const auditText = (): string =>
    filesOf(dir)
      .filter((path) => path.endsWith('.jsonl'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('');

  describe('no word, name, code or content of a forgotten thread is in any file', () => {
    const canaries = ['Question', 'Person', 'Name', 'Content', 'Output', 'Made', 'Printed', 'Answer', 'Step'];
    const found = (): readonly string[] => {
      const texts = filesOf(dir).map((path) => readFileSync(path, 'latin1'));
      return canaries.filter((name) => texts.some((text) => text.includes(`${name}-canary`)));
    };
    const person = { id: 'p', displayName: 'Person-canary' };
    const askAll = async (): Promise<void> => {
      platform.faults.download = () => 'Content-canary,1\n'.repeat(100);
      const text = `Question-canary ${'x'.repeat(9000)} \nrun: write("Output-canary.csv", "Made-canary"); print("Printed-canary"); set("Step-canary")`;
      const attachments = [attachmentOf('f1', 'Name-canary.csv')];
      // Written over and over, so that the database has freed pages and a log with all of it.
      for (let count = 0; count < 5; count += 1) await ask(`t${count}`, { text, person, attachments });
      await core.handlers.onFeedback('t1', 'p', 'good');
      expect(found()).toEqual(canaries);
    };

    it.each<[string, () => Promise<unknown>]>([
      ['by who began it', () => core.handlers.onForget({ thread: testThread, begunBy: 'p' })],
      [
        'with all of a person',
        () =>
          core.handlers.onForget({
            person: { platform: 'test', workspaceId: 'w', personId: 'p' },
            channelId: null,
          }),
      ],
      [
        'by its age',
        async () => {
          later(31 * dayMs);
          await round(30 * dayMs);
        },
      ],
      [
        'with its questions',
        async () => {
          for (let count = 0; count < 5; count += 1) await core.handlers.onDelete(`t${count}`);
          await until('the container to go', () => sandbox.living() === 0);
        },
      ],
    ])('%s', async (_, forget) => {
      await askAll();
      await forget();
      expect(found()).toEqual([]);
      // Who ran what when is there still.
      expect(auditText()).toMatch(/"event":"cell-run".*"person":"p","task":"t4","code":"[0-9a-f]{64}","status":"ok"/);
      expect(auditText()).toMatch(/"event":"forgot".*"thread":"q0"/);
      expect(await store.accept(taskOf('t1'))).toBe(false);
      expect(sandbox.living()).toBe(0);
      expect(filesOf(join(dir, 'blobs'))).toEqual([]);
      // What comes late leaves nothing either.
      await core.handlers.onFeedback('t1', 'p', 'bad');
      await core.handlers.onEdit(taskOf('t1', { text: 'Question-canary', person }));
      expect(found()).toEqual([]);
    });
  });

  describe('age', () => {
    it('forgets threads past it, with the blobs that no other names, and leaves what is newer or under way', async () => {
      const files = { text: 'run: write("same.csv", "same")' };
      await ask('t1', { ...files, attachments: [attachmentOf('f1', 'a.csv')] });
      later(20 * dayMs);
      await ask('o1', { ...files, thread: other });
      const running: ThreadRef = { ...testThread, threadId: 'q5' };
      await core.handlers.onTask(taskOf('r1', { text: 'run: wait()', thread: running, receivedAtMs: 0 }));
      await until('it to run', () => sandbox.containers.some(({ ran }) => ran.at(-1)?.includes('wait()') === true));
      later(15 * dayMs);
      const kept = await store.files(otherKey);
      await round();
      expect(await store.knowsThread(testThreadKey)).toBe(true);
      await round(30 * dayMs);
      expect(await store.knowsThread(testThreadKey)).toBe(false);
      expect(await store.files(testThreadKey)).toEqual([]);
      expect(await store.files(otherKey)).toEqual(kept);
      for (const { sha256 } of kept) expect((await collect(blobs.get(sha256))).length).toBeGreaterThan(0);
      expect((await store.task('r1'))?.state).toBe('running');
      expect(auditText().match(/"event":"forgot"/g)).toHaveLength(1);
      expect(auditText()).toContain('"person":null,"reason":"age"');
    });

    it('forgets any number in one round', async () => {
      for (let count = 0; count < 120; count += 1) {
        const thread = { ...testThread, threadId: `old-${count}` };
        await store.accept(taskOf(`x${count}`, { thread, receivedAtMs: 1000 }));
        await store.finish(`x${count}`, 'done');
      }
      await round(dayMs);
      expect(await store.staleThreads(Date.now(), 10)).toEqual([]);
    });

    it('is left to the process that is at it', async () => {
      await ask('t1');
      later(31 * dayMs);
      await store.withLock('retention', { ttlMs: 60_000, signal }, () => round(dayMs));
      expect(await store.knowsThread(testThreadKey)).toBe(true);
      await round(dayMs);
      expect(await store.knowsThread(testThreadKey)).toBe(false);
    });
  });

  describe('after a crash', () => {
    it('the rest of a person’s threads goes', async () => {
      await ask('t1');
      await ask('o1', { thread: other });
      await store.noteForgetting([testThreadKey, otherKey]);
      await round();
      expect(await store.knowsThread(otherKey)).toBe(true);
      later(2 * 60_000);
      await round();
      expect(await store.knowsThread(testThreadKey)).toBe(false);
      expect(await store.knowsThread(otherKey)).toBe(false);
    });

    it('posts of a deleted question go, once the platform removes them again', async () => {
      await ask('t1');
      await ask('t2');
      platform.faults.remove = () => Promise.reject(new Error('the platform is down'));
      await core.handlers.onDelete('t1');
      later(2 * hourMs);
      await round();
      expect(visible('t1').length).toBeGreaterThan(0);
      platform.faults.remove = () => {};
      await round();
      expect(visible('t1')).toEqual([]);
      expect(visible('t2').length).toBeGreaterThan(0);
      expect(await store.postRemovals(0, 10)).toEqual([]);
    });

    it('a round of a process that ends does not go on with a platform that is down', async () => {
      const ids = ['t1', 't2', 't3'];
      for (const id of ids) await ask(id);
      let tries = 0;
      const stop = new AbortController();
      platform.faults.remove = () => {
        tries += 1;
        if (tries > ids.length) stop.abort();
        return Promise.reject(new Error('the platform is down'));
      };
      for (const id of ids) await core.handlers.onDelete(id);
      await until('each to be tried', () => tries === ids.length);
      later(2 * hourMs);
      await round(null, stop.signal);
      expect(tries).toBe(ids.length + 1);
      expect(await store.postRemovals(0, 10)).toHaveLength(ids.length);
    });

    it('posts that a platform never removes are given up after a week', async () => {
      await ask('t1');
      platform.faults.remove = () => Promise.reject(new Error('no such channel'));
      await core.handlers.onDelete('t1');
      later(6 * dayMs);
      await round();
      expect(await store.postRemovals(0, 10)).toHaveLength(1);
      later(2 * dayMs);
      await round();
      expect(await store.postRemovals(0, 10)).toEqual([]);
    });

    it('what a dying worker still wrote of a forgotten question goes, on the platform too', async () => {
      await ask('t1');
      await core.handlers.onForget({ thread: testThread });
      const { sha256, sizeBytes } = await blobs.put(bytesOf('late'), { maxBytes: 100 });
      const file = { name: 'late.csv', mimeType: 'text/csv', sizeBytes, sha256, taskId: 't1' };
      await store.putFile(testThreadKey, { ...file, origin: 'output', attachmentId: null });
      await store.putPost({
        postId: 't1-late',
        taskId: 't1',
        threadKey: testThreadKey,
        kind: 'notice',
        body: { text: 'late' },
      });
      await platform.client.post(
        testThread,
        { kind: 'notice', text: 'late' },
        {
          postId: 't1-late',
          alreadyPosted: [],
          isRepeat: false,
          onPosted: (part) => store.addPostedPart('t1-late', part),
          signal,
        },
      );
      await round();
      expect(await store.files(testThreadKey)).toEqual([]);
      await expect(collect(blobs.get(sha256))).rejects.toMatchObject({ code: 'file-unavailable' });
      later(2 * hourMs);
      await round();
      expect(platform.messages.filter(({ postId, isRemoved }) => postId === 't1-late' && !isRemoved)).toEqual([]);
    });
  });

  it('sweeps blobs that nothing names, when they are two days old, four times a day', async () => {
    await ask('t1', { text: 'run: write("out.csv", "kept")' });
    const named = await store.files(testThreadKey);
    const loose = async (text: string, ageMs: number): Promise<string> => {
      const { sha256 } = await blobs.put(bytesOf(text), { maxBytes: 100 });
      const at = new Date(Date.now() - ageMs);
      utimesSync(join(dir, 'blobs', sha256.slice(0, 2), sha256.slice(2)), at, at);
      return sha256;
    };
    const young = await loose('young', dayMs);
    const old = await loose('old', 3 * dayMs);
    await round();
    const isThere = (sha256: string): Promise<boolean> =>
      collect(blobs.get(sha256)).then(
        () => true,
        () => false,
      );
    expect(await isThere(old)).toBe(false);
    expect(await isThere(young)).toBe(true);
    expect(await isThere(named[0]?.sha256 ?? '')).toBe(true);
    const next = await loose('next', 3 * dayMs);
    later(5 * hourMs);
    await round();
    expect(await isThere(next)).toBe(true);
    later(2 * hourMs);
    await round();
    expect(await isThere(next)).toBe(false);
  });
});
