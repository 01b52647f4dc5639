import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { ColumnRule } from './dialect-rules.ts';
import type { Database } from './schema.ts';

/** The migration that made them. */
export async function createRetentionTables(db: Kysely<Database>, numbered: ColumnRule): Promise<void> {
  const required: ColumnRule = (column) => column.notNull();
  await db.schema
    .createTable('post_removals')
    .addColumn('id', 'integer', numbered)
    .addColumn('thread', 'text', required)
    .addColumn('message_ids', 'text', required)
    .addColumn('noted_at_ms', 'bigint', required)
    .execute();
  await db.schema
    .createTable('forgettings')
    .addColumn('thread_key', 'text', (column) => column.primaryKey())
    .addColumn('noted_at_ms', 'bigint', required)
    .execute();
  await db.schema
    .createIndex('tasks_by_age')
    .on('tasks')
    .column('received_at_ms')
    .where(sql<boolean>`person_key <> ''`)
    .execute();
}
