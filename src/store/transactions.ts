import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';

/** Runs `work` as one transaction. What it reads and then changes, it locks first where `DialectRules.locksRows`. */
export type Transact = <T>(work: (transaction: Transaction<Database>) => Promise<T>) => Promise<T>;

const attempts = 5;

/** PostgreSQL ends one of several transactions that wait for each other, and undoes it: it may then be repeated as if it never was. */
export function createTransact(db: Kysely<Database>): Transact {
  return (work) => repeated(() => db.transaction().execute(work));
}

/** Repeats what the database undid whole to let others pass. Without a pause: the others hold what they waited for by then. */
export async function repeated<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === attempts || !wasUndoneForOthers(error)) throw error;
    }
  }
}

/** SQLSTATE 40P01 (deadlock) and 40001 (could not be serialised). */
function wasUndoneForOthers(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && (error.code === '40P01' || error.code === '40001')) return true;
  return wasUndoneForOthers(error.cause);
}
