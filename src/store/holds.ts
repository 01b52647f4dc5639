import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { InboxEntry } from '../ports/store.ts';
import type { Database } from './schema.ts';

/** The start of a task whose worker writes; `null`: whoever writes needs none. */
export type Hold = InboxEntry | null;

/**
 * Runs `work` while the task is the holder's: another start of it waits until the transaction ends. Rejects, retryable, where there
 * was another start already: this worker stood still for so long that its thread was given to the next one.
 */
export async function whileHeld<T>(
  db: Kysely<Database>,
  hold: Hold,
  work: (transaction: Kysely<Database>) => Promise<T>,
): Promise<T> {
  return await db.transaction().execute(async (transaction) => {
    if (hold !== null) await lock(transaction, hold);
    return await work(transaction);
  });
}

/** As above for a single statement, which without a holder needs no transaction. */
export async function writeHeld<T>(
  db: Kysely<Database>,
  hold: Hold,
  work: (transaction: Kysely<Database>) => Promise<T>,
): Promise<T> {
  return hold === null ? await work(db) : await whileHeld(db, hold, work);
}

/** A write that changes nothing: both dialects lock the row for it, and only one of them knows `for update`. */
async function lock(transaction: Kysely<Database>, { task, fence }: InboxEntry): Promise<void> {
  const held = await transaction
    .updateTable('tasks')
    .set({ fence })
    .where('id', '=', task.id)
    .where('fence', '=', fence)
    .returning('id')
    .executeTakeFirst();
  if (held !== undefined) return;
  throw new AppError('internal', 'I was interrupted and will go on in a moment.', {
    retryable: true,
    detail: `start ${fence} of task ${task.id} is not its last one: another worker has it`,
  });
}
