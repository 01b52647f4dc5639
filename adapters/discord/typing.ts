import type { Logger } from '../../src/log.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { ThreadRef } from '../../src/types.ts';
import { hasCode } from './errors.ts';
import { discordLimits } from './limits.ts';
import type { DiscordApi } from './rest.ts';

/** Nobody takes this long over one question; a sign that was never ended must end some time. */
const longestMs = 30 * 60_000;

/** Discord's typing sign: on until it is ended, renewed before it fades. */
export interface Typing {
  start(thread: ThreadRef): void;
  end(thread: ThreadRef): void;
}

export function createTyping(deps: {
  readonly api: DiscordApi;
  readonly log: Logger;
  readonly renewalMs?: number;
}): Typing {
  const renewalMs = deps.renewalMs ?? discordLimits.typingRenewalMs;
  const running = new Map<string, AbortController>();

  /** Until its thread is made, a question stands in the channel: so does the sign. */
  const show = async ({ channelId, threadId }: ThreadRef, signal: AbortSignal): Promise<void> => {
    try {
      await deps.api.call('POST', `/channels/${threadId}/typing`, { signal });
    } catch (error) {
      if (channelId === threadId || !hasCode(error, 'unknownChannel')) throw error;
      await deps.api.call('POST', `/channels/${channelId}/typing`, { signal });
    }
  };

  const renew = async (thread: ThreadRef, signal: AbortSignal): Promise<void> => {
    const startedAtMs = Date.now();
    while (!signal.aborted && Date.now() - startedAtMs < longestMs) {
      try {
        await show(thread, signal);
      } catch (error) {
        if (!signal.aborted)
          deps.log.debug({ threadId: thread.threadId, error: String(error) }, 'the typing sign was not shown');
      }
      await pause(renewalMs, signal);
    }
  };

  const end: Typing['end'] = (thread) => {
    const key = threadKeyOf(thread);
    running.get(key)?.abort();
    running.delete(key);
  };

  return {
    start: (thread) => {
      end(thread);
      const controller = new AbortController();
      running.set(threadKeyOf(thread), controller);
      void renew(thread, controller.signal);
    },
    end,
  };
}

/** Does not keep the process alive. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', done);
      resolve();
    }, ms);
    timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}
