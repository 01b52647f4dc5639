import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { Store } from '../ports/store.ts';
import type { JsonValue } from '../types.ts';
import type { DialectRules } from './dialect-rules.ts';
import { takeLock } from './locks.ts';
import type { Database } from './schema.ts';
import type { SecretBox } from './secret-box.ts';

type Installations = Pick<Store, 'putInstallation' | 'installation' | 'removeInstallation' | 'withLock'>;

const lockPollMs = 100;

/** Tokens of installed workspaces, sealed; and the lock under which they are renewed. `box` is `null` without a key. */
export function createInstallations(db: Kysely<Database>, box: SecretBox | null, rules: DialectRules): Installations {
  const keyed = (): SecretBox => {
    if (box !== null) return box;
    throw new AppError('config', 'SECRETS_KEY is not set: without it no tokens can be kept.');
  };

  return {
    putInstallation: async (id, secrets) => {
      const sealed = keyed().seal(JSON.stringify(secrets), id);
      await db
        .insertInto('installations')
        .values({ id, sealed })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ sealed }))
        .execute();
    },

    installation: async (id) => {
      const row = await db.selectFrom('installations').select('sealed').where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : (JSON.parse(keyed().open(row.sealed, id)) as JsonValue);
    },

    removeInstallation: async (id) => {
      await db.deleteFrom('installations').where('id', '=', id).execute();
    },

    withLock: async (name, { ttlMs, signal }, work) => {
      const owner = randomUUID();
      while (!(await takeLock(db, rules, { name, owner, ttlMs }))) await delay(lockPollMs, undefined, { signal });
      try {
        return await work();
      } finally {
        await db.deleteFrom('locks').where('name', '=', name).where('owner', '=', owner).execute();
      }
    },
  };
}
