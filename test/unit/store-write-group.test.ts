import { beforeEach, expect, it } from 'vitest';
import { Kysely } from 'kysely';
import { createNodeSqliteDialect } from '../../src/store/node-sqlite-dialect.ts';
import type { Database } from '../../src/store/schema.ts';
import { createWriteGroup } from '../../src/store/write-group.ts';

let db: Kysely<Database>;

beforeEach(async () => {
  db = new Kysely<Database>({ dialect: createNodeSqliteDialect(':memory:') });
  await db.schema
    .createTable('locks')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('owner', 'text')
    .addColumn('expires_at_ms', 'integer')
    .execute();
});

const insert = (name: string) => (shared: Kysely<Database>) =>
  shared.insertInto('locks').values({ name, owner: 'o', expires_at_ms: 0 }).execute();

it('a write that fails is undone alone, and only its caller hears of it', async () => {
  const group = createWriteGroup(db);
  const outcomes = await Promise.allSettled(['a', 'b', 'a', 'c'].map((name) => group.write(insert(name))));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await db.selectFrom('locks').select('name').orderBy('name').execute()).toHaveLength(3);
});

it('writes that come together share their transactions, and none resolves before it is kept', async () => {
  let transactions = 0;
  const counted = new Proxy(db, {
    get: (target, name) => {
      if (name === 'transaction') transactions += 1;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const group = createWriteGroup(counted);
  const names = Array.from({ length: 250 }, (_, index) => `n${index}`);
  await Promise.all(
    names.map(async (name) => {
      await group.write(insert(name));
      expect(await db.selectFrom('locks').select('name').where('name', '=', name).execute()).toHaveLength(1);
    }),
  );
  // A hundred at most in one.
  expect(transactions).toBe(3);
});

it('what waits is written before the store is closed', async () => {
  const group = createWriteGroup(db);
  const written = group.write(insert('last'));
  await group.drain();
  expect(await written).toHaveLength(1);
  await group.drain();
});
