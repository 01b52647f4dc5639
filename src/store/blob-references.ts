import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Store } from '../ports/store.ts';
import type { DialectRules } from './dialect-rules.ts';
import type { Database } from './schema.ts';

/** Where blobs are named, and what numbers a row there within its thread. */
const sources = [
  { name: 'files', json: 'file', number: 'sequence' },
  { name: 'cells', json: 'cell', number: 'position' },
  { name: 'posts', json: 'body', number: 'sequence' },
] as const;

const readTogether = 1000;
const threadsTogether = 20;
const fillName = 'blob-references';

export function createBlobReferences(db: Kysely<Database>): Pick<Store, 'namedBlobs'> {
  return {
    namedBlobs: async function* () {
      let last = '';
      for (;;) {
        const rows = await db
          .selectFrom('blob_references')
          .select('sha256')
          .distinct()
          .where('sha256', '>', last)
          .orderBy('sha256')
          .limit(readTogether)
          .execute();
        for (const { sha256 } of rows) yield sha256;
        const end = rows.at(-1);
        if (end === undefined) return;
        last = end.sha256;
      }
    },
  };
}

/** What of `hashes` something names. */
export async function namedAmong(db: Kysely<Database>, hashes: readonly string[]): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (let start = 0; start < hashes.length; start += readTogether) {
    const rows = await db
      .selectFrom('blob_references')
      .select('sha256')
      .distinct()
      .where('sha256', 'in', hashes.slice(start, start + readTogether))
      .execute();
    for (const { sha256 } of rows) named.add(sha256);
  }
  return named;
}

/**
 * The table, and the triggers that keep it. They are the database's, so that a write stays one statement, and so that a process of an
 * older version, which knows nothing of the table, cannot write a file that a newer one's sweep would then remove.
 */
export async function createReferenceTable(db: Kysely<Database>, rules: DialectRules): Promise<void> {
  await db.schema
    .createTable('blob_references')
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('thread_key', 'text', (column) => column.notNull())
    .addColumn('source_number', 'integer', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('blob_references_once', ['thread_key', 'source', 'source_number', 'sha256'])
    .execute();
  await db.schema.createIndex('blob_references_by_hash').on('blob_references').column('sha256').execute();
  await db.schema
    .createTable('fills')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .execute();
  for (const source of sources) {
    for (const statement of rules.followTable(source)) await sql.raw(statement).execute(db);
  }
}

/**
 * Names the blobs of rows that were there before the table, some threads at a time, each a transaction of its own: nobody waits for long,
 * and one that is killed half-way is begun again. Several processes may do it at once.
 */
export async function fillReferenceTable(db: Kysely<Database>, rules: DialectRules): Promise<void> {
  const filled = await db.selectFrom('fills').select('name').where('name', '=', fillName).executeTakeFirst();
  if (filled !== undefined) return;
  for (const source of sources) {
    let last = '';
    for (;;) {
      const threads = await db
        .selectFrom(source.name)
        .select('thread_key')
        .distinct()
        .where('thread_key', '>', last)
        .orderBy('thread_key')
        .limit(threadsTogether)
        .execute();
      const end = threads.at(-1);
      if (end === undefined) break;
      await fillThreads(db, rules, source, { after: last, upTo: end.thread_key });
      last = end.thread_key;
    }
  }
  await db
    .insertInto('fills')
    .values({ name: fillName })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function fillThreads(
  db: Kysely<Database>,
  rules: DialectRules,
  { name, json, number }: (typeof sources)[number],
  threads: { readonly after: string; readonly upTo: string },
): Promise<void> {
  // Locked, so that a row that is removed or changed meanwhile is not named as it was.
  const rows = sql`select thread_key, ${sql.ref(number)} as number, ${sql.ref(json)} as json from ${sql.table(name)}
    where thread_key > ${threads.after} and thread_key <= ${threads.upTo} ${sql.raw(rules.locksRows ? 'for share' : '')}`;
  const { sha256, from, where } = rules.blobsNamedIn('written.json');
  await sql`insert into blob_references (source, thread_key, source_number, sha256)
    select ${sql.lit(name)}, written.thread_key, written.number, ${sql.raw(sha256)}
    from (${rows}) as written cross join ${sql.raw(from)} where ${sql.raw(where)}
    on conflict do nothing`.execute(db);
}
