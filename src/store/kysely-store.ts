import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { InboxEntry, Store } from '../ports/store.ts';
import { createBlobReferences } from './blob-references.ts';
import type { DialectRules } from './dialect-rules.ts';
import { createDrafts } from './drafts.ts';
import { createForgetting } from './forgetting.ts';
import { heldWrites } from './holds.ts';
import { createInbox } from './inbox.ts';
import { createInstallations } from './installations.ts';
import { createOutbox } from './outbox.ts';
import { createPeople } from './people.ts';
import { createRetention } from './retention.ts';
import type { Database } from './schema.ts';
import type { SecretBox } from './secret-box.ts';
import { createThreadRecords } from './thread-records.ts';
import { createTransact } from './transactions.ts';
import type { WriteGroup } from './write-group.ts';
import { createUsageLedger } from './usage-queries.ts';

/**
 * The store as queries that SQLite and PostgreSQL both run. Owns `db`: disposing the store closes it. Without a `box` it keeps no tokens.
 * Whatever names a task needs that task accepted before.
 */
export function createKyselyStore(deps: {
  readonly db: Kysely<Database>;
  readonly rules: DialectRules;
  readonly group: WriteGroup;
  readonly box: SecretBox | null;
}): Store {
  const { db, rules, group, box } = deps;
  const transact = createTransact(db);
  let isClosed = false;
  const storeOf = (hold: InboxEntry | null): Store => ({
    ...createInbox(db, group, heldWrites(db, transact, hold), rules),
    ...createOutbox(db, group, heldWrites(db, transact, hold), rules),
    ...createThreadRecords(db, heldWrites(db, transact, hold), rules),
    heldBy: storeOf,
    ...createPeople(db),
    ...createForgetting(db, transact, rules),
    ...createRetention(db, transact, rules),
    ...createBlobReferences(db),
    ...createDrafts(db, group),
    ...createInstallations(db, box, rules),
    ...createUsageLedger(db, group, transact),
    ping: async () => {
      // Kysely opens a database anew that was closed before its first query.
      if (isClosed) throw new AppError('internal', 'The store is closed.');
      await sql`select 1`.execute(db);
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true;
      await group.drain();
      await db.destroy();
    },
  });
  return storeOf(null);
}
