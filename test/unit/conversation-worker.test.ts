import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Model } from '../../src/ports/model.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Task } from '../../src/types.ts';
import { attachmentOf, createCore, taskOf, testThread, testThreadKey, until } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createFakeSandbox, plainCard } from '../fakes/fake-sandbox.ts';
import type { FakeSandbox } from '../fakes/fake-sandbox.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';
import { plainRecord } from '../fakes/cells.ts';

/** Runs the code behind `run:` in the question and then answers; any other question it answers at once. */
const codeModel = (): Model =>
  createScriptedModel([], ({ messages }) => {
    const last = messages.at(-1);
    const code = last?.role === 'user' ? /run: (.*)$/m.exec(last.text)?.[1] : undefined;
    return code === undefined ? { text: 'The answer.' } : { calls: [pythonCall(code.replaceAll('; ', '\n'))] };
  });

describe('the way from a message to its reply', () => {
  let store: Store;
  let platform: StrictPlatform;
  let sandbox: FakeSandbox;
  let blobs: ReturnType<typeof createMemoryBlobs>;
  let core: Core;

  const coreWith = (given: Partial<Parameters<typeof createCore>[0]> = {}): Core =>
    createCore({ store, blobs, client: platform.client, provider: sandbox, model: codeModel(), ...given });
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await store.tasks(testThreadKey)).find(({ task }) => task.id === id)?.state;
  const ended = (...ids: readonly string[]): Promise<void> =>
    until(`the end of ${ids.join()}`, async () => {
      const states = await Promise.all(ids.map(stateOf));
      return states.every((state) => state === 'done' || state === 'cancelled');
    });
  const ask = async (task: Task): Promise<void> => {
    await core.handlers.onTask(task);
    await ended(task.id);
  };
  const running = (code: string): Promise<void> =>
    until(`${code} to run`, () => sandbox.containers.some(({ ran }) => ran.at(-1)?.includes(code) === true));
  const replyTo = (id: string) => {
    const replies = platform.replies(id);
    expect(replies).toHaveLength(1);
    return replies[0];
  };
  const progressOf = (id: string) => platform.messages.filter(({ postId }) => postId === `${id}-progress`);

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
    sandbox = createFakeSandbox();
    blobs = createMemoryBlobs();
    core = coreWith();
    await core.start();
  });
  afterEach(async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it('an answer: progress, the card, one reply with its files, the turn and the cells in the store', async () => {
    await ask(
      taskOf('t1', {
        text: 'run: write("out.csv", "1"); chart("Revenue")',
        attachments: [attachmentOf('f1', 'a.csv')],
      }),
    );
    expect(platform.messages.map(({ postId }) => postId)).toEqual([
      't1-progress',
      't1-card-f1',
      't1-reply',
      't1-reply',
    ]);
    expect(replyTo('t1')).toMatchObject({
      outcome: 'answered',
      text: 'The answer.',
      artifacts: [{ kind: 'chart', title: 'Revenue' }, { file: { name: 'out.csv' } }],
      code: [{ status: 'ok' }],
    });
    expect(progressOf('t1')[0]?.content).toMatchObject({
      progress: {
        steps: [
          { title: 'a.csv: 3 rows × 2 columns; see what I noticed', state: 'done' },
          { title: 'Working', state: 'done' },
        ],
      },
    });
    expect(await store.turns(testThreadKey)).toHaveLength(1);
    expect(await core.handlers.onShowCode(testThread, null)).toHaveLength(1);
  });

  it('an answer without a step leaves its reply alone', async () => {
    await ask(taskOf('t1', { text: 'What can you do?' }));
    expect(platform.messages.filter(({ isRemoved }) => !isRemoved).map(({ postId }) => postId)).toEqual(['t1-reply']);
    expect(replyTo('t1')).toMatchObject({ text: 'The answer.' });
  });

  it('a file that cannot be read is no step that went well', async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    const unreadable = (file: string) => ({ ...plainCard(file), ok: false, error: 'It is damaged.' });
    core = coreWith({ provider: createFakeSandbox(unreadable) });
    await core.start();
    await ask(taskOf('t1', { attachments: [attachmentOf('f1', 'bad.xlsx')] }));
    expect(progressOf('t1')[0]?.content).toMatchObject({
      progress: { steps: [{ title: 'bad.xlsx: could not be read', state: 'failed' }] },
    });
  });

  it('the same event twice is one task', async () => {
    const task = taskOf('t1');
    await Promise.all([core.handlers.onTask(task), core.handlers.onTask(task), core.handlers.onTask(task)]);
    await ended('t1');
    await core.handlers.onTask(task);
    replyTo('t1');
    expect(progressOf('t1')).toHaveLength(1);
  });

  it('questions of one thread are answered in order, and each later one is told its place', async () => {
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await running('wait()');
    await core.handlers.onTask(taskOf('t2'));
    await core.handlers.onTask(taskOf('t3'));
    await until('the places', () => progressOf('t3').length > 0 && progressOf('t2').length > 0);
    expect([progressOf('t2'), progressOf('t3')].map(([message]) => message?.content)).toMatchObject([
      { progress: { note: 'Waiting: 1 question before yours.' } },
      { progress: { note: 'Waiting: 2 questions before yours.' } },
    ]);
    await core.handlers.onCancel(testThread, 'p');
    await ended('t1', 't2', 't3');
    await ask(taskOf('t4'));
    const order = platform.messages.flatMap(({ postId }) => (postId.endsWith('-reply') ? [postId] : []));
    expect(order).toEqual(['t1-reply', 't2-reply', 't3-reply', 't4-reply']);
  });

  it('who waits for a sandbox sees the place in the progress message as it moves, and no more once it is there', async () => {
    const threads = ['a', 'b', 'c', 'd'].map((threadId) => ({ ...testThread, threadId }));
    const noteOf = (id: string): string => {
      const content = progressOf(id)[0]?.content;
      return content?.kind === 'progress' ? content.progress.note : 'no progress';
    };
    for (const [index, thread] of threads.entries()) {
      await core.handlers.onTask(taskOf(`t${index}`, { thread, text: 'run: wait()' }));
      if (index < 2) await until('its cell', () => sandbox.containers[index]?.ran.length === 1);
      else await until('its place', () => noteOf(`t${index}`).startsWith('All sandboxes are busy'));
    }
    expect(noteOf('t2')).toBe('All sandboxes are busy; your question is next.');
    expect(noteOf('t3')).toBe('All sandboxes are busy; 1 question is before yours.');
    sandbox.places = [2, null];
    await core.handlers.onCancel(threads[0] ?? testThread, 'p');
    await until('the third cell', () => sandbox.containers[2]?.ran.length === 1);
    await until('the notes to change', () => noteOf('t2') === '' && noteOf('t3').endsWith('your question is next.'));
    for (const thread of threads) await core.handlers.onCancel(thread, 'p');
  });

  it('a stop ends what runs and what waits, each with one reply and its progress closed; its code stays visible', async () => {
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await running('wait()');
    await core.handlers.onTask(taskOf('t2', { text: 'run: print("never")' }));
    await until('the place', () => progressOf('t2').length > 0);
    expect(await core.handlers.onCancel(testThread, 'p')).toBe(2);
    await ended('t1', 't2');
    expect(replyTo('t1')).toMatchObject({
      outcome: 'cancelled',
      text: expect.stringMatching(/^Stopped\./),
      code: [{ source: 'wait()' }],
    });
    expect(replyTo('t2')).toMatchObject({ outcome: 'cancelled', text: 'Stopped before it was started.' });
    expect([await stateOf('t1'), await stateOf('t2')]).toEqual(['cancelled', 'cancelled']);
    await until('the note', () => JSON.stringify(progressOf('t2')).includes('Stopped.'));
    expect(sandbox.containers.flatMap(({ ran }) => ran)).toEqual(['wait()']);
    expect(await core.handlers.onCancel(testThread, 'p')).toBe(0);
  });

  it('a stop of one task, or of one person’s, leaves what others asked in the thread', async () => {
    const by = (id: string): Partial<Task> => ({ person: { id, displayName: id } });
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()', ...by('ada') }));
    await running('wait()');
    await core.handlers.onTask(taskOf('t2', by('grace')));
    await core.handlers.onTask(taskOf('t3', by('moira')));
    expect(await core.handlers.onCancel(testThread, 'grace', { taskId: 't2' })).toBe(1);
    expect(await stateOf('t1')).toBe('running');
    expect((await store.posts('t1')).some(({ kind }) => kind === 'reply')).toBe(false);
    expect(await core.handlers.onCancel(testThread, 'ada', { askedBy: 'ada' })).toBe(1);
    await ended('t1', 't2', 't3');
    expect(['t1', 't2', 't3'].map((id) => replyTo(id)?.outcome)).toEqual(['cancelled', 'cancelled', 'answered']);
  });

  it('a stop while the platform is asked for files', async () => {
    let release = (): void => {};
    platform.faults.history = (_thread, { signal }) =>
      new Promise((resolve, reject) => {
        release = () => resolve([]);
        if (signal.aborted) reject(signal.reason as Error);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    await core.handlers.onTask(taskOf('t1'));
    await until('the start', async () => (await stateOf('t1')) === 'running');
    await core.handlers.onCancel(testThread, 'p');
    await ended('t1');
    release();
    expect(replyTo('t1')).toMatchObject({ outcome: 'cancelled' });
  });

  it('a stop is not undone by the process ending right after it', async () => {
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await running('wait()');
    platform.faults.beforePart = () => {
      throw new AppError('platform-rate-limited', 'Wait.', { retryable: true, retryAfterMs: 60_000 });
    };
    await core.handlers.onCancel(testThread, 'p');
    await core.dispatcher.close({ graceMs: 0 });
    platform.faults.beforePart = () => {};
    core = coreWith();
    await core.start();
    await ended('t1');
    expect(replyTo('t1')).toMatchObject({ outcome: 'cancelled' });
  });

  it('a shutdown leaves the task for the next start, which forgets the half-done cells and answers once', async () => {
    await core.handlers.onTask(
      taskOf('t1', { text: 'run: write("out.csv", "1"); wait()', attachments: [attachmentOf('f1', 'a.csv')] }),
    );
    await running('wait()');
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    expect([await stateOf('t1'), platform.replies('t1')]).toEqual(['waiting', []]);
    core = coreWith({ model: createScriptedModel([{ calls: [pythonCall('write("out.csv", "1")')] }]) });
    await core.start();
    await ended('t1');
    expect(replyTo('t1')).toMatchObject({ outcome: 'answered', artifacts: [{ file: { name: 'out.csv' } }] });
    expect((await store.cells(testThreadKey)).map(({ source }) => source)).toEqual(['write("out.csv", "1")']);
    expect(platform.messages.map(({ postId }) => postId)).toEqual([
      't1-progress',
      't1-card-f1',
      't1-reply',
      't1-reply',
    ]);
    expect(await store.files(testThreadKey)).toHaveLength(2);
  });

  it('a task that ends the process each time is given up with one reply, and its cells are forgotten', async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await store.accept(taskOf('t1'));
    for (let attempt = 1; attempt <= 3; attempt += 1) await store.takeNext(testThreadKey);
    await store.addCell(testThreadKey, {
      taskId: 't1',
      index: 0,
      title: '',
      source: 'die()',
      seed: null,
      startedAtMs: 0,
      execution: plainRecord,
    });
    core = coreWith();
    await core.start();
    await ended('t1');
    expect(replyTo('t1')).toMatchObject({ outcome: 'failed', text: expect.stringMatching(/began with this 3 times/) });
    expect(await store.cells(testThreadKey)).toEqual([]);
  });

  it('a container that is lost in the middle of a cell, twice, is replaced for the next one', async () => {
    const model = createScriptedModel([
      { calls: [pythonCall('write("a.csv", "1")'), pythonCall('die()'), pythonCall('print("on")')] },
    ]);
    await core.dispatcher.close({ graceMs: 0 });
    core = coreWith({ model });
    await core.start();
    await ask(taskOf('t1'));
    expect(replyTo('t1')).toMatchObject({ outcome: 'answered', artifacts: [{ file: { name: 'a.csv' } }] });
    expect(sandbox.containers.map(({ ran }) => ran)).toEqual([
      ['write("a.csv", "1")', 'die()'],
      ['write("a.csv", "1")', 'die()'],
      ['write("a.csv", "1")', 'print("on")'],
    ]);
  });

  it('what could not be rebuilt is said, also when it was rebuilt for a file’s card', async () => {
    await ask(taskOf('t1', { text: 'run: count()' }));
    await core.sessions.drop(testThreadKey);
    await ask(taskOf('t2', { text: 'run: print("x")', attachments: [attachmentOf('f1', 'a.csv')] }));
    expect(replyTo('t2')?.notices).toEqual([expect.stringMatching(/printed something else/)]);
  });

  it('a sandbox that is not there is one failed reply in words', async () => {
    sandbox.failure = new AppError('docker-unavailable', 'Docker is not running. Start it, then ask again.');
    await ask(taskOf('t1', { attachments: [attachmentOf('f1', 'a.csv')] }));
    await ask(taskOf('t2', { text: 'run: print("x")' }));
    for (const id of ['t1', 't2']) {
      expect(replyTo(id)).toMatchObject({ outcome: 'failed', text: expect.stringMatching(/Docker is not running/) });
    }
  });

  it('a rate limit while delivering is waited out without running anything again', async () => {
    let limits = 2;
    platform.faults.beforePart = (postId) => {
      if (!postId.endsWith('-reply') || limits === 0) return;
      limits -= 1;
      throw new AppError('platform-rate-limited', 'Wait.', { retryable: true, retryAfterMs: 5 });
    };
    await ask(taskOf('t1', { text: 'run: print("once")' }));
    replyTo('t1');
    expect(sandbox.containers.flatMap(({ ran }) => ran)).toEqual(['print("once")']);
  });

  it('a reply that can never be posted does not hold up the next question', async () => {
    platform.faults.beforePart = (postId) => {
      if (postId.startsWith('t1')) throw new AppError('platform-failed', 'The message was deleted.');
    };
    await ask(taskOf('t1'));
    await ask(taskOf('t2'));
    expect(replyTo('t2')).toMatchObject({ outcome: 'answered' });
  });

  it('a card that cannot be posted becomes a notice of the reply', async () => {
    platform.faults.beforePart = (postId) => {
      if (postId.includes('card')) throw new AppError('platform-rate-limited', 'Wait.', { retryable: true });
    };
    await ask(taskOf('t1', { attachments: [attachmentOf('f1', 'a.csv')] }));
    expect(replyTo('t1')).toMatchObject({
      outcome: 'answered',
      notices: [expect.stringMatching(/1 row looks like totals/)],
    });
  });

  it('progress that cannot be shown costs nothing but itself', async () => {
    platform.faults.edit = () => {
      throw new Error('the edit failed');
    };
    platform.faults.beforePart = (postId) => {
      if (postId.includes('progress')) throw new Error('no progress');
    };
    await ask(taskOf('t1', { text: 'run: print("x")' }));
    expect(replyTo('t1')).toMatchObject({ outcome: 'answered' });
  });

  it('a store that fails before the reply is settled is tried again', async () => {
    let failures = 2;
    const shaky: Store = {
      ...store,
      heldBy: (taken) => ({
        ...store.heldBy(taken),
        settle: (...reply) => {
          failures -= 1;
          return failures < 0 ? store.heldBy(taken).settle(...reply) : Promise.reject(new Error('database is locked'));
        },
      }),
    };
    await core.dispatcher.close({ graceMs: 0 });
    core = coreWith({ store: shaky });
    await core.start();
    await ask(taskOf('t1', { text: 'run: print("x")' }));
    expect(replyTo('t1')).toMatchObject({ outcome: 'answered' });
    expect(failures).toBe(-1);
    expect(await store.cells(testThreadKey)).toHaveLength(1);
  });

  it('show code gives the newest answered task, not the one that runs', async () => {
    await ask(taskOf('t1', { text: 'run: print("first")' }));
    await core.handlers.onTask(taskOf('t2', { text: 'run: print("second"); wait()' }));
    await running('second');
    await core.handlers.onTask(taskOf('t3'));
    expect((await core.handlers.onShowCode(testThread, null)).map(({ source }) => source)).toEqual(['print("first")']);
    expect(await core.handlers.onShowCode(testThread, 't9')).toEqual([]);
    await core.handlers.onCancel(testThread, 'p');
    await ended('t2', 't3');
  });

  it('details: from the store, by the word in any thread and by the button, also in a new process', async () => {
    await ask(taskOf('t1', { text: 'run: print("x")', attachments: [attachmentOf('f1', 'a.csv')] }));
    expect(platform.messages.find(({ postId }) => postId === 't1-card-f1')?.content).toMatchObject({ file: 'a.csv' });
    await core.dispatcher.close({ graceMs: 0 });
    core = coreWith({ store });
    await core.start();
    expect(await core.handlers.onShowDetails(testThread, 'a.csv')).toMatchObject([
      { file: 'a.csv', sections: [{ title: 'File' }, { title: 'What I noticed' }] },
    ]);
    expect(await core.handlers.onShowDetails(testThread, 'b.csv')).toEqual([]);
    await ask(taskOf('t2', { text: 'Show me the details, please' }));
    expect(replyTo('t2')?.text).toMatch(/^`a\.csv`\n\n\*\*File\*\*[^]*\*\*What I noticed\*\*\n- 1 row looks like/);
    await ask(taskOf('t3', { text: 'details of b.csv' }));
    expect(replyTo('t3')?.text).toBe('There is no such file in this thread; it has `a.csv`.');
    // No model was asked: the thread has the turn of its one question.
    expect(await store.turns(testThreadKey)).toHaveLength(1);
  });

  it('details before any file was seen say what to do', async () => {
    await ask(taskOf('t1', { text: 'details' }));
    expect(replyTo('t1')?.text).toMatch(/^No file was looked at in this thread yet/);
  });

  it('long details are a file', async () => {
    await ask(taskOf('t1', { text: 'run: print("x")', attachments: [attachmentOf('f1', 'a.csv')] }));
    const [card] = await store.cards(testThreadKey);
    const warnings = Array.from({ length: 200 }, (_, index) => ({
      code: 'x',
      message: `Finding ${index} in a long list`,
      table: null,
      line: null,
    }));
    await store.putCard(testThreadKey, { ...card!, warnings });
    await ask(taskOf('t2', { text: 'details' }));
    expect(replyTo('t2')).toMatchObject({
      text: 'Everything I noticed about `a.csv` is in `details.md`.',
      artifacts: [{ kind: 'file', file: { name: 'details.md', mimeType: 'text/markdown' } }],
    });
  });

  it('more files than one reply carries: the first 20 and a notice', async () => {
    const writes = Array.from({ length: 23 }, (_, index) => `write("f${index}.csv", "${index}")`).join('; ');
    await ask(taskOf('t1', { text: `run: ${writes}` }));
    expect(replyTo('t1')?.artifacts).toHaveLength(20);
    expect(replyTo('t1')?.notices).toEqual([expect.stringMatching(/^3 more files were made .*`f20.csv`/)]);
  });
});
