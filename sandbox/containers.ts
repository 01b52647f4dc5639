import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { SandboxLimits } from '../src/ports/sandbox.ts';
import { ConnectionLost, createConnection, type DriverConnection, type LossReason } from './connection.ts';
import type { Engine, EngineFacts } from './engine.ts';
import { disposeMs, maxLifetimeMs, pingMs, readyTimeoutMs } from './limits.ts';
import { ownerLabels } from './owner.ts';
import { abortable } from './turns.ts';

/** A started container whose driver said `ready`. */
export interface RunningContainer {
  readonly id: string;
  readonly imageDigest: string;
  readonly limits: SandboxLimits;
  readonly connection: DriverConnection;
  /** Ids of its requests: one row for all who ever ask it something. */
  nextRequestId(): number;
  /** Asks the driver for a sign of life, while nothing else asks it; without one the connection is over. */
  answers(): Promise<boolean>;
  /** Its processes stand still until `unpause`. Rejects where the engine does not do it; it may be paused all the same then. */
  pause(): Promise<void>;
  /** Resolves when it runs. Rejects where the engine cannot. */
  unpause(): Promise<void>;
}

/** Starts containers and answers for each of them until it is gone: whatever ends a connection removes its container. */
export interface Containers {
  /**
   * A container of its own. `onGone` is called once, when the engine has let go of it or refused to (the sweep tries again), also
   * where this rejects; `id` is null where no container came to be. Rejects with the engine's errors, `sandbox-failed`, or `cancelled`.
   */
  start(limits: SandboxLimits, signal: AbortSignal, onGone: (id: string | null) => void): Promise<RunningContainer>;
  /** Tries again what could not be removed. Resolves to how many are gone now. */
  retryRemovals(): Promise<number>;
  /** Ends all connections; resolves when every container is gone, or after a bounded time. */
  close(): Promise<void>;
}

export function createContainers(deps: {
  readonly engine: Engine;
  readonly image: string;
  readonly seccomp: string;
  readonly ownerId: string;
  readonly log: Logger;
}): Containers {
  const { engine, log } = deps;
  const connections = new Set<DriverConnection>();
  const under = new Set<Promise<void>>();
  const unremoved = new Set<string>();
  /** Containers that stand still, or may: the pause as it was asked for. */
  const paused = new Map<string, Promise<void>>();

  /** Keeps `close` waiting for work that nobody else awaits. */
  const track = (work: Promise<void>): void => {
    under.add(work);
    void work.finally(() => under.delete(work));
  };

  const keepForSweep = (id: string, error: unknown): void => {
    unremoved.add(id);
    log.warn(
      { container: id, error: String(error) },
      'a sandbox container could not be removed; the sweep will try again',
    );
  };

  const remove = async (id: string): Promise<void> => {
    try {
      const pausing = paused.get(id);
      await (pausing === undefined ? engine.remove(id) : removePaused(engine, id, pausing));
      paused.delete(id);
      unremoved.delete(id);
    } catch (error) {
      keepForSweep(id, error);
    }
  };

  const removeThen = async (id: string, onGone: (id: string) => void): Promise<void> => {
    await remove(id);
    onGone(id);
  };

  /** A launch that nobody waits for any more. */
  const discard = async (
    launched: Promise<{ readonly id: string; readonly stream: Duplex }>,
    onGone: (id: string | null) => void,
  ): Promise<void> => {
    const container = await launched.catch(() => null);
    if (container === null) return onGone(null);
    container.stream.destroy();
    await removeThen(container.id, onGone);
  };

  /** What the last good check found. Forgotten with every failure: the engine may have changed, its runtimes as well. */
  let facts: Promise<EngineFacts> | null = null;
  const launch = async (limits: SandboxLimits) => {
    const known = (facts ??= engine.check());
    try {
      const { runtime } = await known;
      const nowMs = Date.now();
      const labels = ownerLabels(deps.ownerId, nowMs, nowMs + maxLifetimeMs);
      return await engine.launch({ image: deps.image, runtime, limits, seccomp: deps.seccomp, labels }, keepForSweep);
    } catch (error) {
      if (facts === known) facts = null;
      throw error;
    }
  };

  const begin: Containers['start'] = async (limits, signal, onGone) => {
    const launched = launch(limits);
    let container: Awaited<typeof launched>;
    try {
      container = await abortable(launched, signal);
    } catch (error) {
      track(discard(launched, onGone));
      throw error;
    }

    const { id, imageDigest, stream } = container;
    const containerLog = log.child({ container: id.slice(0, 12) });
    const connection = createConnection(stream, containerLog, (lost) => {
      clearTimeout(lifetime);
      connections.delete(connection);
      containerLog.debug({ reason: lost.reason, detail: lost.message }, 'sandbox connection ended');
      track(removeThen(id, onGone));
    });
    connections.add(connection);
    const lifetime = setTimeout(
      () => connection.close('expired', 'the container reached its longest life'),
      maxLifetimeMs,
    );
    lifetime.unref();
    try {
      const { message } = await abortable(connection.next(readyTimeoutMs), signal);
      if (message.type !== 'ready') throw new ConnectionLost('protocol', `a ${message.type} before ready`);
      containerLog.debug({ bootMs: message.bootMs, python: message.python }, 'sandbox ready');
      let lastRequestId = 0;
      const nextRequestId = () => (lastRequestId += 1);
      return {
        id,
        imageDigest,
        limits,
        connection,
        nextRequestId,
        answers: () => ping(connection, nextRequestId()),
        pause: () => {
          const pausing = engine.pause(id);
          paused.set(id, pausing);
          return pausing;
        },
        unpause: async () => {
          await engine.unpause(id);
          paused.delete(id);
        },
      };
    } catch (error) {
      connection.close(error instanceof ConnectionLost ? error.reason : 'disposed', String(error));
      throw error instanceof ConnectionLost ? startFailure(error) : error;
    }
  };

  return {
    start(limits, signal, onGone) {
      const started = begin(limits, signal, onGone);
      track(settled(started));
      return started;
    },
    async retryRemovals() {
      const ids = [...unremoved];
      await Promise.all(ids.map(remove));
      return ids.filter((id) => !unremoved.has(id)).length;
    },
    async close() {
      for (const connection of connections) connection.close('disposed', 'the provider was disposed');
      const allGone = async () => {
        while (under.size > 0) await Promise.allSettled(under);
      };
      const timeout = new AbortController();
      await Promise.race([allGone(), sleep(disposeMs, null, { signal: timeout.signal }).catch(() => {})]);
      timeout.abort();
    },
  };
}

/** A paused container is woken first: gVisor's kill does not reach one, and the engine gives up only after 10 s. */
export async function removePaused(engine: Engine, id: string, pausing: Promise<void>): Promise<void> {
  await pausing.catch(() => {});
  await engine.unpause(id).catch(() => {});
  await engine.remove(id);
}

async function ping(connection: DriverConnection, id: number): Promise<boolean> {
  try {
    await connection.send({ type: 'ping', id }, new Uint8Array(0), pingMs);
    const { message } = await connection.next(pingMs);
    if (message.type !== 'pong' || message.id !== id)
      connection.close('protocol', `a ${message.type} as answer to a ping`);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
  }
  return connection.lost === null;
}

async function settled(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work]);
}

const startWords: Readonly<Record<LossReason, string>> = {
  gone: 'The sandbox ended before it was ready.',
  protocol: 'The sandbox image does not speak the protocol of this version. Rebuild it with: npm run setup',
  unresponsive: `The sandbox was not ready within ${readyTimeoutMs / 1000} s; the machine may be overloaded.`,
  disposed: 'The sandbox was stopped before it was ready.',
  expired: 'The sandbox was stopped before it was ready.',
};

function startFailure(lost: ConnectionLost): AppError {
  return new AppError('sandbox-failed', startWords[lost.reason], {
    cause: lost,
    retryable: true,
    detail: `no ready: ${lost.message}`,
  });
}
