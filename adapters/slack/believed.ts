import { AppError } from '../../src/errors.ts';
import { cancelled } from './errors.ts';
import type { Json } from '../json.ts';
import type { SlackWeb } from './web.ts';

/** Answers that are asked for once and believed for a while, whoever waits for them. Failures are not kept. */
export interface Believed<Value> {
  /** Rejects as `ask` does, and with `cancelled` when `signal` aborts; others that wait for the same answer wait on. */
  get(key: string, ask: () => Promise<Value>, signal: AbortSignal): Promise<Value>;
}

export function createBelieved<Value>(options: {
  readonly believedMs: number;
  readonly maxKnown: number;
  readonly now?: (() => number) | undefined;
}): Believed<Value> {
  const { believedMs, maxKnown, now = Date.now } = options;
  const known = new Map<string, { readonly answer: Promise<Value>; readonly untilMs: number }>();

  const answerTo = (key: string, ask: () => Promise<Value>): Promise<Value> => {
    const found = known.get(key);
    if (found !== undefined && now() < found.untilMs) return found.answer;
    if (known.size >= maxKnown) known.clear();
    const answer = ask();
    known.set(key, { answer, untilMs: now() + believedMs });
    answer.catch(() => {
      if (known.get(key)?.answer === answer) known.delete(key);
    });
    return answer;
  };

  return {
    get: async (key, ask, signal) => {
      if (signal.aborted) throw cancelled(signal, key);
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(cancelled(signal, key));
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await Promise.race([answerTo(key, ask), aborted.promise]);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

const askTimeoutMs = 10_000;

/** A call that belongs to no single piece of work. Silence of 10 s is a failure that is worth another try. */
export async function askSlack(web: SlackWeb, method: string, args: Json): Promise<Json> {
  const timeout = AbortSignal.timeout(askTimeoutMs);
  try {
    return await web.call(method, args, timeout);
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new AppError('platform-failed', 'Slack did not answer; its status page is https://slack-status.com.', {
      cause: error,
      retryable: true,
      detail: `${method}: no answer within ${askTimeoutMs / 1000} s`,
    });
  }
}
