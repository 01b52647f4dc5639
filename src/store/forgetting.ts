import type { Kysely, Transaction } from 'kysely';
import type { Store } from '../ports/store.ts';
import type { Task } from '../types.ts';
import type { Database } from './schema.ts';
import { unfinished } from './inbox.ts';

type Forgetting = Pick<Store, 'forgetThread' | 'forgetTask'>;

/** Removes what was said and made. Ids of tasks stay, so that an event that comes again has no effect, and what they cost. */
export function createForgetting(db: Kysely<Database>): Forgetting {
  return {
    forgetThread: (threadKey) =>
      db.transaction().execute(async (transaction) => {
        const texts = await textsOf(transaction, threadKey);
        for (const table of ['cells', 'turns', 'files', 'cards', 'posts'] as const) {
          await transaction.deleteFrom(table).where('thread_key', '=', threadKey).execute();
        }
        const tasks = await transaction.selectFrom('tasks').select('id').where('thread_key', '=', threadKey).execute();
        for (const { id } of tasks) await scrub(transaction, id);
        const free: string[] = [];
        for (const hash of hashesIn(texts)) if (!(await isNamed(transaction, hash))) free.push(hash);
        return free;
      }),

    forgetTask: (taskId) =>
      db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('posts').where('task_id', '=', taskId).execute();
        await transaction.deleteFrom('turns').where('task_id', '=', taskId).execute();
        await scrub(transaction, taskId);
      }),
  };
}

/** The task without its words, files and person. One that is under way counts as stopped. */
async function scrub(db: Transaction<Database>, taskId: string): Promise<void> {
  const row = await db.selectFrom('tasks').select('task').where('id', '=', taskId).executeTakeFirst();
  if (row === undefined) return;
  const task: Task = {
    ...(JSON.parse(row.task) as Task),
    person: { id: '', displayName: '' },
    text: '',
    attachments: [],
  };
  await db.deleteFrom('feedback').where('task_id', '=', taskId).execute();
  await db
    .updateTable('tasks')
    .set({ task: JSON.stringify(task), person_key: '' })
    .where('id', '=', taskId)
    .execute();
  await db
    .updateTable('tasks')
    .set({ state: 'cancelled' })
    .where('id', '=', taskId)
    .where('state', 'in', unfinished)
    .execute();
}

/** Everything of the thread that may name a blob. */
async function textsOf(db: Transaction<Database>, threadKey: string): Promise<readonly string[]> {
  const files = await db.selectFrom('files').select('file').where('thread_key', '=', threadKey).execute();
  const cells = await db.selectFrom('cells').select('cell').where('thread_key', '=', threadKey).execute();
  const posts = await db.selectFrom('posts').select('body').where('thread_key', '=', threadKey).execute();
  return [...files.map(({ file }) => file), ...cells.map(({ cell }) => cell), ...posts.map(({ body }) => body)];
}

function hashesIn(texts: readonly string[]): ReadonlySet<string> {
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/"sha256":"([0-9a-f]{64})"/g)].map(([, hash = '']) => hash)),
  );
}

async function isNamed(db: Transaction<Database>, hash: string): Promise<boolean> {
  const pattern = `%${hash}%`;
  const found =
    (await db.selectFrom('files').select('thread_key').where('file', 'like', pattern).limit(1).executeTakeFirst()) ??
    (await db.selectFrom('cells').select('thread_key').where('cell', 'like', pattern).limit(1).executeTakeFirst()) ??
    (await db.selectFrom('posts').select('thread_key').where('body', 'like', pattern).limit(1).executeTakeFirst());
  return found !== undefined;
}
