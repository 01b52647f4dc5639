import type { Kysely } from 'kysely';
import type { Store } from '../ports/store.ts';
import type { JsonValue } from '../types.ts';
import type { Database } from './schema.ts';
import type { WriteGroup } from './write-group.ts';

type Drafts = Pick<Store, 'putDraft' | 'drafts' | 'removeDraft'>;

/** Questions on their way to being tasks. A method is one statement, and so atomic by itself. */
export function createDrafts(db: Kysely<Database>, group: WriteGroup): Drafts {
  return {
    putDraft: async ({ id, platform, body }) => {
      const row = { id, platform, body: JSON.stringify(body) };
      await group.write((shared) =>
        shared
          .insertInto('drafts')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute(),
      );
    },

    drafts: async (platform) => {
      const rows = await db
        .selectFrom('drafts')
        .selectAll()
        .where('platform', '=', platform)
        .orderBy('sequence')
        .execute();
      return rows.map(({ id, body }) => ({ id, platform, body: JSON.parse(body) as JsonValue }));
    },

    removeDraft: async (id) => {
      await group.write((shared) => shared.deleteFrom('drafts').where('id', '=', id).execute());
    },
  };
}
