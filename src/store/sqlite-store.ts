import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../ports/store.ts';
import { sqliteRules } from './dialect-rules.ts';
import { createKyselyStore } from './kysely-store.ts';
import { migrate } from './migrate.ts';
import { createMigrations } from './migrations.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Database } from './schema.ts';
import type { SecretBox } from './secret-box.ts';
import { createWriteGroup } from './write-group.ts';

/**
 * The store in one SQLite file, made with its folder (readable by the owner alone) where missing, and brought up to date.
 * `path` may be `:memory:`. Several processes of one machine may share the file.
 * Rejects with `config` when the file cannot be opened or was written by a newer version.
 */
export async function createSqliteStore(deps: {
  readonly path: string;
  readonly log: Logger;
  /** Seals tokens; without it none are kept. */
  readonly box?: SecretBox | null;
}): Promise<Store> {
  const db = open(deps.path);
  try {
    const rules = sqliteRules;
    await migrate(db, {
      name: `The database ${deps.path}`,
      migrations: createMigrations(rules),
      rules,
      log: deps.log,
    });
    return createKyselyStore({ db, rules, group: createWriteGroup(db), box: deps.box ?? null });
  } catch (error) {
    await db.destroy();
    throw error instanceof AppError ? error : unusable(deps.path, error);
  }
}

function open(path: string): Kysely<Database> {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return new Kysely<Database>({ dialect: createNodeSqliteDialect(path) });
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError(
    'config',
    `The database ${path} cannot be used: ${reason}. Check that DATA_DIR is this process's to read and write, and that its disk has room.`,
    { cause },
  );
}
