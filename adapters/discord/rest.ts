import { REST, RequestMethod } from 'discord.js';
import type { RawFile, RouteLike } from 'discord.js';
import { cancelled, discordError } from './errors.ts';

/** Uploads of 25 MiB over a slow line included. */
const requestTimeoutMs = 60_000;
/** Shorter waits are sat out by the queue of discord.js, longer ones go back to whoever asked. */
const longestWaitMs = 3000;

const methods = {
  GET: RequestMethod.Get,
  POST: RequestMethod.Post,
  PATCH: RequestMethod.Patch,
  PUT: RequestMethod.Put,
  DELETE: RequestMethod.Delete,
} as const;

/** Calls Discord's REST API. Rejects with an `AppError`; a long rate limit as `platform-rate-limited` at once. */
export interface DiscordApi {
  call(
    method: keyof typeof methods,
    route: RouteLike,
    options: {
      readonly body?: unknown;
      readonly files?: readonly RawFile[];
      readonly query?: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
    },
  ): Promise<unknown>;
}

/**
 * One of these for each token and process: it holds Discord's rate-limit buckets. It retries server failures by itself, which is
 * harmless because all that is posted carries a nonce of its own. `apiUrl` has no version, e.g. `https://discord.com/api`.
 */
export function createDiscordRest(options: { readonly token: string; readonly apiUrl: string }): REST {
  return new REST({
    api: apiRoot(options.apiUrl),
    version: '10',
    retries: 2,
    timeout: requestTimeoutMs,
    rejectOnRateLimit: ({ timeToReset, retryAfter, sublimitTimeout }) =>
      Math.max(timeToReset, retryAfter, sublimitTimeout) > longestWaitMs,
  }).setToken(options.token);
}

/** As discord.js wants it: it puts `/v10/…` behind. */
export function apiRoot(apiUrl: string): string {
  return apiUrl.replace(/\/+$/, '');
}

export function createDiscordApi(rest: REST): DiscordApi {
  return {
    call: async (method, route, { body, files, query, signal }) => {
      const doing = `${method} ${route}`;
      try {
        signal.throwIfAborted();
        return await rest.request({
          method: methods[method],
          fullRoute: route,
          signal,
          ...(body === undefined ? {} : { body }),
          ...(files === undefined || files.length === 0 ? {} : { files: [...files] }),
          ...(query === undefined ? {} : { query: new URLSearchParams(query) }),
        });
      } catch (error) {
        if (signal.aborted) throw cancelled(signal, doing);
        throw discordError(error, doing);
      }
    },
  };
}
