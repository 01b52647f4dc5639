import type { Kysely } from 'kysely';
import type { Store } from '../ports/store.ts';
import { createForgetting } from './forgetting.ts';
import type { Hold } from './holds.ts';
import { createInbox } from './inbox.ts';
import { createInstallations } from './installations.ts';
import { createOutbox } from './outbox.ts';
import { createPeople } from './people.ts';
import type { Database } from './schema.ts';
import { createWriteGroup } from './write-group.ts';
import type { SecretBox } from './secret-box.ts';
import { createThreadRecords } from './thread-records.ts';

/**
 * The store as queries that SQLite and PostgreSQL both run. Owns `db`: disposing the store closes it. Without a `box` it keeps no tokens.
 * Whatever names a task needs that task accepted before.
 */
export function createKyselyStore(db: Kysely<Database>, box: SecretBox | null): Store {
  const group = createWriteGroup(db);
  const storeOf = (hold: Hold): Store => ({
    ...createInbox(db, group, hold),
    ...createOutbox(db, group, hold),
    ...createThreadRecords(db, hold),
    ...createPeople(db),
    ...createForgetting(db),
    ...createInstallations(db, box),
    heldBy: storeOf,
    [Symbol.asyncDispose]: async () => {
      await group.drain();
      await db.destroy();
    },
  });
  return storeOf(null);
}
