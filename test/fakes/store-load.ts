/**
 * A process of today's version that works with hardly a pause: `node store-load.ts DATA_DIR [DATABASE_URL]`, until its input ends. Each task is
 * accepted, taken, answered with a cell and a post, and finished; then a line says `done`, or why it failed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import { exampleCell, exampleTask, exampleThread } from './store-examples.ts';

const [dataDir = '', databaseUrl = null] = process.argv.slice(2);
const store = await openStore({ dataDir, databaseUrl, secretsKey: null }, createLogger('silent'));
process.stdin.resume();

await Promise.all(Array.from({ length: 4 }, (_, worker) => work(store, worker)));
await store[Symbol.asyncDispose]();

async function work(one: Store, worker: number): Promise<void> {
  const thread = { ...exampleThread, threadId: `${process.pid}-${worker}` };
  const key = threadKeyOf(thread);
  for (let tasks = 0; !process.stdin.readableEnded; tasks += 1) {
    const task = exampleTask(`${key}/${tasks}`, thread);
    try {
      await one.accept(task);
      const entry = await one.takeNext(key);
      if (entry?.task.id !== task.id) throw new Error(`took ${entry?.task.id ?? 'nothing'}`);
      await one.addCell(key, exampleCell(task.id, tasks));
      const post = {
        postId: task.id,
        taskId: task.id,
        threadKey: key,
        kind: 'reply',
        body: { text: 'answer' },
      } as const;
      if ((await one.settle(task, post)) === null) throw new Error('was not settled');
      await one.markSent(task.id);
      await one.finish(task.id, 'done');
      process.stdout.write('done\n');
    } catch (error) {
      process.stdout.write(`${String(error).replaceAll('\n', ' ')}\n`);
    }
    // SQLite has one writer and no queue of those who wait: others must find a gap.
    await sleep(10);
  }
}
