import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createLimitQueries, personScopeOf } from '../../src/store/limit-queries.ts';
import { createNodeSqliteDialect } from '../../src/store/node-sqlite-dialect.ts';
import type { Database } from '../../src/store/schema.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { createTransact } from '../../src/store/transactions.ts';
import { createNoGroup } from '../../src/store/write-group.ts';
import { exampleTask } from '../fakes/store-examples.ts';
import { everyLimit, fillUsage, user } from '../fakes/used-days.ts';

const nowMs = Date.UTC(2026, 10, 28);
const log = createLogger('silent');
let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plotline-store-'));
  path = join(dir, 'plotline.db');
  await (await createSqliteStore({ path, log }))[Symbol.asyncDispose]();
});
afterEach(() => rm(dir, { recursive: true }));

it('limits are looked up in indexes: only the rows of one day, and of what is open, are touched', async () => {
  fillUsage(path, 12_000, nowMs, (personId) => personScopeOf({ ...user, personId }));
  const asked: { readonly sql: string; readonly parameters: readonly unknown[] }[] = [];
  const db = new Kysely<Database>({
    dialect: createNodeSqliteDialect(path),
    log: ({ query }) => {
      asked.push(query);
    },
  });
  const queries = createLimitQueries(db, createNoGroup(db), createTransact(db));
  const reached = everyLimit.map((limit) => (limit.kind === 'tasks-at-once' ? limit : { ...limit, value: 1 }));
  const uses = await queries.limitUses(user, reached, nowMs);
  expect(uses.filter(({ freesAtMs }) => freesAtMs !== null)).toHaveLength(9);
  await db.destroy();

  const database = new DatabaseSync(path);
  const plans = asked.map(({ sql, parameters }) =>
    database
      .prepare(`explain query plan ${sql}`)
      .all(...(parameters as SQLInputValue[]))
      .map(({ detail }) => String(detail)),
  );
  database.close();
  // For each scope what was used in its day, what is open, and for three limits when they free up.
  expect(plans).toHaveLength(15);
  const ofTables = plans.map((plan) => plan.filter((step) => /\b(usage|tasks)\b/.test(step)));
  for (const scope of ['person', 'channel', 'workspace']) {
    const ofDay = `SEARCH usage USING COVERING INDEX usage_of_${scope} (${scope}_scope=? AND at_ms>?)`;
    expect(ofTables.filter(([step]) => step === ofDay)).toHaveLength(4);
    expect(
      ofTables.filter(([step]) => step === `SEARCH usage USING INDEX usage_open_of_${scope} (${scope}_scope=?)`),
    ).toHaveLength(1);
  }
  expect(ofTables.flat().filter((step) => step.startsWith('SCAN usage') || step.startsWith('SCAN tasks'))).toEqual([]);
});

it('rows of before limits stay as they are, several for a task, and count in the report', async () => {
  {
    await using store = await createSqliteStore({ path, log });
    await store.accept({ ...exampleTask('t1'), receivedAtMs: nowMs });
    await store.claim(exampleTask('t1'), { kind: 'question', limits: [], nowMs });
    await store.addUsage('t1', { inputTokens: 5 });
  }
  // As a process of the version before writes, while this one runs.
  const database = new DatabaseSync(path);
  const old = database.prepare(
    `insert into usage (task_id, input_tokens, cached_input_tokens, output_tokens, sandbox_ms) values ('t1', 10, 1, 2, 1.5)`,
  );
  old.run();
  old.run();
  database.close();
  await using store = await createSqliteStore({ path, log });
  await store.addUsage('t1', { inputTokens: 7 });
  expect(await store.usageBy('day', nowMs)).toMatchObject([
    { group: '2026-11-28', tasks: 1, inputTokens: 32, sandboxMs: 3 },
  ]);
  const who = { platform: 'test', workspaceId: 'W/1', personId: 'U1' };
  expect(await store.usageOf(who, 0)).toMatchObject({ questions: 1, inputTokens: 32 });
});
