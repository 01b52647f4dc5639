/** The pages of one process for whoever runs it: health, readiness, metrics, and what else is served at `HTTP_PORT`. */
import type { BotWorker } from './bot-worker.ts';
import type { Config } from './config.ts';
import { AppError } from './errors.ts';
import type { Logger } from './log.ts';
import type { Observation } from './observe/observation.ts';
import type { Blobs } from './ports/blobs.ts';
import type { Dispatcher } from './ports/dispatcher.ts';
import type { PlatformGateway } from './ports/platforms.ts';
import type { Store } from './ports/store.ts';
import type { Board } from './queue/board.ts';
import type { Check } from './web/check.ts';
import type { FileLinks } from './web/file-links.ts';
import type { WebRoute, WebServer } from './web/server.ts';

export interface BotPages {
  /** Nothing where no port is set. Rejects with `config` where it cannot be listened on. */
  open(): Promise<void>;
  /** From here on the process is not ready: it is ending. */
  drain(): void;
  close(): Promise<void>;
}

export function createBotPages(deps: {
  readonly http: Config['http'];
  readonly redisUrl: string | null;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly dispatcher: Dispatcher;
  readonly observation: Observation;
  /** `null` in a process that runs no tasks. */
  readonly worker: BotWorker | null;
  readonly gateways: readonly PlatformGateway[];
  readonly links: FileLinks | null;
  readonly log: Logger;
}): BotPages {
  const { http, redisUrl, links, store, blobs, dispatcher, observation, worker, gateways, log } = deps;
  let isDraining = false;
  let server: WebServer | null = null;
  let board: Board | null = null;
  let opening = Promise.resolve();
  const checks: Readonly<Record<string, Check>> = {
    store: (signal) => store.ping(signal),
    blobs: (signal) => blobs.ping(signal),
    queue: async (signal) => void (await dispatcher.depth(signal)),
    ...(worker === null ? {} : { sandbox: () => worker.check() }),
    ...(gateways.length === 0 ? {} : { platforms: () => allConnected(gateways) }),
  };
  const open = async (): Promise<void> => {
    const { metrics } = observation;
    if (http === null || metrics === null) return;
    metrics.watch({ engines: () => worker?.engines() ?? [], depth: (signal) => dispatcher.depth(signal) });
    const routes: WebRoute[] = links === null ? [] : [{ path: '/', app: links.routes }];
    if (redisUrl !== null && http.operatorPassword !== null) {
      const { boardPath, createBoard } = await import('./queue/board.ts');
      board = createBoard({ redisUrl, password: http.operatorPassword, log });
      routes.push({ path: boardPath, app: board.app });
    }
    const { openOperatorPages } = await import('./web/operator-pages.ts');
    server = await openOperatorPages({ http, checks, isDraining: () => isDraining, metrics, routes, log });
  };
  return {
    open: () => {
      opening = open();
      return opening;
    },
    drain: () => {
      isDraining = true;
    },
    close: async () => {
      // A stop may come while they open: what listens then would outlive the bot.
      await opening.catch(() => {});
      await server?.close();
      await board?.close();
    },
  };
}

/** Links to files that a platform did not take; `null` where no address for them is set. Loaded only then. */
export async function openFileLinks(
  { publicUrl, secretsKey }: Config,
  deps: { readonly store: Store; readonly blobs: Blobs; readonly log: Logger },
): Promise<FileLinks | null> {
  if (publicUrl === null || secretsKey === null) return null;
  const { createFileLinks } = await import('./web/file-links.ts');
  return createFileLinks({ ...deps, publicUrl, key: secretsKey, clock: Date.now });
}

/** Rejects naming those that hear nothing now. */
function allConnected(gateways: readonly PlatformGateway[]): Promise<void> {
  const lost = gateways.filter((gateway) => !gateway.isConnected()).map(({ name }) => name);
  if (lost.length === 0) return Promise.resolve();
  return Promise.reject(new AppError('platform-failed', `not connected: ${lost.join(', ')}`, { retryable: true }));
}
