import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { PostedPart } from '../ports/platforms.ts';
import type { OutboxEntry, Store } from '../ports/store.ts';
import type { JsonValue, Task } from '../types.ts';
import type { DialectRules } from './dialect-rules.ts';
import type { Database } from './schema.ts';
import type { Transact } from './transactions.ts';
import type { WriteGroup } from './write-group.ts';

type Outbox = Pick<Store, 'putPost' | 'updatePost' | 'addPostedPart' | 'markSent' | 'settle' | 'posts'>;

/** The posts of all tasks, and which platform messages each became. */
export function createOutbox(
  db: Kysely<Database>,
  group: WriteGroup,
  transact: Transact,
  { locksRows }: DialectRules,
): Outbox {
  return {
    putPost: (entry) => group.write((shared) => put(shared, entry)),

    settle: (task, entry) =>
      transact(async (transaction) => {
        const row = await transaction
          .selectFrom('tasks')
          .select(['task', 'person_key'])
          .where('id', '=', task.id)
          .$if(locksRows, (mine) => mine.forNoKeyUpdate())
          .executeTakeFirst();
        const isSame = row !== undefined && row.person_key !== '' && (JSON.parse(row.task) as Task).text === task.text;
        return isSame ? await put(transaction, entry) : null;
      }),

    updatePost: async (postId, body) => {
      await db
        .updateTable('posts')
        .set({ body: JSON.stringify(body) })
        .where('post_id', '=', postId)
        .where('sent', '=', 0)
        .execute();
    },

    addPostedPart: async (postId, part) => {
      await group.write((shared) =>
        shared
          .insertInto('post_parts')
          .values({ post_id: postId, part_id: part.partId, message_id: part.messageId })
          .onConflict((conflict) => conflict.columns(['post_id', 'part_id']).doNothing())
          .execute(),
      );
    },

    markSent: async (postId) => {
      const marked = await group.write((shared) =>
        shared.updateTable('posts').set({ sent: 1 }).where('post_id', '=', postId).returning('post_id').execute(),
      );
      return marked.length > 0;
    },

    posts: (taskId) => readPosts(db, { column: 'posts.task_id', value: taskId }),
  };
}

/** One statement for posts and parts, so that both are of the same moment. */
async function put(db: Kysely<Database>, entry: Omit<OutboxEntry, 'parts' | 'sent'>): Promise<OutboxEntry> {
  await db
    .insertInto('posts')
    .values({
      post_id: entry.postId,
      task_id: entry.taskId,
      thread_key: entry.threadKey,
      kind: entry.kind,
      body: JSON.stringify(entry.body),
      sent: 0,
    })
    .onConflict((conflict) => conflict.column('post_id').doNothing())
    .execute();
  const [stored] = await readPosts(db, { column: 'posts.post_id', value: entry.postId });
  if (stored !== undefined) return stored;
  throw new AppError('internal', 'A message could not be stored.', { detail: `post ${entry.postId} vanished` });
}

async function readPosts(
  db: Kysely<Database>,
  by: { readonly column: 'posts.post_id' | 'posts.task_id'; readonly value: string },
): Promise<readonly OutboxEntry[]> {
  const rows = await db
    .selectFrom('posts')
    .leftJoin('post_parts', 'post_parts.post_id', 'posts.post_id')
    .select(['posts.post_id', 'posts.task_id', 'posts.thread_key', 'posts.kind', 'posts.body', 'posts.sent'])
    .select(['post_parts.part_id', 'post_parts.message_id'])
    .where(by.column, '=', by.value)
    .orderBy('posts.sequence')
    .orderBy('post_parts.sequence')
    .execute();
  const entries = new Map<string, OutboxEntry & { readonly parts: PostedPart[] }>();
  for (const row of rows) {
    const entry = entries.get(row.post_id) ?? {
      postId: row.post_id,
      taskId: row.task_id,
      threadKey: row.thread_key,
      kind: row.kind,
      body: JSON.parse(row.body) as JsonValue,
      parts: [],
      sent: row.sent === 1,
    };
    if (row.part_id !== null && row.message_id !== null)
      entry.parts.push({ partId: row.part_id, messageId: row.message_id });
    entries.set(row.post_id, entry);
  }
  return [...entries.values()];
}
