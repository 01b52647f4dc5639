import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely, Transaction } from 'kysely';
import type { PostRemoval, RetentionRecords } from '../ports/retention.ts';
import type { Task, ThreadRef } from '../types.ts';
import type { DialectRules } from './dialect-rules.ts';
import { forgetTaskIn, forgetThreadIn } from './forgetting.ts';
import { unfinished } from './inbox.ts';
import { removeOldLocks, takeLock } from './locks.ts';
import type { Database } from './schema.ts';
import type { Transact } from './transactions.ts';

/** What must go: by age, because a person wants it, or because a process died while it was going. */
export function createRetention(db: Kysely<Database>, transact: Transact, rules: DialectRules): RetentionRecords {
  const notedBefore = (ageMs: number) => sql<number>`${rules.nowMs()} - ${sql.lit(Math.trunc(ageMs))}`;

  return {
    noteForgetting: async (threadKeys) => {
      if (threadKeys.length === 0) return;
      await db
        .insertInto('forgettings')
        .values(threadKeys.map((thread_key) => ({ thread_key, noted_at_ms: rules.nowMs() })))
        .onConflict((conflict) => conflict.column('thread_key').doNothing())
        .execute();
    },

    notedForgettings: async (ageMs, limit) => {
      const rows = await db
        .selectFrom('forgettings')
        .select('thread_key')
        .where('noted_at_ms', '<=', notedBefore(ageMs))
        .orderBy('noted_at_ms')
        .limit(limit)
        .execute();
      return rows.map((row) => row.thread_key);
    },

    staleThreads: async (beforeMs, limit) => {
      const rows = await db
        .selectFrom('tasks')
        .select(({ fn }) => ['thread_key', fn.max('received_at_ms').as('last')])
        // As the index says it, word for word: PostgreSQL takes the index for no parameter.
        .where(sql<boolean>`person_key <> ''`)
        .where('received_at_ms', '<', beforeMs)
        .where((query) =>
          query.not(
            query.exists(
              query
                .selectFrom('tasks as other')
                .select('other.id')
                .whereRef('other.thread_key', '=', 'tasks.thread_key')
                .where((other) =>
                  other.or([other('other.received_at_ms', '>=', beforeMs), other('other.state', 'in', unfinished)]),
                ),
            ),
          ),
        )
        .groupBy('thread_key')
        .orderBy('last')
        .limit(limit)
        .execute();
      return rows.map((row) => row.thread_key);
    },

    threadsWithRemains: async (limit) => {
      const found = new Set<string>();
      for (const table of ['files', 'cells', 'turns', 'cards'] as const) {
        const rows = await db
          .selectFrom(table)
          .select('thread_key')
          .distinct()
          .where((query) =>
            query.not(
              query.exists(
                query
                  .selectFrom('tasks')
                  .select('tasks.id')
                  .whereRef('tasks.thread_key', '=', `${table}.thread_key`)
                  .where('tasks.person_key', '<>', ''),
              ),
            ),
          )
          .limit(limit)
          .execute();
        for (const { thread_key } of rows) found.add(thread_key);
      }
      return [...found].slice(0, limit);
    },

    tasksWithRemains: async (limit) => {
      const rows = await db
        .selectFrom('posts')
        .innerJoin('tasks', 'tasks.id', 'posts.task_id')
        .select('tasks.id')
        .distinct()
        .where('tasks.person_key', '=', '')
        .limit(limit)
        .execute();
      return rows.map(({ id }) => id);
    },

    forgetThreadAtRest: async (threadKey, beforeMs) => {
      const unneeded = await transact((transaction) => forgetThreadIn(transaction, threadKey, rules, beforeMs));
      if (unneeded !== null) await rules.wipe(db);
      return unneeded;
    },

    forgetQuestion: async (taskIds) => {
      const noted = await transact(async (transaction) => {
        const posted = await notePosts(transaction, taskIds, rules);
        for (const taskId of taskIds) await forgetTaskIn(transaction, taskId, rules);
        return posted;
      });
      await rules.wipe(db);
      return noted;
    },

    postRemovals: async (ageMs, limit) => {
      const rows = await db
        .selectFrom('post_removals')
        .selectAll()
        .where('noted_at_ms', '<=', notedBefore(ageMs))
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(removalOf);
    },

    endPostRemoval: async (id) => {
      await db.deleteFrom('post_removals').where('id', '=', id).execute();
    },

    removeOldTurns: () => removeOldLocks(db, rules),

    takeTurn: (name, ttlMs) => takeLock(db, rules, { name, owner: randomUUID(), ttlMs }),
  };
}

/** What the bot posted for the tasks, as it is known now. */
async function notePosts(
  db: Transaction<Database>,
  taskIds: readonly string[],
  rules: DialectRules,
): Promise<PostRemoval | null> {
  const [first] = taskIds;
  if (first === undefined) return null;
  const parts = await db
    .selectFrom('post_parts')
    .innerJoin('posts', 'posts.post_id', 'post_parts.post_id')
    .select('post_parts.message_id')
    .where('posts.task_id', 'in', taskIds)
    .orderBy('post_parts.sequence')
    .execute();
  const row = await db.selectFrom('tasks').select('task').where('id', '=', first).executeTakeFirst();
  if (parts.length === 0 || row === undefined) return null;
  const noted = await db
    .insertInto('post_removals')
    .values({
      thread: JSON.stringify((JSON.parse(row.task) as Task).thread),
      message_ids: JSON.stringify(parts.map(({ message_id }) => message_id)),
      noted_at_ms: rules.nowMs(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return removalOf(noted);
}

function removalOf(row: {
  readonly id: number;
  readonly thread: string;
  readonly message_ids: string;
  /** PostgreSQL gives a `bigint` as text. */
  readonly noted_at_ms: number | string;
}): PostRemoval {
  return {
    id: row.id,
    thread: JSON.parse(row.thread) as ThreadRef,
    messageIds: JSON.parse(row.message_ids) as readonly string[],
    notedAtMs: Number(row.noted_at_ms),
  };
}
