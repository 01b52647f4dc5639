/** One process, wired from the implementations behind the ports: it hears platforms, runs tasks, or both. */
import type { ReadySandboxes } from '../sandbox/fleet.ts';
import { createDelivery } from './answer/deliver.ts';
import { openAudit } from './audit/open-audit.ts';
import { openBlobs } from './blobs/open-blobs.ts';
import packageFile from '../package.json' with { type: 'json' };
import { createBotPages, openFileLinks } from './bot-pages.ts';
import type { BotPages } from './bot-pages.ts';
import { createBotRounds } from './bot-rounds.ts';
import { createBotSandboxes, createBotWorker } from './bot-worker.ts';
import type { BotWorker } from './bot-worker.ts';
import type { Config } from './config.ts';
import { createConversation } from './conversation/conversation.ts';
import { createTaskLimits } from './conversation/limits.ts';
import { createRetention } from './conversation/retention.ts';
import { createThreadSweep } from './conversation/sweep.ts';
import { AppError } from './errors.ts';
import type { Logger } from './log.ts';
import { createAnalyst } from './models/analyst/analyst.ts';
import { createChatModel } from './models/openai-chat.ts';
import { createResponsesModel } from './models/openai-responses.ts';
import { createObservation } from './observe/observation.ts';
import type { Model } from './ports/model.ts';
import type { GatewayHandlers, PlatformClient, PlatformGateway } from './ports/platforms.ts';
import type { Store } from './ports/store.ts';
import { openDispatcher } from './queue/open-dispatcher.ts';
import type { Role } from './start-arguments.ts';
import { openStore } from './store/open-store.ts';
import type { ThreadKey } from './types.ts';

const deliveryTimeoutMs = 120_000;

export interface Platform {
  /** `null` where this process does not hear the platform. */
  readonly gateway: PlatformGateway | null;
  readonly client: PlatformClient;
}

export interface Bot extends AsyncDisposable {
  readonly handlers: GatewayHandlers;
  /** Takes up unfinished tasks, opens the gateways. */
  start(): Promise<void>;
  /**
   * Stops hearing, lets running tasks go on for the grace, ends them, removes the containers. Disposing closes with the grace of the
   * settings; the first close counts.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** By their names. */
export type Platforms = ReadonlyMap<string, Platform>;

export interface BotOptions {
  readonly role?: Role;
  /** For tests and benchmarks; else the settings decide. */
  readonly model?: Model;
  readonly sandboxes?: ReadySandboxes;
}

/**
 * Wires one process. Platforms that keep something themselves (tokens) are made with the bot's store.
 * Rejects with `config` where a setting is wrong, retryable where a service does not answer.
 */
export async function createBot(
  config: Config,
  platformsOf: Platforms | ((store: Store) => Promise<Platforms>),
  log: Logger,
  options: BotOptions = {},
): Promise<Bot> {
  const role = options.role ?? 'all';
  if (role !== 'all') sayWhatIsLocal(config, log);
  const { version } = packageFile;
  const observation = await createObservation({
    hasMetrics: config.http !== null,
    traces: config.traces,
    version,
    log,
  });
  // Whatever is opened is closed in the opposite order: here where something cannot be made, else by the bot's end.
  await using opening = new AsyncDisposableStack();
  opening.use(observation);
  let pages: BotPages | null = null;
  // After the rest: until then the pages say that it is ending.
  opening.defer(async () => pages?.close());
  const store = opening.use(await openStore(config, log));
  const platforms = typeof platformsOf === 'function' ? await platformsOf(store) : platformsOf;
  const blobs = opening.use(await openBlobs({ place: config.blobs, dataDir: config.dataDir, log }));
  const audit = opening.use(openAudit(config.auditPath, log));
  const clients = new Map([...platforms].map(([name, { client }]) => [name, observation.client(name, client)]));
  const clientOf = ({ platform }: { readonly platform: string }): PlatformClient => {
    const found = clients.get(platform);
    if (found === undefined) throw new AppError('config', `The platform ${platform} is not configured any more.`);
    return found;
  };
  const sandboxes = role === 'gateway' ? null : (options.sandboxes ?? createBotSandboxes(config, log));
  let worker: BotWorker | null = null;
  opening.defer(async () => (worker ?? sandboxes)?.[Symbol.asyncDispose]());
  const dispatcher = await openDispatcher({ redisUrl: config.redisUrl, log });
  opening.defer(() => dispatcher.close({ graceMs: 0 }));
  const links = await openFileLinks(config, { store, blobs, log });
  const linkTo = links?.linkTo ?? null;
  const delivery = createDelivery({ store, blobs, audit, clientOf, timeoutMs: deliveryTimeoutMs, linkTo, log });
  const taskLimits = createTaskLimits({ store, limits: config.limits, prices: config.prices, now: Date.now });
  const shared = { store, blobs, audit, dispatcher, delivery, clientOf, taskLimits, observation, log };
  if (sandboxes !== null) {
    worker = createBotWorker(config, { ...shared, model: options.model ?? createModel(config, log), sandboxes });
  }
  // Of another process's sessions, its own sweep ends those of a forgotten thread.
  const endSession = (threadKey: ThreadKey): Promise<void> => worker?.endSession(threadKey) ?? Promise.resolve();
  const handlers = observation.handlers(
    createConversation({ ...shared, isShared: config.redisUrl !== null, endSession }),
  );
  const gateways = [...platforms.values()].flatMap(({ gateway }) =>
    gateway === null || role === 'worker' ? [] : [gateway],
  );
  pages = createBotPages({ ...shared, http: config.http, redisUrl: config.redisUrl, links, worker, gateways });

  // Tasks of a platform that is not configured now wait until it is again.
  const isServed = (threadKey: ThreadKey): boolean => platforms.has(platformOf(threadKey));
  const rounds = createBotRounds({
    wakeUnfinished: createThreadSweep({ store, dispatcher, isServed, log }),
    retention: createRetention({ ...shared, endSession, now: Date.now, keepMs: config.retentionMs }),
    log,
  });

  const opened = opening.move();
  let isClosing = false;
  const closeOnce: Bot['close'] = async ({ graceMs }) => {
    isClosing = true;
    pages.drain();
    await Promise.allSettled(gateways.map((gateway) => gateway.stop()));
    try {
      // At once: a round that waits for a platform or the storage must not cost the tasks their grace.
      await Promise.all([rounds.stop(), dispatcher.close({ graceMs })]);
    } finally {
      await opened.disposeAsync();
    }
  };
  let closed: Promise<void> | null = null;
  const close: Bot['close'] = (given) => (closed ??= closeOnce(given));

  return {
    handlers,
    start: async () => {
      // Before the platforms, so that whoever supervises this process can ask early.
      await pages.open();
      await worker?.start();
      // Told to stop meanwhile, it takes nothing up.
      if (isClosing) return;
      if (worker !== null) dispatcher.process(worker.handler, { concurrency: config.concurrency });
      await rounds.start();
      if (!isClosing) await Promise.all(gateways.map((gateway) => gateway.start(handlers)));
    },
    close,
    [Symbol.asyncDispose]: () => close({ graceMs: config.shutdownGraceMs }),
  };
}

/** Right for several processes of one machine, and the loss of every second question on two. */
function sayWhatIsLocal({ databaseUrl, blobs, dataDir }: Config, log: Logger): void {
  const local = [
    ...(databaseUrl === null ? ['threads (DATABASE_URL is not set)'] : []),
    ...(blobs === null ? ['files (BLOB_URL is not set)'] : []),
  ];
  if (local.length === 0) return;
  log.warn({ dataDir }, `${local.join(' and ')} are kept in DATA_DIR: gateways and workers must share that folder`);
}

function createModel(config: Config, log: Logger): Model {
  if (config.model === null) return createAnalyst();
  return config.model.api === 'responses'
    ? createResponsesModel(config.model, log)
    : createChatModel(config.model, log);
}

/** A thread key begins with its platform. */
function platformOf(threadKey: ThreadKey): string {
  return decodeURIComponent(threadKey.split('/')[0] ?? '');
}
