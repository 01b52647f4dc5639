/**
 * A gateway's part of the queue in a process of its own: `queue-gateway.ts URL PREFIX THREADS` wakes so many threads and prints its
 * resident memory in MB before and after, and the seconds it took, as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../src/log.ts';
import { createBullDispatcher } from '../src/queue/bull-dispatcher.ts';

/** As many mentions at once as a busy minute brings. */
const together = 100;
const warmUp = 200;

const [redisUrl = '', prefix = '', threads = ''] = process.argv.slice(2);
const dispatcher = createBullDispatcher({ redisUrl, prefix, log: createLogger('warn') });

const wakeMany = async (name: string, count: number): Promise<void> => {
  for (let from = 0; from < count; from += together) {
    const some = Array.from({ length: together }, (_, index) => from + index);
    await Promise.all(
      some.map((index) =>
        dispatcher.wake(`bench/T${index % 20}/C${index % 50}/${name}${index}`, {
          personId: `U${index % 200}`,
          isFollowUp: index % 3 === 0,
        }),
      ),
    );
  }
};

await wakeMany('warm', warmUp);
await sleep(500);
const megabytes = (): number => process.memoryUsage.rss() / 1024 / 1024;
const beforeMb = megabytes();
const startedAtMs = performance.now();
await wakeMany('t', Number(threads));
const seconds = (performance.now() - startedAtMs) / 1000;
process.stdout.write(`${JSON.stringify({ beforeMb, afterMb: megabytes(), seconds })}\n`);
await dispatcher.close({ graceMs: 0 });
