import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { describeStore } from './store.ts';

const log = createLogger('silent');
const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

describeStore('SQLite in memory', () => createSqliteStore({ path: ':memory:', log }));

describeStore('SQLite file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plotline-store-'));
  dirs.push(dir);
  return createSqliteStore({ path: join(dir, 'data', 'plotline.db'), log });
});
