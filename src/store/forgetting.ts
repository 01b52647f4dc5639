import type { Kysely, Transaction } from 'kysely';
import type { Store } from '../ports/store.ts';
import type { Task, ThreadKey } from '../types.ts';
import { namedAmong } from './blob-references.ts';
import type { DialectRules } from './dialect-rules.ts';
import { unfinished } from './inbox.ts';
import type { Database } from './schema.ts';
import type { Transact } from './transactions.ts';

type Forgetting = Pick<Store, 'forgetThread' | 'forgetTask'>;

/** Removes what was said and made. Ids of tasks stay, so that an event that comes again has no effect, and what they cost. */
export function createForgetting(db: Kysely<Database>, transact: Transact, rules: DialectRules): Forgetting {
  return {
    forgetThread: async (threadKey) => {
      const unneeded = await transact((transaction) => forgetThreadIn(transaction, threadKey, rules, null));
      await rules.wipe(db);
      return unneeded ?? [];
    },
    forgetTask: async (taskId) => {
      await transact((transaction) => forgetTaskIn(transaction, taskId, rules));
      await rules.wipe(db);
    },
  };
}

/**
 * Resolves to the blobs that nothing names any more. With `restsSinceMs` only a thread at rest is forgotten: where a task is unfinished,
 * or came at that moment or later, it is `null`, and nothing is changed. One that comes while it is forgotten finds its thread empty.
 */
export async function forgetThreadIn(
  transaction: Transaction<Database>,
  threadKey: ThreadKey,
  { locksRows }: DialectRules,
  restsSinceMs: number | null,
): Promise<readonly string[] | null> {
  // The tasks first, as whoever writes for a task does: a reply that is being settled is waited for, or finds its task forgotten.
  const tasks = await transaction
    .selectFrom('tasks')
    .select('id')
    .select((row) =>
      row.or([row('state', 'in', unfinished), row('received_at_ms', '>=', restsSinceMs ?? 0)]).as('goes_on'),
    )
    .where('thread_key', '=', threadKey)
    .orderBy('sequence')
    .$if(locksRows, (rows) => rows.forNoKeyUpdate())
    .execute();
  // 1 in SQLite, true in PostgreSQL.
  if (restsSinceMs !== null && tasks.some(({ goes_on }) => Boolean(goes_on))) return null;
  const references = await transaction
    .selectFrom('blob_references')
    .select('sha256')
    .distinct()
    .where('thread_key', '=', threadKey)
    .execute();
  for (const table of ['cells', 'turns', 'files', 'cards', 'posts', 'forgettings'] as const) {
    await transaction.deleteFrom(table).where('thread_key', '=', threadKey).execute();
  }
  for (const { id } of tasks) await scrub(transaction, id);
  const hashes = references.map(({ sha256 }) => sha256);
  const named = await namedAmong(transaction, hashes);
  return hashes.filter((hash) => !named.has(hash));
}

export async function forgetTaskIn(
  transaction: Transaction<Database>,
  taskId: string,
  { locksRows }: DialectRules,
): Promise<void> {
  await transaction
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', taskId)
    .$if(locksRows, (row) => row.forNoKeyUpdate())
    .execute();
  await transaction.deleteFrom('posts').where('task_id', '=', taskId).execute();
  await transaction.deleteFrom('turns').where('task_id', '=', taskId).execute();
  await scrub(transaction, taskId);
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
