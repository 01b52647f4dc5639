import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

/** A PostgreSQL server of its own on loopback, with its data in a temporary folder. */
export interface PostgresCluster extends AsyncDisposable {
  readonly port: number;
  /** Of the database that is always there, as the user who may do everything. */
  readonly url: string;
  /** A new empty database, or a copy of the one of URL `template`, to which nobody may be connected. Resolves to its URL. */
  createDatabase(template?: string): Promise<string>;
  /** Ends it like `kill -9` of the whole server: nothing is flushed, connections just break. */
  kill(): Promise<void>;
  /** Starts it again, on the same data and port, after `kill`. */
  start(): Promise<void>;
}

export const postgresPassword = 'test-only-password';
const user = 'plotline';

/** Why there can be no cluster here; null: there can. In CI a missing one is a failure of the test that needs it. */
export function postgresMissing(): string | null {
  const reason = reasonAgainst();
  if (reason === null || process.env['CI'] !== undefined) return null;
  process.stderr.write(`SKIPPED: tests with PostgreSQL (${reason}); npm run setup says how to install it\n`);
  return reason;
}

function reasonAgainst(): string | null {
  if (process.platform === 'win32') return 'not on Windows';
  if (programFolder() === null) return 'initdb and postgres are not installed';
  if (process.getuid?.() === 0 && ownerIds() === null)
    return 'PostgreSQL refuses to run as root, and there is no user postgres';
  return null;
}

/**
 * Ready when it resolves. `durable`: flushes to disk as a real server does, for benchmarks; tests do without. `certificates`: a folder with
 * `cert.pem` and `key.pem`, by which it also offers TLS.
 */
export async function startPostgres({
  durable = false,
  certificates = null,
}: { readonly durable?: boolean; readonly certificates?: string | null } = {}): Promise<PostgresCluster> {
  const folder = programFolder();
  const ids = ownerIds();
  const against = reasonAgainst();
  if (folder === null || against !== null) throw new Error(`no PostgreSQL: ${against ?? ''}`);
  const dir = mkdtempSync(join(tmpdir(), 'plotline-postgres-'));
  const data = join(dir, 'data');
  const passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, postgresPassword);
  if (ids !== null) for (const path of [dir, passwordFile]) chownSync(path, ids.uid, ids.gid);
  if (certificates !== null) {
    for (const name of ['cert.pem', 'key.pem']) {
      copyFileSync(join(certificates, name), join(dir, name));
      chmodSync(join(dir, name), 0o600);
      if (ids !== null) chownSync(join(dir, name), ids.uid, ids.gid);
    }
  }
  const options = { cwd: dir, ...ids, env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } };

  const auth = ['--auth-host=scram-sha-256', '--auth-local=trust', `--pwfile=${passwordFile}`];
  const init = spawn(
    join(folder, 'initdb'),
    ['-D', data, '-U', user, '-E', 'UTF8', '--no-locale', '--no-sync', ...auth],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const problems = init.stderr.setEncoding('utf8').toArray();
  const [code] = (await once(init, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed:\n${(await problems).join('')}`);

  const port = await freePort();
  const urlOf = (database: string): string => `postgres://${user}:${postgresPassword}@127.0.0.1:${port}/${database}`;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: dir,
    fsync: durable ? 'on' : 'off',
    max_connections: '200',
    shared_buffers: '32MB',
    ...(certificates === null
      ? {}
      : { ssl: 'on', ssl_cert_file: join(dir, 'cert.pem'), ssl_key_file: join(dir, 'key.pem') }),
  };
  let server: ChildProcess | null = null;
  let count = 0;

  const start = async (): Promise<void> => {
    // After a kill -9 the server's children may live for a moment, and it does not start beside them.
    for (let attempt = 1; ; attempt += 1) {
      const child = spawn(
        join(folder, 'postgres'),
        [
          '-D',
          data,
          '-p',
          String(port),
          ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
        { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
      );
      const words = await untilReady(child);
      if (words === null) {
        server = child;
        return;
      }
      if (attempt === 20) throw new Error(`PostgreSQL did not start:\n${words}`);
      await sleep(200);
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const endWithTests = (): void => void server?.kill('SIGQUIT');

  await start();
  process.once('exit', endWithTests);
  return {
    port,
    url: urlOf('postgres'),
    createDatabase: async (template = 'template1') => {
      const source = template.split('/').at(-1);
      count += 1;
      const name = `test_${count}`;
      const client = new Client({ connectionString: urlOf('postgres') });
      await client.connect();
      await client.query(`create database ${name} template ${source}`);
      await client.end();
      return urlOf(name);
    },
    kill: async () => {
      // Each connection has a process of its own, which would go on for a moment.
      const sessions = childrenOf(server?.pid);
      await end('SIGKILL');
      for (const pid of sessions) endSession(pid);
    },
    start,
    [Symbol.asyncDispose]: async () => {
      process.off('exit', endWithTests);
      // "Immediate": nothing of the data is needed any more.
      await end('SIGQUIT');
      rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** `null` once it takes connections, else what it said before it ended. */
async function untilReady(child: ChildProcess): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    // Read to the end, so that the server never waits for us; kept until it is ready.
    if (words.length < 20_000) words += text;
    if (words.includes('ready to accept connections')) resolve(null);
  });
  child.once('error', (error) => resolve(error.message));
  child.once('exit', () => resolve(words));
  return promise;
}

function childrenOf(pid: number | undefined): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (pid === undefined || !existsSync(path)) return [];
  return [...readFileSync(path, 'utf8').matchAll(/\d+/g)].map(([child]) => Number(child));
}

function endSession(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended with its server.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Debian keeps the programs of each version in a folder of its own, which is not on PATH. The newest one that has all. */
function programFolder(): string | null {
  const versions = '/usr/lib/postgresql';
  const debian = existsSync(versions)
    ? readdirSync(versions)
        .toSorted((one, other) => Number(other) - Number(one))
        .map((version) => join(versions, version, 'bin'))
    : [];
  const folders = [...debian, ...(process.env['PATH'] ?? '').split(':'), '/usr/local/bin', '/usr/bin'];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null;
}

/** Whom the server runs as: nobody else where we are not root, which it refuses to be. */
function ownerIds(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const line = readFileSync('/etc/passwd', 'utf8').match(/^postgres:[^:]*:(\d+):(\d+):/m);
  return line === null ? null : { uid: Number(line[1]), gid: Number(line[2]) };
}
