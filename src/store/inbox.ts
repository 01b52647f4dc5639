import type { Kysely, Selectable } from 'kysely';
import type { InboxEntry, Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Task } from '../types.ts';
import { ownersOf } from './owners.ts';
import type { DialectRules } from './dialect-rules.ts';
import type { Database, TasksTable } from './schema.ts';
import type { Transact } from './transactions.ts';
import type { WriteGroup } from './write-group.ts';

type Inbox = Pick<
  Store,
  | 'accept'
  | 'unfinishedThreads'
  | 'takeNext'
  | 'giveBack'
  | 'finish'
  | 'completeTask'
  | 'reviseTask'
  | 'task'
  | 'tasks'
  | 'knowsThread'
>;

export const unfinished = ['waiting', 'running'] as const;

/** The tasks of all threads. A method is one statement, and so atomic by itself, or a transaction. */
export function createInbox(
  db: Kysely<Database>,
  group: WriteGroup,
  transact: Transact,
  { locksRows }: DialectRules,
): Inbox {
  return {
    accept: async (task) => {
      const row = {
        id: task.id,
        thread_key: threadKeyOf(task.thread),
        state: 'waiting' as const,
        attempts: 0,
        task: JSON.stringify(task),
        ...ownersOf(task),
      };
      const inserted = await group.write((shared) =>
        shared
          .insertInto('tasks')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .returning('id')
          .execute(),
      );
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
            // One that was begun goes first, then the oldest: of two that PostgreSQL took in at once, the later may be seen earlier.
            .orderBy('oldest.state')
            .orderBy('oldest.sequence')
            .limit(1)
            .$if(locksRows, (mine) => mine.forNoKeyUpdate()),
        )
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? null : entryOf(row);
    },

    // A task that has ended stays as it ended: the first word is the final one.
    finish: async (taskId, state) => {
      await db.updateTable('tasks').set({ state }).where('id', '=', taskId).where('state', 'in', unfinished).execute();
    },

    giveBack: async (taskId) => {
      await db
        .updateTable('tasks')
        .set((expression) => ({ state: 'waiting' as const, attempts: expression('attempts', '-', 1) }))
        .where('id', '=', taskId)
        .where('state', '=', 'running')
        .execute();
    },

    completeTask: (task) =>
      transact(async (transaction) => {
        const row = await unfinishedRow(transaction, task.id, locksRows);
        if (row === undefined) return;
        const known = JSON.parse(row.task) as Task;
        const ids = new Set(known.attachments.map(({ id }) => id));
        const completed: Task = {
          ...known,
          // An event names people by their id alone: that takes no name away.
          person: task.person.displayName === task.person.id ? known.person : task.person,
          attachments: [...known.attachments, ...task.attachments.filter(({ id }) => !ids.has(id))],
          ...(known.lookAgain === undefined ? {} : { lookAgain: known.lookAgain && task.lookAgain === true }),
        };
        const text = JSON.stringify(completed);
        if (text === row.task) return;
        await transaction.updateTable('tasks').set({ task: text }).where('id', '=', task.id).execute();
      }),

    reviseTask: (task) =>
      transact(async (transaction) => {
        const row = await unfinishedRow(transaction, task.id, locksRows);
        const reply = await transaction
          .selectFrom('posts')
          .select('post_id')
          .where('task_id', '=', task.id)
          .where('kind', '=', 'reply')
          .executeTakeFirst();
        if (row === undefined || reply !== undefined) return null;
        const { text, attachments } = task;
        await transaction
          .updateTable('tasks')
          .set({
            task: JSON.stringify({ ...(JSON.parse(row.task) as Task), text, attachments }),
            // One that runs is taken up as after a crash; earlier attempts at the old text do not count against the new one.
            attempts: row.state === 'running' ? 1 : 0,
          })
          .where('id', '=', task.id)
          .execute();
        return row.state === 'running' ? 'running' : 'waiting';
      }),

    task: async (taskId) => {
      const row = await db
        .selectFrom('tasks')
        .selectAll()
        .where('id', '=', taskId)
        .where('person_key', '<>', '')
        .executeTakeFirst();
      return row === undefined ? null : entryOf(row);
    },

    knowsThread: async (threadKey) => {
      const row = await db
        .selectFrom('tasks')
        .select('id')
        .where('thread_key', '=', threadKey)
        .where('person_key', '<>', '')
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
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

function unfinishedRow(db: Kysely<Database>, taskId: string, locksRows: boolean) {
  return db
    .selectFrom('tasks')
    .select(['task', 'state'])
    .where('id', '=', taskId)
    .where('state', 'in', unfinished)
    .$if(locksRows, (row) => row.forNoKeyUpdate())
    .executeTakeFirst();
}

export function entryOf(row: Selectable<TasksTable>): InboxEntry {
  return { task: JSON.parse(row.task) as Task, state: row.state, attempts: row.attempts };
}
