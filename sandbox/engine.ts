import Docker from 'dockerode';
import type { Duplex } from 'node:stream';
import { AppError } from '../src/errors.ts';
import { type ContainerSettings, containerOptions } from './container.ts';
import { engineCallMs } from './limits.ts';
import { labelNames } from './owner.ts';

/** The few calls of the Docker engine that a sandbox needs. Everything of dockerode stays in here. */
export interface Engine {
  /** Rejects with `docker-unavailable`, `sandbox-image-missing`, or `config` for a runtime that the engine lacks. */
  check(): Promise<EngineFacts>;
  /** Creates, attaches, starts, in this order, so that no byte is lost. A failure leaves no container. Rejects like `check`. */
  launch(settings: ContainerSettings): Promise<LaunchedContainer>;
  /** All its processes stand still until `unpause`. Rejects where the engine refuses. */
  pause(id: string): Promise<void>;
  /** Harmless for a container that runs; rejects where it could not be made to. */
  unpause(id: string): Promise<void>;
  /** Resolves when the container is gone, whoever removed it. */
  remove(id: string): Promise<void>;
  /** Every container with our owner label, running or not. */
  list(): Promise<readonly OwnedContainer[]>;
  /** Calls `onOutOfMemory` with the container id for each memory kill in a container of `ownerId`, until `signal` aborts. */
  watchMemory(ownerId: string, signal: AbortSignal, onOutOfMemory: (id: string) => void): Promise<void>;
}

export interface LaunchedContainer {
  readonly id: string;
  /** Of the image it was made from: `sha256:…`. */
  readonly imageDigest: string;
  readonly stream: Duplex;
}

export interface EngineFacts {
  readonly version: string;
  /** For `ContainerSettings.runtime`. */
  readonly runtime: string | null;
}

export interface OwnedContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Docker's word: created, running, paused, exited, dead, removing. */
  readonly state: string;
}

export interface EngineSettings {
  /** Path of the engine's socket; null for the usual place, which includes `DOCKER_HOST` and its companions. */
  readonly socketPath: string | null;
  readonly image: string;
  readonly runtime: 'auto' | 'runc' | 'runsc';
}

export function createEngine(settings: EngineSettings): Engine {
  // An empty host makes the client library take the socket even where DOCKER_HOST is set.
  const docker = new Docker(settings.socketPath === null ? {} : { socketPath: settings.socketPath, host: '' });

  const remove = async (id: string): Promise<void> => {
    const container = docker.getContainer(id);
    try {
      await call(container.remove({ force: true, v: true }));
    } catch (error) {
      if (statusOf(error) === 404) return;
      // 409: the engine is removing it already.
      if (statusOf(error) !== 409) throw error;
      await call(container.wait({ condition: 'removed' })).catch((waited: unknown) => {
        if (statusOf(waited) !== 404) throw waited;
      });
    }
  };

  return {
    remove,
    async check() {
      const info = await call(docker.info(), settings);
      await call(docker.getImage(settings.image).inspect(), settings);
      return { version: String(info.ServerVersion), runtime: chooseRuntime(settings.runtime, info.Runtimes) };
    },
    async launch(containerSettings) {
      const container = await call(docker.createContainer(containerOptions(containerSettings)), settings);
      try {
        const stream = await call(
          container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
          settings,
        );
        // A hijacked attach is the engine's socket itself.
        const socket = stream as Duplex;
        // Its failure also shows as its end; until somebody listens it must not end the process.
        socket.on('error', () => {});
        try {
          await call(container.start(), settings);
          const { Image: imageDigest } = await call(container.inspect(), settings);
          return { id: container.id, imageDigest, stream: socket };
        } catch (error) {
          socket.destroy();
          throw error;
        }
      } catch (error) {
        await remove(container.id).catch(() => {});
        throw error;
      }
    },
    async pause(id) {
      await call(docker.getContainer(id).pause());
    },
    async unpause(id) {
      const container = docker.getContainer(id);
      try {
        await call(container.unpause());
      } catch (error) {
        const { State } = await call(container.inspect());
        if (!State.Running || State.Paused) throw error;
      }
    },
    async list() {
      const found = await call(docker.listContainers({ all: true, filters: { label: [labelNames.owner] } }), settings);
      return found.map((container) => ({ id: container.Id, labels: container.Labels, state: container.State }));
    },
    async watchMemory(ownerId, signal, onOutOfMemory) {
      const events = await docker.getEvents({
        filters: { type: ['container'], event: ['oom'], label: [`${labelNames.owner}=${ownerId}`] },
        abortSignal: signal,
      });
      let text = '';
      for await (const chunk of events) {
        text += String(chunk);
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const id = eventContainerId(line);
          if (id !== null) onOutOfMemory(id);
        }
      }
    },
  };
}

function eventContainerId(line: string): string | null {
  if (line.trim() === '') return null;
  const event = JSON.parse(line) as { readonly id?: unknown };
  return typeof event.id === 'string' ? event.id : null;
}

/** gVisor where the engine has it. Throws `config` where it was asked for by name and is missing. */
function chooseRuntime(wanted: EngineSettings['runtime'], runtimes: unknown): string | null {
  const names = Object.keys(typeof runtimes === 'object' && runtimes !== null ? runtimes : {});
  if (wanted === 'auto') return names.includes('runsc') ? 'runsc' : null;
  if (names.includes(wanted)) return wanted;
  throw new AppError(
    'config',
    `SANDBOX_RUNTIME is ${wanted}, but this Docker engine has only: ${names.join(', ')}. Register ${wanted} in /etc/docker/daemon.json, or set SANDBOX_RUNTIME=auto.`,
  );
}

/** One engine call under a time limit; with `settings`, failures come in words. */
async function call<T>(promise: Promise<T>, settings: EngineSettings | null = null): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new EngineTimeout()), engineCallMs);
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    throw settings === null ? error : explain(error, settings);
  } finally {
    clearTimeout(timer);
  }
}

class EngineTimeout extends Error {
  constructor() {
    super(`the Docker engine did not answer within ${engineCallMs} ms`);
    this.name = 'EngineTimeout';
  }
}

function statusOf(error: unknown): number | null {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}

function explain(error: unknown, settings: EngineSettings): AppError {
  const detail = error instanceof Error ? error.message : String(error);
  const status = statusOf(error);
  if (status === 404 && /no such image/i.test(detail)) {
    return new AppError(
      'sandbox-image-missing',
      `The sandbox image ${settings.image} is not on this Docker engine. Build it with: npm run setup`,
      { cause: error, detail },
    );
  }
  if (status === null) return unreachable(error, detail);
  return new AppError(
    'sandbox-failed',
    'Docker could not start a sandbox. The reason is in the log; asking again may work.',
    {
      cause: error,
      detail,
      retryable: true,
    },
  );
}

function unreachable(error: unknown, detail: string): AppError {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const words =
    error instanceof EngineTimeout
      ? 'Docker does not answer. Look at it with: docker info'
      : code === 'EACCES' || code === 'EPERM'
        ? 'Docker runs, but this user may not use it. Allow it, then log in again: sudo usermod -aG docker "$USER"'
        : 'Docker is not running, or not where I look for it. Start it with: sudo systemctl start docker (or open Docker Desktop). If it is not installed: npm run setup';
  return new AppError('docker-unavailable', words, { cause: error, detail, retryable: true });
}
