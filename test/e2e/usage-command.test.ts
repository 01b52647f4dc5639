import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { exampleTask } from '../fakes/store-examples.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plotline-usage-'));
});
afterEach(() => rm(dir, { recursive: true }));

const run = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'usage', ...args], {
    env: { ...process.env, DATA_DIR: dir, LOG_LEVEL: '', DATABASE_URL: '' },
  });

it('prints what the questions in the database took, while the bot has it open; mistakes are said', async () => {
  await using store = await createSqliteStore({ path: join(dir, 'plotline.sqlite'), log: createLogger('silent') });
  const nowMs = Date.UTC(2026, 10, 2, 8);
  await store.accept(exampleTask('t1'));
  await store.claim(exampleTask('t1'), { kind: 'question', limits: [], nowMs });
  await store.addUsage('t1', { inputTokens: 1200, costMicros: 3, currency: 'USD', model: 'm' });
  const { stdout, stderr } = await run('--since', '2026-11-01', '--by', 'day', '--json');
  expect(JSON.parse(stdout)).toMatchObject([
    { group: '2026-11-02', tasks: 1, inputTokens: 1200, money: [{ currency: 'USD', amount: 0.000_003 }] },
  ]);
  expect(stderr).toBe('');
  expect((await run('--since', '2026-11-01')).stdout).toMatch(
    /^person +questions +tokens in +money\ntest\/W\/1\/U1 +1 +1,200 +USD/,
  );
  await expect(run('--by', 'team')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^--by team: [^]*npm run usage/),
  });
}, 120_000);
