import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Model } from '../../src/ports/model.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Limit, UsageSum } from '../../src/ports/usage.ts';
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

const dayMs = 86_400_000;
const noon = Date.UTC(2026, 10, 28, 12);

/** Runs the code behind `run:` and then answers; behind `again:` it runs the code over and over. */
const codeModel = () =>
  createScriptedModel([], ({ messages, toolChoice }) => {
    const last = messages.at(-1);
    const question = messages.findLast(({ role }) => role === 'user');
    const [, how, code] = /(run|again): (.*)$/m.exec(question?.role === 'user' ? question.text : '') ?? [];
    if (toolChoice === 'none') return { text: 'So far.' };
    return code !== undefined && (how === 'again' || last?.role === 'user')
      ? { calls: [pythonCall(code.replaceAll('; ', '\n'))] }
      : { text: 'The answer.' };
  });

describe('limits, from a message to its reply', () => {
  let store: Store;
  let platform: StrictPlatform;
  let sandbox: FakeSandbox;
  let blobs: ReturnType<typeof createMemoryBlobs>;
  let model: ReturnType<typeof codeModel>;
  const cores: Core[] = [];
  let nowMs = noon;

  const started = async (
    limits: readonly Limit[],
    given: Partial<Parameters<typeof createCore>[0]> = {},
  ): Promise<Core> => {
    const core = createCore({
      store,
      blobs,
      client: platform.client,
      provider: sandbox,
      model,
      limits,
      now: () => nowMs,
      ...given,
    });
    cores.push(core);
    await core.start();
    return core;
  };
  const stop = async (core: Core): Promise<void> => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
  };
  const ended = (...ids: readonly string[]): Promise<void> =>
    until(`the end of ${ids.join()}`, async () => {
      const states = await Promise.all(ids.map(async (id) => (await store.task(id))?.state));
      return states.every((state) => state === 'done' || state === 'cancelled');
    });
  const ask = async (core: Core, id: string, given: Partial<Task> = {}): Promise<void> => {
    await core.handlers.onTask(taskOf(id, { receivedAtMs: nowMs, ...given }));
    await ended(id);
  };
  const inThread = (threadId: string): Partial<Task> => ({ thread: { ...testThread, threadId } });
  /** The texts that nobody else sees. */
  const refusals = (id: string): readonly string[] =>
    platform.messages.flatMap(({ postId, content }) =>
      postId === `${id}-reply` && content.kind === 'refusal' ? [content.text] : [],
    );
  const running = (code: string): Promise<void> =>
    until(`${code} to run`, () => sandbox.containers.some(({ ran }) => ran.at(-1)?.includes(code) === true));
  const usage = async (): Promise<UsageSum | undefined> => (await store.usageBy('workspace', 0))[0];

  beforeEach(async () => {
    nowMs = noon;
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
    sandbox = createFakeSandbox();
    blobs = createMemoryBlobs();
    model = codeModel();
  });
  afterEach(async () => {
    for (const core of cores.splice(0)) await stop(core);
    await store[Symbol.asyncDispose]();
  });

  it('of 20 questions at once three are answered; the others are refused before they cost anything, each once', async () => {
    const core = await started([{ scope: 'person', kind: 'tasks-at-once', value: 3 }]);
    const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const waiting = { text: 'run: wait()' };
    await Promise.all(ids.map((id) => core.handlers.onTask(taskOf(id, { ...waiting, ...inThread(id) }))));
    await until('17 refusals', () => ids.filter((id) => refusals(id).length > 0).length === 17);
    const refused = ids.filter((id) => refusals(id).length > 0);
    for (const id of refused) {
      expect(refusals(id)).toEqual([
        '3 of your questions are still being answered (the most at once is 3); ask again when one is done, or stop one.',
      ]);
    }
    await ended(...refused);
    expect(sandbox.containers.length).toBeLessThanOrEqual(3);
    // Another person has places of their own.
    await ask(core, 'other', { ...inThread('other'), person: { id: 'q', displayName: 'Bob' } });
    expect(platform.replies('other')).toMatchObject([{ outcome: 'answered' }]);

    const [first = ''] = ids.filter((id) => !refused.includes(id));
    await core.handlers.onCancel({ ...testThread, threadId: first }, 'p');
    await ended(first);
    await ask(core, 'next', inThread('next'));
    expect(platform.replies('next')).toMatchObject([{ outcome: 'answered' }]);
    expect(platform.messages.filter(({ postId }) => postId.endsWith('-progress')).length).toBeLessThanOrEqual(5);
  });

  it('a refusal does not wait for what runs in its thread', async () => {
    const core = await started([{ scope: 'channel', kind: 'tasks-at-once', value: 1 }]);
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await running('wait');
    await ask(core, 't2');
    expect(refusals('t2')).toEqual([
      '1 question in this channel is still being answered (the most at once is 1 here); ask again when one is done.',
    ]);
    expect(platform.replies('t1')).toEqual([]);
    await core.handlers.onCancel(testThread, 'p');
    await ended('t1');
    expect((await store.tasks(testThreadKey)).map(({ state }) => state)).toEqual(['cancelled', 'done']);
    expect(refusals('t2')).toHaveLength(1);
  });

  it('a refusal that comes when a worker has the question already is not said: the worker asks again', async () => {
    const real = store;
    const taken = Promise.withResolvers<void>();
    // The gateway hears that there is no room; what is read for the task is read after the worker took it.
    const claim: Store['claim'] = async (task, given) => {
      const reached = await real.claim(task, given);
      if (reached.length > 0) await taken.promise;
      return reached;
    };
    const limits: Limit[] = [{ scope: 'person', kind: 'tasks-at-once', value: 1 }];
    const gateway = createCore({
      store: { ...real, claim },
      blobs,
      client: platform.client,
      provider: sandbox,
      model,
      limits,
    });
    const core = await started(limits);
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await running('wait');
    await gateway.handlers.onTask(taskOf('t2', { text: 'run: print("second"); wait()' }));
    await until('the claim', async () => (await usage())?.tasks === 2);
    await core.handlers.onCancel(testThread, 'p', { taskId: 't1' });
    await running('second');
    taken.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(refusals('t2')).toEqual([]);
    expect(await store.posts('t2')).not.toContainEqual(expect.objectContaining({ kind: 'reply' }));
    await core.handlers.onCancel(testThread, 'p');
    await ended('t2');
    expect(platform.replies('t2')).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('says when the next question is possible, and keeps its word to the minute', async () => {
    const core = await started([{ scope: 'person', kind: 'tasks-per-day', value: 2 }]);
    await ask(core, 't1');
    nowMs += 21 * 3_600_000 + 50 * 60_000;
    await ask(core, 't2');
    await ask(core, 't3');
    expect(refusals('t3')).toEqual([
      'You have asked 2 of 2 questions in the last 24 hours. The next one is possible in 2 h 10 min (at 12:00 UTC).',
    ]);
    expect(model.requests).toHaveLength(2);
    nowMs += 130 * 60_000 - 1;
    await ask(core, 't4');
    expect(refusals('t4')).toEqual([expect.stringContaining('possible in 1 min (at 12:00 UTC)')]);
    nowMs += 1;
    await ask(core, 't5');
    expect(platform.replies('t5')).toMatchObject([{ outcome: 'answered' }]);
    const overview = await core.handlers.onOverview({ platform: 'test', workspaceId: 'w', personId: 'p' });
    expect(overview.limits).toEqual([
      {
        scope: 'person',
        kind: 'tasks-per-day',
        value: 2,
        used: 2,
        freesAtMs: noon + dayMs + 21 * 3_600_000 + 50 * 60_000,
      },
    ]);
  });

  it('tokens that are used up on the way end the question with what it has; the next one is refused', async () => {
    const core = await started([{ scope: 'workspace', kind: 'tokens-per-day', value: 40 }]);
    await ask(core, 't1', { text: 'again: print("1")' });
    // 15 tokens for each turn: three, and the one for the answer.
    expect(platform.replies('t1')).toMatchObject([
      {
        outcome: 'partial',
        text:
          'So far.\n\nI stopped here. This workspace has used 45 of 40 tokens of the language model in the last 24 hours. ' +
          'More is possible in 24 h (at 12:00 UTC).',
        code: [{}, {}, {}],
      },
    ]);
    expect(model.requests.at(-1)?.instructions).toContain('This workspace has used 45 of 40 tokens');
    await ask(core, 't2', { person: { id: 'q', displayName: 'Bob' } });
    expect(refusals('t2')).toEqual([expect.stringContaining('This workspace has used 60 of 40 tokens')]);
  });

  it('so do seconds of Python, of looking at files too', async () => {
    const core = await started([{ scope: 'person', kind: 'sandbox-ms-per-day', value: 25 }]);
    const attachments = [attachmentOf('f1', 'a.csv')];
    await ask(core, 't1', { text: 'again: print("1")', attachments });
    expect(platform.replies('t1')).toMatchObject([{ outcome: 'partial', code: [{}, {}] }]);
    expect(platform.replies('t1')[0]?.text).toContain('You have used 0 of 0 seconds of computing');
    expect(await usage()).toMatchObject({ sandboxMs: 30, bytesIn: 'bytes of f1'.length, modelTurns: 3 });
    await ask(core, 't2', { text: 'notebook' });
    expect(refusals('t2')).toHaveLength(1);
    await ask(core, 't3', { text: 'details' });
    expect(platform.replies('t3')).toMatchObject([{ outcome: 'answered' }]);
  });

  it('an edited question counts once, a re-run again, details and a notebook not at all', async () => {
    const limits: Limit[] = [{ scope: 'person', kind: 'tasks-per-day', value: 10 }];
    const core = await started(limits);
    const used = async () =>
      (await store.limitUses({ platform: 'test', workspaceId: 'w', personId: 'p', channelId: null }, limits, nowMs))[0]
        ?.used;
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await running('wait');
    expect(await core.handlers.onEdit(taskOf('t1', { text: 'run: print("2")' }))).toBe('restarted');
    await ended('t1');
    expect(await used()).toBe(1);
    const person = { id: 'p', displayName: 'Ada' };
    await core.handlers.onRerun('t1', { id: 't1-again', person, text: null });
    await ended('t1-again');
    expect(await used()).toBe(2);
    for (const text of ['details', 'notebook']) await ask(core, text, { text });
    expect(await used()).toBe(2);
    // One that asked for details, and is edited into a question before its turn comes.
    await core.handlers.onTask(taskOf('t2', { text: 'run: wait()' }));
    await core.handlers.onTask(taskOf('t3', { text: 'details' }));
    expect(await core.handlers.onEdit(taskOf('t3', { text: 'and the mean?' }))).toBe('restarted');
    await core.handlers.onCancel(testThread, 'p', { taskId: 't2' });
    await ended('t2', 't3');
    expect(await used()).toBe(4);
  });

  it('one that was stopped before it began was not asked', async () => {
    const limits: Limit[] = [{ scope: 'person', kind: 'tasks-per-day', value: 2 }];
    const core = await started(limits);
    await core.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
    await core.handlers.onTask(taskOf('t2'));
    await running('wait');
    await core.handlers.onCancel(testThread, 'p');
    await ended('t1', 't2');
    await ask(core, 't3');
    expect(platform.replies('t3')).toMatchObject([{ outcome: 'answered' }]);
    await ask(core, 't4');
    expect(refusals('t4')).toHaveLength(1);
  });

  it('who may not ask here takes no place', async () => {
    const core = await started([{ scope: 'channel', kind: 'tasks-per-day', value: 1 }]);
    platform.faults.admit = () => Promise.resolve({ kind: 'refused', text: 'Guests cannot ask me here.' });
    await ask(core, 't1');
    expect(refusals('t1')).toEqual(['Guests cannot ask me here.']);
    platform.faults.admit = (task) => Promise.resolve({ kind: 'admitted', task });
    await ask(core, 't2');
    expect(platform.replies('t2')).toMatchObject([{ outcome: 'answered' }]);
  });

  it.each(['before it was posted', 'after it was posted and before that was noted'])(
    'a refusal whose process ended %s is posted once',
    async (when) => {
      const limits: Limit[] = [{ scope: 'person', kind: 'tasks-per-day', value: 1 }];
      const real = store;
      const first = await started(limits);
      await ask(first, 't1');
      if (when.startsWith('before')) platform.faults.beforePart = () => new Promise(() => {});
      else store = { ...store, addPostedPart: () => new Promise(() => {}) };
      const dying = createCore({
        store,
        blobs,
        client: platform.client,
        provider: sandbox,
        model,
        limits,
        now: () => nowMs,
      });
      await dying.handlers.onTask(taskOf('t2'));
      await until('the refusal to be settled', async () => (await store.posts('t2')).length === 1);
      if (when.startsWith('after')) await until('the post', () => refusals('t2').length === 1);
      platform.faults.beforePart = () => {};
      // Its lock runs out with it.
      const withLock: Store['withLock'] = (_name, _options, work) => work();
      store = { ...real, withLock, heldBy: (entry) => ({ ...real.heldBy(entry), withLock }) };
      const second = await started(limits);
      void second;
      await ended('t2');
      expect(refusals('t2')).toEqual([expect.stringContaining('You have asked 1 of 1 questions')]);
    },
  );

  describe('usage', () => {
    const prices = { currency: 'EUR', inputPerMillion: 2, cachedInputPerMillion: 0.5, outputPerMillion: 10 };

    it('every end has a row: answered, failed, stopped, refused', async () => {
      const core = await started([{ scope: 'person', kind: 'tasks-per-day', value: 3 }]);
      await ask(core, 'answered', { text: 'run: write("out.csv", "12345")' });
      sandbox.failure = new AppError('docker-unavailable', 'Docker is down.');
      await ask(core, 'failed', { ...inThread('other'), text: 'run: 1' });
      sandbox.failure = null;
      await core.handlers.onTask(taskOf('stopped', { text: 'run: wait()' }));
      await running('wait');
      await core.handlers.onCancel(testThread, 'p');
      await ended('stopped');
      await ask(core, 'refused');
      expect(await usage()).toMatchObject({
        tasks: 4,
        refused: 1,
        failed: 1,
        bytesOut: 5,
        modelTurns: 4,
        inputTokens: 40,
      });
    });

    it('an attempt that was killed has cost what it cost', async () => {
      const first = await started([]);
      await first.handlers.onTask(taskOf('t1', { text: 'run: wait()' }));
      await running('wait');
      // As after kill -9: nothing is written any more.
      expect(await usage()).toMatchObject({ tasks: 1, modelTurns: 1, inputTokens: 10, outputTokens: 5 });
      await stop(first);
      const second = await started([], { model: createScriptedModel([{ text: 'Done.' }]) });
      void second;
      await ended('t1');
      expect(await usage()).toMatchObject({ tasks: 1, modelTurns: 2, inputTokens: 20, outputTokens: 10 });
    });

    it('keeps what it cost at the prices of then', async () => {
      const answers = (): Model =>
        createScriptedModel([
          {
            text: 'Done.',
            usage: { inputTokens: 1000, cachedInputTokens: 400, outputTokens: 100, reasoningTokens: 60 },
          },
        ]);
      const dear = await started([], { prices, model: answers() });
      await ask(dear, 't1', { receivedAtMs: Date.now() });
      await stop(dear);
      const cheap = await started([], {
        prices: { ...prices, inputPerMillion: 0, outputPerMillion: 0 },
        model: answers(),
      });
      await ask(cheap, 't2', { receivedAtMs: Date.now() });
      const overview = await cheap.handlers.onOverview({ platform: 'test', workspaceId: 'w', personId: 'p' });
      // 600 × 2 + 400 × 0.5 + 100 × 10 millionths, and 400 × 0.5.
      expect(overview.usage.money).toEqual([{ currency: 'EUR', micros: 2400 + 200 }]);
      expect(await usage()).toMatchObject({ reasoningTokens: 120, cachedInputTokens: 800 });
      expect((await store.usageBy('model', 0)).map(({ group }) => group)).toEqual(['scripted']);
    });
  });
});
