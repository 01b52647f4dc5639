import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import type { Model } from '../../src/ports/model.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Task } from '../../src/types.ts';
import { createCore, taskOf, testThread, testThreadKey, until } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

describe('whose task is answered when', () => {
  const blobs = createMemoryBlobs();
  let store: Store;
  let platform: StrictPlatform;
  const cores: Core[] = [];

  const coreWith = (model: Model): Core => {
    const core = createCore({ store, blobs, client: platform.client, provider: createFakeSandbox(), model });
    cores.push(core);
    return core;
  };
  const replied = (): readonly string[] =>
    platform.messages
      .filter(({ postId }) => postId.endsWith('-reply'))
      .map(({ postId }) => postId.replace('-reply', ''));

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
  });
  afterEach(async () => {
    for (const core of cores.splice(0)) {
      await core.dispatcher.close({ graceMs: 0 });
      await core.sessions[Symbol.asyncDispose]();
    }
    await store[Symbol.asyncDispose]();
  });

  /** A question of somebody in a thread of that name. */
  const asked = (id: string, person: string, thread: string): Task =>
    taskOf(id, { person: { id: person, displayName: person }, thread: { ...testThread, threadId: thread } });

  it.each([
    ['in one thread', () => 'busy'],
    ['in a thread for each', (index: number) => `busy-${index}`],
  ])('a question of another person is answered next behind 200 of one %s, whose order stays', async (_, threadOf) => {
    const core = coreWith(createScriptedModel([]));
    const many = Array.from({ length: 200 }, (__, index) => asked(`busy-${index}`, 'busy', threadOf(index)));
    for (const task of many) await store.accept(task);
    platform.faults.beforePart = async (postId) => {
      // While the sixth answer is posted.
      if (postId === 'busy-5-reply') await core.handlers.onTask(asked('single', 'other', 'single'));
    };
    await core.startWith(1);
    await until('all answers', () => replied().length === 201, 20_000);
    expect(replied().indexOf('single')).toBeLessThanOrEqual(7);
    expect(replied().filter((id) => id !== 'single')).toEqual(many.map(({ id }) => id));
  });

  it('a session goes on with what it served itself, and is rebuilt where another worker served the thread since', async () => {
    const script = (): Model =>
      createScriptedModel([], ({ messages }) => {
        const last = messages.at(-1);
        return last?.role === 'user' ? { calls: [pythonCall(`print("${messages.length}")`)] } : { text: 'Done.' };
      });
    const sandboxes = [createFakeSandbox(), createFakeSandbox()] as const;
    const answer = async (by: 0 | 1, id: string): Promise<void> => {
      const core = createCore({ store, blobs, client: platform.client, provider: sandboxes[by], model: script() });
      const served = workers[by] ?? core;
      workers[by] = served;
      if (served === core) {
        cores.push(core);
        await core.start();
      }
      await served.handlers.onTask(taskOf(id));
      await until(id, async () => (await store.task(id))?.state === 'done');
    };
    const workers: [Core?, Core?] = [];
    await answer(0, 't1');
    await answer(0, 't2');
    expect(sandboxes[0].containers).toHaveLength(1);
    await answer(1, 't3');
    await answer(0, 't4');
    // Rebuilt, with all that was executed anywhere.
    expect(sandboxes[0].containers).toHaveLength(2);
    expect(sandboxes[0].containers[1]?.ran.filter((code) => code.startsWith('print('))).toHaveLength(4);
    await answer(0, 't5');
    expect(sandboxes[0].containers).toHaveLength(2);
  });

  it('a worker that stood still while another answered writes nothing more and posts nothing', async () => {
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const answering = createScriptedModel([
      { calls: [pythonCall('write("late.csv", "1")')] },
      { text: 'The answer of the one that stood still.' },
    ]);
    const standing: Model = {
      ...answering,
      stream: async function* stream(...given) {
        reached.resolve();
        await gate.promise;
        yield* answering.stream(...given);
      },
    };
    const early = coreWith(standing);
    await early.start();
    await early.handlers.onTask(taskOf('t1'));
    await reached.promise;
    const late = coreWith(
      createScriptedModel([{ calls: [pythonCall('write("a.csv", "1")')] }, { text: 'The answer.' }]),
    );
    await late.start();
    await until('the answer', async () => (await store.task('t1'))?.state === 'done');
    const before = [await store.cells(testThreadKey), await store.turns(testThreadKey), await store.posts('t1')];
    gate.resolve();
    await until(
      'the early one to end',
      async () => (await early.dispatcher.depth(AbortSignal.timeout(1000))).running === 0,
    );
    expect([await store.cells(testThreadKey), await store.turns(testThreadKey), await store.posts('t1')]).toEqual(
      before,
    );
    expect(platform.replies('t1').map(({ text }) => text)).toEqual(['The answer.']);
  });
});
