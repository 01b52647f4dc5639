import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { PlatformClient, PlatformGateway } from '../../src/ports/platforms.ts';
import type { Store } from '../../src/ports/store.ts';
import { createAccess } from './access.ts';
import type { SlackAccessRules } from './access.ts';
import { createSlackClient } from './client.ts';
import { createSlackGateway } from './gateway.ts';
import { createInstalledWorkspaces } from './installed-workspaces.ts';
import type { InstalledWorkspaces } from './installed-workspaces.ts';
import { createInstaller, installUrlOf } from './installer.ts';
import type { SlackInstaller } from './installer.ts';
import { createPeople } from './people.ts';
import { botScopes } from './scopes.ts';
import { createSingleWorkspace } from './workspaces.ts';
import type { SlackWorkspaces } from './workspaces.ts';

export interface SlackSettings {
  /** `null` where this process does not hear Slack, only answers. */
  readonly transport:
    | { readonly kind: 'socket'; readonly appToken: string }
    | { readonly kind: 'http'; readonly signingSecret: string; readonly port: number }
    | null;
  readonly install:
    | { readonly kind: 'token'; readonly botToken: string }
    | { readonly kind: 'oauth'; readonly clientId: string; readonly clientSecret: string; readonly publicUrl: string };
  /** Of the pages for installing, and of signed events. */
  readonly port: number;
  readonly apiUrl: string;
  readonly followUps: 'mention' | 'thread';
  readonly access: SlackAccessRules;
}

interface Installation {
  readonly workspaces: SlackWorkspaces;
  /** `null` with the one token of the settings. */
  readonly installed: InstalledWorkspaces | null;
  readonly installer: SlackInstaller | null;
}

/**
 * Slack, put together. `secretsKey` (32 bytes) is needed where workspaces install the app themselves.
 * Rejects with `config` where the tokens that are kept were written under another key.
 */
export async function createSlackPlatform(
  settings: SlackSettings,
  deps: {
    readonly store: Store;
    readonly secretsKey: Uint8Array | null;
    /** The model's name, as people are told it. */
    readonly model: string;
    readonly log: Logger;
  },
): Promise<{ readonly gateway: PlatformGateway | null; readonly client: PlatformClient }> {
  const { transport, apiUrl, access: rules } = settings;
  const { log } = deps;
  const { workspaces, installed, installer } = createInstallation(settings, deps);
  await installed?.checkKey();
  const people = createPeople();
  const access = createAccess({ rules, workspaces, people, log });
  const client = createSlackClient({ workspaces, people, access, apiUrl, log });
  if (transport === null) return { gateway: null, client };
  const gateway = createSlackGateway({
    transport,
    workspaces,
    client,
    singleTeam: installed === null,
    followUps: settings.followUps,
    model: deps.model,
    apiUrl,
    log,
    access,
    ...(installer === null ? {} : { installer }),
    ...(installed === null ? {} : { onUninstalled: (id, tokens) => installed.uninstalled(id, tokens) }),
  });
  return { gateway, client };
}

function createInstallation(
  { install, access, apiUrl, port }: SlackSettings,
  { store, secretsKey, log }: { readonly store: Store; readonly secretsKey: Uint8Array | null; readonly log: Logger },
): Installation {
  if (install.kind === 'token') {
    const { botToken } = install;
    return { workspaces: createSingleWorkspace({ botToken, apiUrl, log }), installed: null, installer: null };
  }
  if (secretsKey === null) throw new AppError('config', 'SECRETS_KEY is not set: without it no tokens can be kept.');
  const { clientId, clientSecret, publicUrl } = install;
  const shared = { store, clientId, clientSecret, apiUrl, log };
  const installed = createInstalledWorkspaces({ ...shared, installUrl: installUrlOf(publicUrl) });
  return {
    workspaces: installed,
    installed,
    installer: createInstaller({ ...shared, rules: access, secretsKey, publicUrl, port, scopes: botScopes }),
  };
}
