import { Kysely, PostgresDialect, sql } from 'kysely';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../ports/store.ts';
import { postgresRules } from './dialect-rules.ts';
import { createKyselyStore } from './kysely-store.ts';
import { migrate } from './migrate.ts';
import { createMigrations } from './migrations.ts';
import { openingFailure } from './postgres-errors.ts';
import { createPostgresPool } from './postgres-pool.ts';
import type { PoolOptions } from './postgres-pool.ts';
import type { Database } from './schema.ts';
import type { SecretBox } from './secret-box.ts';
import { createNoGroup } from './write-group.ts';

/** Of one process. A query takes milliseconds, so a few serve many tasks; a server takes 100 of all processes together by default. */
const connections = 10;

const statementTimeoutMs = 30_000;

/**
 * The store in a PostgreSQL database (13 or newer), brought up to date. Any number of processes on any number of machines share it. `url` is
 * `postgres://user:password@host:port/database`, with TLS as its `sslmode` says. A connection that breaks later only fails the queries on it.
 * Rejects, in words without the password: with `config` when the database cannot be written to, is unfit, or was written by a newer
 * version; retryable where it does not answer.
 */
export async function createPostgresStore(deps: {
  readonly url: string;
  readonly log: Logger;
  /** Seals tokens; without it none are kept. */
  readonly box?: SecretBox | null;
}): Promise<Store> {
  const { url, log, box = null } = deps;
  const name = nameOf(url);
  await bringUpToDate(url, name, log);
  const db = createPostgresDatabase({ url, connections, statementTimeoutMs, log });
  return createKyselyStore({ db, rules: postgresRules, group: createNoGroup(db), box });
}

/** The database without the store's promises. */
export function createPostgresDatabase(options: PoolOptions): Kysely<Database> {
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool: () => Promise.resolve(createPostgresPool(options)) }),
  });
}

/** On a connection of its own: waiting for another process that migrates may take longer than any statement of the bot's. */
async function bringUpToDate(url: string, name: string, log: Logger): Promise<void> {
  const rules = postgresRules;
  const db = createPostgresDatabase({ url, connections: 1, statementTimeoutMs: 0, log });
  try {
    await refuseUnfit(db);
    await migrate(db, { name, migrations: createMigrations(rules), rules, log });
  } catch (error) {
    throw openingFailure(name, error);
  } finally {
    await db.destroy();
  }
}

/** With the SQLSTATE that its refusal would have in the middle of the work. */
async function refuseUnfit(db: Kysely<Database>): Promise<void> {
  const readOnly = sql<string>`current_setting('transaction_read_only')`;
  const encoding = sql<string>`current_setting('server_encoding')`;
  const found = await db.selectNoFrom([readOnly.as('readOnly'), encoding.as('encoding')]).executeTakeFirstOrThrow();
  if (found.readOnly === 'on') throw Object.assign(new Error('it is read-only'), { code: '25006' });
  if (found.encoding !== 'UTF8') throw Object.assign(new Error(`its encoding is ${found.encoding}`), { code: '22P05' });
}

/** Host and database alone: user, password and parameters may be secrets. */
function nameOf(url: string): string {
  // A socket's folder is in the parameters, and an empty host is no URL for Node.
  const address = url.replace('@/', '@localhost/');
  if (!URL.canParse(address))
    throw new AppError('config', 'DATABASE_URL is no address: postgres://user:password@host:5432/database.');
  const { host, pathname } = new URL(address);
  return `The database ${pathname.slice(1)} on ${host}`;
}
