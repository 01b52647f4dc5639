import { array, assert, asyncProperty, integer, nat } from 'fast-check';
import { expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import type { Model } from '../../src/ports/model.ts';
import type { PlatformClient } from '../../src/ports/platforms.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Limit } from '../../src/ports/usage.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Task } from '../../src/types.ts';
import { attachmentOf, createCore, taskOf, testThread, testThreadKey } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createLife, createMortalSandbox, mortal } from '../fakes/mortal.ts';
import type { Life } from '../fakes/mortal.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';

/** Two cells and an answer for every question. */
const model = (): Model =>
  createScriptedModel([], ({ messages }) => {
    const cells = messages.length - 1 - messages.findLastIndex(({ role }) => role === 'user');
    if (cells === 0) return { calls: [pythonCall('write("out.csv", "1")\nchart("Revenue")')] };
    return cells === 2 ? { calls: [pythonCall('print("two")')] } : { text: 'The answer.' };
  });

const questions: readonly Task[] = [
  taskOf('t1', { attachments: [attachmentOf('f1', 'a.csv'), attachmentOf('f2', 'a.csv')] }),
  taskOf('t2'),
];

interface World {
  readonly platform: ReturnType<typeof createStrictPlatform>;
  readonly store: Awaited<ReturnType<typeof createSqliteStore>>;
  readonly blobs: Blobs;
  readonly limits: readonly Limit[];
}

/** Processes one after the other over the same world: each but the last ends at its step. `stopAtMs`: the person stops it all. */
async function runLives(world: World, endings: readonly number[], stopAfterTurns: number | null): Promise<void> {
  for (const endsAtStep of [...endings, null]) {
    const life = createLife(endsAtStep);
    const core = startCore(world, life);
    // The platform hands over again what was not acknowledged, and what was; one that comes as the world ends is refused.
    for (const task of questions) core.handlers.onTask(task).catch(() => undefined);
    void core.start();
    for (let turn = 0; !life.ended && !(await isAnswered(world)); turn += 1) {
      if (turn === stopAfterTurns) void core.handlers.onCancel(testThread, 'p');
      await new Promise((resolve) => setTimeout(resolve, turn < 20 ? 0 : 2));
      if (turn > 2000) throw new Error('the questions do not come to their end');
    }
    // The last one ends in order; the ones before it are gone with whatever they were doing.
    if (endsAtStep === null) await core.dispatcher.close({ graceMs: 1000 });
    // What it had begun to write is written, or never will be, before the next one looks.
    else await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function startCore({ platform, store, blobs, limits }: World, life: Life): Core {
  const provider = createMortalSandbox(life);
  const client: PlatformClient = {
    ...mortal(platform.client, life),
    post: async (thread, message, context) => {
      await life.step();
      const posted = mortal({ onPosted: context.onPosted }, life);
      return platform.client.post(thread, message, { ...context, onPosted: (part) => posted.onPosted(part) });
    },
    limits: platform.client.limits,
    download: (attachment, options) => platform.client.download(attachment, options),
    edit: mortal(platform.client, life).edit,
  };
  // The locks of a process that ended run out after a while, which would have to be waited for here.
  const withLock = createLocks(life);
  const mortalStore: Store = {
    ...mortal(store, life),
    withLock,
    heldBy: (entry) => ({ ...mortal(store.heldBy(entry), life), withLock }),
  };
  return createCore({ store: mortalStore, blobs: mortal(blobs, life), client, provider, model: model(), limits });
}

function createLocks(life: Life): Store['withLock'] {
  const held = new Map<string, Promise<unknown>>();
  return async (name, _options, work) => {
    await life.step();
    const mine = (held.get(name) ?? Promise.resolve()).then(work, work);
    held.set(name, mine);
    return await mine;
  };
}

async function isAnswered({ store }: World): Promise<boolean> {
  const states = (await store.tasks(testThreadKey)).map(({ state }) => state);
  return states.length > 0 && states.every((state) => state === 'done' || state === 'cancelled');
}

async function withWorld(check: (world: World) => Promise<void>, limits: readonly Limit[] = []): Promise<void> {
  await using store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
  await check({ store, platform: createStrictPlatform(), blobs: createMemoryBlobs(), limits });
}

/** What holds after any number of crashes: each accepted question has its one reply, and nothing is there twice. */
async function expectWhole({ store, platform }: World): Promise<void> {
  const entries = await store.tasks(testThreadKey);
  for (const { task } of entries) {
    expect(platform.replies(task.id), task.id).toHaveLength(1);
    const outcome = platform.replies(task.id)[0]?.outcome;
    const cells = (await store.cells(testThreadKey)).filter(({ taskId }) => taskId === task.id);
    const possible = outcome === 'answered' ? [2] : [0, 1, 2];
    expect(possible).toContain(cells.length);
  }
  const posts = platform.messages.map(({ postId, partId }) => `${postId} ${partId}`);
  expect(posts.toSorted()).toEqual([...new Set(posts)].toSorted());
  const indexes = (await store.cells(testThreadKey)).map(({ index }) => index);
  expect(indexes).toEqual(indexes.map((_, position) => position));
  const names = (await store.files(testThreadKey)).map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(names.length).toBeLessThanOrEqual(3);
  const turns = (await store.turns(testThreadKey)).map(({ taskId }) => taskId);
  expect(turns).toEqual([...new Set(turns)]);
}

/** Steps of a life in which both questions are answered, and some more. */
const step = integer({ min: 1, max: 220 });

it('every accepted question ends in exactly one reply, wherever the processes end', async () => {
  await assert(
    asyncProperty(array(step, { maxLength: 4 }), (endings) =>
      withWorld(async (world) => {
        await runLives(world, endings, null);
        await expectWhole(world);
      }),
    ),
    { numRuns: 60 },
  );
}, 120_000);

it('so it does when the person stops it at any time', async () => {
  await assert(
    asyncProperty(array(step, { maxLength: 2 }), nat(15), (endings, stopAfterTurns) =>
      withWorld(async (world) => {
        await runLives(world, endings, stopAfterTurns);
        await expectWhole(world);
      }),
    ),
    { numRuns: 40 },
  );
}, 120_000);

it('a life without an end answers both questions with all they made', () =>
  withWorld(async (world) => {
    await runLives(world, [], null);
    await expectWhole(world);
    expect(questions.map(({ id }) => world.platform.replies(id)[0])).toMatchObject([
      { outcome: 'answered', artifacts: [{ kind: 'chart' }, { file: { name: 'out.csv' } }] },
      { outcome: 'answered' },
    ]);
  }));

it('with a limit, each ends in its one reply or its one refusal, and no more were answered than there was room for', async () => {
  const limits: Limit[] = [{ scope: 'person', kind: 'tasks-per-day', value: 1 }];
  await assert(
    asyncProperty(array(integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }), (endings) =>
      withWorld(async (world) => {
        await runLives(world, endings, null);
        const ends = questions.map(({ id }) =>
          world.platform.messages.flatMap(({ postId, partId, content }) =>
            postId === `${id}-reply` && partId === 'text-1' ? [content.kind] : [],
          ),
        );
        expect(ends.map((kinds) => kinds.join()).toSorted((a, b) => a.localeCompare(b))).toEqual(['refusal', 'reply']);
        expect(await world.store.usageBy('workspace', 0)).toMatchObject([{ tasks: 2, refused: 1 }]);
      }, limits),
    ),
    { numRuns: 60 },
  );
}, 120_000);
