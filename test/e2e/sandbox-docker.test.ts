import Docker from 'dockerode';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId, labelNames, ownerLabels, parseOwner } from '../../sandbox/owner.ts';
import { createDockerSandbox, type DockerSandbox, type DockerSandboxSettings } from '../../sandbox/provider.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import type { Execution } from '../../src/types.ts';
import { sandboxContract } from '../contract/sandbox-contract.ts';

const megabyte = 1024 * 1024;
const never = new AbortController().signal;
const limits = { memoryBytes: 512 * megabyte, workspaceBytes: 128 * megabyte, cpus: 2, processes: 64 };
const roomy = { ...limits, memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, processes: 128 };
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const engineSettings = { endpoint: null, image, runtime: 'runc' } as const;
const docker = new Docker();

const engine = createEngine(engineSettings);
const facts = await engine.check().catch((error: unknown) => {
  if (process.env['CI'] === 'true') throw error;
  process.stderr.write(
    `\nSKIPPED: every test of the Docker sandbox. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
  );
  return null;
});

const hasRunsc = facts !== null && 'runsc' in ((await docker.info()) as { Runtimes: object }).Runtimes;
if (facts !== null && !hasRunsc) {
  process.stderr.write(
    '\nSKIPPED: every test on gVisor. This Docker engine has no runtime runsc; npm run setup adds it on Debian.\n\n',
  );
}

/** Every provider here has this process as its owner, by which its containers are counted. */
function openProvider(change: Partial<DockerSandboxSettings> = {}): DockerSandbox {
  const log = createLogger(process.env['LOG_LEVEL'] ?? 'silent');
  return createDockerSandbox({ ...engineSettings, ownerId, limits, poolSize: 0, maxContainers: 6, log, ...change });
}

const ownerId = createOwnerId();

async function existing(): Promise<readonly string[]> {
  const found = await engine.list();
  return found.filter(({ labels }) => labels[labelNames.owner] === ownerId).map(({ id }) => id);
}

function run(session: SandboxSession, code: string, timeoutMs: number = 60_000): Promise<Execution> {
  return session.run(code, { timeoutMs, signal: never, onOutput: () => {} });
}

async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe.skipIf(facts === null)('Docker', { timeout: 90_000 }, () => {
  describe.each(['runc', 'runsc'] as const)('on %s', (runtime) => {
    describe.skipIf(runtime === 'runsc' && !hasRunsc)('as every provider', () => {
      sandboxContract('Docker', async () => {
        const provider = openProvider({ runtime, poolSize: 1 });
        await provider.warm();
        return {
          provider,
          limits,
          existing,
          hasOwnKernel: runtime === 'runsc',
          destroy: (id) => docker.getContainer(id).remove({ force: true }),
        };
      });
    });
  });

  describe.each(['runc', 'runsc'] as const)('the whole stack on %s', (runtime) => {
    it.skipIf(runtime === 'runsc' && !hasRunsc)(
      'works: every library imported, plots drawn, subprocesses run',
      async () => {
        await using provider = openProvider({ runtime });
        // Inside gVisor only sums of what each process maps can be read, which for all libraries at once run far ahead of what is used.
        const memoryBytes = runtime === 'runsc' ? 2048 * megabyte : roomy.memoryBytes;
        const session = await provider.acquire({ ...roomy, memoryBytes }, never);
        const smoke = await readFile(new URL('../../sandbox/smoke.py', import.meta.url));
        await session.write('smoke.py', single(smoke), never);
        const execution = await run(
          session,
          'import os, subprocess, sys\n# A directory of its own: the driver filled the usual one.\nenv = {**os.environ, "MPLCONFIGDIR": "/tmp/smoke"}\nsubprocess.run([sys.executable, "smoke.py"], check=True, stderr=subprocess.STDOUT, env=env)',
          180_000,
        );
        const lines = execution.stdout.split('\n');
        expect({
          failures: lines.filter((line) => line.startsWith('FAIL')),
          error: execution.error?.message,
        }).toEqual({ failures: [], error: undefined });
        // Every check said something: a script that ended early would have none that failed either.
        expect(lines.filter((line) => line.startsWith('ok  '))).toHaveLength(
          smoke.toString().split('\n@check\n').length - 1,
        );
      },
      200_000,
    );
  });

  describe('the seccomp profile', () => {
    let provider: DockerSandbox;
    let session: SandboxSession;
    beforeAll(async () => {
      provider = openProvider();
      session = await provider.acquire(limits, never);
    });
    afterAll(async () => {
      await provider?.[Symbol.asyncDispose]();
    });

    // gVisor is a kernel of its own and answers these in its own way; the filter is for the real one.
    it('refuses with EPERM what the stack does not need', async () => {
      const execution = await run(
        session,
        `import ctypes, errno, socket, os
libc = ctypes.CDLL(None, use_errno=True)
allowed = []
def attempt(name, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(*[ctypes.c_long(a) for a in arguments]) != -1 or ctypes.get_errno() != errno.EPERM:
        allowed.append((name, errno.errorcode.get(ctypes.get_errno())))
for family in (38, 40, 33, 16, 17, 15, 9, 3, 4, 5, 21, 29, 30, 31, 44):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind, 0).close()
            allowed.append(("socket", family, kind))
        except OSError as problem:
            if problem.errno != errno.EPERM: allowed.append(("socket", family, kind, problem.errno))
for kind, protocol in ((3, 1), (3, 255), (2, 1), (1, 132), (1, 262), (5, 132), (6, 33), (2, 136)):
    try:
        socket.socket(socket.AF_INET, kind, protocol).close()
        allowed.append(("inet", kind, protocol))
    except OSError as problem:
        if problem.errno != errno.EPERM: allowed.append(("inet", kind, protocol, problem.errno))
x86 = os.uname().machine == "x86_64"
numbers = dict(unshare=272, setns=308, mount=165, umount2=166, pivot_root=155, chroot=161, keyctl=250, add_key=248, request_key=249,
    bpf=321, io_uring_setup=425, io_uring_enter=426, io_uring_register=427, userfaultfd=323, ptrace=101, process_vm_readv=310,
    process_vm_writev=311, perf_event_open=298, kexec_load=246, kexec_file_load=320, init_module=175, finit_module=313, delete_module=176,
    open_tree=428, move_mount=429, fsopen=430, fsconfig=431, fsmount=432, fspick=433, mount_setattr=442, pidfd_getfd=438, kcmp=312,
    name_to_handle_at=303, open_by_handle_at=304, fanotify_init=300, splice=275, vmsplice=278, tee=276, sync=162, syslog=103, swapon=167,
    reboot=169, settimeofday=164, clock_settime=227, iopl=172, ioperm=173, modify_ldt=154, quotactl=179, acct=163, lookup_dcookie=212,
    mbind=237, move_pages=279, migrate_pages=256, process_madvise=440, setuid=105, setgid=106, setgroups=116, shmget=29, semget=64,
    msgget=68, mq_open=240, io_setup=206, memfd_secret=447)
if x86:
    for name, number in numbers.items(): attempt(name, number, 0, 0, 0, 0, 0, 0)
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        attempt(f"clone {flag:x}", 56, flag | 17, 0, 0, 0, 0)
    ctypes.set_errno(0)
    if libc.syscall(435, 0, 0) != -1 or ctypes.get_errno() != errno.ENOSYS: allowed.append("clone3")
try:
    os.mknod("device", 0o060600, os.makedev(8, 0))
    allowed.append("mknod")
except PermissionError: pass
allowed`,
      );
      expect(execution.error).toBeNull();
      expect(execution.results.at(-1)?.['text/plain']).toBe('[]');
    });
  });

  describe('set-up that is missing', () => {
    it('is said with the next command', async () => {
      const noImage = await failureOf(openProvider({ image: 'plotline-sandbox:no-such-tag' }).acquire(limits, never));
      expect(noImage.code).toBe('sandbox-image-missing');
      expect(noImage.userMessage).toContain('npm run setup');

      const noEngine = await failureOf(
        openProvider({ endpoint: { kind: 'unix', path: '/nowhere/docker.sock' } }).acquire(limits, never),
      );
      expect(noEngine.code).toBe('docker-unavailable');
      expect(noEngine.userMessage).toContain('docker -H unix:///nowhere/docker.sock info');
    });

    it.skipIf(hasRunsc)('names a runtime that the engine lacks', async () => {
      const noRuntime = await failureOf(openProvider({ runtime: 'runsc' }).warm());
      expect(noRuntime.code).toBe('config');
      expect(noRuntime.userMessage).toContain('SANDBOX_RUNTIME=auto');
    });

    it('a container that is no sandbox is refused in words and removed', async () => {
      const before = await existing();
      const provider = openProvider({ image: await imageThatEnds() });
      const failure = await failureOf(provider.acquire(limits, never));
      expect(failure.code).toBe('sandbox-failed');
      await provider[Symbol.asyncDispose]();
      expect(await existing()).toEqual(before);
      await docker.getImage(await imageThatEnds()).remove();
    });
  });

  it('a container that ends after the engine saw a memory kill ran out of memory', async () => {
    await using provider = openProvider();
    const session = await provider.acquire(limits, never);
    const hog = 'hog = []\nwhile True: hog.append(bytearray(20_000_000))';
    const execution = await session.run(
      `import subprocess, sys, time\nsubprocess.run([sys.executable, "-c", ${JSON.stringify(hog)}])\nprint("now", flush=True)\ntime.sleep(30)`,
      { timeoutMs: 60_000, signal: never, onOutput: () => void docker.getContainer(session.id).kill() },
    );
    expect(execution.status).toBe('out-of-memory');
    expect(execution.error?.message).toContain('512 MB');
    expect(session.alive).toBe(false);
  });

  it('over the number of containers callers wait in order, and may leave', async () => {
    await using provider = openProvider({ maxContainers: 1 });
    const first = await provider.acquire(limits, never);
    const order: string[] = [];
    const leaving = new AbortController();
    const second = provider.acquire(limits, never).then((session) => {
      order.push('second');
      return session;
    });
    const left = failureOf(provider.acquire(limits, leaving.signal));
    const places: (number | null)[] = [];
    const third = provider
      .acquire(limits, never, (before) => places.push(before))
      .then((session) => {
        order.push('third');
        return session;
      });
    leaving.abort();
    expect((await left).code).toBe('cancelled');
    expect(order).toEqual([]);
    await first[Symbol.asyncDispose]();
    await (await second)[Symbol.asyncDispose]();
    await (await third)[Symbol.asyncDispose]();
    expect(order).toEqual(['second', 'third']);
    expect(places).toEqual([1, 0]);
  });

  it('a warm container is there at once, is replaced, and makes room for other limits', async () => {
    await using provider = openProvider({ poolSize: 1, maxContainers: 1 });
    await provider.warm();
    const [warm] = await existing();
    const session = await provider.acquire(limits, never);
    expect(session.id).toBe(warm);
    await session[Symbol.asyncDispose]();
    await expect.poll(async () => (await existing()).filter((id) => id !== warm).length, { timeout: 15_000 }).toBe(1);
    const other = await provider.acquire({ ...limits, processes: 65 }, never);
    expect((await run(other, '1')).status).toBe('ok');
    expect(await existing()).toEqual([other.id]);
  });

  it('an acquire given up while its container starts leaves none', async () => {
    const provider = openProvider();
    const before = await existing();
    expect((await failureOf(provider.acquire(limits, AbortSignal.timeout(200)))).code).toBe('cancelled');
    await provider[Symbol.asyncDispose]();
    expect(await existing()).toEqual(before);
  });

  it('a bot killed in the middle of a cell leaves no container; the sweep takes its orphans and nothing else', async () => {
    const bot = fork(new URL('../fakes/sandbox-owner.ts', import.meta.url), [image], { silent: true });
    const [line] = (await once(bot, 'message')) as [{ readonly ownerId: string; readonly sessionId: string }];
    // One that would not end by itself when its owner goes, one whose owner is on another machine, one of a stranger.
    const stubborn = await sleeper(ownerLabels(line.ownerId, Date.now(), Date.now() + 3_600_000));
    const elsewhere = parseOwner(line.ownerId);
    const distant = await sleeper(
      ownerLabels(
        `00000000-0000-4000-8000-000000000000:${elsewhere?.pidNamespace}:1:1`,
        Date.now(),
        Date.now() + 3_600_000,
      ),
    );
    const stranger = await sleeper({ somebody: 'else' });
    try {
      await using provider = openProvider();
      expect(await provider.sweep()).toBe(0);
      bot.kill('SIGKILL');
      await once(bot, 'exit');
      expect(await provider.sweep()).toBeGreaterThanOrEqual(1);
      const left = async () => (await docker.listContainers({ all: true })).map(({ Id }) => Id);
      await expect.poll(left, { timeout: 10_000 }).not.toContain(line.sessionId);
      expect(await left()).not.toContain(stubborn);
      expect(await left()).toEqual(expect.arrayContaining([distant, stranger]));
    } finally {
      await Promise.allSettled(
        [stubborn, distant, stranger].map((id) => docker.getContainer(id).remove({ force: true })),
      );
    }
  });

  it('a bot killed in the middle of a cell leaves no container, without any sweep', async () => {
    const bot = fork(new URL('../fakes/sandbox-owner.ts', import.meta.url), [image], { silent: true });
    const [line] = (await once(bot, 'message')) as [{ readonly sessionId: string }];
    bot.kill('SIGKILL');
    const left = async () => (await docker.listContainers({ all: true })).map(({ Id }) => Id);
    await expect.poll(left, { timeout: 15_000 }).not.toContain(line.sessionId);
  });
});

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A running container that only sleeps, from the sandbox image: tests pull nothing. */
async function sleeper(labels: Readonly<Record<string, string>>): Promise<string> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: ['sleep', '300'],
    Labels: { ...labels },
    HostConfig: { NetworkMode: 'none', AutoRemove: true, Init: true },
  });
  await container.start();
  return container.id;
}

/** The sandbox image with a first process that leaves at once. */
async function imageThatEnds(): Promise<string> {
  const tag = 'plotline-sandbox-test:ends';
  const container = await docker.createContainer({ Image: image, NetworkDisabled: true });
  await container.commit({ repo: 'plotline-sandbox-test', tag: 'ends', changes: 'ENTRYPOINT ["true"]' });
  await container.remove();
  return tag;
}
