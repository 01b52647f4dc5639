import type { SandboxSession } from '../src/ports.ts';

/**
 * The outside view: what this machine sees of a container. Only on the machine that runs the engine; where a look is not
 * possible (another machine's engine, no right to read /proc) a member rejects with a sentence that says so.
 */
export interface Host {
  /** Every process of the container by the host's /proc: pid, user id, name, network and pid namespace. */
  processes(session: SandboxSession): Promise<readonly HostProcess[]>;
  /** All processes of the machine. */
  processCount(): Promise<number>;
  /** Used bytes and inodes of the file system below the engine's data folder. */
  disk(): Promise<{ readonly usedBytes: number; readonly usedInodes: number }>;
  /** Resident memory of this process, after a garbage collection where that is possible. */
  botMemoryBytes(): number;
  /** Containers of this run that the engine knows, running or not. */
  containers(): Promise<readonly { readonly id: string; readonly state: string }[]>;
}

export interface HostProcess {
  readonly pid: number;
  readonly userId: number;
  readonly name: string;
  readonly networkNamespace: string;
  readonly pidNamespace: string;
}
