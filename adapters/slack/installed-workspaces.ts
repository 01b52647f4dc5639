import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { askSlack } from './believed.ts';
import { changing, readInstallation, storeId, storeIdsFor } from './installation.ts';
import type { Installed } from './installation.ts';
import { createTokenRefresh } from './token-refresh.ts';
import { createSlackWeb } from './web.ts';
import type { SlackWeb } from './web.ts';
import { partsOf } from './workspaces.ts';
import type { SlackWorkspace, SlackWorkspaces } from './workspaces.ts';

/** The workspaces and organisations that installed the app themselves, as the store has them. */
export interface InstalledWorkspaces extends SlackWorkspaces {
  /** Rejects with `config` where the stored tokens were written under another SECRETS_KEY: better at the start than at a question. */
  checkKey(): Promise<void>;
  /**
   * Slack said that the app was uninstalled (`all`), or tokens of these users taken back. What is stored is removed, unless Slack
   * still takes the token: such events may come late or twice, and the app may have been installed again since.
   */
  uninstalled(
    workspaceId: string,
    tokens: 'all' | { readonly bot: readonly string[]; readonly users: readonly string[] },
  ): Promise<void>;
}

const keyCheckId = storeId('key-check');
const maxClients = 1000;
/** A renewal that holds the lock may take half a minute. */
const lockTimeoutMs = 60_000;

export function createInstalledWorkspaces(deps: {
  readonly store: Pick<Store, 'installation' | 'putInstallation' | 'removeInstallation' | 'withLock'>;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly apiUrl: string;
  /** Where somebody can install the app, for the words. */
  readonly installUrl: string;
  readonly log: Logger;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}): InstalledWorkspaces {
  const { store, apiUrl, log } = deps;
  const refresh = createTokenRefresh(deps);
  /** By token alone: a renewed one makes a new client. */
  const clients = new Map<string, SlackWeb>();

  const clientFor = (token: string): SlackWeb => {
    const known = clients.get(token);
    if (known !== undefined) return known;
    if (clients.size >= maxClients) clients.clear();
    const web = createSlackWeb({ token, apiUrl, log, fetch: deps.fetch });
    clients.set(token, web);
    return web;
  };

  const workspaceOf = (installed: Installed, workspaceId: string): SlackWorkspace => {
    const { token, userId, botId, isOrgWide } = installed;
    const asked = partsOf(workspaceId);
    const teamId = installed.teamId ?? asked.teamId ?? '';
    const enterpriseId = installed.enterpriseId ?? asked.enterpriseId;
    return {
      id: workspaceId,
      self: { teamId, userId, botId },
      enterpriseId,
      isOrgWide,
      web: clientFor(token),
      token,
    };
  };

  return {
    open: async (workspaceId, signal) => {
      for (const id of storeIdsFor(workspaceId)) {
        const installed = await refresh.current(id, signal);
        if (installed !== null) return workspaceOf(installed, workspaceId);
      }
      throw new AppError(
        'config',
        `I am not installed in this workspace (any more). Whoever may install apps in it can do so at ${deps.installUrl}`,
        { detail: `Slack: no installation for ${workspaceId}` },
      );
    },

    checkKey: async () => {
      if ((await store.installation(keyCheckId)) === null) await store.putInstallation(keyCheckId, 'readable');
    },

    uninstalled: async (workspaceId, tokens) => {
      const [id] = storeIdsFor(workspaceId);
      // Tokens of people are never asked for, and none is kept.
      if (id === undefined || (tokens !== 'all' && tokens.bot.length === 0)) return;
      await changing(store, id, AbortSignal.timeout(lockTimeoutMs), async () => {
        const installed = readInstallation(await store.installation(id));
        if (installed !== null && (await isAccepted(clientFor(installed.token)))) {
          log.info({ installation: id }, 'an uninstallation was heard of, but Slack takes the token: it stays');
          return;
        }
        await store.removeInstallation(id);
        if (installed !== null) clients.delete(installed.token);
        log.info({ installation: id }, 'the app was uninstalled: its tokens are removed');
      });
    },
  };
}

/** Where Slack cannot be asked its event counts: it was signed. */
async function isAccepted(web: SlackWeb): Promise<boolean> {
  try {
    await askSlack(web, 'auth.test', {});
    return true;
  } catch {
    return false;
  }
}
