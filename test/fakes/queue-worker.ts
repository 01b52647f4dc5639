/**
 * A worker process of the tests: `queue-worker.ts URL PREFIX LEDGER LEASE_MS TASK_MS`. Each handler writes to the ledger when it starts
 * and how it ends; a thread that ended in there has nothing to do any more. SIGTERM closes it.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../src/log.ts';
import { createBullDispatcher } from '../../src/queue/bull-dispatcher.ts';

const [redisUrl = '', prefix = '', ledger = '', leaseMs = '', taskMs = ''] = process.argv.slice(2);
const note = (what: string, thread: string): void => appendFileSync(ledger, `${what} ${process.pid} ${thread}\n`);
const hasEnded = (thread: string): boolean =>
  readFileSync(ledger, 'utf8')
    .split('\n')
    .some((line) => line.startsWith('end ') && line.endsWith(` ${thread}`));

const dispatcher = createBullDispatcher({
  redisUrl,
  prefix,
  leaseMs: Number(leaseMs),
  log: createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent'),
});
dispatcher.process(
  async (thread, signal) => {
    if (hasEnded(thread)) return null;
    note('start', thread);
    await sleep(Number(taskMs), undefined, { signal }).catch(() => {});
    note(signal.aborted ? 'aborted' : 'end', thread);
    signal.throwIfAborted();
    return null;
  },
  { concurrency: 3 },
);
process.once('SIGTERM', () => {
  void dispatcher.close({ graceMs: 50 }).then(() => process.exit(0));
});
process.stdout.write('ready\n');
