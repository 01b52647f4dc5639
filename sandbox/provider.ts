import { readFileSync } from 'node:fs';
import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { SandboxLimits, SandboxProvider, SandboxSession } from '../src/ports.ts';
import { createContainers, type RunningContainer } from './containers.ts';
import { createEngine, type EngineFacts, type EngineSettings } from './engine.ts';
import { createMemoryWatch } from './memory-watch.ts';
import { createSession } from './session.ts';
import { createSlots } from './slots.ts';
import { sweepOrphans } from './sweep.ts';
import { abortable } from './turns.ts';

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

/** After a container of the pool failed to start or died: no new attempt for this long, unless somebody asks for one. */
const refillPauseMs = 30_000;

export function createDockerSandbox(settings: DockerSandboxSettings): DockerSandbox {
  const { log, limits: poolLimits } = settings;
  const closing = new AbortController();
  const engine = createEngine(settings);
  const memory = createMemoryWatch(engine, settings.ownerId, closing.signal, log);
  const slots = createSlots(settings.maxContainers);
  const seccomp = readFileSync(new URL('seccomp.json', import.meta.url), 'utf8');
  const containers = createContainers({ engine, image: settings.image, seccomp, ownerId: settings.ownerId, log });
  /** Oldest first; each holds a slot. */
  const pool: Promise<RunningContainer>[] = [];
  let refillAfterMs = 0;

  /** Takes over a slot that the caller holds, and gives it back when the container is gone. */
  const start = (limits: SandboxLimits, signal: AbortSignal): Promise<RunningContainer> => {
    memory.start();
    return containers.start(limits, AbortSignal.any([signal, closing.signal]), (id) => {
      if (id !== null) memory.forget(id);
      slots.free();
      refill();
    });
  };

  const refill = (): void => {
    while (
      !closing.signal.aborted &&
      Date.now() >= refillAfterMs &&
      pool.length < settings.poolSize &&
      slots.tryTake()
    ) {
      const entry = start(poolLimits, closing.signal);
      pool.push(entry);
      entry.catch((error: unknown) => {
        refillAfterMs = Date.now() + refillPauseMs;
        const place = pool.indexOf(entry);
        if (place !== -1) pool.splice(place, 1);
        if (!closing.signal.aborted) log.warn({ error: String(error) }, 'a warm sandbox could not be started');
      });
    }
  };

  const takeWarm = async (signal: AbortSignal): Promise<RunningContainer | null> => {
    for (;;) {
      const entry = pool.shift();
      if (entry === undefined) return null;
      refill();
      try {
        const container = await abortable(entry, signal);
        if (container.connection.lost === null) return container;
        log.warn({ container: container.id }, 'a warm sandbox had died');
        refillAfterMs = Date.now() + refillPauseMs;
      } catch (error) {
        if (!signal.aborted) return null;
        entry.then(
          ({ connection }) => connection.close('disposed', 'its taker left'),
          () => {},
        );
        throw error;
      }
    }
  };

  const acquire = async (limits: SandboxLimits, signal: AbortSignal): Promise<SandboxSession> => {
    if (closing.signal.aborted)
      throw new AppError('cancelled', 'The bot is shutting down. Ask again in a minute.', { retryable: true });
    const warm = sameLimits(limits, poolLimits) ? await takeWarm(signal) : null;
    if (warm !== null) return toSession(warm);
    if (!slots.tryTake()) {
      // A warm container of other limits must not keep a caller waiting.
      const spare = pool.shift();
      spare?.then(
        ({ connection }) => connection.close('disposed', 'it made room'),
        () => {},
      );
      if (spare === undefined)
        log.info(
          { waiting: slots.waiting + 1, max: settings.maxContainers },
          'all sandboxes are in use; a caller waits',
        );
      await slots.take(AbortSignal.any([signal, closing.signal]));
    }
    const container = await start(limits, signal);
    refill();
    return toSession(container);
  };

  const toSession = ({ id, limits, connection }: RunningContainer): SandboxSession =>
    createSession({
      id,
      connection,
      limits,
      ranOutOfMemory: (sinceMs) => memory.hitLimitSince(id, sinceMs),
      log: log.child({ container: id.slice(0, 12) }),
    });

  return {
    acquire,
    async warm() {
      const facts = await engine.check();
      log.info({ engine: facts.version, runtime: facts.runtime ?? "the engine's default" }, 'Docker is there');
      refill();
      await Promise.allSettled([...pool]);
      return facts;
    },
    async sweep() {
      const removed = (await containers.retryRemovals()) + (await sweepOrphans(engine, settings.ownerId, log));
      refill();
      return removed;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      pool.length = 0;
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
