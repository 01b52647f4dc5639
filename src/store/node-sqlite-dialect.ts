import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { CompiledQuery, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely';
import type { DatabaseConnection, Driver, SqliteDatabase, SqliteDialectConfig } from 'kysely';
import { asGiven, asStored } from './stored-text.ts';

/** How long a statement waits for another process's write to end before it fails, in milliseconds. */
export const busyTimeoutMs = 5000;

/** Kysely's SQLite dialect over Node's own SQLite. `path` may be `:memory:`. Throws what SQLite throws when it cannot open. */
export function createNodeSqliteDialect(path: string): SqliteDialect {
  return new NodeSqliteDialect({ database: openDatabase(path) });
}

function openDatabase(path: string): SqliteDatabase {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  // WAL lets a second process read while this one writes; FULL flushes the log at every commit, so that what was
  // acknowledged survives a power cut and not only a killed process.
  // What is deleted is overwritten with zeros: somebody wanted it forgotten.
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;');
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => asGiven(statement.all(...inputs(parameters))),
        run: (parameters) => statement.run(...inputs(parameters)),
        iterate: (parameters) => statement.iterate(...inputs(parameters)),
      };
    },
  };
}

function inputs(parameters: readonly unknown[]): SQLInputValue[] {
  return asStored(parameters) as SQLInputValue[];
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver(this.#config);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

/** Takes the write lock when a transaction begins: a transaction that first reads and then writes would fail instead of wait. */
class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** SQLite can roll back DDL, so a migration that is killed half-way leaves nothing behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
