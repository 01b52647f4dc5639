import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { postgresRules, sqliteRules } from '../../src/store/dialect-rules.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createMigrations } from '../../src/store/migrations.ts';
import { createNodeSqliteDialect } from '../../src/store/node-sqlite-dialect.ts';
import { openStore } from '../../src/store/open-store.ts';
import { createPostgresDatabase } from '../../src/store/postgres-store.ts';
import type { Database } from '../../src/store/schema.ts';
import { postgresMissing, startPostgres } from '../fakes/postgres.ts';
import type { PostgresCluster } from '../fakes/postgres.ts';

const log = createLogger('silent');

/** As the version after this one might bring, with all that a migration may do. */
const nextMigrations: Readonly<Record<string, Migration>> = {
  '998-next': {
    up: async (db: Kysely<Database>) => {
      for (const table of ['posts', 'cells', 'tasks'] as const) {
        await db.schema
          .alterTable(table)
          .addColumn('next', 'text', (column) => column.notNull().defaultTo(''))
          .execute();
        await db.schema.createIndex(`${table}_by_next`).on(table).columns(['next', 'thread_key']).execute();
      }
      await db.schema
        .createTable('nexts')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .execute();
      // Long enough that others come upon it.
      await sql`insert into nexts select cast(count(*) as text) from tasks as a, tasks as b`.execute(db);
    },
  },
  '999-after': {
    up: (db: Kysely<Database>) => db.schema.alterTable('posts').addColumn('after', 'integer').execute(),
  },
};

interface Engine {
  readonly settings: () => { readonly dataDir: string; readonly databaseUrl: string | null; readonly secretsKey: null };
  readonly migrateTo: (migrations: Readonly<Record<string, Migration>>) => Promise<void>;
}

function describeMigrations(name: string, engine: Engine): void {
  describe(`migrations of ${name}`, () => {
    it('of many processes that start at once, one brings it up to date', async () => {
      const loads = Array.from({ length: 5 }, () => startLoad(engine));
      await Promise.all(loads.map(({ untilDone }) => untilDone(1)));
      await Promise.all(loads.map(({ stop }) => stop()));
      for (const { failures } of loads) expect(failures).toEqual([]);
    });

    it('a migration under load fails no task, and processes of the version before go on', async () => {
      const loads = [startLoad(engine), startLoad(engine)];
      await Promise.all(loads.map(({ untilDone }) => untilDone(20)));
      await engine.migrateTo(nextMigrations);
      await Promise.all(loads.map(({ untilDone }) => untilDone(20)));
      await Promise.all(loads.map(({ stop }) => stop()));
      for (const { failures } of loads) expect(failures).toEqual([]);
      // One that starts now says that it is too old.
      await expect(openStore(engine.settings(), log)).rejects.toMatchObject({
        code: 'config',
        userMessage: expect.stringMatching(/written by a newer version of Plotline: it has 998-next, 999-after/),
      });
    });
  });
}

function startLoad({ settings }: Engine) {
  const { dataDir, databaseUrl } = settings();
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      'test/fakes/store-load.ts',
      dataDir,
      ...(databaseUrl === null ? [] : [databaseUrl]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const failures: string[] = [];
  const counts = { done: 0 };
  let told = (): void => {};
  createInterface(child.stdout)
    .on('line', (line) => {
      if (line === 'done') counts.done += 1;
      else failures.push(line);
      told();
    })
    .on('close', () => told());
  return {
    failures,
    /** Resolves after so many more tasks; at once where one failed or the process ended, which the test then sees. */
    untilDone: async (tasks: number): Promise<void> => {
      const before = counts.done;
      while (counts.done - before < tasks && failures.length === 0 && child.exitCode === null) {
        await new Promise<void>((resolve) => (told = resolve));
      }
      expect(child.exitCode).toBeNull();
    },
    stop: async (): Promise<void> => {
      child.stdin.end();
      await ended;
    },
  };
}

describe('SQLite', () => {
  let dataDir: string;
  const dirs: string[] = [];
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-migrations-'));
    dirs.push(dataDir);
  });
  afterAll(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true });
  });

  describeMigrations('one file', {
    settings: () => ({ dataDir, databaseUrl: null, secretsKey: null }),
    migrateTo: async (migrations) => {
      const db = new Kysely<Database>({ dialect: createNodeSqliteDialect(join(dataDir, 'plotline.sqlite')) });
      const rules = sqliteRules;
      await migrate(db, { name: 'It', migrations: { ...createMigrations(rules), ...migrations }, rules, log });
      await db.destroy();
    },
  });
});

describe.skipIf(postgresMissing() !== null)('PostgreSQL', () => {
  let cluster: PostgresCluster;
  let url: string;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());
  beforeEach(async () => {
    url = await cluster.createDatabase();
  });

  describeMigrations('one database', {
    settings: () => ({ dataDir: '', databaseUrl: url, secretsKey: null }),
    migrateTo: async (migrations) => {
      const db = createPostgresDatabase({ url, connections: 1, statementTimeoutMs: 0, log });
      const rules = postgresRules;
      await migrate(db, { name: 'It', migrations: { ...createMigrations(rules), ...migrations }, rules, log });
      await db.destroy();
    },
  });
});
