import type { Logger } from '../log.ts';
import type { Dispatcher } from '../ports/dispatcher.ts';
import { createInProcessDispatcher } from './in-process-dispatcher.ts';

/** `redisUrl` says where wakes meet over processes; `null`: in this one only. */
export async function openDispatcher(options: {
  readonly redisUrl: string | null;
  readonly log: Logger;
}): Promise<Dispatcher> {
  const { redisUrl, log } = options;
  if (redisUrl === null) return createInProcessDispatcher({ log });
  const { createBullDispatcher } = await import('./bull-dispatcher.ts');
  return createBullDispatcher({ redisUrl, log });
}
