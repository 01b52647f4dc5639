import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Migration } from 'kysely/migration';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { fillReferenceTable } from './blob-references.ts';
import type { DialectRules } from './dialect-rules.ts';
import type { Database } from './schema.ts';
import { repeated } from './transactions.ts';

/**
 * Brings the tables up to date. Several processes may do so at once: one does it, the others wait (for SQLite's write lock, for
 * PostgreSQL's advisory lock) and find it done. `name` is the database in words. Rejects with `config` where a newer version wrote it.
 */
export async function migrate(
  db: Kysely<Database>,
  options: {
    readonly name: string;
    readonly migrations: Readonly<Record<string, Migration>>;
    readonly rules: DialectRules;
    readonly log: Logger;
  },
): Promise<void> {
  const { name, migrations, rules, log } = options;
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } });
  const results = await repeated(async () => {
    const { error, results: done = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw (await newerVersion(db, name, migrations)) ?? error;
    return done;
  });
  for (const { migrationName } of results) log.info({ migration: migrationName }, 'store migrated');
  await fillReferenceTable(db, rules);
}

async function newerVersion(
  db: Kysely<Database>,
  name: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<AppError | null> {
  const done = await (db as unknown as Kysely<{ kysely_migration: { name: string } }>)
    .selectFrom('kysely_migration')
    .select('name')
    .execute()
    // There is no such table: the migrations failed for another reason.
    .catch(() => []);
  const unknown = done.map((row) => row.name).filter((migration) => !(migration in migrations));
  if (unknown.length === 0) return null;
  return new AppError(
    'config',
    `${name} was written by a newer version of Plotline: it has ${unknown.join(', ')}, which this version does not know. ` +
      'Start the newer version, or restore the backup that was made before it.',
  );
}
