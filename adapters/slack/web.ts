import { WebClient } from '@slack/web-api';
import type { FetchFunction } from '@slack/web-api';
import type { Logger } from '../../src/log.ts';
import { cancelled, slackError } from './errors.ts';
import { asObject } from '../json.ts';
import type { Json } from '../json.ts';
import { sdkLogger } from './sdk-log.ts';

/** Calls Slack's Web API once: no retries of its own, no waiting out of a rate limit. Rejects with an `AppError`. */
export interface SlackWeb {
  call(method: string, args: Json, signal: AbortSignal): Promise<Json>;
}

const requestTimeoutMs = 30_000;

/**
 * A retry that re-posts after a lost answer posts twice, and a client that waits for one channel's limit holds up all others:
 * so this client does neither, and whoever calls decides.
 */
export function createSlackWeb(deps: {
  /** `null` for the methods that take none. */
  readonly token: string | null;
  readonly apiUrl: string;
  readonly log: Logger;
  readonly fetch?: FetchFunction | undefined;
}): SlackWeb {
  const web = new WebClient(deps.token ?? undefined, {
    slackApiUrl: deps.apiUrl,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: requestTimeoutMs,
    logger: sdkLogger(deps.log),
    ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
  });
  return {
    call: async (method, args, signal) => {
      try {
        signal.throwIfAborted();
        return asObject(await untilAborted(web.apiCall(method, { ...args }), signal));
      } catch (error) {
        if (signal.aborted) throw cancelled(signal, method);
        throw slackError(error, method);
      }
    },
  };
}

/** The SDK takes no signal: the request itself runs on to its end or its timeout, its result is dropped. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
