import { asObject, asText } from '../json.ts';
import { cancelled } from './errors.ts';
import type { DiscordApi } from './rest.ts';

const lookUpTimeoutMs = 15_000;

/**
 * The bot's own user id, asked of Discord once. Callers share the question but not its end: one that is stopped leaves the others
 * waiting for the answer. A failed question is asked anew by the next caller. Rejects as `DiscordApi` does.
 */
export function createSelfId(api: DiscordApi): (signal: AbortSignal) => Promise<string> {
  let asked: Promise<string> | null = null;

  const ask = async (): Promise<string> => {
    try {
      const user = await api.call('GET', '/users/@me', { signal: AbortSignal.timeout(lookUpTimeoutMs) });
      return asText(asObject(user)['id']) ?? '';
    } catch (error) {
      asked = null;
      throw error;
    }
  };

  return async (signal) => {
    if (signal.aborted) throw cancelled(signal, 'GET /users/@me');
    const stopped = Promise.withResolvers<never>();
    const stop = (): void => stopped.reject(cancelled(signal, 'GET /users/@me'));
    signal.addEventListener('abort', stop, { once: true });
    try {
      asked ??= ask();
      return await Promise.race([asked, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}
