/** One process that hears, answers and keeps everything, wired from the implementations behind the ports. */
import { createOwnerId } from '../sandbox/owner.ts';
import { createSandboxes } from '../sandbox/sandboxes.ts';
import { instructions } from './agent/prompt.ts';
import { createDelivery } from './answer/deliver.ts';
import { openAudit } from './audit/open-audit.ts';
import { openBlobs } from './blobs/open-blobs.ts';
import type { Config, SandboxConfig } from './config.ts';
import { createConversation } from './conversation/conversation.ts';
import packageFile from '../package.json' with { type: 'json' };
import { createRetention, retentionIntervalMs } from './conversation/retention.ts';
import { createSessions } from './conversation/sessions.ts';
import { createWorker } from './conversation/worker.ts';
import { AppError, toAppError } from './errors.ts';
import type { Logger } from './log.ts';
import { createAnalyst } from './models/analyst/analyst.ts';
import { createChatModel } from './models/openai-chat.ts';
import { createResponsesModel } from './models/openai-responses.ts';
import type { Model } from './ports/model.ts';
import type { GatewayHandlers, PlatformClient, PlatformGateway } from './ports/platforms.ts';
import type { SandboxLimits } from './ports/sandbox.ts';
import type { Store } from './ports/store.ts';
import { createInProcessDispatcher } from './queue/in-process-dispatcher.ts';
import { openStore } from './store/open-store.ts';
import type { ThreadKey } from './types.ts';

const megabyte = 1024 * 1024;

/** Bytes of one file, and of all files of one cell, that leave the sandbox; chat platforms take no more than a few of these. */
const collectLimits = { fileBytes: 100 * megabyte, filesBytes: 250 * megabyte };

/** How long running tasks may go on after a stop signal; past it they are left to the next start. */
const shutdownGraceMs = 20_000;

/** Long enough for the next question of somebody who is at it, short enough that a thread a cell left running costs little. */
const suspendAfterMs = 10_000;

const sweepIntervalMs = 60_000;
const deliveryTimeoutMs = 120_000;

export interface Platform {
  readonly gateway: PlatformGateway;
  readonly client: PlatformClient;
}

export interface Bot extends AsyncDisposable {
  readonly handlers: GatewayHandlers;
  /** Checks the sandbox, takes up unfinished tasks, opens the gateways. A missing Docker is logged, not fatal: tasks say it. */
  start(): Promise<void>;
  /** Stops hearing, lets running tasks go on for the grace, ends them, removes the containers. Disposing closes with 20 s. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** By their names. */
export type Platforms = ReadonlyMap<string, Platform>;

/**
 * Wires one process that hears, answers and keeps everything. Platforms that keep something themselves (tokens) are made with the
 * bot's store. `model` is for tests and benchmarks; else the settings decide.
 */
export async function createBot(
  config: Config,
  platformsOf: Platforms | ((store: Store) => Promise<Platforms>),
  log: Logger,
  model: Model = createModel(config, log),
): Promise<Bot> {
  const { sandbox } = config;
  const limits = sandboxLimits(sandbox);
  const store = await openStore(config, log);
  const platforms = typeof platformsOf === 'function' ? await madeWith(store, platformsOf) : platformsOf;
  const blobs = await madeWith(store, () => openBlobs({ place: config.blobs, dataDir: config.dataDir, log }));
  const audit = await madeWith(store, async () => openAudit(config.auditPath, log));
  const provider = createSandboxes({
    endpoints: sandbox.hosts,
    image: sandbox.image,
    runtime: sandbox.runtime,
    ownerId: createOwnerId(),
    limits,
    poolSize: sandbox.poolSize,
    maxContainers: sandbox.maxContainers,
    log,
  });
  const sessions = createSessions({
    provider,
    store,
    blobs,
    limits,
    cellTimeoutMs: sandbox.cellTimeoutMs,
    suspendAfterMs,
    idleMs: sandbox.idleMs,
    // Idle threads give way before the pool does: a new thread then finds a warm container, not a free place.
    maxSessions: Math.max(1, sandbox.hosts.length) * Math.max(1, sandbox.maxContainers - sandbox.poolSize),
    log,
  });
  const clientOf = ({ platform }: { readonly platform: string }): PlatformClient => {
    const found = platforms.get(platform);
    if (found === undefined) throw new AppError('config', `The platform ${platform} is not configured any more.`);
    return found.client;
  };
  const dispatcher = createInProcessDispatcher({ log });
  const delivery = createDelivery({ store, blobs, audit, clientOf, timeoutMs: deliveryTimeoutMs, log });
  const handlers = createConversation({
    store,
    blobs,
    dispatcher,
    delivery,
    audit,
    clientOf,
    endSession: (threadKey) => sessions.drop(threadKey),
    log,
  });
  const retention = createRetention({
    store,
    blobs,
    clientOf,
    endSession: (threadKey) => sessions.drop(threadKey),
    audit,
    log,
    now: Date.now,
    keepMs: config.retentionMs,
  });
  const worker = createWorker({
    store,
    blobs,
    sessions,
    delivery,
    audit,
    clientOf,
    model,
    instructions: instructions({
      cellTimeoutMs: sandbox.cellTimeoutMs,
      memoryBytes: sandbox.memoryBytes,
      workspaceBytes: sandbox.workspaceBytes,
      fileBytes: collectLimits.fileBytes,
      maxSteps: config.agent.maxSteps,
    }),
    limits: config.agent,
    cellTimeoutMs: sandbox.cellTimeoutMs,
    attachmentBytes: config.attachmentBytes,
    collect: collectLimits,
    about: { version: packageFile.version, imageName: sandbox.image },
    log,
  });
  const sweep = (): void => {
    provider.sweep().catch((error: unknown) => log.warn({ error: String(error) }, 'sweep failed'));
  };
  const sweepTimer = setInterval(sweep, sweepIntervalMs).unref();
  const closing = new AbortController();
  let retentionRound = Promise.resolve();
  const retain = (): void => {
    retentionRound = retentionRound
      .then(() => retention(closing.signal))
      .catch((error: unknown) => log.warn({ error: String(error) }, 'retention failed'));
  };
  const retentionTimer = setInterval(retain, retentionIntervalMs).unref();
  const close: Bot['close'] = async ({ graceMs }) => {
    clearInterval(sweepTimer);
    clearInterval(retentionTimer);
    closing.abort();
    await Promise.allSettled([...platforms.values()].map(({ gateway }) => gateway.stop()));
    await dispatcher.close({ graceMs });
    await sessions[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
    await retentionRound;
    await store[Symbol.asyncDispose]();
    audit[Symbol.dispose]();
  };

  return {
    handlers,
    start: async () => {
      await provider
        .warm()
        .catch((error: unknown) => log.error({ error: toAppError(error).message }, 'the sandbox is not ready'));
      sweep();
      retain();
      dispatcher.process(worker, { concurrency: config.concurrency });
      for (const threadKey of await store.unfinishedThreads()) {
        // Tasks of a platform that is not configured now wait until it is again.
        if (platforms.has(platformOf(threadKey))) await dispatcher.wake(threadKey);
      }
      await Promise.all([...platforms.values()].map(({ gateway }) => gateway.start(handlers)));
    },
    close,
    [Symbol.asyncDispose]: () => close({ graceMs: shutdownGraceMs }),
  };
}

/** What cannot be made leaves no open store behind. */
async function madeWith<T>(store: Store, make: (store: Store) => Promise<T>): Promise<T> {
  try {
    return await make(store);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Of one thread's container. */
export function sandboxLimits({ memoryBytes, workspaceBytes, cpus, processes }: SandboxConfig): SandboxLimits {
  return { memoryBytes, workspaceBytes, cpus, processes };
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
