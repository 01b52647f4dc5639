import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { createPostgresDatabase, createPostgresStore } from '../../src/store/postgres-store.ts';
import { createSecretBox } from '../../src/store/secret-box.ts';
import { threadKeyOf } from '../../src/types.ts';
import { exampleCell, exampleFile, exampleTask, exampleThread } from '../fakes/store-examples.ts';
import { postgresMissing, startPostgres } from '../fakes/postgres.ts';
import type { PostgresCluster } from '../fakes/postgres.ts';

const log = createLogger('silent');
const key = threadKeyOf(exampleThread);
const box = createSecretBox(new Uint8Array(32).fill(7));
const rounds = 10;

const replyOf = (taskId: string) => ({
  postId: `${taskId}-reply`,
  taskId,
  threadKey: key,
  kind: 'reply' as const,
  body: { text: 'answer' },
});

describe.skipIf(postgresMissing() !== null)('two processes over one PostgreSQL database', () => {
  let cluster: PostgresCluster;
  let template: string;
  let url: string;
  let signal: AbortSignal;
  let one: Store;
  let other: Store;
  let client: Client;

  beforeAll(async () => {
    cluster = await startPostgres();
    template = await cluster.createDatabase();
    await (await createPostgresStore({ url: template, log }))[Symbol.asyncDispose]();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());
  beforeEach(async () => {
    signal = AbortSignal.timeout(60_000);
    url = await cluster.createDatabase(template);
    [one, other] = await Promise.all([createPostgresStore({ url, log, box }), createPostgresStore({ url, log, box })]);
    client = new Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
  });
  afterEach(async () => {
    await Promise.all([one, other].map((store) => store[Symbol.asyncDispose]()));
    await client.end();
  });

  /** Runs `work` while another session holds the rows that `lock` selects; they are given back once so many wait for them. */
  async function whileHeld<T>(lock: string, waiting: number, work: () => Promise<T>): Promise<T> {
    await client.query('begin');
    await client.query(lock);
    const result = work();
    await untilWaiting(waiting);
    await client.query('commit');
    return await result;
  }

  async function untilWaiting(sessions: number): Promise<void> {
    for (;;) {
      const { rows } = await client.query('select from pg_locks where not granted');
      if (rows.length >= sessions) return;
      await sleep(5);
    }
  }

  it('a task is accepted once', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const task = exampleTask(`t${round}`);
      const answers = await Promise.all([one, other, one, other].map((store) => store.accept(task)));
      expect(answers.filter(Boolean)).toHaveLength(1);
    }
    expect(await one.tasks(key)).toHaveLength(rounds);
  });

  it('a task that ends while another worker reaches for it is not begun again, and that one gets the next', async () => {
    for (const id of ['t1', 't2']) await one.accept(exampleTask(id));
    await one.takeNext(key);
    const taken = await whileHeld(`update tasks set state = 'done' where id = 't1'`, 1, () => other.takeNext(key));
    expect(taken).toMatchObject({ task: { id: 't2' }, state: 'running', attempts: 1 });
    expect((await one.tasks(key)).map(({ state }) => state)).toEqual(['done', 'running']);
  });

  it('both workers of one thread take the same task, and each start counts', async () => {
    for (const id of ['t1', 't2']) await one.accept(exampleTask(id));
    const taken = await whileHeld(`select from tasks where id = 't1' for update`, 2, () =>
      Promise.all([one.takeNext(key), other.takeNext(key)]),
    );
    expect(taken.map((entry) => entry?.task.id)).toEqual(['t1', 't1']);
    expect(taken.map((entry) => Number(entry?.attempts)).toSorted((low, high) => low - high)).toEqual([1, 2]);
  });

  it('a task that was begun goes before one that was accepted earlier and seen later', async () => {
    await client.query('begin');
    await client.query(
      `insert into tasks (id, thread_key, state, attempts, task) values ('late', $1, 'waiting', 0, $2)`,
      [key, JSON.stringify(exampleTask('late'))],
    );
    await one.accept(exampleTask('t1'));
    expect(await one.takeNext(key)).toMatchObject({ task: { id: 't1' } });
    await client.query('commit');
    expect(await other.takeNext(key)).toMatchObject({ task: { id: 't1' }, attempts: 2 });
    await one.finish('t1', 'done');
    expect(await other.takeNext(key)).toMatchObject({ task: { id: 'late' }, attempts: 1 });
  });

  it('of an edit and an answer, one wins and the other knows', async () => {
    const outcomes = new Set<boolean>();
    for (let round = 0; round < rounds; round += 1) {
      const task = exampleTask(`t${round}`);
      await one.accept(task);
      const [revised, settled] = await whileHeld(
        `select from tasks where id = '${task.id}' for update`,
        2,
        async () => {
          const edit = () => one.reviseTask({ ...task, text: 'new' });
          const answer = () => other.settle(task, replyOf(task.id));
          // Whoever asks first tends to win: each of them begins in half of the rounds.
          if (round % 2 === 0) return Promise.all([edit(), answer()]);
          const answered = answer();
          return [await edit(), await answered] as const;
        },
      );
      expect(revised === null).toBe(settled !== null);
      expect((await one.task(task.id))?.task.text === task.text).toBe(settled !== null);
      outcomes.add(settled === null);
    }
    expect(outcomes.size).toBe(2);
  });

  it('two completions of a task both count', async () => {
    const task = exampleTask('t1');
    const [attachment] = task.attachments;
    if (attachment === undefined) throw new Error('no attachment');
    await one.accept({ ...task, attachments: [] });
    await whileHeld(`select from tasks where id = 't1' for update`, 2, () =>
      Promise.all(
        [one, other].map((store, index) =>
          store.completeTask({ ...task, attachments: [{ ...attachment, id: `F${index}` }] }),
        ),
      ),
    );
    const found = await one.task('t1');
    expect(found?.task.attachments.map(({ id }) => id).toSorted()).toEqual(['F0', 'F1']);
  });

  it('a cell has its index alone', async () => {
    await one.accept(exampleTask('t1'));
    for (let index = 0; index < rounds; index += 1) {
      const outcomes = await Promise.allSettled(
        [one, other, one, other].map((store) => store.addCell(key, exampleCell('t1', index))),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
      expect(reasons).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('next index')));
    }
    expect((await other.cells(key)).map(({ index }) => index)).toEqual(
      Array.from({ length: rounds }, (_, index) => index),
    );
  });

  it('no gap is left where the last cell is dropped while the next is added', async () => {
    await one.accept(exampleTask('t1'));
    await one.accept(exampleTask('t2'));
    await one.addCell(key, exampleCell('t1', 0));
    await one.addCell(key, exampleCell('t2', 1));
    const adding = whileHeld(`delete from cells where position = 1`, 1, () => other.addCell(key, exampleCell('t2', 2)));
    await expect(adding).rejects.toThrow('next index');
    await other.addCell(key, exampleCell('t2', 1));
    expect((await one.cells(key)).map(({ index }) => index)).toEqual([0, 1]);
  });

  it('a post is written once, and both see the same one', async () => {
    for (let round = 0; round < rounds; round += 1) {
      await one.accept(exampleTask(`t${round}`));
      const posts = await Promise.all(
        [one, other, one, other].map((store, index) => store.putPost({ ...replyOf(`t${round}`), body: { index } })),
      );
      expect(new Set(posts.map((post) => JSON.stringify(post))).size).toBe(1);
    }
  });

  const unlessGone = (error: unknown): void => {
    if (!/foreign key/.test(String(error))) throw error;
  };

  it('a thread that is forgotten while it is answered keeps nothing, and nobody waits for ever', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const task = exampleTask(`t${round}`);
      await one.accept(task);
      const sha256 = round.toString(16).padStart(64, '0');
      await one.putFile(key, exampleFile('a.csv', sha256));
      await one.putPost({ ...replyOf(task.id), postId: `${task.id}-progress`, kind: 'progress' });
      const [freed] = await Promise.all([
        one.forgetThread(key),
        other.settle(task, replyOf(task.id)),
        other.addCell(key, exampleCell(task.id, 0)),
        one.addPostedPart(`${task.id}-progress`, { partId: 'p', messageId: 'm' }).catch(unlessGone),
        other.updatePost(`${task.id}-progress`, { text: 'x' }),
        other.forgetTask(task.id),
      ]);
      expect(freed).toEqual([sha256]);
      expect(await one.task(task.id)).toBeNull();
      // A cell may have come after it; the worker forgets once more for that.
      await one.forgetThread(key);
      expect(await one.posts(task.id)).toEqual([]);
      expect(await one.cells(key)).toEqual([]);
    }
    // The server says within a second what it had to end.
    await sleep(1100);
    const { rows } = await client.query('select deadlocks from pg_stat_database where datname = current_database()');
    expect(rows).toEqual([{ deadlocks: '0' }]);
  });

  it('a reply that waits for its forgotten task is not written', async () => {
    const task = exampleTask('t1');
    await one.accept(task);
    const settled = await whileHeld(`update tasks set person_key = '' where id = 't1'`, 1, () =>
      other.settle(task, replyOf('t1')),
    );
    expect(settled).toBeNull();
    expect(await one.posts('t1')).toEqual([]);
  });

  it('transactions that block each other are repeated, not failed', async () => {
    await one.accept(exampleTask('t1'));
    await one.putPost(replyOf('t1'));
    // Of two that wait for each other, the server ends the one that looks first: this session does not look.
    await client.query(`set deadlock_timeout = '60s'`);
    await client.query('begin');
    await client.query(`select from posts for update`);
    // Holds the task and waits for the post; then this session waits for the task.
    const forgotten = one.forgetTask('t1');
    await untilWaiting(1);
    await client.query(`select from tasks for update`);
    await client.query('commit');
    await expect(forgotten).resolves.toBeUndefined();
    expect(await one.posts('t1')).toEqual([]);
  });

  it('a lock lets one in at a time, of both', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await one.load('test', 'W/1');
      inside -= 1;
    };
    await Promise.all([one, other, one, other].map((store) => store.withLock('l', { ttlMs: 10_000, signal }, work)));
    expect([most, inside]).toEqual([1, 0]);
  });

  it('a lock runs out by the clock of the database, whatever the clock of a machine says', async () => {
    const held = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const holding = one.withLock('l', { ttlMs: 60_000, signal }, () => {
      taken.resolve();
      return held.promise;
    });
    await taken.promise;
    await client.query(`update locks set expires_at_ms = expires_at_ms - 61000`);
    expect(await other.withLock('l', { ttlMs: 60_000, signal }, () => Promise.resolve('in'))).toBe('in');
    held.resolve();
    await holding;
    const { rows } = await client.query('select * from locks');
    expect(rows).toEqual([]);
  });

  it('what one sealed the other opens, and the database does not hold it', async () => {
    await one.putInstallation('slack/T1', { token: 'xoxb-1' });
    expect(await other.installation('slack/T1')).toEqual({ token: 'xoxb-1' });
    const { rows } = await client.query<{ sealed: string }>('select sealed from installations');
    expect(rows[0]?.sealed).toMatch(/^v1\./);
    expect(JSON.stringify(rows)).not.toContain('xoxb');
  });

  it('texts that PostgreSQL refuses survive in every column', async () => {
    const odd = 'a\u0000b\ud800c\u0010d';
    const [task, twin] = [exampleTask(odd), exampleTask('a\u0000b\ud801c\u0010d')];
    expect(await one.accept({ ...task, person: { ...task.person, displayName: odd } })).toBe(true);
    expect(await one.accept(twin)).toBe(true);
    await one.putPost({ ...replyOf(odd), threadKey: odd });
    await one.addPostedPart(`${odd}-reply`, { partId: odd, messageId: odd });
    await one.putTurn(odd, odd, [{ role: 'user', text: odd }]);
    await one.putFile(odd, exampleFile(odd, 'ab'));
    await one.putFeedback(odd, odd, 'good');
    await one.putInstallation(odd, odd);
    expect(await other.task(odd)).toMatchObject({ task: { id: odd, person: { displayName: odd } } });
    expect(await other.posts(odd)).toEqual([
      { ...replyOf(odd), threadKey: odd, parts: [{ partId: odd, messageId: odd }], sent: false },
    ]);
    expect(await other.turns(odd)).toEqual([{ taskId: odd, messages: [{ role: 'user', text: odd }] }]);
    expect(await other.files(odd)).toEqual([exampleFile(odd, 'ab')]);
    expect(await other.installation(odd)).toBe(odd);
    expect(await other.withLock(odd, { ttlMs: 1000, signal }, () => Promise.resolve(odd))).toBe(odd);
  });

  it('blobs of rows that were there before the table are named, but for those that go meanwhile', async () => {
    const hashes = Array.from({ length: 3 }, (_, index) => String(index + 1).repeat(64));
    for (const sha256 of hashes) {
      const threadKey = `test/W/C/${sha256[0]}`;
      await one.putFile(threadKey, exampleFile('a.csv', sha256));
    }
    await client.query(`delete from blob_references`);
    await client.query(`delete from fills`);
    const again = await whileHeld(`delete from files where thread_key like '%/2'`, 1, () =>
      createPostgresStore({ url, log }),
    );
    const named: string[] = [];
    for await (const sha256 of again.namedBlobs()) named.push(sha256);
    await again[Symbol.asyncDispose]();
    expect(named).toEqual([hashes[0], hashes[2]]);
  });

  it('a connection that is ended fails what is under way, retryable, and the next query has a new one', async () => {
    await one.accept(exampleTask('t1'));
    await client.query('begin');
    await client.query(`select from tasks for update`);
    const revising = Promise.allSettled([one.reviseTask({ ...exampleTask('t1'), text: 'new' })]);
    await untilWaiting(1);
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    expect(await revising).toMatchObject([{ status: 'rejected', reason: { code: 'internal', retryable: true } }]);
    await client.query('rollback');
    expect(await one.task('t1')).toMatchObject({ task: exampleTask('t1') });
  });

  it('a server that does not answer any more is given up, and its connection with it', async () => {
    const db = createPostgresDatabase({ url, connections: 1, statementTimeoutMs: 100, log });
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    const pid = Number(rows[0]?.pid);
    process.kill(pid, 'SIGSTOP');
    const failing = db.transaction().execute((transaction) => transaction.selectFrom('tasks').selectAll().execute());
    await expect(failing).rejects.toMatchObject({ code: 'internal', retryable: true });
    expect(await db.selectFrom('tasks').selectAll().execute()).toEqual([]);
    process.kill(pid, 'SIGCONT');
    await db.destroy();
  });

  it('a server that dies fails its queries, retryable, and is found again', async () => {
    await one.accept(exampleTask('t1'));
    const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await cluster.kill();
    await gone;
    const outcomes = await Promise.allSettled([
      one.accept(exampleTask('t2')),
      one.finish('t1', 'done'),
      other.forgetThread(key),
    ]);
    expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: expect.any(AppError) })));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'internal', retryable: true } });
    await cluster.start();
    expect(await one.accept(exampleTask('t2'))).toBe(true);
    expect(await other.accept(exampleTask('t1'))).toBe(false);
  });
});
