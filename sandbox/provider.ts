import { readFileSync } from 'node:fs';
import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { OnPlace, SandboxLimits, SandboxProvider, SandboxSession } from '../src/ports/sandbox.ts';
import { createContainers, type RunningContainer } from './containers.ts';
import { createEngine, type EngineFacts, type EngineSettings } from './engine.ts';
import { bootsAtOnce } from './limits.ts';
import { createMemoryWatch } from './memory-watch.ts';
import { createOutage } from './outage.ts';
import { createWarmPool } from './pool.ts';
import { describeProtection } from './protection.ts';
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
  /** Other engines can take over, so no caller is kept waiting for this one to come back. */
  readonly hasNeighbours?: boolean;
  readonly log: Logger;
}

/** A start that an ending engine interrupted is tried again this often: it may end twice. */
const maxAttempts = 3;

export interface DockerSandbox extends SandboxProvider {
  /** What an `acquire` would find: containers that may still be started, containers kept ready, callers in the queue. */
  room(): { readonly free: number; readonly warm: number; readonly waiting: number };
  /** Asks the engine for itself, the runtime and the image. Rejects like `acquire`. */
  check(): Promise<unknown>;
  /** Checks engine, runtime and image, and fills the pool. Rejects like `acquire`, so that a start-up can say what is missing. */
  warm(): Promise<EngineFacts>;
}

export function createDockerSandbox(settings: DockerSandboxSettings): DockerSandbox {
  const { log, ownerId, image } = settings;
  const closing = new AbortController();
  const engine = createEngine(settings, log);
  const memory = createMemoryWatch(engine, ownerId, closing.signal, log);
  const slots = createSlots(settings.maxContainers);
  const boots = createSlots(bootsAtOnce);
  const outage = createOutage({ engine, closing: closing.signal, log });
  const seccomp = readFileSync(new URL('seccomp.json', import.meta.url), 'utf8');
  const containers = createContainers({ engine, image, seccomp, ownerId, log });

  /** Takes over the slot and the boot place that the caller holds; gives the slot back when the container is gone. */
  const start = async (limits: SandboxLimits, signal: AbortSignal): Promise<RunningContainer> => {
    memory.start();
    try {
      const onGone = (id: string | null): void => {
        if (id !== null) memory.forget(id);
        slots.free();
        pool.refill();
      };
      const until = AbortSignal.any([signal, closing.signal]);
      // What a container logs later is of whichever task uses it then, not of the one that had it started.
      const container = await log.within({}, () => containers.start(limits, until, onGone));
      outage.seen();
      return container;
    } finally {
      boots.free();
      pool.refill();
    }
  };

  const pool = createWarmPool({
    size: settings.poolSize,
    slots,
    boots,
    start: () => start(settings.limits, closing.signal),
    closing: closing.signal,
    log,
  });

  const startCold = async (
    limits: SandboxLimits,
    signal: AbortSignal,
    onPlace: OnPlace | undefined,
  ): Promise<RunningContainer> => {
    const until = AbortSignal.any([signal, closing.signal]);
    if (!slots.tryTake()) {
      // A warm container of other limits must not keep a caller waiting.
      const makesRoom = pool.evictOne();
      const waiting = slots.waiting + 1;
      if (!makesRoom) log.info({ waiting, max: settings.maxContainers }, 'all sandboxes are in use; a caller waits');
      await slots.take(until, makesRoom ? undefined : onPlace);
    }
    try {
      await boots.take(until);
    } catch (error) {
      slots.free();
      throw error;
    }
    return start(limits, signal);
  };

  const takeContainer: typeof startCold = async (limits, signal, onPlace) => {
    const warm = sameLimits(limits, settings.limits) ? await pool.take(signal) : null;
    return warm ?? startCold(limits, signal, onPlace);
  };

  const toSession = (container: RunningContainer): SandboxSession =>
    createSession({
      ...container,
      ranOutOfMemory: (sinceMs) => memory.hitLimitSince(container.id, sinceMs),
      log: log.child({ container: container.id.slice(0, 12) }),
    });

  return {
    async acquire(limits, signal, onPlace) {
      if (closing.signal.aborted) {
        throw new AppError('cancelled', 'The bot is shutting down. Ask again in a minute.', { retryable: true });
      }
      for (let attempt = 1; ; attempt += 1) {
        try {
          return toSession(await takeContainer(limits, signal, onPlace));
        } catch (error) {
          if (settings.hasNeighbours === true) throw error;
          if (attempt === maxAttempts || !(await outage.isOver(error, signal, () => onPlace?.(null)))) throw error;
          pool.resume();
        }
      }
    },
    room: () => ({ free: slots.unused, warm: pool.ready, waiting: slots.waiting }),
    check: () => engine.check(),
    async warm() {
      await engine.check();
      outage.seen();
      pool.resume();
      await pool.settled();
      // Asked again: only the first container shows whether the runtime that was chosen works.
      const facts = await engine.check();
      const { level, text } = describeProtection(facts.protection);
      log[level]({ engine: facts.version, runtime: facts.runtime ?? "the engine's default" }, text);
      return facts;
    },
    async sweep() {
      memory.start();
      await pool.check();
      return (await containers.retryRemovals()) + (await sweepOrphans(engine, ownerId, log));
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
