import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { createReferenceTable } from './blob-references.ts';
import type { ColumnRule, DialectRules } from './dialect-rules.ts';
import { asCellWithItsEnd, asRepeatableCell } from './old-cells.ts';
import type { Task } from '../types.ts';
import { addLimitsAndUsage } from './limits-migration.ts';
import { ownersOf } from './owners.ts';
import { createRetentionTables } from './retention-tables.ts';
import type { Database } from './schema.ts';

/**
 * Forward only: a migration that has been released is never edited, a new one is added under the next name. Names sort in
 * the order in which they run.
 *
 * Processes of the version before go on while a new one migrates, so a migration only adds: tables, indexes, triggers, columns that
 * are nullable or have a default. It renames, drops and narrows nothing, and changes no meaning, that the version before still uses
 * (the one after may). It is one transaction in which others wait, so it is short: what has to be filled in from many rows is filled in
 * afterwards, a few at a time (`fillReferenceTable` is the example).
 */
export function createMigrations(rules: DialectRules): Readonly<Record<string, Migration>> {
  const sequence: ColumnRule = (column) => rules.numbered(column.primaryKey());
  const required: ColumnRule = (column) => column.notNull();
  const ofTask: ColumnRule = (column) => column.notNull().references('tasks.id').onDelete('cascade');

  return {
    '001-first-tables': {
      up: async (db: Kysely<Database>) => {
        await db.schema
          .createTable('tasks')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('id', 'text', (column) => column.notNull().unique())
          .addColumn('thread_key', 'text', required)
          .addColumn('state', 'text', required)
          .addColumn('attempts', 'integer', required)
          .addColumn('task', 'text', required)
          .execute();
        await db.schema.createIndex('tasks_of_thread').on('tasks').columns(['thread_key', 'sequence']).execute();
        await db.schema.createIndex('tasks_by_state').on('tasks').columns(['state', 'sequence']).execute();

        await db.schema
          .createTable('posts')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('post_id', 'text', (column) => column.notNull().unique())
          .addColumn('task_id', 'text', ofTask)
          .addColumn('thread_key', 'text', required)
          .addColumn('kind', 'text', required)
          .addColumn('body', 'text', required)
          .addColumn('sent', 'integer', required)
          .execute();
        await db.schema.createIndex('posts_of_task').on('posts').columns(['task_id', 'sequence']).execute();
        await db.schema
          .createTable('post_parts')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('post_id', 'text', (column) => column.notNull().references('posts.post_id').onDelete('cascade'))
          .addColumn('part_id', 'text', required)
          .addColumn('message_id', 'text', required)
          .addUniqueConstraint('post_parts_once', ['post_id', 'part_id'])
          .execute();

        await db.schema
          .createTable('cells')
          .addColumn('thread_key', 'text', required)
          .addColumn('position', 'integer', required)
          .addColumn('task_id', 'text', ofTask)
          .addColumn('cell', 'text', required)
          .addPrimaryKeyConstraint('cells_in_order', ['thread_key', 'position'])
          .execute();

        await db.schema
          .createTable('turns')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('thread_key', 'text', required)
          .addColumn('task_id', 'text', ofTask)
          .addColumn('messages', 'text', required)
          .addUniqueConstraint('turns_once', ['thread_key', 'task_id'])
          .execute();

        await db.schema
          .createTable('files')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('thread_key', 'text', required)
          .addColumn('name', 'text', required)
          .addColumn('file', 'text', required)
          .addUniqueConstraint('files_once', ['thread_key', 'name'])
          .execute();

        await db.schema
          .createTable('usage')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('task_id', 'text', ofTask)
          .addColumn('input_tokens', 'integer', required)
          .addColumn('cached_input_tokens', 'integer', required)
          .addColumn('output_tokens', 'integer', required)
          .addColumn('sandbox_ms', 'double precision', required)
          .execute();
      },
    },

    '002-repeatable-cells': {
      up: (db: Kysely<Database>) => changeCells(db, asRepeatableCell),
    },

    '003-ends-of-cells': {
      up: (db: Kysely<Database>) => changeCells(db, asCellWithItsEnd),
    },

    '004-file-cards': {
      up: (db: Kysely<Database>) =>
        db.schema
          .createTable('cards')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('thread_key', 'text', required)
          .addColumn('name', 'text', required)
          .addColumn('card', 'text', required)
          .addUniqueConstraint('cards_once', ['thread_key', 'name'])
          .execute(),
    },

    '005-people-and-installations': {
      up: async (db: Kysely<Database>) => {
        const words: ColumnRule = (column) => column.notNull().defaultTo('');
        await db.schema.alterTable('tasks').addColumn('workspace_key', 'text', words).execute();
        await db.schema.alterTable('tasks').addColumn('person_key', 'text', words).execute();
        await db.schema
          .alterTable('tasks')
          // 53 bits in both dialects: milliseconds since 1970 do not fit PostgreSQL's integer.
          .addColumn('received_at_ms', 'bigint', (column) => column.notNull().defaultTo(0))
          .execute();
        await nameOwners(db);
        await db.schema.createIndex('tasks_of_person').on('tasks').columns(['person_key', 'sequence']).execute();
        await db.schema.createIndex('tasks_of_workspace').on('tasks').columns(['workspace_key', 'state']).execute();
        await db.schema
          .createTable('feedback')
          .addColumn('task_id', 'text', ofTask)
          .addColumn('person_id', 'text', required)
          .addColumn('value', 'text', required)
          .addPrimaryKeyConstraint('feedback_once', ['task_id', 'person_id'])
          .execute();
        await db.schema
          .createTable('installations')
          .addColumn('id', 'text', (column) => column.primaryKey())
          .addColumn('sealed', 'text', required)
          .execute();
        await db.schema
          .createTable('locks')
          .addColumn('name', 'text', (column) => column.primaryKey())
          .addColumn('owner', 'text', required)
          .addColumn('expires_at_ms', 'bigint', required)
          .execute();
      },
    },

    '006-blob-references': {
      up: async (db: Kysely<Database>) => {
        const { schema } = db;
        await schema.createIndex('posts_of_thread').on('posts').columns(['thread_key', 'sequence']).execute();
        await schema.createIndex('cells_of_task').on('cells').column('task_id').execute();
        await schema.createIndex('turns_of_task').on('turns').column('task_id').execute();
        await schema.createIndex('usage_of_task').on('usage').column('task_id').execute();
        await schema
          .createIndex('tasks_left_of_thread')
          .on('tasks')
          .columns(['thread_key', 'state', 'sequence'])
          .execute();
        await createReferenceTable(db, rules);
      },
    },
    '007-limits-and-usage': { up: addLimitsAndUsage },
    '008-drafts': {
      up: (db: Kysely<Database>) =>
        db.schema
          .createTable('drafts')
          .addColumn('sequence', 'integer', sequence)
          .addColumn('id', 'text', (column) => column.notNull().unique())
          .addColumn('platform', 'text', required)
          .addColumn('body', 'text', required)
          .execute(),
    },

    '009-fences': {
      up: (db: Kysely<Database>) =>
        db.schema
          .alterTable('tasks')
          .addColumn('fence', 'integer', (column) => column.notNull().defaultTo(0))
          .execute(),
    },

    '010-retention': {
      up: (db: Kysely<Database>) => createRetentionTables(db, sequence),
    },
  };
}

/** Fills the columns by which a person's and a workspace's tasks are found. */
async function nameOwners(db: Kysely<Database>): Promise<void> {
  const ids = await db.selectFrom('tasks').select('id').execute();
  for (const { id } of ids) {
    const row = await db.selectFrom('tasks').select('task').where('id', '=', id).executeTakeFirstOrThrow();
    await db
      .updateTable('tasks')
      .set(ownersOf(JSON.parse(row.task) as Task))
      .where('id', '=', id)
      .execute();
  }
}

/** `change` takes and gives a cell's stored JSON. */
async function changeCells(db: Kysely<Database>, change: (json: string) => string): Promise<void> {
  const threads = await db.selectFrom('cells').select('thread_key').distinct().execute();
  // One thread at a time: code and output of all of them together may not fit into memory.
  for (const { thread_key } of threads) {
    const cells = await db
      .selectFrom('cells')
      .select(['position', 'cell'])
      .where('thread_key', '=', thread_key)
      .execute();
    for (const { position, cell } of cells) {
      await db
        .updateTable('cells')
        .set({ cell: change(cell) })
        .where('thread_key', '=', thread_key)
        .where('position', '=', position)
        .execute();
    }
  }
}
