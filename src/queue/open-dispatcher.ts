import { AppError, toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Dispatcher } from '../ports/dispatcher.ts';
import { createInProcessDispatcher } from './in-process-dispatcher.ts';

/** What Redis answers to somebody whom it will not let in, however long they wait. */
const refusal = /\b(WRONGPASS|NOAUTH|NOPERM)\b|invalid (password|username)|without any password configured/i;

/**
 * `redisUrl` says where wakes meet over processes; `null`: in this one only. Rejects with `config` where Redis refuses the user or the
 * password; a Redis that does not answer may come later, and its connections say so in the log.
 */
export async function openDispatcher(options: {
  readonly redisUrl: string | null;
  readonly log: Logger;
}): Promise<Dispatcher> {
  const { redisUrl, log } = options;
  if (redisUrl === null) return createInProcessDispatcher({ log });
  const { createBullDispatcher } = await import('./bull-dispatcher.ts');
  const dispatcher = createBullDispatcher({ redisUrl, log });
  const answer = await dispatcher.depth(AbortSignal.timeout(5000)).catch(toAppError);
  if (!(answer instanceof AppError) || !refusal.test(answer.message)) return dispatcher;
  await dispatcher.close({ graceMs: 0 });
  throw new AppError(
    'config',
    `Redis at ${new URL(redisUrl).host} refuses us. Check the user and the password in REDIS_URL (special characters as %40, %2F …).`,
    { cause: answer },
  );
}
