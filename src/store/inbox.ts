import type { Kysely, Selectable } from 'kysely';
import type { InboxEntry, Store } from '../ports.ts';
import { threadKeyOf } from '../types.ts';
import type { Task } from '../types.ts';
import type { Database, TasksTable } from './schema.ts';

type Inbox = Pick<Store, 'accept' | 'unfinishedThreads' | 'takeNext' | 'finish' | 'tasks'>;

const unfinished = ['waiting', 'running'] as const;

/** The tasks of all threads. Each method is one statement, and so atomic by itself. */
export function createInbox(db: Kysely<Database>): Inbox {
  return {
    accept: async (task) => {
      const inserted = await db
        .insertInto('tasks')
        .values({
          id: task.id,
          thread_key: threadKeyOf(task.thread),
          state: 'waiting',
          attempts: 0,
          task: JSON.stringify(task),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .execute();
      return inserted.length > 0;
    },

    unfinishedThreads: async () => {
      const rows = await db
        .selectFrom('tasks')
        .select(['thread_key', (expression) => expression.fn.min('sequence').as('first')])
        .where('state', 'in', unfinished)
        .groupBy('thread_key')
        .orderBy('first')
        .execute();
      return rows.map((row) => row.thread_key);
    },

    takeNext: async (threadKey) => {
      const row = await db
        .updateTable('tasks')
        .set((expression) => ({ state: 'running' as const, attempts: expression('attempts', '+', 1) }))
        .where('id', '=', (query) =>
          query
            .selectFrom('tasks as oldest')
            .select('oldest.id')
            .where('oldest.thread_key', '=', threadKey)
            .where('oldest.state', 'in', unfinished)
            .orderBy('oldest.sequence')
            .limit(1),
        )
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? null : entryOf(row);
    },

    // A task that has ended stays as it ended: the first word is the final one.
    finish: async (taskId, state) => {
      await db.updateTable('tasks').set({ state }).where('id', '=', taskId).where('state', 'in', unfinished).execute();
    },

    tasks: async (threadKey) => {
      const rows = await db
        .selectFrom('tasks')
        .selectAll()
        .where('thread_key', '=', threadKey)
        .orderBy('sequence')
        .execute();
      return rows.map(entryOf);
    },
  };
}

function entryOf(row: Selectable<TasksTable>): InboxEntry {
  return { task: JSON.parse(row.task) as Task, state: row.state, attempts: row.attempts };
}
