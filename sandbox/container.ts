import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { SandboxLimits } from '../src/ports/sandbox.ts';
import { inodes, openFiles, sandboxUserId, sharedMemoryBytes } from './limits.ts';

export interface ContainerSettings {
  readonly image: string;
  /** A runtime the engine has; null for its default. */
  readonly runtime: string | null;
  readonly limits: SandboxLimits;
  /** The seccomp profile's JSON text. */
  readonly seccomp: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The whole wall around one thread's Python. No bind, no volume, no capability, no network, no environment, no log on the
 * host; nothing writable but two tmpfs file systems and /dev/shm, whose pages count as the container's memory.
 */
export function containerOptions(settings: ContainerSettings): ContainerCreateOptions {
  const { image, labels } = settings;
  return {
    Image: image,
    User: `${sandboxUserId}:${sandboxUserId}`,
    WorkingDir: '/mnt/data',
    Hostname: 'sandbox',
    Domainname: '',
    Env: [],
    Labels: { ...labels },
    Tty: false,
    OpenStdin: true,
    // The engine closes stdin when the bot's attached stream ends, however the bot ended; the driver exits then.
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: hostOptions(settings),
  };
}

function hostOptions({ runtime, limits, seccomp }: ContainerSettings): HostConfig & { readonly CgroupnsMode: string } {
  return {
    ...(runtime === null ? {} : { Runtime: runtime }),
    NetworkMode: 'none',
    // The engine would copy the host's resolvers otherwise, although nothing can be reached.
    Dns: ['127.0.0.1'],
    DnsSearch: ['.'],
    DnsOptions: ['timeout:1', 'attempts:1'],
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges', `seccomp=${seccomp}`],
    ReadonlyRootfs: true,
    Tmpfs: {
      '/mnt/data': tmpfs(limits.workspaceBytes, '0700'),
      '/tmp': tmpfs(temporaryBytes(limits), '1777'),
    },
    IpcMode: 'private',
    ShmSize: sharedMemoryBytes,
    CgroupnsMode: 'private',
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    // When the machine itself runs out of memory, a sandbox goes before the bot does.
    OomScoreAdj: 500,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: runtime === 'runsc' ? gvisorThreads(limits.processes) : limits.processes,
    Ulimits: [
      { Name: 'nofile', Soft: openFiles, Hard: openFiles },
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'fsize', Soft: limits.workspaceBytes, Hard: limits.workspaceBytes },
      { Name: 'msgqueue', Soft: 0, Hard: 0 },
    ],
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
    AutoRemove: true,
    // The driver is the first process itself: no signal of the processes below ends or stops that one, and its descriptors are closed to
    // them, where those of the engine's init (the protocol's streams) would lie open in /proc/1/fd.
    Init: false,
  };
}

/**
 * Under gVisor the engine counts gVisor's own threads: 40 to 70 at rest and up to 5.4 for each process inside (measured with release
 * 20221219 on ptrace). At the limit gVisor cannot start a thread and ends with everything in it, so the limit leaves it room.
 */
function gvisorThreads(processes: number): number {
  return 128 + 6 * processes;
}

/** Half the workspace: workspace, temporary files and shared memory together must leave room for Python itself. */
function temporaryBytes(limits: SandboxLimits): number {
  return Math.ceil(limits.workspaceBytes / 2);
}

/** noexec: nothing in the image maps code from there. A script runs through its interpreter all the same. */
function tmpfs(sizeBytes: number, mode: string): string {
  return `rw,nosuid,nodev,noexec,size=${sizeBytes},nr_inodes=${inodes},mode=${mode},uid=${sandboxUserId},gid=${sandboxUserId}`;
}
