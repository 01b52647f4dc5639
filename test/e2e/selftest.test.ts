import Docker from 'dockerode';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnection } from '../../sandbox/connection.ts';
import { containerOptions } from '../../sandbox/container.ts';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId, ownerLabels } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { createSession } from '../../sandbox/session.ts';
import { battery } from '../../selftest/battery.ts';
import type { Attack, AttackResult } from '../../selftest/attack.ts';
import { createLinuxHost } from '../../selftest/host-linux.ts';
import { createTheatre, type Theatre } from '../../selftest/stage.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxProvider } from '../../src/ports/sandbox.ts';

const megabyte = 1024 * 1024;
const limits = { memoryBytes: 512 * megabyte, workspaceBytes: 128 * megabyte, cpus: 2, processes: 128 };
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const settings = { endpoint: null, image, runtime: 'runc' } as const;
const log = createLogger('silent');
const ownerId = createOwnerId();
const docker = new Docker();
const engine = createEngine(settings, log);
const facts = await engine.check().catch((error: unknown) => {
  if (process.env['CI'] === 'true') throw error;
  process.stderr.write(`\nSKIPPED: the battery. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`);
  return null;
});

function attackOf(id: string): Attack {
  const found = battery.find((attack) => attack.id === id);
  if (found === undefined) throw new Error(`no attack ${id}`);
  return found;
}

function theatreOf(provider: SandboxProvider): Theatre {
  return createTheatre({ runtime: 'runc', image, limits, provider, host: createLinuxHost(engine, ownerId), engine });
}

/** The same containers with holes in their walls: root, capabilities, no filter, a network, a writable root file system. */
function weakSandbox(): SandboxProvider {
  const closing: (() => Promise<void>)[] = [];
  return {
    async acquire() {
      const nowMs = Date.now();
      const options = containerOptions({
        image,
        runtime: null,
        limits,
        seccomp: readFileSync(new URL('../../sandbox/seccomp.json', import.meta.url), 'utf8'),
        labels: ownerLabels(ownerId, nowMs, nowMs + 600_000),
      });
      const container = await docker.createContainer({
        ...options,
        User: '0:0',
        HostConfig: {
          ...options.HostConfig,
          NetworkMode: 'bridge',
          CapDrop: [],
          CapAdd: ['SYS_ADMIN'],
          SecurityOpt: ['seccomp=unconfined'],
          ReadonlyRootfs: false,
        },
      });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const connection = createConnection(stream as Duplex, log, () => {});
      await container.start();
      await connection.next(60_000);
      closing.push(async () => {
        connection.close('disposed', 'the test is over');
        await container.remove({ force: true }).catch(() => {});
      });
      let lastRequestId = 0;
      return createSession({
        id: container.id,
        connection,
        limits,
        imageDigest: '',
        nextRequestId: () => (lastRequestId += 1),
        pause: () => Promise.resolve(),
        unpause: () => Promise.resolve(),
        ranOutOfMemory: () => Promise.resolve(false),
        log,
      });
    },
    sweep: () => Promise.resolve(0),
    async [Symbol.asyncDispose]() {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

describe.skipIf(facts === null)('the battery', () => {
  describe('against the real sandbox', () => {
    let provider: SandboxProvider;
    let theatre: Theatre;
    beforeAll(() => {
      provider = createDockerSandbox({ ...settings, ownerId, limits, poolSize: 0, maxContainers: 4, log });
      theatre = theatreOf(provider);
    });
    afterAll(async () => {
      await theatre?.[Symbol.asyncDispose]();
      await provider?.[Symbol.asyncDispose]();
    });

    it.each([
      't01-walls',
      't01-mount',
      't01-unshare-user',
      't01-socket-af-netlink',
      't01-read-only-root',
      't05-kill-driver',
      't07-driver-descriptors',
      't13-environment',
      't14-namespace',
      't14-host-addresses',
    ])('%s is contained', async (id) => {
      expect(await theatre.perform(attackOf(id))).toMatchObject({ id, contained: true });
    });

    it('counts what could not be judged as not contained', async () => {
      const broken = { ...attackOf('t01-walls'), run: () => Promise.reject(new Error('no look at the host')) };
      const result = await theatre.perform(broken);
      expect(result).toMatchObject({ contained: false, evidence: expect.stringContaining('no look at the host') });
    });
  });

  describe('against a sandbox with holes', () => {
    let provider: SandboxProvider;
    let theatre: Theatre;
    beforeAll(() => {
      provider = weakSandbox();
      theatre = theatreOf(provider);
    });
    afterAll(async () => {
      await theatre?.[Symbol.asyncDispose]();
      await provider?.[Symbol.asyncDispose]();
    });

    // Only attacks that do no harm where they succeed.
    it.each([
      't01-walls',
      't01-inside-view',
      't01-unshare-user',
      't01-unshare-mount',
      't01-socket-af-netlink',
      't01-read-only-root',
      't04-elsewhere',
      't14-namespace',
      't14-host-addresses',
    ])('%s is not contained', async (id) => {
      const result = await theatre.perform(attackOf(id));
      expect(result).toMatchObject({ id, contained: false });
      expect(result.evidence).not.toContain('could not be judged');
    });
  });

  describe('as a command', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'plotline-selftest-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('prints a line for each attack, writes the rows and ends with 0 when all are contained', async () => {
      const file = join(folder, 'result.json');
      const { code, stdout } = await command('--runtime', 'runc', '--only', 't14-namespace', '--json', file);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^contained +runc +t14-namespace/m);
      const rows = JSON.parse(await readFile(file, 'utf8')) as AttackResult[];
      expect(rows).toEqual([
        {
          id: 't14-namespace',
          threat: 14,
          attack: attackOf('t14-namespace').attack,
          runtime: 'runc',
          contained: true,
          evidence: expect.stringContaining('net:['),
          seconds: expect.any(Number),
        },
      ]);
    });

    it('ends with 2 for what it does not know', async () => {
      expect((await command('--runtime', 'runc', '--only', 't99')).code).toBe(2);
      expect((await command('--runtime', 'kata')).code).toBe(2);
      expect((await command('--fast')).code).toBe(2);
    });
  });
});

function command(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly code: number; readonly stdout: string }>();
  const program = ['--disable-warning=ExperimentalWarning', 'selftest/main.ts', ...args];
  const child = execFile(process.execPath, program, (_, stdout) => resolve({ code: child.exitCode ?? -1, stdout }));
  return promise;
}
