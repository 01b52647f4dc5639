import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import { exampleCell, exampleFile, exampleTask, exampleThread } from '../fakes/store-examples.ts';

const log = createLogger('silent');
const key = threadKeyOf(exampleThread);
let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plotline-store-'));
  path = join(dir, 'data', 'plotline.db');
});
afterEach(() => rm(dir, { recursive: true }));

/** Runs a module in a process of its own that has `store`, `task` and `say` (a line to us); kills it hard after its first line. */
async function killedAfterSaying(body: string): Promise<string> {
  const script = `
    import { createLogger } from './src/log.ts';
    import { createSqliteStore } from './src/store/sqlite-store.ts';
    const store = await createSqliteStore({ path: ${JSON.stringify(path)}, log: createLogger('silent') });
    const task = ${JSON.stringify(exampleTask('t1'))};
    const say = (line) => { process.stdout.write(line + '\\n'); for (;;) {} };
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    for await (const chunk of child.stdout) return String(chunk).trim();
    throw new Error('the process ended without a word');
  } finally {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

it('has an accepted task after the process was killed', async () => {
  expect(await killedAfterSaying('say(String(await store.accept(task)));')).toBe('true');
  await using store = await createSqliteStore({ path, log });
  expect(await store.unfinishedThreads()).toEqual([key]);
  expect(await store.accept(exampleTask('t1'))).toBe(false);
  expect(await store.takeNext(key)).toEqual({ task: exampleTask('t1'), state: 'running', attempts: 1, fence: 1 });
});

it('gives a task that was running when the process was killed to the next one, with the post that it began', async () => {
  await killedAfterSaying(`
    await store.accept(task);
    await store.takeNext(${JSON.stringify(key)});
    await store.putPost({ postId: 'p1', taskId: 't1', threadKey: ${JSON.stringify(key)}, kind: 'progress', body: null });
    await store.addPostedPart('p1', { partId: 'text-1', messageId: 'm1' });
    say('posted');`);
  await using store = await createSqliteStore({ path, log });
  expect(await store.takeNext(key)).toMatchObject({ attempts: 2 });
  expect(await store.posts('t1')).toMatchObject([
    { postId: 'p1', sent: false, parts: [{ partId: 'text-1', messageId: 'm1' }] },
  ]);
});

it('is shared by two openers of one file', async () => {
  await using one = await createSqliteStore({ path, log });
  await using other = await createSqliteStore({ path, log });
  const ids = Array.from({ length: 30 }, (_, index) => `t${index}`);
  // One after the other: two stores in one process would wait for each other's lock, and nobody would give it up.
  for (const id of ids) {
    const accepted = await Promise.all([one.accept(exampleTask(id)), other.accept(exampleTask(id))]);
    expect(accepted.filter(Boolean)).toHaveLength(1);
  }
  expect(await other.tasks(key)).toHaveLength(30);
});

it('makes its folder for the owner alone and keeps a write-ahead log', async () => {
  await using store = await createSqliteStore({ path, log });
  expect(await store.unfinishedThreads()).toEqual([]);
  expect((await stat(join(dir, 'data'))).mode & 0o077).toBe(0);
  const database = new DatabaseSync(path);
  expect(database.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
  database.close();
});

it('refuses in words a file of a newer version, a file that is no database and a path that is none', async () => {
  await (await createSqliteStore({ path, log }))[Symbol.asyncDispose]();
  const database = new DatabaseSync(path);
  database.exec(`insert into kysely_migration (name, timestamp) values ('999-later', '2030-01-01T00:00:00Z')`);
  database.close();
  await expect(createSqliteStore({ path, log })).rejects.toMatchObject({
    code: 'config',
    userMessage: expect.stringContaining(path),
  });

  const text = join(dir, 'text.db');
  await writeFile(text, 'this is not a database, '.repeat(100));
  await expect(createSqliteStore({ path: text, log })).rejects.toMatchObject({ code: 'config' });
  await expect(createSqliteStore({ path: join(text, 'plotline.db'), log })).rejects.toMatchObject({ code: 'config' });
});

it('refuses what names a task that was never accepted', async () => {
  await using store = await createSqliteStore({ path, log });
  await expect(
    store.putPost({ postId: 'p', taskId: 'unknown', threadKey: key, kind: 'notice', body: null }),
  ).rejects.toThrow(/FOREIGN KEY/);
});

/** Takes back the seventh migration and what came after it: a usage row has six columns, and any number of rows may be of one task. */
function takeBackLimits(database: DatabaseSync): void {
  const indexes = database
    .prepare(`select name from sqlite_master where type = 'index' and tbl_name = 'usage' and name <> 'usage_of_task'`)
    .all();
  const added = database.prepare(`select name from pragma_table_info('usage') where cid > 5`).all();
  for (const { name } of indexes) database.exec(`drop index ${String(name)}`);
  for (const { name } of added) database.exec(`alter table usage drop column ${String(name)}`);
  database.exec(
    `drop table limit_scopes; drop table drafts; alter table tasks drop column fence; delete from kysely_migration where name >= '007';`,
  );
}

/** Takes back the sixth migration: the database is as the version before it left it. */
function takeBackReferences(database: DatabaseSync): void {
  takeBackLimits(database);
  for (const table of ['files', 'cells', 'posts']) {
    database.exec(
      `drop trigger ${table}_name_blobs; drop trigger ${table}_rename_blobs; drop trigger ${table}_unname_blobs;`,
    );
  }
  database.exec(`
    drop index tasks_by_age; drop table post_removals; drop table forgettings;
    drop table blob_references; drop table fills;
    drop index posts_of_thread; drop index cells_of_task; drop index turns_of_task; drop index usage_of_task; drop index tasks_left_of_thread;
    delete from kysely_migration where name >= '006';
  `);
}

/** The database as it was after that migration: without what later ones added. */
function takeBackTo(migration: string, database: DatabaseSync): void {
  takeBackReferences(database);
  database.exec(`
    drop table cards; drop table feedback; drop table installations; drop table locks;
    drop index tasks_of_person; drop index tasks_of_workspace;
    alter table tasks drop column workspace_key;
    alter table tasks drop column person_key;
    alter table tasks drop column received_at_ms;
  `);
  database.prepare('delete from kysely_migration where name > ?').run(migration);
}

it('tasks that an earlier version stored are found by their person', async () => {
  const task = exampleTask('t1');
  {
    await using store = await createSqliteStore({ path, log });
    await store.accept(task);
  }
  const database = new DatabaseSync(path);
  takeBackTo('003-ends-of-cells', database);
  database.close();
  await using store = await createSqliteStore({ path, log });
  const who = { platform: 'test', workspaceId: 'W/1', personId: 'U1' };
  expect((await store.tasksOf(who, 10)).map((entry) => entry.task)).toEqual([task]);
  expect(await store.usageOf(who, task.receivedAtMs)).toMatchObject({ questions: 1 });
  expect(await store.usageOf(who, task.receivedAtMs + 1)).toMatchObject({ questions: 0 });
});

it('blobs that an earlier version named are known, and those that it names from now on', async () => {
  const hash = (digit: string): string => digit.repeat(64);
  const named = async (store: Store): Promise<readonly string[]> => {
    const hashes: string[] = [];
    for await (const sha256 of store.namedBlobs()) hashes.push(sha256);
    return hashes;
  };
  const threads = Array.from({ length: 50 }, (_, index) => ({ ...exampleThread, threadId: String(index) }));
  {
    await using store = await createSqliteStore({ path, log });
    for (const [index, thread] of threads.entries()) {
      await store.accept(exampleTask(`t${index}`, thread));
      await store.putFile(threadKeyOf(thread), exampleFile('a.csv', index.toString(16).padStart(64, '0')));
    }
    await store.accept(exampleTask('t'));
    await store.addCell(key, exampleCell('t', 0, hash('c')));
    await store.putPost({ postId: 'p', taskId: 't', threadKey: key, kind: 'reply', body: [{ sha256: hash('d') }] });
  }
  const database = new DatabaseSync(path);
  takeBackReferences(database);
  await using store = await createSqliteStore({ path, log });
  expect(await named(store)).toHaveLength(52);
  expect((await named(store)).slice(-3)).toEqual([(49).toString(16).padStart(64, '0'), hash('c'), hash('d')]);
  // As the version before writes, which still runs.
  database.prepare('update files set file = ? where thread_key like ?').run(`{"sha256":"${hash('e')}"}`, '%/7');
  database.close();
  expect((await named(store)).at(-1)).toBe(hash('e'));
  expect(await named(store)).toHaveLength(52);
});

it('cells that an earlier version stored are whole cells, with what it did not keep marked as unknown', async () => {
  {
    await using store = await createSqliteStore({ path, log });
    await store.accept(exampleTask('t1'));
  }
  const file = { path: 'a.csv', sizeBytes: 1, sha256: 'a'.repeat(64), change: 'new' };
  const execution = { status: 'ok', stdout: '1\n', stderr: '', results: [], error: null, files: [file], durationMs: 5 };
  const old = { taskId: 't1', index: 0, title: 'Step', source: 'print(1)', execution };
  const database = new DatabaseSync(path);
  takeBackTo('001-first-tables', database);
  database.prepare('insert into cells values (?, 0, ?, ?)').run(key, 't1', JSON.stringify(old));
  database.close();
  await using store = await createSqliteStore({ path, log });
  expect(await store.cells(key)).toEqual([
    {
      ...old,
      seed: null,
      startedAtMs: 0,
      execution: {
        ...execution,
        results: [],
        files: [{ ...file, formulas: null }],
        stdoutSha256: null,
        stateKept: true,
      },
    },
  ]);
});

it('what became of the Python process is read from the words that earlier cells ended with', async () => {
  const cases = [
    ['ok', null, 5, true],
    ['error', { name: 'ValueError', message: 'x' }, 5, true],
    ['error', { name: 'KernelDied', message: 'While the cell ran, the Python process ended.' }, 5, false],
    ['timeout', { name: 'Timeout', message: 'Stopped. Variables are kept as they were at that moment.' }, 5, true],
    ['timeout', { name: 'Timeout', message: 'Variables and imports of earlier cells are gone.' }, 5, false],
    ['cancelled', { name: 'cancelled', message: 'Stopped before it started.' }, 0, true],
    ['out-of-memory', { name: 'OutOfMemory', message: 'Its Python process was ended.' }, 5, false],
    ['out-of-memory', { name: 'OutOfMemory', message: 'The limit was hit and the whole sandbox ended.' }, 5, null],
    ['lost', { name: 'SandboxLost', message: 'gone' }, 5, null],
  ] as const;
  {
    await using store = await createSqliteStore({ path, log });
    await store.accept(exampleTask('t1'));
  }
  const database = new DatabaseSync(path);
  takeBackTo('002-repeatable-cells', database);
  for (const [index, [status, error, durationMs]] of cases.entries()) {
    const cell = { execution: { status, stdout: '', stderr: '', results: [], error, files: [], durationMs } };
    database.prepare('insert into cells values (?, ?, ?, ?)').run(key, index, 't1', JSON.stringify(cell));
  }
  database.close();
  await using store = await createSqliteStore({ path, log });
  const ends = (await store.cells(key)).map(({ execution }) => execution.stateKept);
  expect(ends).toEqual(cases.map(([, , , kept]) => kept));
});
