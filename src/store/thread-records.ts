import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { ModelMessage } from '../ports/model.ts';
import type { Store, ThreadFile } from '../ports/store.ts';
import type { Cell, FileCard } from '../types.ts';
import type { DialectRules } from './dialect-rules.ts';
import type { Database } from './schema.ts';
import type { HeldWrites } from './holds.ts';

type ThreadRecords = Pick<
  Store,
  'addCell' | 'cells' | 'lastCell' | 'dropCells' | 'putTurn' | 'turns' | 'putFile' | 'files' | 'putCard' | 'cards'
>;

/** What a thread is rebuilt from: its cells, what the model saw and said, its files and their cards. */
export function createThreadRecords(
  db: Kysely<Database>,
  { transact, write }: HeldWrites,
  { locksRows }: DialectRules,
): ThreadRecords {
  return {
    addCell: (threadKey, cell) =>
      transact(async (transaction) => {
        // Locked: one that is being dropped is waited for, and the one before it is the last.
        const last = await transaction
          .selectFrom('cells')
          .select('position')
          .where('thread_key', '=', threadKey)
          .orderBy('position', 'desc')
          .limit(1)
          .$if(locksRows, (row) => row.forUpdate())
          .executeTakeFirst();
        const next = (last?.position ?? -1) + 1;
        if (cell.index !== next) throw notNext(threadKey, cell, `is ${next}`);
        const added = await transaction
          .insertInto('cells')
          .values({ thread_key: threadKey, position: cell.index, task_id: cell.taskId, cell: JSON.stringify(cell) })
          .onConflict((conflict) => conflict.doNothing())
          .returning('position')
          .execute();
        if (added.length === 0) throw notNext(threadKey, cell, 'was taken at the same time');
      }),

    cells: async (threadKey) => {
      const rows = await db
        .selectFrom('cells')
        .select('cell')
        .where('thread_key', '=', threadKey)
        .orderBy('position')
        .execute();
      return rows.map((row) => JSON.parse(row.cell) as Cell);
    },

    lastCell: async (threadKey) => {
      const row = await db
        .selectFrom('cells')
        .select('cell')
        .where('thread_key', '=', threadKey)
        .orderBy('position', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : (JSON.parse(row.cell) as Cell);
    },

    dropCells: async (threadKey, taskId) => {
      await write((transaction) =>
        transaction.deleteFrom('cells').where('thread_key', '=', threadKey).where('task_id', '=', taskId).execute(),
      );
    },

    putTurn: async (threadKey, taskId, messages) => {
      await write((transaction) =>
        transaction
          .insertInto('turns')
          .values({ thread_key: threadKey, task_id: taskId, messages: JSON.stringify(messages) })
          .onConflict((conflict) =>
            conflict
              .columns(['thread_key', 'task_id'])
              .doUpdateSet({ messages: (expression) => expression.ref('excluded.messages') }),
          )
          .execute(),
      );
    },

    turns: async (threadKey) => {
      const rows = await db
        .selectFrom('turns')
        .selectAll()
        .where('thread_key', '=', threadKey)
        .orderBy('sequence')
        .execute();
      return rows.map((row) => ({
        taskId: row.task_id,
        messages: JSON.parse(row.messages) as readonly ModelMessage[],
      }));
    },

    putFile: async (threadKey, file) => {
      await write((transaction) =>
        transaction
          .insertInto('files')
          .values({ thread_key: threadKey, name: file.name, file: JSON.stringify(file) })
          .onConflict((conflict) =>
            conflict
              .columns(['thread_key', 'name'])
              .doUpdateSet({ file: (expression) => expression.ref('excluded.file') }),
          )
          .execute(),
      );
    },

    files: async (threadKey) => {
      const rows = await db
        .selectFrom('files')
        .select('file')
        .where('thread_key', '=', threadKey)
        .orderBy('sequence')
        .execute();
      return rows.map((row) => JSON.parse(row.file) as ThreadFile);
    },

    putCard: async (threadKey, card) => {
      await write((transaction) =>
        transaction
          .insertInto('cards')
          .values({ thread_key: threadKey, name: card.file, card: JSON.stringify(card) })
          .onConflict((conflict) =>
            conflict
              .columns(['thread_key', 'name'])
              .doUpdateSet({ card: (expression) => expression.ref('excluded.card') }),
          )
          .execute(),
      );
    },

    cards: async (threadKey) => {
      const rows = await db
        .selectFrom('cards')
        .select('card')
        .where('thread_key', '=', threadKey)
        .orderBy('sequence')
        .execute();
      return rows.map((row) => JSON.parse(row.card) as FileCard);
    },
  };
}

function notNext(threadKey: string, { index, taskId }: Cell, next: string): AppError {
  return new AppError('internal', 'The thread moved on while I was working. Please ask again.', {
    detail: `cell ${index} of task ${taskId} cannot follow: the next index of thread ${threadKey} ${next}`,
  });
}
