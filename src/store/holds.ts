import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { InboxEntry } from '../ports/store.ts';
import type { Database } from './schema.ts';
import type { Transact } from './transactions.ts';

/**
 * How a worker writes about the task that it took. Each write happens while the task is its own, and another start waits for its end; it
 * rejects, retryable, where there was another start already: the worker stood still for so long that its thread was given to the next.
 */
export interface HeldWrites {
  readonly transact: Transact;
  /** For a single statement. */
  readonly write: <T>(work: (db: Kysely<Database>) => Promise<T>) => Promise<T>;
}

/** `null`: for whoever needs not have taken a task. */
export function heldWrites(db: Kysely<Database>, transact: Transact, hold: InboxEntry | null): HeldWrites {
  if (hold === null) return { transact, write: (work) => work(db) };
  const held: Transact = (work) =>
    transact(async (transaction) => {
      await lock(transaction, hold);
      return await work(transaction);
    });
  return { transact: held, write: held };
}

/** A write that changes nothing: both dialects lock the row for it, and before any other. */
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
