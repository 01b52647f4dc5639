import Docker from 'dockerode';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { type Endpoint, endpointName } from '../../sandbox/endpoint.ts';
import { createFleet } from '../../sandbox/fleet.ts';
import { createOwnerId, labelNames, ownerLabels } from '../../sandbox/owner.ts';
import { createDockerSandbox, type DockerSandboxSettings } from '../../sandbox/provider.ts';
import { createSandboxes } from '../../sandbox/sandboxes.ts';
import { isDebianEngine, registerGvisor } from '../../scripts/setup/gvisor.mjs';
import { createSessions } from '../../src/conversation/sessions.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { taskOf, testThreadKey } from '../fakes/core.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { copyImage, createSecondEngine, type SecondEngine, secondEngineMissing } from '../fakes/second-engine.ts';
import { createTlsFront } from '../fakes/tls-front.ts';

const megabyte = 1024 * 1024;
const never = new AbortController().signal;
const limits = { memoryBytes: 512 * megabyte, workspaceBytes: 128 * megabyte, cpus: 2, processes: 64 };
const image = 'plotline-sandbox:latest';
const mainSocket = '/var/run/docker.sock';
const here: Endpoint = { kind: 'unix', path: mainSocket };
const ownerId = createOwnerId();

const isEngineHere = await createEngine({ endpoint: here, image, runtime: 'runc' })
  .check()
  .then(
    () => true,
    () => false,
  );
const missing = isEngineHere ? secondEngineMissing() : `no Docker engine with the image ${image} at ${mainSocket}`;
if (missing !== null) process.stderr.write(`\nSKIPPED: every test with a second Docker engine. ${missing}\n\n`);

const settings = {
  image,
  runtime: 'runc',
  ownerId,
  limits,
  poolSize: 0,
  maxContainers: 2,
  log: createLogger(process.env['LOG_LEVEL'] ?? 'silent'),
} as const satisfies Omit<DockerSandboxSettings, 'endpoint'>;

/** Ids of this process's containers on an engine. */
async function existing(docker: Docker): Promise<readonly string[]> {
  const filters = { label: [`${labelNames.owner}=${ownerId}`] };
  return (await docker.listContainers({ all: true, filters })).map(({ Id }) => Id);
}

async function answerOf(session: SandboxSession, code: string): Promise<unknown> {
  const execution = await session.run(code, { timeoutMs: 20_000, signal: never, onOutput: () => {} });
  return execution.results.at(-1)?.['text/plain'] ?? execution.error;
}

async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error(`no AppError: ${String(error)}`);
}

describe.skipIf(missing !== null)('two Docker engines', { timeout: 120_000 }, () => {
  const main = new Docker({ socketPath: mainSocket, host: '' });
  let second: SecondEngine;
  let there: Endpoint;

  beforeAll(async () => {
    second = createSecondEngine();
    there = { kind: 'unix', path: second.socketPath };
    await second.start();
    await copyImage(image, second);
    // Another test file may have the second engine for minutes.
  }, 900_000);
  afterAll(async () => {
    await second?.[Symbol.asyncDispose]();
  });

  it('share the sessions by their free room, and each is swept', async () => {
    const orphan = await second.docker.createContainer({
      Image: image,
      Labels: { ...ownerLabels(ownerId, 1, 2) },
      NetworkDisabled: true,
    });
    const before = await existing(main);
    const lines: string[] = [];
    const log = createLogger('info', (line) => lines.push(line));
    await using sandboxes = createSandboxes({ ...settings, endpoints: [here, there], log });
    await sandboxes.warm();
    // The start-up says of each what protects there.
    for (const endpoint of [here, there]) {
      const told = lines.filter((line) => line.includes('Protects: ') && line.includes(`"${endpointName(endpoint)}"`));
      expect(told).toHaveLength(1);
    }
    expect(await sandboxes.sweep()).toBeGreaterThanOrEqual(1);
    expect(await existing(second.docker)).not.toContain(orphan.id);
    const sessions = await Promise.all(Array.from({ length: 4 }, () => sandboxes.acquire(limits, never)));
    const here1 = (await existing(main)).filter((id) => !before.includes(id));
    const there1 = await existing(second.docker);
    expect([here1.length, there1.length]).toEqual([2, 2]);
    expect(sessions.map(({ id }) => id).toSorted()).toEqual([...here1, ...there1].toSorted());
    for (const [index, session] of sessions.entries())
      expect(await answerOf(session, `${index} + 1`)).toBe(`${index + 1}`);
  });

  it('restore a thread on the other when the one that holds it ends, and take up what came back', async () => {
    const lines: string[] = [];
    const log = createLogger('info', (line) => lines.push(line));
    const hosts = [there, here].map((endpoint) => ({
      name: endpointName(endpoint),
      sandbox: createDockerSandbox({ ...settings, endpoint, hasNeighbours: true, log }),
      maxContainers: 2,
    }));
    await using provider = createFleet({ hosts, asideMs: 500, log });
    await using store = await createSqliteStore({ path: ':memory:', log });
    await store.accept(taskOf('t1'));
    const blobs = createMemoryBlobs();
    await using sessions = createSessions({
      provider,
      store,
      blobs,
      limits,
      cellTimeoutMs: 20_000,
      suspendAfterMs: 60_000,
      idleMs: 60_000,
      maxSessions: 3,
      log,
    });

    const first = await sessions.open(testThreadKey, never);
    expect(await existing(second.docker)).toEqual([first.session.id]);
    const source = 'kept = 41';
    const execution = await first.session.run(source, { timeoutMs: 20_000, signal: never, onOutput: () => {} });
    await store.addCell(testThreadKey, {
      taskId: 't1',
      index: 0,
      title: 'Keep',
      source,
      seed: null,
      startedAtMs: 0,
      execution: { ...execution, stdoutSha256: null, results: [] },
    });
    sessions.release(testThreadKey);

    await second.stop();
    await expect.poll(() => first.session.alive, { timeout: 10_000 }).toBe(false);
    const again = await sessions.open(testThreadKey, never);
    expect(await existing(main)).toContain(again.session.id);
    expect(again.notices).toEqual([]);
    expect(await answerOf(again.session, 'kept + 1')).toBe('42');
    const told = lines.find((line) => line.includes('set aside'));
    expect(told).toContain(endpointName(there));

    await second.start();
    await expect.poll(() => lines.some((line) => line.includes('is back')), { timeout: 15_000 }).toBe(true);
    await using fresh = await provider.acquire(limits, never);
    expect(await existing(second.docker)).toContain(fresh.id);
    expect(await answerOf(fresh, '1 + 1')).toBe('2');
  });

  it('say which of them lacks the image or the runtime, and what to do', async () => {
    await using gvisor = createDockerSandbox({ ...settings, endpoint: there, runtime: 'runsc' });
    const noRuntime = await failureOf(gvisor.warm());
    expect(noRuntime.code).toBe('config');
    expect(noRuntime.userMessage).toMatch(/SANDBOX_RUNTIME=auto/);
    expect(noRuntime.userMessage).toContain(endpointName(there));
    await using elsewhere = createDockerSandbox({
      ...settings,
      endpoint: there,
      image: 'plotline-sandbox:no-such-tag',
    });
    const failure = await failureOf(elsewhere.warm());
    expect(failure.code).toBe('sandbox-image-missing');
    expect(failure.userMessage).toContain(`DOCKER_HOST=${endpointName(there)} npm run setup`);
  });

  describe('gVisor', () => {
    const local = () => ({
      endpoint: `unix://${second.socketPath}`,
      pidFile: second.pidFile,
      configFile: second.configFile,
    });
    const register = () => registerGvisor(local());
    const reconfigure = async (runtimes: object): Promise<void> => {
      writeFileSync(second.configFile, JSON.stringify({ labels: ['kept=yes'], runtimes }));
      process.kill(Number(readFileSync(second.pidFile, 'utf8')), 'SIGHUP');
      const names = async () => Object.keys(((await second.docker.info()) as { Runtimes: object }).Runtimes);
      await expect.poll(names, { timeout: 5000 }).toEqual(expect.arrayContaining(Object.keys(runtimes)));
    };

    it('is registered by the set-up, beside what the configuration holds, without a restart', async () => {
      await reconfigure({});
      const before = readFileSync(second.pidFile, 'utf8');
      expect(await register()).toContain('registered gVisor');
      expect(await register()).toContain('registered gVisor');
      expect(JSON.parse(readFileSync(second.configFile, 'utf8'))).toMatchObject({
        labels: ['kept=yes'],
        runtimes: { runsc: { runtimeArgs: ['--network=none', '--platform=ptrace'] } },
      });
      expect(readFileSync(second.pidFile, 'utf8')).toBe(before);
      const facts = await createEngine({ endpoint: there, image, runtime: 'auto' }).check();
      expect(facts.runtime).toBe('runsc');
    });

    it('is left to the operator of an engine that is not here or reads another configuration', async () => {
      expect(await isDebianEngine({ ...local(), pidFile: '/nowhere/docker.pid' })).toBe(false);
      expect(await isDebianEngine({ ...local(), configFile: '/etc/docker/daemon.json' })).toBe(false);
      await reconfigure({});
      writeFileSync(second.configFile, '{ "labels": [');
      await expect(register()).rejects.toThrow(/was left alone: it is not JSON/);
      expect(readFileSync(second.configFile, 'utf8')).toBe('{ "labels": [');
    });

    it('that cannot start is given up once and aloud by auto, and is a failure by name', async () => {
      await reconfigure({ runsc: { path: '/bin/false' } });
      const lines: string[] = [];
      const log = createLogger('info', (line) => lines.push(line));
      await using auto = createDockerSandbox({ ...settings, endpoint: there, runtime: 'auto', log });
      const sessions = [await auto.acquire(limits, never), await auto.acquire(limits, never)];
      for (const session of sessions) expect(await answerOf(session, '1 + 1')).toBe('2');
      expect(lines.filter((line) => /"warn".*runsc.*could not start/.test(line))).toHaveLength(1);

      await using named = createDockerSandbox({ ...settings, endpoint: there, runtime: 'runsc' });
      expect((await failureOf(named.acquire(limits, never))).code).toBe('sandbox-failed');
      const left = sessions.map(({ id }) => id).toSorted();
      expect((await existing(second.docker)).toSorted()).toEqual(left);
    });
  });
});

describe.skipIf(!isEngineHere)('a Docker engine that is reached', { timeout: 60_000 }, () => {
  afterEach(() => vi.unstubAllEnvs());

  /** A file of 3 MB in and out again: what a stream that is cut, delayed or not half-closed would not survive. */
  const works = async (endpoint: Endpoint): Promise<void> => {
    await using sandbox = createDockerSandbox({ ...settings, endpoint });
    const session = await sandbox.acquire(limits, never);
    const bytes = Buffer.alloc(3 * megabyte, 'plotline ');
    const { sha256 } = await session.write('in.bin', single(bytes), never);
    await answerOf(session, 'open("out.bin", "wb").write(open("in.bin", "rb").read())');
    const chunks: Uint8Array[] = [];
    for await (const chunk of session.read('out.bin', { maxBytes: 4 * megabyte, signal: never })) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(sha256).toHaveLength(64);
    await session[Symbol.asyncDispose]();
    const docker = new Docker({ socketPath: mainSocket, host: '' });
    await expect.poll(async () => (await existing(docker)).includes(session.id), { timeout: 10_000 }).toBe(false);
  };

  it('over TCP with TLS serves who shows the right certificate, and nobody else', async () => {
    await using front = await createTlsFront(mainSocket);
    const at = (tlsDir: string): Endpoint => ({ kind: 'tcp', host: '127.0.0.1', port: front.port, tlsDir });
    vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:1');
    await works(at(front.clientDir));
    await using stranger = createDockerSandbox({ ...settings, endpoint: at(front.strangerDir) });
    const refused = await failureOf(stranger.acquire(limits, never));
    expect(refused.code).toBe('docker-unavailable');
    expect(refused.userMessage).toContain(`tcp://127.0.0.1:${front.port}`);
    expect(() => createDockerSandbox({ ...settings, endpoint: at('/nowhere') })).toThrow(/SANDBOX_TLS_DIR.*ca\.pem/);
  });

  describe('by ssh', () => {
    let folder = '';
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'plotline-ssh-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const useSsh = (script: string): void => {
      writeFileSync(join(folder, 'ssh'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, 'ssh'), 0o755);
      vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
    };

    it("carries everything over the machine's own ssh command", async () => {
      const far = 'for last; do :; done; export DOCKER_HOST; exec sh -c "$last"';
      useSsh(`echo "$@" >> ${folder}/calls\nDOCKER_HOST=unix://${mainSocket}\n${far}`);
      await works({ kind: 'ssh', destination: 'ada@far.example', port: 22_022 });
      const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
      expect(new Set(calls).size).toBe(1);
      expect(calls[0]).toMatch(/BatchMode=yes.* -p 22022 -- ada@far\.example docker system dial-stdio$/);
    });

    it("tells in ssh's own words why it cannot", async () => {
      useSsh('echo "ada@far.example: Permission denied (publickey)." >&2; exit 255');
      await using refused = createDockerSandbox({
        ...settings,
        endpoint: { kind: 'ssh', destination: 'ada@far.example', port: null },
      });
      const failure = await failureOf(refused.acquire(limits, never));
      expect(failure.code).toBe('docker-unavailable');
      expect(failure.userMessage).toContain('ssh://ada@far.example cannot be reached');
      expect(failure.userMessage).toContain('Permission denied (publickey)');
    });
  });
});

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
