import { hkdfSync } from 'node:crypto';
import type { HTTPReceiver, Installation, InstallationQuery, InstallationStore } from '@slack/bolt';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import type { JsonValue } from '../../src/types.ts';
import { installPage, showFailure, showInstalled, showNotWelcome } from './install-pages.ts';
import type { SlackAccessRules } from './access.ts';
import { changing, storeId } from './installation.ts';
import { asObject } from '../json.ts';
import { createSlackWeb } from './web.ts';

type ReceiverOptions = ConstructorParameters<typeof HTTPReceiver>[0];

type InstallerOptions = NonNullable<ReceiverOptions['installerOptions']>;

type Whole<Options, Name extends keyof Options> = { [Key in Name]-?: NonNullable<Options[Key]> };

/** What Bolt's receivers (`HTTPReceiver`, `SocketModeReceiver`) take to let workspaces install the app. */
export type SlackInstaller = Whole<
  ReceiverOptions,
  'clientId' | 'clientSecret' | 'stateSecret' | 'scopes' | 'redirectUri' | 'installationStore'
> & {
  readonly installerOptions: Whole<
    InstallerOptions,
    | 'port'
    | 'stateVerification'
    | 'installPath'
    | 'redirectUriPath'
    | 'authorizationUrl'
    | 'renderHtmlForInstallPath'
    | 'callbackOptions'
    | 'clientOptions'
  >;
};

const installPath = '/slack/install';
const redirectPath = '/slack/oauth_redirect';
const revokeTimeoutMs = 10_000;
/** A renewal that holds the lock may take half a minute. */
const lockTimeoutMs = 60_000;

type InstallerStore = Pick<Store, 'installation' | 'putInstallation' | 'removeInstallation' | 'withLock'>;

/** `publicUrl` has no slash at its end. */
export function installUrlOf(publicUrl: string): string {
  return `${publicUrl}${installPath}`;
}

/**
 * Installing by Bolt's own OAuth: `/slack/install`, Slack's page, `/slack/oauth_redirect`, the store. The state is signed and bound
 * to the browser; `secretsKey` (32 bytes) gives the key for that, so that every process takes the state of every other.
 */
export function createInstaller(deps: {
  readonly store: InstallerStore;
  /** Whose tokens are not even kept. */
  readonly rules: Pick<SlackAccessRules, 'allow' | 'deny'>;
  readonly secretsKey: Uint8Array;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly publicUrl: string;
  /** Of the receiver's HTTP server. */
  readonly port: number;
  readonly scopes: readonly string[];
  readonly apiUrl: string;
  readonly log: Logger;
}): SlackInstaller {
  const { apiUrl, log, publicUrl } = deps;
  return {
    clientId: deps.clientId,
    clientSecret: deps.clientSecret,
    stateSecret: Buffer.from(hkdfSync('sha256', deps.secretsKey, '', 'plotline slack oauth state', 32)).toString(
      'base64url',
    ),
    scopes: [...deps.scopes],
    redirectUri: `${publicUrl}${redirectPath}`,
    installationStore: createInstallationStore(deps.store, log),
    installerOptions: {
      port: deps.port,
      stateVerification: true,
      installPath,
      redirectUriPath: redirectPath,
      authorizationUrl: new URL('/oauth/v2/authorize', apiUrl).href,
      renderHtmlForInstallPath: installPage,
      callbackOptions: {
        afterInstallation: async (installation, _options, _request, response) => {
          if (mayInstall(installation, deps.rules)) return true;
          await giveBack(installation, apiUrl, log);
          showNotWelcome(response);
          return false;
        },
        success: (installation, _options, request, response) => showInstalled(installation, request, response),
        failure: (error, _options, _request, response) => showFailure(error, installUrlOf(publicUrl), response),
      },
      // No `retryConfig`: Bolt hands these to the client of Socket Mode too, which ends the process after few retries.
      clientOptions: { slackApiUrl: apiUrl },
    },
  };
}

/** Of a whole organisation it is enough that one of the workspaces listed may belong to it: who asks is looked at again. */
function mayInstall(
  { team, enterprise, isEnterpriseInstall = false }: Installation,
  { allow, deny }: Pick<SlackAccessRules, 'allow' | 'deny'>,
): boolean {
  const ids = [team?.id ?? '', enterprise?.id ?? ''];
  if (ids.some((id) => deny.workspaces.includes(id))) return false;
  if (allow.workspaces.length === 0 || ids.some((id) => allow.workspaces.includes(id))) return true;
  return isEnterpriseInstall && allow.workspaces.some((id) => id.startsWith('T'));
}

/** Slack has given a token already, which nobody will use. */
async function giveBack({ bot, team, enterprise }: Installation, apiUrl: string, log: Logger): Promise<void> {
  log.warn({ team: team?.id, enterprise: enterprise?.id }, 'a workspace that may not use the app wanted to install it');
  if (bot === undefined) return;
  try {
    const web = createSlackWeb({ token: bot.token, apiUrl, log });
    await web.call('auth.revoke', {}, AbortSignal.timeout(revokeTimeoutMs));
  } catch (error) {
    log.warn({ error: String(error) }, 'its token could not be given back');
  }
}

function createInstallationStore(store: InstallerStore, log: Logger): InstallationStore {
  return {
    storeInstallation: async (installation: Installation) => {
      const id = idOf({
        isEnterpriseInstall: installation.isEnterpriseInstall ?? false,
        enterpriseId: installation.enterprise?.id,
        teamId: installation.team?.id,
      });
      const secrets = JSON.parse(JSON.stringify(installation)) as JsonValue;
      await changing(store, id, AbortSignal.timeout(lockTimeoutMs), () => store.putInstallation(id, secrets));
      log.info({ installation: id }, 'the app was installed');
    },

    /** Without refresh tokens: Bolt would renew them on its own, without the lock under which workers do. */
    fetchInstallation: async (query: InstallationQuery<boolean>) => {
      const stored = await store.installation(idOf(query));
      if (stored === null) throw new AppError('config', 'The app is not installed there.');
      const { refreshToken: _refreshToken, expiresAt: _expiresAt, ...bot } = asObject(asObject(stored)['bot']);
      return { ...asObject(stored), bot } as unknown as Installation;
    },

    deleteInstallation: async (query: InstallationQuery<boolean>) => store.removeInstallation(idOf(query)),
  };
}

function idOf(query: {
  readonly isEnterpriseInstall: boolean;
  readonly enterpriseId?: string | undefined;
  readonly teamId?: string | undefined;
}): string {
  const id = query.isEnterpriseInstall ? query.enterpriseId : query.teamId;
  if (id === undefined || id === '') {
    throw new AppError('platform-failed', 'Slack did not say which workspace or organisation this is.');
  }
  return storeId(id);
}
