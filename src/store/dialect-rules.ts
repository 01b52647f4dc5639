import { sql } from 'kysely';
import type { ColumnDefinitionBuilder, Kysely, RawBuilder } from 'kysely';
import { busyTimeoutMs } from './node-sqlite-dialect.ts';
import type { Database } from './schema.ts';

export type ColumnRule = (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;

/** In which SQLite and PostgreSQL differ; everything else in this folder is the same for both. */
export interface DialectRules {
  /** How rows number themselves. */
  readonly numbered: ColumnRule;
  /**
   * Whether a transaction that reads what it will change must lock it. SQLite's has the whole database by then (it begins with the
   * write lock); PostgreSQL runs transactions side by side, at `read committed`. A task is locked first, and with `forNoKeyUpdate`, which
   * lets others write rows that name it: so no two wait for each other.
   */
  readonly locksRows: boolean;
  /** The clock by which locks run out, in milliseconds: where machines share the database, the database's. */
  nowMs(): RawBuilder<number>;
  /** The blobs that a JSON text (an SQL expression) names under a key `sha256`, as parts of a query. One may come twice. */
  blobsNamedIn(json: string): { readonly sha256: string; readonly from: string; readonly where: string };
  /** After something was forgotten: what is deleted must not be left in the database's own files, as far as a client can see to that. */
  wipe(db: Kysely<Database>): Promise<void>;
  /** Statements by which the database itself keeps `blob_references` of a table, whichever version of the program writes to it. */
  followTable(table: { readonly name: string; readonly json: string; readonly number: string }): readonly string[];
}

export const sqliteRules: DialectRules = {
  numbered: (column) => column.autoIncrement(),
  locksRows: false,
  nowMs: () => sql<number>`${Date.now()}`,
  blobsNamedIn: (json) => ({
    sha256: 'named.atom',
    from: `json_tree(${json}) as named`,
    where: `named.key = 'sha256' and named.type = 'text' and length(named.atom) = 64 and named.atom not glob '*[^0-9a-f]*'`,
  }),
  // Freed pages are overwritten (`secure_delete`), but the log beside the file holds them as they were. Where another process reads
  // from it at this moment, it is left as it is: it is written over soon, from its beginning.
  wipe: (db) =>
    db.connection().execute(async (connection) => {
      await sql`pragma busy_timeout = 0`.execute(connection);
      await sql`pragma wal_checkpoint(truncate)`.execute(connection);
      await sql`pragma busy_timeout = ${sql.lit(busyTimeoutMs)}`.execute(connection);
    }),
  followTable: ({ name, json, number }) => {
    const drop = `delete from blob_references where source = '${name}' and thread_key = old.thread_key and source_number = old.${number};`;
    const { sha256, from, where } = sqliteRules.blobsNamedIn(`new.${json}`);
    const add = `insert into blob_references (source, thread_key, source_number, sha256)
      select distinct '${name}', new.thread_key, new.${number}, ${sha256} from ${from} where ${where};`;
    return [
      `create trigger ${name}_name_blobs after insert on ${name} begin ${add} end`,
      `create trigger ${name}_rename_blobs after update of ${json} on ${name} begin ${drop} ${add} end`,
      `create trigger ${name}_unname_blobs after delete on ${name} begin ${drop} end`,
    ];
  },
};

export const postgresRules: DialectRules = {
  numbered: (column) => column.generatedByDefaultAsIdentity(),
  locksRows: true,
  nowMs: () => sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  blobsNamedIn: (json) => ({
    sha256: 'named.parts[1]',
    from: `regexp_matches(${json}, '"sha256":"([0-9a-f]{64})"', 'g') as named(parts)`,
    where: 'true',
  }),
  // The server's own matter: autovacuum.
  wipe: () => Promise.resolve(),
  followTable: ({ name, json, number }) => {
    const { sha256, from, where } = postgresRules.blobsNamedIn(`new.${json}`);
    return [
      `create function ${name}_name_blobs() returns trigger language plpgsql as $follow$
      begin
        if tg_op <> 'INSERT' then
          delete from blob_references where source = '${name}' and thread_key = old.thread_key and source_number = old.${number};
        end if;
        if tg_op <> 'DELETE' then
          insert into blob_references (source, thread_key, source_number, sha256)
            select distinct '${name}', new.thread_key, new.${number}, ${sha256} from ${from} where ${where};
        end if;
        return null;
      end
    $follow$`,
      `create trigger ${name}_name_blobs after insert or delete or update of ${json} on ${name}
      for each row execute function ${name}_name_blobs()`,
    ];
  },
};
