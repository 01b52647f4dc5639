import type { Store } from '../../src/ports/store.ts';
import type { JsonValue } from '../../src/types.ts';
import { asNumber, asObject, asText } from '../json.ts';
import { partsOf } from './workspaces.ts';

/** What is needed of a stored installation, which is Bolt's `Installation` as JSON. */
export interface Installed {
  /** Of the workspace; `null` where the app was installed for a whole Grid organisation. */
  readonly teamId: string | null;
  readonly enterpriseId: string | null;
  readonly isOrgWide: boolean;
  readonly token: string;
  readonly botId: string;
  readonly userId: string;
  /** Both are `null` where the app has no token rotation. */
  readonly refreshToken: string | null;
  readonly expiresAtMs: number | null;
}

/** The store's id of an installation: `slack/T…`, or `slack/E…` where it is a whole organisation's. */
export function storeId(id: string): string {
  return `slack/${id}`;
}

/** Longer than a call to Slack may take (30 s) and what the store adds: a renewal has the only good refresh token in hand. */
const lockTtlMs = 120_000;

/** For whatever changes what is stored under `id`: a renewal must not bring back what was removed or replaced meanwhile. */
export function changing<Value>(
  store: Pick<Store, 'withLock'>,
  id: string,
  signal: AbortSignal,
  work: () => Promise<Value>,
): Promise<Value> {
  return store.withLock(`slack-rotation/${id}`, { ttlMs: lockTtlMs, signal }, work);
}

/** Where the installation that serves a workspace may be, the likeliest first. `E1.T1` is served by the organisation's. */
export function storeIdsFor(workspaceId: string): readonly string[] {
  const { enterpriseId, teamId } = partsOf(workspaceId);
  return [enterpriseId, teamId].flatMap((id) => (id === null ? [] : storeId(id)));
}

/** `null` where it holds no bot token. */
export function readInstallation(stored: JsonValue | null): Installed | null {
  const installation = asObject(stored);
  const bot = asObject(installation['bot']);
  const token = asText(bot['token']);
  if (token === null) return null;
  const expiresAt = asNumber(bot['expiresAt']);
  return {
    teamId: asText(asObject(installation['team'])['id']),
    enterpriseId: asText(asObject(installation['enterprise'])['id']),
    isOrgWide: installation['isEnterpriseInstall'] === true,
    token,
    botId: asText(bot['id']) ?? '',
    userId: asText(bot['userId']) ?? '',
    refreshToken: asText(bot['refreshToken']),
    expiresAtMs: expiresAt === null ? null : expiresAt * 1000,
  };
}

/** The same installation with other tokens in it. `expiresAtMs`: since 1970. */
export function withTokens(
  stored: JsonValue,
  tokens: { readonly token: string; readonly refreshToken: string; readonly expiresAtMs: number },
): JsonValue {
  const installation = asObject(stored) as Readonly<Record<string, JsonValue>>;
  const bot = asObject(installation['bot']) as Readonly<Record<string, JsonValue>>;
  const { token, refreshToken, expiresAtMs } = tokens;
  return { ...installation, bot: { ...bot, token, refreshToken, expiresAt: Math.floor(expiresAtMs / 1000) } };
}
