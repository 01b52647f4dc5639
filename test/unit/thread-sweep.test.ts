import { expect, it } from 'vitest';
import { createThreadSweep } from '../../src/conversation/sweep.ts';
import { createLogger } from '../../src/log.ts';
import { createInProcessDispatcher } from '../../src/queue/in-process-dispatcher.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { ThreadKey } from '../../src/types.ts';
import { taskOf, testThread } from '../fakes/core.ts';

const log = createLogger('silent');
const threadOf = (name: string) => ({ ...testThread, threadId: name });
const keyOf = (name: string): ThreadKey => threadKeyOf(threadOf(name));
const somebody = { personId: 'p', isFollowUp: false };

it('wakes what is unfinished and unknown, once, and leaves alone what waits, is finished, or is not served', async () => {
  await using store = await createSqliteStore({ path: ':memory:', log });
  const dispatcher = createInProcessDispatcher({ log });
  for (const name of ['waits', 'lost', 'done', 'elsewhere'])
    await store.accept(taskOf(name, { thread: threadOf(name) }));
  await store.finish('done', 'done');
  await dispatcher.wake(keyOf('waits'), somebody);
  const sweep = createThreadSweep({ store, dispatcher, isServed: (key) => key !== keyOf('elsewhere'), log });
  expect(await Promise.all([sweep(), sweep()])).toEqual([1, 1]);
  expect(await sweep()).toBe(0);
  const runs: string[] = [];
  dispatcher.process(
    async (threadKey) => {
      runs.push(threadKey);
      return null;
    },
    { concurrency: 1 },
  );
  await expect.poll(() => runs).toEqual([keyOf('waits'), keyOf('lost')]);
  await dispatcher.close({ graceMs: 0 });
});

it('goes on at the next time where the queue does not answer', async () => {
  await using store = await createSqliteStore({ path: ':memory:', log });
  await store.accept(taskOf('t1'));
  const woken: string[] = [];
  let isAway = true;
  const lines: string[] = [];
  const sweep = createThreadSweep({
    store,
    dispatcher: {
      unknown: (keys) => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(keys)),
      wake: async (threadKey) => void woken.push(threadKey),
    },
    isServed: () => true,
    log: createLogger('warn', (line) => lines.push(line)),
  });
  expect(await sweep()).toBe(0);
  expect(lines.join('')).toContain('away');
  isAway = false;
  expect(await sweep()).toBe(1);
  expect(woken).toHaveLength(1);
});
