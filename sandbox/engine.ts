import Docker, { type ContainerCreateOptions } from 'dockerode';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import { type ContainerSettings, containerOptions } from './container.ts';
import { dockerOptions, type Endpoint, endpointName } from './endpoint.ts';
import { call, isRefusedStart, statusOf } from './engine-call.ts';
import { labelNames } from './owner.ts';
import { type ProtectionFacts, protectionFacts } from './protection.ts';

/** The few calls of the Docker engine that a sandbox needs. Everything of dockerode stays in here. */
export interface Engine {
  /** Rejects with `docker-unavailable`, `sandbox-image-missing`, or `config` for a runtime that the engine lacks. */
  check(): Promise<EngineFacts>;
  /**
   * Creates, attaches, starts, in this order, so that no byte is lost. A failure leaves no container, or tells `onLeft` of one that
   * the engine would not remove, and why. Rejects like `check`. Where the first container on a runtime that `auto` chose does not
   * start, it and all later ones run on the engine's default.
   */
  launch(settings: ContainerSettings, onLeft: (id: string, error: unknown) => void): Promise<LaunchedContainer>;
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
  readonly protection: ProtectionFacts;
}

export interface OwnedContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Docker's word: created, running, paused, exited, dead, removing. */
  readonly state: string;
}

export interface EngineSettings {
  /** Null for the usual place, which includes `DOCKER_HOST` and its companions. */
  readonly endpoint: Endpoint | null;
  readonly image: string;
  readonly runtime: 'auto' | 'runc' | 'runsc';
}

/** How the engine's client is told what goes into the URL and what into the body. */
interface RequestParts {
  readonly _query: Readonly<Record<string, string>>;
  readonly _body: object;
}

/** First probe of a quiet connection. */
const keepAliveMs = 15_000;

/** Throws `config` where the endpoint's certificates cannot be read. */
export function createEngine(settings: EngineSettings, log: Logger | null = null): Engine {
  const docker = new Docker(dockerOptions(settings.endpoint));
  let chosenRuntime: 'untried' | 'works' | 'broken' = 'untried';

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

  const launch: Engine['launch'] = async (containerSettings, onLeft) => {
    // Named as the body alone: the client would repeat all options in the URL otherwise, the whole seccomp profile with them.
    const request: ContainerCreateOptions & RequestParts = { _query: {}, _body: containerOptions(containerSettings) };
    const container = await call(docker.createContainer(request), settings);
    try {
      const socket = await call(attach(docker, container.id), settings);
      keepAlive(socket);
      try {
        await call(container.start(), settings);
        const { Image: imageDigest } = await call(container.inspect(), settings);
        return { id: container.id, imageDigest, stream: socket };
      } catch (error) {
        socket.destroy();
        throw error;
      }
    } catch (error) {
      await remove(container.id).catch((left: unknown) => onLeft(container.id, left));
      throw error;
    }
  };

  return {
    remove,
    async check() {
      const [info, version] = await Promise.all([
        call(docker.info(), settings),
        call(docker.version(), settings),
        call(docker.getImage(settings.image).inspect(), settings),
      ]);
      const runtime = chosenRuntime === 'broken' ? null : chooseRuntime(settings, info.Runtimes);
      return {
        version: String(info.ServerVersion),
        runtime,
        protection: protectionFacts(info, version, runtime),
      };
    },
    async launch(wanted, onLeft) {
      const mayFallBack = settings.runtime === 'auto' && wanted.runtime !== null;
      if (!mayFallBack) return launch(wanted, onLeft);
      if (chosenRuntime === 'broken') return launch({ ...wanted, runtime: null }, onLeft);
      try {
        const launched = await launch(wanted, onLeft);
        chosenRuntime = 'works';
        return launched;
      } catch (error) {
        // Once it has worked, a failure is one of this container, and no reason to give up a wall.
        if (chosenRuntime === 'works' || !isRefusedStart(error)) throw error;
        const launched = await launch({ ...wanted, runtime: null }, onLeft);
        if (chosenRuntime === 'untried')
          log?.warn({ runtime: wanted.runtime, error: error.message }, brokenRuntimeText);
        chosenRuntime = 'broken';
        return launched;
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
      if ('socket' in events) keepAlive(events.socket);
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

/**
 * The container's streams: a hijacked attach is the engine's socket itself. Not the client's own `attach`, which sends its options once
 * more as the request's body. The engine skips a body only where it came together with the head; behind a proxy it comes later at times,
 * and was the first thing that the container read.
 */
async function attach({ modem }: Docker, id: string): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const request = {
    path: `/containers/${id}/attach?`,
    method: 'POST',
    options: { _query: { stream: true, stdin: true, stdout: true, stderr: true } },
    file: Buffer.alloc(0),
    hijack: true,
    isStream: true,
    statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
  };
  modem.dial(request, (error, stream) => (error === null ? resolve(stream as Duplex) : reject(error)));
  // A failure also shows as the stream's end; until somebody listens, and where it comes too late for anybody to, it must not end the
  // process.
  return (await promise).on('error', () => {});
}

/** Without it a machine that vanished from the network would never be missed. */
function keepAlive(stream: unknown): void {
  if (stream instanceof Socket) stream.setKeepAlive(true, keepAliveMs);
}

function eventContainerId(line: string): string | null {
  if (line.trim() === '') return null;
  const event = JSON.parse(line) as { readonly id?: unknown };
  return typeof event.id === 'string' ? event.id : null;
}

const brokenRuntimeText =
  "gVisor (runsc) is registered with Docker but could not start a sandbox: sandboxes run on the engine's default runtime instead, behind a " +
  'weaker wall. Mend it and start again; SANDBOX_RUNTIME=runc accepts this wall in silence, SANDBOX_RUNTIME=runsc refuses it.';

/** gVisor where the engine has it. Throws `config` where it was asked for by name and is missing. */
function chooseRuntime({ runtime: wanted, endpoint }: EngineSettings, runtimes: unknown): string | null {
  const names = Object.keys(typeof runtimes === 'object' && runtimes !== null ? runtimes : {});
  if (wanted === 'auto') return names.includes('runsc') ? 'runsc' : null;
  if (names.includes(wanted)) return wanted;
  throw new AppError(
    'config',
    `SANDBOX_RUNTIME is ${wanted}, but the Docker engine${endpoint === null ? '' : ` at ${endpointName(endpoint)}`} has only: ${names.join(', ')}. ` +
      `Register ${wanted} in its /etc/docker/daemon.json, or set SANDBOX_RUNTIME=auto.`,
  );
}
