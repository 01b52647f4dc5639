import type { Bytes } from './blobs.ts';
import type { Execution } from '../types.ts';

/** Limits of one session's container and of its cells. */
export interface SandboxLimits {
  /** Python and workspace together: tmpfs pages count as memory. No swap. */
  readonly memoryBytes: number;
  readonly workspaceBytes: number;
  readonly cpus: number;
  readonly processes: number;
}

/** Told to who waits for a sandbox: how many wait before it; `null`: no place counts, for Docker is restarting. */
export type OnPlace = (before: number | null) => void;

export interface SandboxProvider extends AsyncDisposable {
  /**
   * A fresh container that belongs to the caller alone. Where all are in use the caller waits in order; `onPlace` is then called
   * at once and whenever its place changes. An engine that answered before and is gone is waited for, half a minute at most.
   * Rejects with `docker-unavailable` or `sandbox-image-missing`.
   */
  acquire(limits: SandboxLimits, signal: AbortSignal, onPlace?: OnPlace): Promise<SandboxSession>;
  /** Removes containers whose owner is gone. Never touches a container without our labels. Resolves to how many it removed. */
  sweep(): Promise<number>;
}

/** One thread's live sandbox. Calls run one at a time, in order. Disposing removes the container and everything in it. */
export interface SandboxSession extends AsyncDisposable {
  readonly id: string;
  /** Digest of the image it runs (`sha256:…`): cells repeat exactly only in the same one. */
  readonly imageDigest: string;
  /** False once the container is gone; every later `run` answers `lost`. */
  readonly alive: boolean;
  /** Streams a file to `/mnt/data/<name>`. `name` is one path segment; an existing file is replaced. Rejects over the workspace size. */
  write(
    name: string,
    bytes: Bytes,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly sha256: string }>;
  /** Runs one cell in the session's kernel. Python errors, timeouts, memory and lost kernels are data; it rejects never but for bugs. */
  run(code: string, options: RunOptions): Promise<Execution>;
  /** Regular files below `dir` ("" = the working directory), links and special files left out. */
  list(dir: string): Promise<readonly { readonly path: string; readonly sizeBytes: number }[]>;
  /** Bytes of one regular file. Rejects with `file-too-large` past `maxBytes`, `file-unavailable` where it is not a plain file. */
  read(path: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Bytes;
  /** Its processes stand still, also threads that a cell left running, until the next call wakes them. Never rejects; harmless twice. */
  suspend(): Promise<void>;
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Random numbers begin anew from here before the cell runs; absent: they go on where the last cell left them. */
  readonly seed?: number;
  /** What the cell's clock shows when it begins, in ms since 1970, going on from there; absent: the real time. */
  readonly clockMs?: number;
  readonly signal: AbortSignal;
  /** Output as it comes, already valid UTF-8. The same text is in the execution. */
  onOutput(stream: 'stdout' | 'stderr', text: string): void;
}
