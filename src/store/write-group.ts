import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/**
 * Writes that come at the same time share one transaction, and so one flush to the disk: a flush takes milliseconds, and SQLite
 * has one writer. Each still resolves only once it is on disk.
 */
export interface WriteGroup {
  /** `work` holds one statement that writes: where it fails, it alone is undone, and only its caller hears of it. */
  write<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  /** Resolves when nothing waits to be written. */
  drain(): Promise<void>;
}

/** For a database that has many writers: each write goes by itself. */
export function createNoGroup(db: Kysely<Database>): WriteGroup {
  return { write: (work) => work(db), drain: () => Promise.resolve() };
}

/** So many writes share a transaction at most: nobody waits for more than these. */
const mostTogether = 100;

interface Waiting {
  /** Resolves to what tells the caller, for after the commit. */
  readonly run: (db: Kysely<Database>) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

export function createWriteGroup(db: Kysely<Database>): WriteGroup {
  const waiting: Waiting[] = [];
  let flushing: Promise<void> | null = null;

  const flushAll = async (): Promise<void> => {
    // What is written in the same breath joins; what comes during a flush shares the next one.
    await Promise.resolve();
    while (waiting.length > 0) await flush(waiting.splice(0, mostTogether));
    flushing = null;
  };

  const flush = async (group: readonly Waiting[]): Promise<void> => {
    const answers: (() => void)[] = [];
    const [first] = group;
    // A statement of its own is its own transaction.
    if (group.length === 1 && first !== undefined) return (await first.run(db))();
    try {
      await db.transaction().execute(async (transaction) => {
        for (const { run } of group) answers.push(await run(transaction));
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const answer of answers) answer();
  };

  return {
    write: (work) =>
      new Promise((resolve, reject) => {
        const run = async (transaction: Kysely<Database>): Promise<() => void> => {
          try {
            const result = await work(transaction);
            return () => resolve(result);
          } catch (error) {
            return () => reject(error);
          }
        };
        waiting.push({ run, reject });
        flushing ??= flushAll();
      }),

    drain: async () => {
      const last = flushing;
      if (last !== null) await last;
    },
  };
}
