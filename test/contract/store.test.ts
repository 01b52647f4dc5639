import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSecretBox } from '../../src/store/secret-box.ts';
import { createPostgresStore } from '../../src/store/postgres-store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { postgresMissing, startPostgres } from '../fakes/postgres.ts';
import type { PostgresCluster } from '../fakes/postgres.ts';
import { describeStoreChanges } from './store-changes.ts';
import { describeStoreLimits } from './store-limits.ts';
import { describeStoreFences } from './store-fences.ts';
import { describeStoreRetention } from './store-retention.ts';
import { describeStore } from './store.ts';

const log = createLogger('silent');
const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

const box = createSecretBox(new Uint8Array(32).fill(7));

const inMemory = (): Promise<Store> => createSqliteStore({ path: ':memory:', log, box });

const inFile = async (): Promise<Store> => {
  const dir = await mkdtemp(join(tmpdir(), 'plotline-store-'));
  dirs.push(dir);
  return createSqliteStore({ path: join(dir, 'data', 'plotline.db'), log, box });
};

const suites = [describeStore, describeStoreChanges, describeStoreFences, describeStoreLimits, describeStoreRetention];

for (const describeWhole of suites) {
  describeWhole('SQLite in memory', inMemory);
  describeWhole('SQLite file', inFile);
}

describe.skipIf(postgresMissing() !== null)('a real server', () => {
  let cluster: PostgresCluster;
  let template: string;
  beforeAll(async () => {
    cluster = await startPostgres();
    template = await cluster.createDatabase();
    await (await createPostgresStore({ url: template, log }))[Symbol.asyncDispose]();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const onServer = async (): Promise<Store> =>
    createPostgresStore({ url: await cluster.createDatabase(template), log, box });

  for (const describeWhole of suites) describeWhole('PostgreSQL', onServer);
});
