import type { Logger } from '../log.ts';
import type { Dispatcher } from '../ports/dispatcher.ts';
import { createBullDispatcher } from './bull-dispatcher.ts';
import { createInProcessDispatcher } from './in-process-dispatcher.ts';

/** `redisUrl` says where wakes meet over processes; `null`: in this one only. */
export function openDispatcher(options: { readonly redisUrl: string | null; readonly log: Logger }): Dispatcher {
  const { redisUrl, log } = options;
  return redisUrl === null ? createInProcessDispatcher({ log }) : createBullDispatcher({ redisUrl, log });
}
