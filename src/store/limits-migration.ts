import { sql } from 'kysely';
import type { ColumnDefinitionBuilder, Kysely } from 'kysely';
import type { Database } from './schema.ts';

const countedInScope = ['kind', 'input_tokens', 'output_tokens', 'sandbox_ms'] as const;

/**
 * What limits are checked against, and all that a task takes. It only adds, with defaults, so that a process of before can go on
 * writing its rows beside a new one.
 */
export async function addLimitsAndUsage(db: Kysely<Database>): Promise<void> {
  const add = (name: string, type: 'text' | 'integer' | 'bigint'): Promise<void> =>
    db.schema
      .alterTable('usage')
      .addColumn(name, type, (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(type === 'text' ? '' : 0))
      .execute();
  for (const name of ['kind', 'person_scope', 'channel_scope', 'workspace_scope', 'outcome', 'currency', 'model']) {
    await add(name, 'text');
  }
  for (const name of ['is_open', 'reasoning_tokens', 'model_turns']) await add(name, 'integer');
  for (const name of ['at_ms', 'bytes_in', 'bytes_out', 'cost_micros']) await add(name, 'bigint');

  // One row for each task from now on; earlier ones may have several.
  await db.schema
    .createIndex('usage_once')
    .on('usage')
    .column('task_id')
    .unique()
    .where(sql<boolean>`kind <> ''`)
    .execute();
  for (const scope of ['person', 'channel', 'workspace'] as const) {
    // Holds all that the sums of a day need: the rows themselves are not read.
    await db.schema
      .createIndex(`usage_of_${scope}`)
      .on('usage')
      .columns([`${scope}_scope`, 'at_ms', ...countedInScope])
      .execute();
    await db.schema
      .createIndex(`usage_open_of_${scope}`)
      .on('usage')
      .column(`${scope}_scope`)
      .where(sql<boolean>`is_open = 1`)
      .execute();
  }
  await db.schema
    .createTable('limit_scopes')
    .addColumn('scope', 'text', (column) => column.primaryKey())
    .addColumn('claims', 'bigint', (column) => column.notNull())
    .execute();
}
