import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { DialectRules } from './dialect-rules.ts';
import type { Database } from './schema.ts';

const oldMs = 24 * 3_600_000;

/** Names that nobody asked for again would stay for ever. */
export async function removeOldLocks(db: Kysely<Database>, rules: DialectRules): Promise<void> {
  await db
    .deleteFrom('locks')
    .where('expires_at_ms', '<', sql<number>`${rules.nowMs()} - ${oldMs}`)
    .execute();
}

/** A lock that is free or whose holder let it run out becomes the owner's. */
export async function takeLock(
  db: Kysely<Database>,
  rules: DialectRules,
  { name, owner, ttlMs }: { readonly name: string; readonly owner: string; readonly ttlMs: number },
): Promise<boolean> {
  const now = rules.nowMs();
  const expires_at_ms = sql<number>`${now} + ${ttlMs}`;
  const taken = await db
    .insertInto('locks')
    .values({ name, owner, expires_at_ms })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ owner, expires_at_ms }).where('locks.expires_at_ms', '<', now),
    )
    .returning('owner')
    .execute();
  return taken.length > 0;
}
