import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { createLogger } from '../src/log.ts';
import type { Store } from '../src/ports/store.ts';
import { openStore } from '../src/store/open-store.ts';
import { threadKeyOf } from '../src/types.ts';
import type { ThreadRef } from '../src/types.ts';
import { postgresMissing, startPostgres } from '../test/fakes/postgres.ts';
import { exampleCard, exampleCell, exampleFile, exampleTask, exampleThread } from '../test/fakes/store-examples.ts';
import { figure, quantile } from './figures.ts';
import type { Figure } from './figures.ts';
import { hearingOnly, silentClient } from './heard-questions.ts';

const threads = 1000;
const questionsPerThread = 20;
const followUps = 500;
const log = createLogger('silent');

/**
 * A follow-up in any of a thousand threads with history: from the gateway's question whether the thread is known to the moment at which the
 * platform may be told that the message was taken, so once the task is on disk. Beside it, one INSERT of as many bytes, flushed to the
 * same disk, between the follow-ups.
 */
export async function storeFollowUp(): Promise<readonly Figure[]> {
  return [await onSqlite(), ...(postgresMissing() === null ? [await onPostgres()] : [])];
}

async function onSqlite(): Promise<Figure> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-bench-'));
  try {
    await using store = await openStore({ dataDir, databaseUrl: null, secretsKey: null }, log);
    const history = new DatabaseSync(join(dataDir, 'plotline.sqlite'));
    await fillHistory(store, (statement) => Promise.resolve(history.exec(statement)));
    history.close();

    const bare = new DatabaseSync(join(dataDir, 'bare.sqlite'));
    bare.exec('pragma journal_mode = wal; pragma synchronous = full; create table bare (text text)');
    const insert = bare.prepare('insert into bare values (?)');
    const samples = await measure(store, (text) => Promise.resolve(insert.run(text)));
    bare.close();
    return figureOf('SQLite', samples, [{ of: 'p99', atMost: 20 }]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function onPostgres(): Promise<Figure> {
  await using cluster = await startPostgres({ durable: true });
  const url = await cluster.createDatabase();
  await using store = await openStore({ dataDir: '', databaseUrl: url, secretsKey: null }, log);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await fillHistory(store, (statement) => client.query(statement));
    await client.query('analyze');
    await client.query('create table bare (text text)');
    const samples = await measure(store, (text) => client.query('insert into bare values ($1)', [text]));
    return figureOf('PostgreSQL', samples, [{ of: 'over', atMost: 20 }]);
  } finally {
    await client.end();
  }
}

interface Samples {
  readonly accepted: readonly number[];
  readonly bare: readonly number[];
}

function figureOf(name: string, { accepted, bare }: Samples, targets: Parameters<typeof figure>[0]['targets']): Figure {
  const [p99, bareP99] = [accepted, bare].map((samples) => quantile(samples, 0.99).toFixed(1));
  process.stderr.write(`${name}: follow-up p99 ${p99} ms, bare INSERT p99 ${bareP99} ms\n`);
  return figure({
    name: `follow-up in one of ${threads} threads of ${questionsPerThread} questions accepted, ${name}`,
    unit: 'ms',
    samples: accepted,
    besideName: 'a bare INSERT, flushed',
    besideSamples: bare,
    targets,
  });
}

async function measure(store: Store, insert: (text: string) => Promise<unknown>): Promise<Samples> {
  await using hearing = hearingOnly(store, silentClient);
  const { onTask } = hearing.handlers;
  const accepted: number[] = [];
  const bare: number[] = [];
  for (let index = 0; index < followUps; index += 1) {
    // 617 and 1,000 share no factor: the threads come in no order of the disk, none twice.
    const thread = threadOf((index * 617) % threads);
    const task = exampleTask(`follow-up-${index}`, thread);
    bare.push(await elapsed(() => insert(JSON.stringify(task))));
    accepted.push(
      await elapsed(async () => {
        if (!(await store.knowsThread(threadKeyOf(thread)))) throw new Error('a thread of the history is not known');
        await onTask(task);
      }),
    );
    // What goes on after the acknowledgement is over by then.
    await delay(2);
  }
  return { accepted, bare };
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Thread keys and ids of the history differ in this number alone. */
function threadOf(index: number): ThreadRef {
  return { ...exampleThread, threadId: `history-${index}-` };
}

/** One thread with all that questions leave, by the store; the others are copies of it, made by the database at once. */
async function fillHistory(store: Store, run: (statement: string) => Promise<unknown>): Promise<void> {
  const thread = threadOf(0);
  const key = threadKeyOf(thread);
  await store.putFile(key, exampleFile('a.csv', 'a'.repeat(64)));
  await store.putCard(key, exampleCard);
  for (let question = 0; question < questionsPerThread; question += 1) {
    const id = `history-0-${question}`;
    await store.accept(exampleTask(id, thread));
    await store.addCell(key, exampleCell(id, question));
    await store.putTurn(key, id, [{ role: 'user', text: 'The totals by month, please. '.repeat(100) }]);
    for (const kind of ['progress', 'reply'] as const) {
      const post = {
        postId: `${id}-${kind}`,
        taskId: id,
        threadKey: key,
        kind,
        body: { text: 'The totals. '.repeat(50) },
      };
      await store.putPost(post);
      await store.addPostedPart(post.postId, { partId: 'text-1', messageId: id });
      await store.markSent(post.postId);
    }
    await store.addUsage(id, { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 100, sandboxMs: 500 });
    await store.finish(id, 'done');
  }
  for (const [table, columns] of Object.entries(copied)) {
    const values = columns.map((column) =>
      numbered.has(column) ? column : `replace(${column}, 'history-0-', 'history-' || n || '-')`,
    );
    await run(`insert into ${table} (${columns.join(', ')})
      with recursive series(n) as (select 1 union all select n + 1 from series where n < ${threads - 1})
      select ${values.join(', ')} from ${table}, series where ${columns[0]} like '%history-0-%'`);
  }
}

const numbered = new Set(['attempts', 'received_at_ms', 'sent', 'position']);

/** The first column is one that names the thread. */
const copied = {
  tasks: ['thread_key', 'id', 'state', 'attempts', 'task', 'workspace_key', 'person_key', 'received_at_ms'],
  posts: ['thread_key', 'post_id', 'task_id', 'kind', 'body', 'sent'],
  post_parts: ['post_id', 'part_id', 'message_id'],
  cells: ['thread_key', 'position', 'task_id', 'cell'],
  turns: ['thread_key', 'task_id', 'messages'],
  files: ['thread_key', 'name', 'file'],
  cards: ['thread_key', 'name', 'card'],
} as const;
