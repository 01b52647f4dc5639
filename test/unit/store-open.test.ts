import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { openStore } from '../../src/store/open-store.ts';
import { freePort } from '../fakes/free-port.ts';
import { postgresMissing, postgresPassword, startPostgres } from '../fakes/postgres.ts';
import type { PostgresCluster } from '../fakes/postgres.ts';
import { makeCertificates } from '../fakes/tls-front.ts';

const lines: string[] = [];
const log = createLogger('debug', (line) => lines.push(line));
const dataDir = mkdtempSync(join(tmpdir(), 'plotline-open-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** What whoever runs the bot reads, with everything that the log would hold. */
async function refusal(databaseUrl: string, mayPass = false): Promise<string> {
  const error: unknown = await openStore({ dataDir, databaseUrl, secretsKey: null }, log).then(
    (store) => store[Symbol.asyncDispose](),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error('it was opened');
  // Where a later start may find the server, a supervisor tries again.
  expect({ isSetting: error.code === 'config', mayPass: error.retryable }).toEqual({ isSetting: !mayPass, mayPass });
  const everything = [error.message, error.userMessage, error.stack, JSON.stringify(error.cause), ...lines].join('\n');
  expect(everything).not.toMatch(/hidden|test-only/);
  return error.userMessage;
}

it('is a SQLite file in the data folder without a DATABASE_URL', async () => {
  await using store = await openStore({ dataDir, databaseUrl: null, secretsKey: new Uint8Array(32) }, log);
  await store.putInstallation('slack/T1', { token: 'x' });
  await using again = await openStore({ dataDir, databaseUrl: null, secretsKey: new Uint8Array(32) }, log);
  expect(await again.installation('slack/T1')).toEqual({ token: 'x' });
});

it('says where nobody answers', async () => {
  const port = await freePort();
  expect(await refusal(`postgres://bot:hidden@127.0.0.1:${port}/plotline?password=hidden`, true)).toMatch(
    new RegExp(
      `^The database plotline on 127.0.0.1:${port} cannot be used: .*ECONNREFUSED.* Check that the server runs`,
    ),
  );
});

it('says where what answers is no database', async () => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  expect(await refusal(`postgres://bot:hidden@127.0.0.1:${address.port}/plotline`, true)).toMatch(
    /cannot be used: .*Check that/,
  );
  server.close();
});

describe.skipIf(postgresMissing() !== null)('a PostgreSQL database', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const run = async (url: string, ...statements: readonly string[]): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };

  it('is opened, made and found again', async () => {
    const databaseUrl = await cluster.createDatabase();
    const settings = { dataDir, databaseUrl, secretsKey: new Uint8Array(32) };
    {
      await using store = await openStore(settings, log);
      await store.putInstallation('slack/T1', { token: 'x' });
    }
    await using again = await openStore(settings, log);
    expect(await again.installation('slack/T1')).toEqual({ token: 'x' });
  });

  it('says what is wrong with the password and with the name', async () => {
    const wrong = cluster.url.replace(postgresPassword, 'hidden');
    expect(await refusal(wrong)).toMatch(/password authentication failed.*Check user and password in DATABASE_URL/);
    expect(await refusal(cluster.url.replace(`:${postgresPassword}`, ''))).toMatch(/Check user and password/);
    expect(await refusal(cluster.url.replace(/postgres$/, 'missing'))).toMatch(/"missing" does not exist.*createdb/);
  });

  it('says that it only lets itself be read, and that tables may not be made', async () => {
    const url = await cluster.createDatabase();
    await run(url, 'alter database test_2 set default_transaction_read_only = on');
    expect(await refusal(url)).toMatch(/read-only.*a replica/);
    const other = await cluster.createDatabase();
    await run(other, "create role guest login password 'hidden'", 'revoke create on schema public from public');
    const asGuest = other.replace(`plotline:${postgresPassword}`, 'guest:hidden');
    expect(await refusal(asGuest)).toMatch(/permission denied for schema public.*GRANT CREATE/);
  });

  it('says that it is of another encoding, and that another program lives there', async () => {
    await run(cluster.url, "create database ascii encoding 'SQL_ASCII' template template0");
    expect(await refusal(cluster.url.replace(/postgres$/, 'ascii'))).toMatch(/encoding is SQL_ASCII.*createdb -E UTF8/);
    const url = await cluster.createDatabase();
    await run(url, 'create table tasks (id text)');
    expect(await refusal(url)).toMatch(/"tasks" already exists.*database of its own/);
  });

  it('says that a newer version wrote it', async () => {
    const url = await cluster.createDatabase();
    await (await openStore({ dataDir, databaseUrl: url, secretsKey: null }, log))[Symbol.asyncDispose]();
    await run(url, "insert into kysely_migration values ('999-later', '2030-01-01T00:00:00Z')");
    expect(await refusal(url)).toMatch(/was written by a newer version of Plotline: it has 999-later/);
  });

  it('asks for TLS where sslmode does, and says where there is none or nobody vouches for it', async () => {
    expect(await refusal(`${cluster.url}?sslmode=verify-full`)).toMatch(/does not support SSL.*sslmode/);
    const certificates = makeCertificates(join(dataDir, 'certificates'));
    await using guarded = await startPostgres({ certificates });
    const databaseUrl = `${await guarded.createDatabase()}?sslmode=verify-full`;
    expect(await refusal(databaseUrl)).toMatch(/certificate.*sslmode/);
    const trusting = `${databaseUrl}&sslrootcert=${encodeURIComponent(join(certificates, 'ca.pem'))}`;
    await using store = await openStore({ dataDir, databaseUrl: trusting, secretsKey: null }, log);
    expect(await store.unfinishedThreads()).toEqual([]);
    const client = new Client({ connectionString: guarded.url });
    await client.connect();
    const { rows } = await client.query(
      `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'plotline'`,
    );
    await client.end();
    expect(rows).toEqual([{ ssl: true }]);
  });
});
