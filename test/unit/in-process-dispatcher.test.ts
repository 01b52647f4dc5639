import { expect, it, vi } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createInProcessDispatcher } from '../../src/queue/in-process-dispatcher.ts';

it('what a handler logs is of its own thread, not of who woke it or ended before it', async () => {
  const somebody = { personId: 'p', isFollowUp: false };
  const lines: string[] = [];
  const log = createLogger('info', (line) => lines.push(line));
  const dispatcher = createInProcessDispatcher({ log });
  await log.within({ taskId: 'of-a' }, () => dispatcher.wake('a', somebody));
  await log.within({ taskId: 'of-a' }, () => dispatcher.wake('b', somebody));
  dispatcher.process(
    async (threadKey) => {
      log.info({}, `at work on ${threadKey}`);
      await log.within({ threadKey, taskId: `of-${threadKey}` }, () => Promise.resolve());
      throw new Error('broken');
    },
    { concurrency: 1 },
  );
  await vi.waitFor(() => expect(lines).toHaveLength(4));
  await dispatcher.close({ graceMs: 0 });
  const entries = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(entries.map(({ msg, threadKey, taskId }) => [msg, threadKey, taskId])).toEqual([
    ['at work on a', 'a', undefined],
    ['thread handler failed', 'a', undefined],
    ['at work on b', 'b', undefined],
    ['thread handler failed', 'b', undefined],
  ]);
});

it('a handler that an orderly end interrupts is no failure for the log', async () => {
  const lines: string[] = [];
  const dispatcher = createInProcessDispatcher({ log: createLogger('info', (line) => lines.push(line)) });
  const interrupted = vi.fn<() => void>();
  dispatcher.process(
    async (_, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      interrupted();
      throw signal.reason as Error;
    },
    { concurrency: 1 },
  );
  await dispatcher.wake('a', { personId: 'p', isFollowUp: false });
  await new Promise((resolve) => setTimeout(resolve, 10));
  await dispatcher.close({ graceMs: 0 });
  expect(interrupted).toHaveBeenCalledOnce();
  expect(lines).toEqual([]);
});
