import Docker from 'dockerode';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A Docker engine of its own beside the machine's: own images, own containers, own network namespace. */
export interface SecondEngine {
  readonly socketPath: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly docker: Docker;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Ends it and its containers, as a machine that is switched off. */
  stop(): Promise<void>;
  /** Ends the daemon alone, by `kill -9`. */
  crash(): Promise<void>;
  /** Stops it and removes what it leaves in the temporary folder; the images stay for the next time. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Images are kept here from one test run to the next: the first copy of the sandbox image takes most of a minute. */
const dataFolder = resolve('.plotline/second-engine');
const lockFile = resolve('.plotline/second-engine.lock');

/** Why there can be no second engine here; null: there can. */
export function secondEngineMissing(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can start a second Docker engine';
  const missing = ['dockerd', 'containerd', 'unshare'].filter(
    (name) =>
      !['/usr/bin', '/usr/sbin', '/usr/local/bin', '/bin', '/sbin'].some((folder) => existsSync(join(folder, name))),
  );
  return missing.length > 0 ? `${missing.join(', ')} missing` : null;
}

/**
 * Not started yet. Its network namespace keeps it away from the bridge and the packet filter of the machine's own engine, which another
 * dockerd would take for its own.
 */
export function createSecondEngine(): SecondEngine {
  // Short, because a socket's path may have 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'plotline-engine-'));
  const socketPath = join(folder, 'docker.sock');
  const configFile = join(folder, 'daemon.json');
  const pidFile = join(folder, 'pid');
  const containerdSocket = join(folder, 'containerd.sock');
  const containerdConfig = join(folder, 'containerd.toml');
  writeFileSync(configFile, '{}');
  // Of containers alone: nothing here is Kubernetes.
  writeFileSync(containerdConfig, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  mkdirSync(dataFolder, { recursive: true });
  const docker = new Docker({ socketPath, host: '' });
  let daemon: ChildProcess | null = null;
  let containerd: ChildProcess | null = null;

  const answers = async (): Promise<boolean> => {
    try {
      await docker.ping();
      return true;
    } catch {
      return false;
    }
  };

  const end = async (running: ChildProcess | null, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };

  const stop = async (): Promise<void> => {
    await end(daemon, 'SIGTERM');
    await end(containerd, 'SIGTERM');
    daemon = null;
    containerd = null;
  };

  /** As a machine's own, it outlives the daemon. */
  const startContainerd = async (log: number): Promise<void> => {
    if (containerd !== null && containerd.exitCode === null && containerd.signalCode === null) return;
    const paths = [
      '--address',
      containerdSocket,
      '--root',
      join(folder, 'containerd'),
      '--state',
      join(folder, 'state'),
    ];
    rmSync(containerdSocket, { force: true });
    containerd = spawn('containerd', ['--config', containerdConfig, ...paths], {
      stdio: ['ignore', log, log],
      cwd: '/',
    });
    await until(() => Promise.resolve(existsSync(containerdSocket)), containerd);
  };

  const startDaemon = (log: number): ChildProcess => {
    const paths = ['--data-root', dataFolder, '--exec-root', join(folder, 'exec'), '--pidfile', pidFile];
    const times = ['--shutdown-timeout', '1'];
    const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false'];
    const names = [
      '--containerd',
      containerdSocket,
      '--containerd-namespace',
      'plotline-second',
      '--containerd-plugins-namespace',
      'plotline-second-plugins',
    ];
    return spawn(
      'unshare',
      [
        '--net',
        'dockerd',
        '-H',
        `unix://${socketPath}`,
        '--config-file',
        configFile,
        ...paths,
        ...times,
        ...network,
        ...names,
      ],
      { stdio: ['ignore', log, log], cwd: '/' },
    );
  };

  return {
    socketPath,
    configFile,
    pidFile,
    docker,
    stop,
    crash: async () => {
      await end(daemon, 'SIGKILL');
      daemon = null;
    },
    async start() {
      await takeFolder();
      const log = openSync(join(folder, 'log'), 'a');
      await startContainerd(log);
      // As a supervisor would, more than once.
      for (let attempt = 0; attempt < 3; attempt += 1) {
        daemon = startDaemon(log);
        if (await until(answers, daemon)) return;
      }
      throw new Error(`the second engine did not start:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      leaveFolder();
      // What it mounted for containers that it was killed over.
      const mounts = readFileSync('/proc/mounts', 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[1] ?? '');
      for (const path of mounts.filter((mount) => mount.startsWith(folder))) spawnSync('umount', ['-l', path]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** True once it holds; false where the process ended before, or 40 s went by. */
async function until(holds: () => Promise<boolean>, process: ChildProcess): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await holds()) return true;
    if (process.exitCode !== null || process.signalCode !== null) return false;
    await sleep(200);
  }
  return false;
}

/** One engine at a time works on the folder, also where test files run side by side. */
async function takeFolder(): Promise<void> {
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      return;
    } catch {
      const holder = holderOf(lockFile);
      if (holder === process.pid) return;
      if (holder !== null && isAlive(holder)) await sleep(500);
      else rmSync(lockFile, { force: true });
    }
  }
}

function leaveFolder(): void {
  if (holderOf(lockFile) === process.pid) rmSync(lockFile, { force: true });
}

function holderOf(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Gives the second engine the machine's image under the same name, unless it has it. */
export async function copyImage(image: string, engine: SecondEngine): Promise<void> {
  const { Id: id } = await new Docker().getImage(image).inspect();
  const has = await engine.docker
    .getImage(image)
    .inspect()
    .then(
      (found) => found.Id === id,
      () => false,
    );
  if (has) return;
  await promisify(execFile)('sh', ['-c', 'docker save "$0" | docker -H "unix://$1" load', image, engine.socketPath]);
  // What the name stood for before.
  await engine.docker.pruneImages({ filters: { dangling: { true: true } } });
}
