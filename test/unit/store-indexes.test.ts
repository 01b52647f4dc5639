import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import type { Dialect, LogEvent } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { postgresRules, sqliteRules } from '../../src/store/dialect-rules.ts';
import type { DialectRules } from '../../src/store/dialect-rules.ts';
import { createKyselyStore } from '../../src/store/kysely-store.ts';
import { createMigrations } from '../../src/store/migrations.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createNodeSqliteDialect } from '../../src/store/node-sqlite-dialect.ts';
import { createPostgresPool } from '../../src/store/postgres-pool.ts';
import type { Database } from '../../src/store/schema.ts';
import { createNoGroup } from '../../src/store/write-group.ts';
import { threadKeyOf } from '../../src/types.ts';
import { postgresMissing, startPostgres } from '../fakes/postgres.ts';
import type { PostgresCluster } from '../fakes/postgres.ts';
import { everyLimit } from '../fakes/used-days.ts';
import { exampleCard, exampleCell, exampleFile, exampleTask, exampleThread } from '../fakes/store-examples.ts';

const key = threadKeyOf(exampleThread);
const who = { platform: 'test', workspaceId: 'W/1', personId: 'U1' };
const reply = { postId: 'p1', taskId: 't1', threadKey: key, kind: 'reply', body: { text: 'answer' } } as const;

/** Of these it is asked as well when they free up. */
const reachedLimits = everyLimit.map((limit) => ({ ...limit, value: 0 }));

/** All that happens to a thread, and what is asked on the way of a mention. */
const calls: readonly (readonly [name: string, call: (store: Store) => Promise<unknown>])[] = [
  ['accept', (store) => store.accept(exampleTask('t2'))],
  ['unfinishedThreads', (store) => store.unfinishedThreads()],
  ['takeNext', (store) => store.takeNext(key)],
  ['giveBack', (store) => store.giveBack('t1')],
  ['completeTask', (store) => store.completeTask({ ...exampleTask('t1'), attachments: [] })],
  ['reviseTask', (store) => store.reviseTask({ ...exampleTask('t1'), text: 'new' })],
  ['task', (store) => store.task('t1')],
  ['tasks', (store) => store.tasks(key)],
  ['knowsThread', (store) => store.knowsThread(key)],
  ['tasksOf', (store) => store.tasksOf(who, 10)],
  ['threadsBegunBy', (store) => store.threadsBegunBy(who)],
  ['load', (store) => store.load('test', 'W/1')],
  ['usageOf', (store) => store.usageOf(who, 0)],
  ['putPost', (store) => store.putPost({ ...reply, postId: 'p0', kind: 'progress' })],
  ['updatePost', (store) => store.updatePost('p0', {})],
  ['addPostedPart', (store) => store.addPostedPart('p0', { partId: 'a', messageId: 'm' })],
  ['posts', (store) => store.posts('t1')],
  ['settle', (store) => store.settle({ ...exampleTask('t1'), text: 'new' }, reply)],
  ['markSent', (store) => store.markSent('p1')],
  ['addCell', (store) => store.addCell(key, exampleCell('t1', 0))],
  ['cells', (store) => store.cells(key)],
  ['putTurn', (store) => store.putTurn(key, 't1', [])],
  ['turns', (store) => store.turns(key)],
  ['putFile', (store) => store.putFile(key, exampleFile('a.csv', 'aa'))],
  ['files', (store) => store.files(key)],
  ['putCard', (store) => store.putCard(key, exampleCard)],
  ['cards', (store) => store.cards(key)],
  ['namedBlobs', (store) => store.namedBlobs()[Symbol.asyncIterator]().next()],
  [
    'addUsage',
    (store) => store.addUsage('t1', { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, sandboxMs: 1 }),
  ],
  ['claim', (store) => store.claim(exampleTask('t1'), { kind: 'question', limits: everyLimit, nowMs: 0 })],
  ['limitUses', (store) => store.limitUses({ ...who, channelId: 'C1' }, reachedLimits, 0)],
  ['endUsage', (store) => store.endUsage(exampleTask('t1'), { outcome: 'answered', bytesOut: 1, counts: true })],
  ['moneyOf', (store) => store.moneyOf(who, 0)],
  ['finish', (store) => store.finish('t1', 'done')],
  ['dropCells', (store) => store.dropCells(key, 't1')],
  ['noteForgetting', (store) => store.noteForgetting([key])],
  ['forgetQuestion', (store) => store.forgetQuestion(['t1'])],
  ['forgetThreadAtRest', (store) => store.forgetThreadAtRest(key, 1)],
  ['forgetTask', (store) => store.forgetTask('t1')],
  ['forgetThread', (store) => store.forgetThread(key)],
];

/** `scansOf` gives the steps of a query's plan that read a whole table or a whole index. */
function describePlans(
  name: string,
  engine: {
    readonly rules: DialectRules;
    readonly dialect: () => Promise<Dialect>;
    readonly scansOf: (db: Kysely<Database>, query: CompiledQuery) => Promise<readonly string[]>;
  },
): void {
  describe(`plans of ${name}`, () => {
    let db: Kysely<Database>;
    let store: Store;
    let statements: CompiledQuery[] = [];
    beforeAll(async () => {
      const log = ({ query }: LogEvent): void => void statements.push(query);
      db = new Kysely<Database>({ dialect: await engine.dialect(), log });
      const { rules } = engine;
      await migrate(db, { name, migrations: createMigrations(rules), rules, log: createLogger('silent') });
      store = createKyselyStore({ db, rules, group: createNoGroup(db), box: null });
      await store.accept(exampleTask('t1'));
    });
    beforeEach(() => {
      statements = [];
    });
    afterAll(() => store[Symbol.asyncDispose]());

    const scans = async (): Promise<readonly string[]> => {
      const queries = statements.filter(({ sql }) => /^(select|insert|update|delete|with)/i.test(sql));
      expect(queries.length).toBeGreaterThan(0);
      return (await Promise.all(queries.map((query) => engine.scansOf(db, query)))).flat();
    };

    it.each(calls)('%s reads no whole table', async (_, call) => {
      await call(store);
      expect(await scans()).toEqual([]);
    });

    it('a whole table that is read is seen', async () => {
      await db.selectFrom('posts').selectAll().where('body', 'like', '%x%').execute();
      expect(await scans()).toHaveLength(1);
    });
  });
}

describePlans('SQLite', {
  rules: sqliteRules,
  dialect: () => Promise.resolve(createNodeSqliteDialect(':memory:')),
  scansOf: async (db, { sql, parameters }) => {
    const { rows } = await db.executeQuery<{ detail: string }>(
      CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
    );
    // What stands in brackets is a part of the query itself.
    return rows.flatMap(({ detail }) =>
      /^SCAN (?!CONSTANT|\(|\d+-ROW VALUES)/.test(detail) ? [`${detail}: ${sql}`] : [],
    );
  },
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Cond'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** A bitmap of rows comes from an index, which is a step of its own. Of small tables any index on open tasks is as good: it holds no others. */
function wholeReads(node: PlanNode): readonly string[] {
  const isWhole =
    /^(Seq|Index|Index Only|Bitmap Index) Scan$/.test(node['Node Type']) &&
    node['Index Cond'] === undefined &&
    node['Index Name']?.startsWith('usage_open_of_') !== true;
  return [...(isWhole ? [node['Node Type']] : []), ...(node.Plans ?? []).flatMap(wholeReads)];
}

describe.skipIf(postgresMissing() !== null)('a real server', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  describePlans('PostgreSQL', {
    rules: postgresRules,
    dialect: async () => {
      const url = await cluster.createDatabase();
      // The tables are small here, and of these it would read the whole whatever the indexes.
      const options = { url: `${url}?options=-c%20enable_seqscan%3Doff`, connections: 2, statementTimeoutMs: 0 };
      const pool = createPostgresPool({ ...options, log: createLogger('silent') });
      return new PostgresDialect({ pool });
    },
    scansOf: async (db, { sql, parameters }) => {
      const { rows } = await db.executeQuery<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(
        CompiledQuery.raw(`explain (format json) ${sql}`, [...parameters]),
      );
      return rows.flatMap((row) => wholeReads(row['QUERY PLAN'][0].Plan)).map((step) => `${step}: ${sql}`);
    },
  });
});
