import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toCellRecord } from '../../src/conversation/cell-record.ts';
import { createPlaces } from '../../src/conversation/places.ts';
import { endPython } from '../../src/conversation/replay.ts';
import { createSessions } from '../../src/conversation/sessions.ts';
import type { Sessions } from '../../src/conversation/sessions.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Store, ThreadFile } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { CellRecord, ExecutionStatus } from '../../src/types.ts';
import { sandboxLimits, taskOf, testThread, testThreadKey } from '../fakes/core.ts';
import { createFakeSandbox, outputOf } from '../fakes/fake-sandbox.ts';
import type { FakeContainer, FakeSandbox } from '../fakes/fake-sandbox.ts';
import { executionOf } from '../fakes/fake-session.ts';
import { bytesOf, createMemoryBlobs } from '../fakes/memory-blobs.ts';

const log = createLogger('silent');
const never = new AbortController().signal;
const threadKeys = ['a', 'b', 'c', 'd'].map((threadId) => threadKeyOf({ ...testThread, threadId }));
const [threadA = '', threadB = '', threadC = '', threadD = ''] = threadKeys;
const suspendAfterMs = 300;
const idleMs = 1000;

const reasonOf = (reason: unknown): unknown => reason;

describe('sessions', () => {
  let store: Store;
  let sandbox: FakeSandbox;
  let sessions: Sessions;
  const blobs = createMemoryBlobs();

  const addCell = async (
    source: string,
    stdout = '',
    status: ExecutionStatus = 'ok',
    given: Partial<CellRecord> = {},
  ): Promise<void> => {
    const index = (await store.cells(testThreadKey)).length;
    const error = status === 'ok' ? null : { name: 'ValueError', message: '', traceback: '' };
    const execution = {
      status,
      stdout,
      stdoutSha256: null,
      stderr: '',
      results: [],
      error,
      stateKept: true,
      files: [],
      durationMs: 1,
      ...given,
    };
    await store.addCell(testThreadKey, {
      taskId: 't1',
      index,
      title: `Step ${index}`,
      source,
      seed: null,
      startedAtMs: 0,
      execution,
    });
  };
  const addFile = async (name: string, text: string, given: Partial<ThreadFile> = {}): Promise<void> => {
    const stored = await blobs.put(bytesOf(text), { maxBytes: 1e6 });
    await store.putFile(testThreadKey, {
      ...stored,
      name,
      mimeType: 'text/csv',
      taskId: 't1',
      origin: 'attachment',
      attachmentId: name,
      ...given,
    });
  };
  const newest = (): FakeContainer => {
    const found = sandbox.containers.at(-1);
    if (found === undefined) throw new Error('no container');
    return found;
  };
  const texts = (): Readonly<Record<string, string>> =>
    Object.fromEntries([...newest().files].map(([name, bytes]) => [name, bytes.toString()]));
  /** Lets everything that does not wait for time happen. */
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  const isDone = async (work: Promise<unknown>): Promise<boolean> => {
    let done = false;
    work.then(
      () => (done = true),
      () => (done = true),
    );
    await settle();
    return done;
  };

  beforeEach(async () => {
    vi.useFakeTimers();
    store = await createSqliteStore({ path: ':memory:', log });
    await store.accept(taskOf('t1'));
    sandbox = createFakeSandbox();
    sessions = createSessions({
      provider: sandbox,
      store,
      blobs,
      limits: sandboxLimits,
      cellTimeoutMs: 1000,
      suspendAfterMs,
      idleMs,
      maxSessions: 2,
      log,
    });
  });
  afterEach(async () => {
    await sessions[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    vi.useRealTimers();
  });

  it('a live session is handed out again, with the attachments that came meanwhile', async () => {
    const { session } = await sessions.open(testThreadKey, never);
    await addFile('a.csv', 'one');
    expect(await sessions.open(testThreadKey, never)).toEqual({ session, notices: [] });
    expect(texts()).toEqual({ 'a.csv': 'one' });
    newest().files.set('a.csv', Buffer.from('changed by code'));
    await sessions.open(testThreadKey, never);
    expect(texts()).toEqual({ 'a.csv': 'changed by code' });
  });

  it('a sweep ends idle sessions of threads that were forgotten or went on elsewhere, and no others', async () => {
    const served = async (threadId: string): Promise<string> => {
      const thread = { ...testThread, threadId };
      await store.accept(taskOf(threadId, { thread }));
      await store.accept(taskOf(`${threadId}-2`, { thread }));
      const threadKey = threadKeyOf(thread);
      await store.takeNext(threadKey);
      await sessions.claim(threadKey, await store.starts(threadKey));
      await sessions.open(threadKey, never);
      return threadKey;
    };
    const forgotten = await served('forgotten');
    const kept = await served('kept');
    await store.forgetThread(forgotten);
    await sessions.sweep();
    expect(sandbox.living()).toBe(2);
    sessions.release(forgotten);
    sessions.release(kept);
    await sessions.sweep();
    expect(sandbox.containers.map(({ alive }) => alive)).toEqual([false, true]);
    await store.finish('kept', 'done');
    await store.takeNext(kept);
    await sessions.sweep();
    expect(sandbox.living()).toBe(0);
  });

  it('an idle thread gives way where the provider has less room than there are places, also one that becomes idle later', async () => {
    await sessions.open(threadA, never);
    const startedAtMs = Date.now();
    const acquire = sandbox.acquire;
    sandbox.acquire = async (limits, signal, onPlace) => {
      onPlace?.(0);
      while (sandbox.living() > 0) await vi.advanceTimersByTimeAsync(10);
      return acquire(limits, signal, onPlace);
    };
    const places: (number | null)[] = [];
    const second = sessions.open(threadB, never, (before) => places.push(before));
    while (places.length === 0) await settle();
    sessions.release(threadA);
    await second;
    sessions.release(threadB);
    await sessions.open(threadC, never);
    expect(sandbox.containers.map(({ alive }) => alive)).toEqual([false, false, true]);
    // Not because they had been idle for long enough.
    expect(Date.now() - startedAtMs).toBeLessThan(idleMs / 2);
  });

  it('rebuilds a thread from its attachments and its cells in order, killed ones left out, their files put back', async () => {
    await addFile('a.csv', 'one');
    await addFile('partial.csv', 'half', { origin: 'output', attachmentId: null });
    // Its cells were dropped; other cells of the same task came after them.
    await addFile('stray.csv', 'of a dropped attempt', { origin: 'output', attachmentId: null });
    await addCell('print("1")', '1\n');
    await addCell('raise("x")', '', 'error');
    const error = { name: 'SandboxLost', message: '', traceback: '' };
    await addCell('wait()', '', 'lost', { files: [outputOf('partial.csv', 'half')], stateKept: null, error });
    await addCell('write("b.csv", "two")', '', 'ok', { files: [outputOf('b.csv', 'two')] });
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([]);
    expect(newest().ran).toEqual(['print("1")', 'raise("x")', 'write("b.csv", "two")']);
    expect(texts()).toEqual({ 'a.csv': 'one', 'b.csv': 'two', 'partial.csv': 'half' });
  });

  it('a file that a later cell removed does not come back', async () => {
    await addFile('parts.csv', 'one', { origin: 'output', attachmentId: null });
    await addCell('write("parts.csv", "one")', '', 'ok', { files: [outputOf('parts.csv', 'one')] });
    await addCell('remove("parts.csv")');
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([]);
    expect(texts()).toEqual({});
  });

  it('says which steps did not come back as they were', async () => {
    await addCell('count()', '7\n');
    await addCell('raise("now it fails")', '');
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([
      expect.stringMatching(/step 1 \(“Step 0”\) printed something else/),
      expect.stringMatching(/step 2 \(“Step 1”\) did not run there as it did before: ValueError/),
    ]);
  });

  it('a Python process that a cell ended ends there again, and nobody hears of it', async () => {
    const error = { name: 'NameError', message: '', traceback: '' };
    await addCell('set("x")');
    await addCell('wait()', '', 'timeout', { stateKept: false, files: [] });
    await addCell('get("x")', '', 'error', { error });
    await addCell('set("x")');
    await addCell('os._exit(1)', '', 'error', { stateKept: false });
    await addCell('get("x")', '', 'error', { error });
    await addCell('set("x")');
    await addCell('get("x")', '', 'error', { error, stderr: '[since the last cell the Python process ended]\n' });
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([]);
    expect(newest().ran.filter((code) => code === endPython)).toHaveLength(3);
    expect(newest().ran).not.toContain('os._exit(1)');
  });

  it('a container that was lost under a cell took nothing from the later ones', async () => {
    await addCell('set("x")');
    await addCell('wait()', '', 'out-of-memory', { stateKept: null });
    await addCell('get("x")');
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([]);
  });

  it('names the stopped cell whose variables later ones had, and only that', async () => {
    await addCell('wait()', '', 'cancelled');
    await addCell('wait()', '', 'timeout', { stateKept: false });
    await addCell('wait()', '', 'timeout');
    await addCell('wait()', '', 'cancelled', { durationMs: 0 });
    await addCell('print("on")', 'on\n');
    const notice = 'was stopped before its end and was not run again; what it had set is gone.';
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([`Step 3 (“Step 2”) ${notice}`]);
    expect(newest().ran).toEqual([endPython, 'print("on")']);
  });

  it('one container that is lost during the rebuild is not the fault of the steps', async () => {
    await addCell('set("x")');
    await addCell('dieOnce()');
    const { session, notices } = await sessions.open(testThreadKey, never);
    expect({ alive: session.alive, notices }).toEqual({ alive: true, notices: [] });
    expect((await session.run('get("x")', { timeoutMs: 1000, signal: never, onOutput: () => {} })).status).toBe('ok');
    expect(sandbox.living()).toBe(1);
  });

  it('all that a step printed counts, also past what is kept of it', async () => {
    const printed = (end: string): string => `${'x'.repeat(70_000)}${end}`;
    for (const [before, now] of [
      [' 12:00:01 at 0x7f3a1c2b4d50', ' 12:00:02 at 0x7ffe00112230'],
      ['a', 'b'],
    ] as const) {
      const { record } = await toCellRecord(executionOf({ stdout: `${printed(before)}\n` }));
      await addCell(`print("${printed(now)}")`, record.stdout, 'ok', record);
    }
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([
      expect.stringMatching(/step 2 \(“Step 1”\) printed something else\.$/),
    ]);
  });

  it('goes on with the files where the earlier steps bring the sandbox down', async () => {
    await addFile('a.csv', 'one');
    await addFile('b.csv', 'two', { origin: 'output', attachmentId: null });
    await addCell('write("b.csv", "two")', '', 'ok', { files: [outputOf('b.csv', 'two')] });
    await addCell('die()');
    const { session, notices } = await sessions.open(testThreadKey, never);
    expect(session.alive).toBe(true);
    expect(texts()).toEqual({ 'a.csv': 'one', 'b.csv': 'two' });
    expect(notices).toEqual([expect.stringMatching(/its files are there, its variables are not/)]);
    expect(sandbox.living()).toBe(1);
  });

  it('one file that does not fit is named once and does not close the thread', async () => {
    sandbox.roomBytes = 10;
    await addFile('big.csv', 'x'.repeat(50));
    await addFile('small.csv', 'y');
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([
      expect.stringMatching(/`big.csv` is missing .* not fit/),
    ]);
    expect((await sessions.open(testThreadKey, never)).notices).toEqual([]);
    expect(texts()).toEqual({ 'small.csv': 'y' });
  });

  it('a lost session is replaced', async () => {
    await sessions.open(testThreadKey, never);
    newest().die();
    const { session } = await sessions.open(testThreadKey, never);
    expect(session.alive).toBe(true);
    expect(sandbox.containers).toHaveLength(2);
  });

  it('an idle session is removed after its time, a busy one never', async () => {
    await sessions.open(testThreadKey, never);
    sessions.release(testThreadKey);
    // A task that needed no session ends: it must not leave the first clock running.
    await vi.advanceTimersByTimeAsync(idleMs / 2);
    sessions.release(testThreadKey);
    await sessions.open(testThreadKey, never);
    await vi.advanceTimersByTimeAsync(10 * idleMs);
    expect(sandbox.living()).toBe(1);
    sessions.release(testThreadKey);
    await vi.advanceTimersByTimeAsync(idleMs);
    expect(sandbox.living()).toBe(0);
  });

  it('an idle session stands still first, and the next question wakes it', async () => {
    await sessions.open(testThreadKey, never);
    await vi.advanceTimersByTimeAsync(10 * suspendAfterMs);
    expect(newest().suspended).toBe(false);
    sessions.release(testThreadKey);
    await vi.advanceTimersByTimeAsync(suspendAfterMs - 1);
    expect(newest().suspended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(newest().suspended).toBe(true);
    const { session } = await sessions.open(testThreadKey, never);
    await session.run('print("1")', { timeoutMs: 1000, signal: never, onOutput: () => {} });
    await vi.advanceTimersByTimeAsync(10 * idleMs);
    expect(newest().suspended).toBe(false);
    expect(sandbox.containers).toHaveLength(1);
  });

  it('a thousand threads that were disposed leave no container and no clock behind', async () => {
    for (let index = 0; index < 1000; index += 1) {
      const key = threadKeyOf({ ...testThread, threadId: `many-${index}` });
      await sessions.open(key, never);
      sessions.release(key);
    }
    expect(sandbox.containers).toHaveLength(1000);
    await vi.advanceTimersByTimeAsync(idleMs);
    expect([sandbox.living(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('at the limit the longest idle session makes room', async () => {
    await sessions.open(threadA, never);
    await sessions.open(threadB, never);
    sessions.release(threadB);
    await vi.advanceTimersByTimeAsync(10);
    sessions.release(threadA);
    await sessions.open(threadC, never);
    expect(sandbox.containers.map(({ alive }) => alive)).toEqual([true, false, true]);
  });

  it('who finds all places busy waits for the next release, in order', async () => {
    await sessions.open(threadA, never);
    await sessions.open(threadB, never);
    const third = sessions.open(threadC, never);
    const fourth = sessions.open(threadD, never);
    expect(await isDone(third)).toBe(false);
    sessions.release(threadA);
    expect([await isDone(third), await isDone(fourth)]).toEqual([true, false]);
    sessions.release(threadB);
    expect(await isDone(fourth)).toBe(true);
    expect(sandbox.living()).toBe(2);
  });

  it('who waits hears its place at once and at each change, here and at the provider; who finds an idle one hears nothing', async () => {
    const told: Record<string, (number | null)[]> = { a: [], b: [], c: [], d: [] };
    const hear = (name: string) => (before: number | null) => told[name]?.push(before);
    await sessions.open(threadA, never, hear('a'));
    sessions.release(threadA);
    await sessions.open(threadB, never, hear('b'));
    const other = threadKeyOf({ ...testThread, threadId: 'e' });
    await sessions.open(other, never, hear('a'));
    sandbox.places = [1, 0, null];
    const third = sessions.open(threadC, never, hear('c'));
    const fourth = sessions.open(threadD, never, hear('d'));
    await settle();
    expect(told).toEqual({ a: [], b: [], c: [0], d: [1] });
    sessions.release(threadB);
    await third;
    await settle();
    expect(told).toEqual({ a: [], b: [], c: [0, 1, 0, null], d: [1, 0] });
    sessions.release(threadC);
    await fourth;
  });

  it('who stops waiting leaves the others their order and no place behind', async () => {
    await sessions.open(threadA, never);
    await sessions.open(threadB, never);
    const stop = new AbortController();
    const third = sessions.open(threadC, stop.signal);
    const fourth = sessions.open(threadD, never);
    const left = third.catch(reasonOf);
    await settle();
    stop.abort(new AppError('cancelled', 'Stopped.'));
    expect(await left).toMatchObject({ code: 'cancelled' });
    sessions.release(threadA);
    expect(await isDone(fourth)).toBe(true);
  });

  it('a failed opening gives its place back to who waits', async () => {
    await sessions.open(threadA, never);
    await sessions.open(threadB, never);
    const third = sessions.open(threadC, never).catch(reasonOf);
    const fourth = sessions.open(threadD, never);
    await settle();
    sandbox.failure = new AppError('docker-unavailable', 'Docker is not running.');
    sessions.release(threadA);
    expect(await third).toMatchObject({ code: 'docker-unavailable' });
    sandbox.failure = null;
    expect(await isDone(fourth)).toBe(true);
    for (let round = 0; round < 5; round += 1) {
      sandbox.failure = new AppError('docker-unavailable', 'Docker is not running.');
      sessions.release(threadB);
      sessions.release(threadD);
      await expect(sessions.open(threadC, never)).rejects.toMatchObject({ code: 'docker-unavailable' });
      sandbox.failure = null;
      await sessions.open(threadB, never);
      await sessions.open(threadD, never);
    }
    expect(sandbox.living()).toBe(2);
  });

  it('a stop while a thread is rebuilt leaves no container behind', async () => {
    await addCell('wait()', '');
    const stop = new AbortController();
    const opening = sessions.open(testThreadKey, stop.signal).catch(reasonOf);
    await settle();
    stop.abort(new AppError('cancelled', 'Stopped.'));
    expect(await opening).toMatchObject({ code: 'cancelled' });
    expect(sandbox.living()).toBe(0);
  });
});

describe('places', () => {
  it('come to who asks first, and none is made or lost when some give up', async () => {
    const places = createPlaces(1, () => Promise.resolve(false));
    await places.take(never);
    const order: string[] = [];
    const stop = new AbortController();
    const taken = ['one', 'two', 'three'].map((name) =>
      places.take(name === 'two' ? stop.signal : never).then(
        () => order.push(name),
        () => order.push(`${name} left`),
      ),
    );
    stop.abort(new Error('left'));
    places.free();
    await taken[0];
    expect(order).toEqual(['two left', 'one']);
    places.free();
    await Promise.all(taken);
    expect(order).toEqual(['two left', 'one', 'three']);
  });
});
