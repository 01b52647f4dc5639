import type { SandboxSession } from '../src/ports/sandbox.ts';

/**
 * The outside view: what this machine sees of a container. Only on the machine that runs the engine; where a look is not
 * possible (another machine's engine, no right to read /proc) a member rejects with a sentence that says so.
 */
export interface Host {
  /** Every process of the container by the host's /proc; under gVisor those are gVisor's own. Empty once the container is gone. */
  processes(session: Pick<SandboxSession, 'id'>): Promise<readonly HostProcess[]>;
  /** All processes of the machine. */
  processCount(): Promise<number>;
  /** Namespaces of a process by kind (`net`, `pid`, `ipc`, `mnt`, `uts`, `cgroup`, `user`), as the kernel names them; null: it has ended. */
  namespaces(pid: number | 'self'): Promise<Readonly<Record<string, string>> | null>;
  /** Names of the network devices that a process sees; null: it has ended. */
  networkDevices(pid: number): Promise<readonly string[] | null>;
  /** Used bytes and inodes of the file system below the engine's data folder. */
  disk(): Promise<{ readonly usedBytes: number; readonly usedInodes: number }>;
  /** Memory that the machine could still give to programs. */
  availableMemoryBytes(): Promise<number>;
  /** Resident memory of this process, after a garbage collection where that is possible. */
  botMemoryBytes(): number;
  /** Containers of this run that the engine knows, running or not. */
  containers(): Promise<readonly { readonly id: string; readonly state: string }[]>;
}

export interface HostProcess {
  readonly pid: number;
  readonly userId: number;
  readonly name: string;
  /** Single letter of proc_pid_stat(5): R, S, D, Z, T, … */
  readonly state: string;
  /** The lines of /proc/<pid>/status: `CapEff`, `NoNewPrivs`, `Seccomp`, … */
  readonly status: Readonly<Record<string, string>>;
}
