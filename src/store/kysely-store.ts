import type { Kysely } from 'kysely';
import type { Store } from '../ports/store.ts';
import { createBlobReferences } from './blob-references.ts';
import type { DialectRules } from './dialect-rules.ts';
import { createForgetting } from './forgetting.ts';
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
  return {
    ...createInbox(db, group, transact, rules),
    ...createOutbox(db, group, transact, rules),
    ...createThreadRecords(db, transact, rules),
    ...createPeople(db),
    ...createForgetting(db, transact, rules),
    ...createRetention(db, transact, rules),
    ...createBlobReferences(db),
    ...createInstallations(db, box, rules),
    [Symbol.asyncDispose]: async () => {
      await group.drain();
      await db.destroy();
    },
  };
}
