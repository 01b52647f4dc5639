import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../src/log.ts';
import { personScopeOf } from '../src/store/limit-queries.ts';
import { createSqliteStore } from '../src/store/sqlite-store.ts';
import { everyLimit, fillUsage, user } from '../test/fakes/used-days.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { timed } from './sandboxes.ts';

const runs = 300;

/** All twelve limits of one question, against usage of a month, and beside it against a hundredth of that. */
export async function limitCheck(): Promise<readonly Figure[]> {
  return [
    figure({
      name: 'limits: 12 of them checked, at 100,000 usage rows',
      unit: 'ms',
      samples: await checks(100_000),
      besideName: 'at 1,000 rows',
      besideSamples: await checks(1000),
      targets: [{ of: 'p50', atMost: 1 }],
    }),
  ];
}

async function checks(rows: number): Promise<readonly number[]> {
  const dir = mkdtempSync(join(tmpdir(), 'plotline-bench-limits-'));
  try {
    const [path, log, nowMs] = [join(dir, 'plotline.db'), createLogger('silent'), Date.now()];
    await (await createSqliteStore({ path, log }))[Symbol.asyncDispose]();
    fillUsage(path, rows, nowMs, (personId) => personScopeOf({ ...user, personId }));
    await using store = await createSqliteStore({ path, log });
    await timed(50, () => store.limitUses(user, everyLimit, nowMs));
    return await timed(runs, () => store.limitUses(user, everyLimit, nowMs));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
