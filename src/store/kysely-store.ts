import type { Kysely } from 'kysely';
import type { Store } from '../ports.ts';
import { createInbox } from './inbox.ts';
import { createOutbox } from './outbox.ts';
import type { Database } from './schema.ts';
import { createThreadRecords } from './thread-records.ts';

/**
 * The store as queries that SQLite and PostgreSQL both run. Owns `db`: disposing the store closes it.
 * Whatever names a task needs that task accepted before.
 */
export function createKyselyStore(db: Kysely<Database>): Store {
  return {
    ...createInbox(db),
    ...createOutbox(db),
    ...createThreadRecords(db),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
