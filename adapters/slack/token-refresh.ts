import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import type { JsonValue } from '../../src/types.ts';
import { changing, readInstallation, withTokens } from './installation.ts';
import type { Installed } from './installation.ts';
import { asNumber, asText } from '../json.ts';
import { createSlackWeb } from './web.ts';

/**
 * Token rotation. Slack's tokens live for 12 hours then, and a refresh token is good for one use: two workers that renew at once
 * would leave one of them, and at last both, without a token.
 */
export interface TokenRefresh {
  /**
   * The installation kept under `id`, its token good for a while; `null` where there is none. Rejects, retryable where another
   * try may help, once the token has expired and Slack gives no other.
   */
  current(id: string, signal: AbortSignal): Promise<Installed | null>;
}

/** Slack's SDKs renew then as well. */
const renewBeforeMs = 2 * 60 * 60_000;
/** After a failure, while the token still serves. */
const tryAgainMs = 60_000;

export function createTokenRefresh(deps: {
  readonly store: Pick<Store, 'installation' | 'putInstallation' | 'withLock'>;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly apiUrl: string;
  readonly log: Logger;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly now?: (() => number) | undefined;
}): TokenRefresh {
  const { store, clientId, clientSecret, apiUrl, log, now = Date.now } = deps;
  const web = createSlackWeb({ token: null, apiUrl, log, fetch: deps.fetch });
  const notBefore = new Map<string, number>();

  const isDue = ({ refreshToken, expiresAtMs }: Installed): boolean =>
    refreshToken !== null && expiresAtMs !== null && expiresAtMs - now() <= renewBeforeMs;
  const serves = ({ expiresAtMs }: Installed): boolean => expiresAtMs === null || now() < expiresAtMs;

  /** Under the lock. The call has no signal of a piece of work: who gave up on its answer would lose the new refresh token. */
  const renew = async (id: string): Promise<Installed | null> => {
    const stored = await store.installation(id);
    const installed = readInstallation(stored);
    // Another worker was first, or the app was uninstalled while this one waited.
    if (stored === null || installed === null || !isDue(installed)) return installed;
    const askedAtMs = now();
    const answer = await web.call(
      'oauth.v2.access',
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_type: 'refresh_token',
        refresh_token: installed.refreshToken,
      },
      new AbortController().signal,
    );
    const token = asText(answer['access_token']);
    const refreshToken = asText(answer['refresh_token']);
    const livesSeconds = asNumber(answer['expires_in']);
    if (token === null || refreshToken === null || livesSeconds === null) {
      throw new AppError('platform-failed', 'Slack gave me no new token.', {
        retryable: true,
        detail: 'oauth.v2.access: the answer holds no new tokens',
      });
    }
    const renewed: JsonValue = withTokens(stored, {
      token,
      refreshToken,
      expiresAtMs: askedAtMs + livesSeconds * 1000,
    });
    await store.putInstallation(id, renewed);
    log.info({ installation: id, livesSeconds }, 'a Slack token was renewed');
    return readInstallation(renewed);
  };

  return {
    current: async (id, signal) => {
      const installed = readInstallation(await store.installation(id));
      if (installed === null || !isDue(installed)) return installed;
      if (serves(installed) && now() < (notBefore.get(id) ?? 0)) return installed;
      try {
        const renewed = await changing(store, id, signal, () => renew(id));
        notBefore.delete(id);
        return renewed;
      } catch (error) {
        if (signal.aborted) throw error;
        notBefore.set(id, now() + tryAgainMs);
        log.warn({ installation: id, error: String(error) }, 'a Slack token could not be renewed');
        if (serves(installed)) return installed;
        throw expired(error);
      }
    },
  };
}

function expired(error: unknown): AppError {
  if (error instanceof AppError && error.retryable) return error;
  return new AppError(
    'config',
    'My token for this workspace has expired and Slack gives me no new one: install the app again.',
    { cause: error, detail: `the token has expired and was not renewed: ${String(error)}` },
  );
}
