import { readFileSync } from 'node:fs';
import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { SandboxLimits, SandboxProvider, SandboxSession } from '../src/ports.ts';
import { createContainers, type RunningContainer } from './containers.ts';
import { createEngine, type EngineFacts, type EngineSettings } from './engine.ts';
import { createMemoryWatch } from './memory-watch.ts';
import { createWarmPool } from './pool.ts';
import { createSession } from './session.ts';
import { createSlots } from './slots.ts';
import { sweepOrphans } from './sweep.ts';

export interface DockerSandboxSettings extends EngineSettings {
  /** Of this process, from `createOwnerId`: what the sweep of another process goes by. */
  readonly ownerId: string;
  /** Limits of the containers kept warm; an `acquire` with other limits starts its own. */
  readonly limits: SandboxLimits;
  readonly poolSize: number;
  /** All containers together: warm, in use, and on their way out. Further callers wait in order. */
  readonly maxContainers: number;
  readonly log: Logger;
}

export interface DockerSandbox extends SandboxProvider {
  /** Checks engine, runtime and image, and fills the pool. Rejects like `acquire`, so that a start-up can say what is missing. */
  warm(): Promise<EngineFacts>;
}

export function createDockerSandbox(settings: DockerSandboxSettings): DockerSandbox {
  const { log, ownerId, image } = settings;
  const closing = new AbortController();
  const engine = createEngine(settings);
  const memory = createMemoryWatch(engine, ownerId, closing.signal, log);
  const slots = createSlots(settings.maxContainers);
  const seccomp = readFileSync(new URL('seccomp.json', import.meta.url), 'utf8');
  const containers = createContainers({ engine, image, seccomp, ownerId, log });

  /** Takes over a slot that the caller holds, and gives it back when the container is gone. */
  const start = (limits: SandboxLimits, signal: AbortSignal): Promise<RunningContainer> => {
    memory.start();
    return containers.start(limits, AbortSignal.any([signal, closing.signal]), (id) => {
      if (id !== null) memory.forget(id);
      slots.free();
      pool.refill();
    });
  };

  const pool = createWarmPool({
    size: settings.poolSize,
    slots,
    start: () => start(settings.limits, closing.signal),
    closing: closing.signal,
    log,
  });

  const startCold = async (limits: SandboxLimits, signal: AbortSignal): Promise<RunningContainer> => {
    if (!slots.tryTake()) {
      // A warm container of other limits must not keep a caller waiting.
      const makesRoom = pool.evictOne();
      const waiting = slots.waiting + 1;
      if (!makesRoom) log.info({ waiting, max: settings.maxContainers }, 'all sandboxes are in use; a caller waits');
      await slots.take(AbortSignal.any([signal, closing.signal]));
    }
    const container = await start(limits, signal);
    pool.refill();
    return container;
  };

  const toSession = ({ id, limits, connection }: RunningContainer): SandboxSession =>
    createSession({
      id,
      connection,
      limits,
      imageDigest: '',
      ranOutOfMemory: (sinceMs) => memory.hitLimitSince(id, sinceMs),
      log: log.child({ container: id.slice(0, 12) }),
    });

  return {
    async acquire(limits, signal) {
      if (closing.signal.aborted) {
        throw new AppError('cancelled', 'The bot is shutting down. Ask again in a minute.', { retryable: true });
      }
      const warm = sameLimits(limits, settings.limits) ? await pool.take(signal) : null;
      return toSession(warm ?? (await startCold(limits, signal)));
    },
    async warm() {
      const facts = await engine.check();
      log.info({ engine: facts.version, runtime: facts.runtime ?? "the engine's default" }, 'Docker is there');
      pool.refill();
      await pool.settled();
      return facts;
    },
    async sweep() {
      const removed = (await containers.retryRemovals()) + (await sweepOrphans(engine, ownerId, log));
      pool.refill();
      return removed;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await containers.close();
    },
  };
}

function sameLimits(a: SandboxLimits, b: SandboxLimits): boolean {
  return (
    a.memoryBytes === b.memoryBytes &&
    a.workspaceBytes === b.workspaceBytes &&
    a.cpus === b.cpus &&
    a.processes === b.processes
  );
}
