import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { noAudit } from '../src/audit/no-audit.ts';
import { createDirectoryBlobs } from '../src/blobs/directory-blobs.ts';
import { createTaskCells } from '../src/conversation/cells.ts';
import { createSessions } from '../src/conversation/sessions.ts';
import { createLogger } from '../src/log.ts';
import { createSqliteStore } from '../src/store/sqlite-store.ts';
import { threadKeyOf } from '../src/types.ts';
import type { Task } from '../src/types.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, benchLimits, inPieces, openSandboxes, runWell } from './sandboxes.ts';

const runs = 50;
const targetMs = 300;

const orders = table('order,customer,amount', 20_000, (row) => `${row},c${row % 700},${(row * 7919) % 1000}`);
const customers = table('customer,region', 700, (row) => `c${row},region ${row % 7}`);
const targets = table('region,target', 7, (row) => `region ${row},${1000 * row}`);
const files: readonly (readonly [name: string, text: string])[] = [
  ['orders.csv', orders],
  ['customers.csv', customers],
  ['targets.csv', targets],
];

const cells = [
  'import numpy as np\nimport pandas as pd\norders, customers, targets = (pd.read_csv(f"{name}.csv") for name in ("orders", "customers", "targets"))\norders.head()',
  'joined = orders.merge(customers).merge(targets)\nprint(joined.shape)',
  'by_region = joined.groupby("region")["amount"].agg(["sum", "mean"])\nby_region',
  'noise = np.random.normal(size=len(by_region))\nby_region["noise"] = noise.round(3)\nby_region.to_csv("by_region.csv")',
  'import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.bar(by_region.index, by_region["sum"])\nax.set(title="Amount by region", xlabel="Region", ylabel="Amount (EUR)")',
];

const thread = { platform: 'bench', workspaceId: 'w', channelId: 'c', threadId: 't' };
const task: Task = {
  id: 'bench',
  thread,
  messageId: 'm',
  person: { id: 'p', displayName: 'Ada' },
  text: '',
  attachments: [],
  receivedAtMs: 0,
};

/**
 * A thread of 5 cells and 3 files that has lost its container, from asking for its session until it can be used: a warm
 * container, the files from the blobs, the cells again, every result compared. Beside it the cells alone, in a warm container
 * that holds the files.
 */
export async function restore(count: number = runs): Promise<readonly Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'plotline-bench-'));
  const log = createLogger('silent');
  const signal = AbortSignal.timeout(3_600_000);
  await using store = await createSqliteStore({ path: join(dir, 'store.sqlite'), log });
  await using provider = openSandboxes({ poolSize: 1, maxContainers: 4 });
  try {
    const blobs = createDirectoryBlobs({ dir: join(dir, 'blobs') });
    const threadKey = threadKeyOf(thread);
    await store.accept(task);
    for (const [name, text] of files) {
      const stored = await blobs.put(inPieces(Buffer.from(text), 1), { maxBytes: 1e9 });
      const origin = { taskId: task.id, origin: 'attachment', attachmentId: name } as const;
      await store.putFile(threadKey, { ...stored, ...origin, name, mimeType: 'text/csv' });
    }
    const cellTimeoutMs = 60_000;
    const idle = { suspendAfterMs: 1e9, idleMs: 1e9, maxSessions: 4 };
    const deps = { provider, store, blobs, limits: benchLimits, cellTimeoutMs, log };
    await using sessions = createSessions({ ...deps, ...idle });
    const collect = { fileBytes: 1e9, filesBytes: 1e9 };
    const first = createTaskCells(task, { sessions, store, blobs, audit: noAudit, cellTimeoutMs, collect });
    for (const code of cells) {
      const execution = await first.run('Step', code, signal, () => {});
      if (execution.status !== 'ok') throw new Error(execution.error?.traceback);
    }

    /** A pool that is not whole would make this a measure of a container's start. */
    const untilWarm = async (): Promise<void> => {
      while (provider.room().warm < 1) await sleep(20);
    };
    const samples: number[] = [];
    const besideSamples: number[] = [];
    for (let run = 0; run < count; run += 1) {
      await sessions.drop(threadKey);
      await untilWarm();
      const startedAt = performance.now();
      const { notices } = await sessions.open(threadKey, signal);
      samples.push(performance.now() - startedAt);
      if (notices.length > 0) throw new Error(notices.join(' '));

      await untilWarm();
      await using session = await acquire(provider);
      for (const [name, text] of files) await session.write(name, inPieces(Buffer.from(text), 1), signal);
      const cellsStartedAt = performance.now();
      for (const code of cells) await runWell(session, code);
      besideSamples.push(performance.now() - cellsStartedAt);
    }
    return [
      figure({
        name: 'restore a thread of 5 cells and 3 files, warm container',
        unit: 'ms',
        samples,
        besideName: 'its cells alone',
        besideSamples,
        targets: [{ of: 'over', atMost: targetMs }],
      }),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function table(header: string, rows: number, row: (index: number) => string): string {
  return `${[header, ...Array.from({ length: rows }, (_, index) => row(index))].join('\n')}\n`;
}
