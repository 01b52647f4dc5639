/** The part of a process that runs tasks: sandboxes, the threads' sessions in them, the handler for the dispatcher. */
import packageFile from '../package.json' with { type: 'json' };
import { createOwnerId } from '../sandbox/owner.ts';
import type { ReadySandboxes } from '../sandbox/fleet.ts';
import { createSandboxes } from '../sandbox/sandboxes.ts';
import { instructions } from './agent/prompt.ts';
import type { Delivery } from './answer/deliver.ts';
import type { Config, SandboxConfig } from './config.ts';
import type { TaskLimits } from './conversation/limits.ts';
import { createSessions } from './conversation/sessions.ts';
import { createWorker } from './conversation/worker.ts';
import { AppError, toAppError } from './errors.ts';
import type { Logger } from './log.ts';
import type { Audit } from './ports/audit.ts';
import type { Blobs } from './ports/blobs.ts';
import type { Observation } from './observe/observation.ts';
import type { WakeHandler } from './ports/dispatcher.ts';
import type { Model } from './ports/model.ts';
import type { PlatformClient } from './ports/platforms.ts';
import type { SandboxLimits } from './ports/sandbox.ts';
import type { Store } from './ports/store.ts';
import type { ThreadKey, ThreadRef } from './types.ts';

const megabyte = 1024 * 1024;

/** Bytes of one file, and of all files of one cell, that leave the sandbox; chat platforms take no more than a few of these. */
const collectLimits = { fileBytes: 100 * megabyte, filesBytes: 250 * megabyte };

/** Long enough for the next question of somebody who is at it, short enough that a thread a cell left running costs little. */
const suspendAfterMs = 10_000;

const sweepIntervalMs = 60_000;

export interface BotWorker extends AsyncDisposable {
  readonly handler: WakeHandler;
  /** Checks the sandbox. A missing Docker is logged, not fatal: tasks say it. */
  start(): Promise<void>;
  endSession(threadKey: ThreadKey): Promise<void>;
  /** Whether a sandbox could be had now; rejects with the reason. */
  check(): Promise<void>;
  engines(): ReturnType<ReadySandboxes['engines']>;
}

export function createBotWorker(
  config: Config,
  deps: {
    readonly store: Store;
    readonly blobs: Blobs;
    readonly delivery: Delivery;
    readonly clientOf: (thread: ThreadRef) => PlatformClient;
    readonly audit: Audit;
    readonly taskLimits: TaskLimits;
    readonly model: Model;
    readonly sandboxes: ReadySandboxes;
    readonly observation: Observation;
    readonly log: Logger;
  },
): BotWorker {
  const { sandbox } = config;
  const { sandboxes, observation, log } = deps;
  const sessions = createSessions({
    ...deps,
    provider: observation.sandboxes(sandboxes),
    limits: sandboxLimits(sandbox),
    cellTimeoutMs: sandbox.cellTimeoutMs,
    suspendAfterMs,
    idleMs: sandbox.idleMs,
    // Idle threads give way before the pool does: a new thread then finds a warm container, not a free place.
    maxSessions: Math.max(1, sandbox.hosts.length) * Math.max(1, sandbox.maxContainers - sandbox.poolSize),
  });
  const handler = createWorker({
    ...deps,
    model: observation.model(deps.model),
    telemetry: observation.telemetry,
    sessions,
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
  });
  let wasWarmed = false;
  const sweep = (): void => {
    Promise.all([sandboxes.sweep(), sessions.sweep()]).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'sweep failed'),
    );
  };
  const sweepTimer = setInterval(sweep, sweepIntervalMs).unref();

  return {
    handler: observation.threadHandler(handler),
    engines: () => sandboxes.engines(),
    check: async () => {
      if (!wasWarmed) throw new AppError('sandbox-failed', 'the first containers are being started');
      await sandboxes.check();
    },
    endSession: (threadKey) => sessions.drop(threadKey),
    start: async () => {
      await sandboxes
        .warm()
        .catch((error: unknown) => log.error({ error: toAppError(error).message }, 'the sandbox is not ready'));
      wasWarmed = true;
      sweep();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweepTimer);
      await sessions[Symbol.asyncDispose]();
      await sandboxes[Symbol.asyncDispose]();
    },
  };
}

/** The sandboxes that the settings ask for. */
export function createBotSandboxes({ sandbox }: Config, log: Logger): ReadySandboxes {
  return createSandboxes({
    endpoints: sandbox.hosts,
    image: sandbox.image,
    runtime: sandbox.runtime,
    ownerId: createOwnerId(),
    limits: sandboxLimits(sandbox),
    poolSize: sandbox.poolSize,
    maxContainers: sandbox.maxContainers,
    log,
  });
}

/** Of one thread's container. */
export function sandboxLimits({ memoryBytes, workspaceBytes, cpus, processes }: SandboxConfig): SandboxLimits {
  return { memoryBytes, workspaceBytes, cpus, processes };
}
