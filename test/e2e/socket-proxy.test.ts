import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import type { Execution } from '../../src/types.ts';
import { type SocketProxy, startSocketProxy } from '../fakes/socket-proxy.ts';

const megabyte = 1024 * 1024;
const never = new AbortController().signal;
const limits = { memoryBytes: 512 * megabyte, workspaceBytes: 128 * megabyte, cpus: 2, processes: 64 };
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const enginePath = '/var/run/docker.sock';
const here = { endpoint: { kind: 'unix', path: enginePath }, image, runtime: 'runc' } as const;

const missing = await createEngine(here)
  .check()
  .then(
    () => null,
    (error: unknown) => String(error),
  );
if (missing !== null && process.env['CI'] !== undefined) throw new Error(missing);
if (missing !== null) process.stderr.write(`\nSKIPPED: every test of the socket proxy. ${missing}\n\n`);

const through = ({ port }: SocketProxy) => ({
  ...here,
  endpoint: { kind: 'tcp', host: '127.0.0.1', port, tlsDir: null } as const,
});

const run = (session: SandboxSession, code: string, timeoutMs = 30_000): Promise<Execution> =>
  session.run(code, { timeoutMs, signal: never, onOutput: () => {} });

/** Method and path, the same for every container and image. */
const kindOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path.replace(/[0-9a-f]{64}/, 'ID').replace(/^\/images\/.+\/json$/, '/images/NAME/json')}`;

describe.skipIf(missing !== null)("the engine behind compose.yaml's list", { timeout: 120_000 }, () => {
  it('serves everything that sandboxes do, and nothing on the list is without use', async () => {
    await using proxy = await startSocketProxy(enginePath);
    const log = createLogger('silent');
    const ownerId = createOwnerId();
    const settings = { ...through(proxy), ownerId, limits, poolSize: 1, maxContainers: 2, log };
    {
      await using provider = createDockerSandbox(settings);
      await provider.warm();
      await using session = await provider.acquire(limits, never);
      const megabytes = Buffer.alloc(8 * megabyte, 'plotline');
      await session.write('data.bin', single(megabytes), never);
      expect(await run(session, 'print(sum(open("data.bin", "rb").read()) % 1000)')).toMatchObject({
        stdout: `${megabytes.reduce((sum, byte) => sum + byte, 0) % 1000}\n`,
      });
      const back: Uint8Array[] = [];
      for await (const piece of session.read('data.bin', { maxBytes: 9 * megabyte, signal: never })) back.push(piece);
      expect(Buffer.concat(back).equals(megabytes)).toBe(true);
      await session.suspend();
      expect(await run(session, 'while True: pass', 500)).toMatchObject({ status: 'timeout' });
      expect(await run(session, 'x = bytearray(2_000_000_000)')).toMatchObject({ status: 'out-of-memory' });
      await provider.sweep();

      // Two at once, as a sweep and the end of a session may be: the second waits for the first.
      const engine = createEngine(through(proxy));
      const ids = (await engine.list())
        .filter(({ labels }) => labels['plotline.owner'] === ownerId)
        .map(({ id }) => id);
      expect(ids.length).toBeGreaterThan(0);
      await Promise.all(ids.flatMap((id) => [engine.remove(id), engine.remove(id), engine.remove(id)]));
    }
    expect(proxy.requests.filter(({ isAllowed }) => !isAllowed)).toEqual([]);
    const used = new Set(proxy.requests.map(kindOf));
    // Whether a removal meets another is the engine's timing.
    used.add('POST /containers/ID/wait');
    expect([...used].toSorted()).toEqual([
      'DELETE /containers/ID',
      'GET /containers/ID/json',
      'GET /containers/json',
      'GET /events',
      'GET /images/NAME/json',
      'GET /info',
      'GET /version',
      'POST /containers/ID/attach',
      'POST /containers/ID/pause',
      'POST /containers/ID/start',
      'POST /containers/ID/unpause',
      'POST /containers/ID/wait',
      'POST /containers/create',
    ]);
    const left = await createEngine(here).list();
    expect(left.filter(({ labels }) => labels['plotline.owner'] === ownerId)).toEqual([]);
  });

  it('refuses whatever else the engine can, and containers with folders of the machine', async () => {
    await using proxy = await startSocketProxy(enginePath);
    const engine = new Docker({ host: '127.0.0.1', port: proxy.port, protocol: 'http' });
    const id = 'a'.repeat(64);
    const container = engine.getContainer(id);
    const create = (HostConfig: object) => engine.createContainer({ Image: image, HostConfig });
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      exec: () => container.exec({ Cmd: ['id'] }),
      logs: () => container.logs({ stdout: true }),
      archive: () => container.getArchive({ path: '/' }),
      stop: () => container.stop(),
      update: () => container.update({ Memory: 0 }),
      commit: () => container.commit(),
      prune: () => engine.pruneContainers(),
      pull: () => engine.pull('debian'),
      build: () => engine.buildImage('/dev/null'),
      images: () => engine.listImages(),
      'remove an image': () => engine.getImage(image).remove(),
      volumes: () => engine.listVolumes(),
      'create a volume': () => engine.createVolume(),
      networks: () => engine.listNetworks(),
      'create a network': () => engine.createNetwork({ Name: 'x' }),
      swarm: () => engine.swarmInit({}),
      secrets: () => engine.listSecrets(),
      services: () => engine.listServices(),
      plugins: () => engine.listPlugins(),
      'disk usage': () => engine.df(),
      login: () => engine.checkAuth({}),
      binds: () => create({ Binds: ['/etc:/host'] }),
      'binds past the root': () => create({ Binds: ['/dev/null/none/../../../etc:/host'] }),
      mounts: () => create({ Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] }),
    };
    const answers = await Promise.all(
      Object.entries(calls).map(async ([name, ask]) => {
        const status = await ask().then(
          () => 'done',
          (error: { readonly statusCode?: number }) => error.statusCode,
        );
        return [name, status] as const;
      }),
    );
    expect(answers.filter(([, status]) => status !== 403)).toEqual([]);
  });
});

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
