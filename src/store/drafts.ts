import type { Kysely } from 'kysely';
import type { Store } from '../ports/store.ts';
import type { JsonValue } from '../types.ts';
import type { Database } from './schema.ts';

type Drafts = Pick<Store, 'putDraft' | 'drafts' | 'removeDraft'>;

/** Questions on their way to being tasks. A method is one statement, and so atomic by itself. */
export function createDrafts(db: Kysely<Database>): Drafts {
  return {
    putDraft: async ({ id, platform, body }) => {
      await db
        .insertInto('drafts')
        .values({ id, platform, body: JSON.stringify(body) })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
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
      await db.deleteFrom('drafts').where('id', '=', id).execute();
    },
  };
}
