import { createOwnerId } from '../sandbox/owner.ts';
import { createDockerSandbox } from '../sandbox/provider.ts';
import type { DockerSandbox } from '../sandbox/provider.ts';
import { createLogger } from '../src/log.ts';
import type { Bytes } from '../src/ports/blobs.ts';
import type { SandboxLimits, SandboxSession } from '../src/ports/sandbox.ts';
import type { Execution } from '../src/types.ts';

const megabyte = 1024 * 1024;

export type Runtime = 'runc' | 'runsc';

/** The limits a team gets without setting anything. */
export const benchLimits: SandboxLimits = {
  memoryBytes: 1024 * megabyte,
  workspaceBytes: 512 * megabyte,
  cpus: 2,
  processes: 128,
};

export const benchImage = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';

const longestMs = 600_000;

/** Made once: a signal with a timer for each cell would be measured with it. */
const never = new AbortController().signal;

/** A provider for one row; `limits` other than the usual ones are for its warm containers too. */
export function openSandboxes(options: {
  readonly runtime?: Runtime;
  readonly poolSize?: number;
  readonly maxContainers?: number;
  readonly limits?: SandboxLimits;
}): DockerSandbox {
  return createDockerSandbox({
    endpoint: null,
    image: benchImage,
    runtime: options.runtime ?? 'runc',
    ownerId: createOwnerId(),
    limits: options.limits ?? benchLimits,
    poolSize: options.poolSize ?? 0,
    maxContainers: options.maxContainers ?? 8,
    log: createLogger('silent'),
  });
}

export function acquire(provider: DockerSandbox, limits: SandboxLimits = benchLimits): Promise<SandboxSession> {
  return provider.acquire(limits, AbortSignal.timeout(longestMs));
}

/** Runs a cell that has to work; throws its traceback otherwise. */
export async function runWell(session: SandboxSession, code: string): Promise<Execution> {
  const execution = await runAnyhow(session, code, 120_000);
  if (execution.status !== 'ok')
    throw new Error(`${execution.status}: ${execution.error?.traceback ?? ''}${execution.error?.message ?? ''}`);
  return execution;
}

/** Runs a cell that may end in any way. */
export function runAnyhow(
  session: SandboxSession,
  code: string,
  timeoutMs: number,
  onOutput: () => void = () => {},
): Promise<Execution> {
  return session.run(code, { timeoutMs, signal: never, onOutput });
}

/** Milliseconds that `work` takes, `count` times one after the other. */
export async function timed(count: number, work: (index: number) => Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    await work(index);
    samples.push(performance.now() - startedAt);
  }
  return samples;
}

/** A program for plain Python in the same container: a process of its own, outside the kernel. Its stdout is the answer. */
export async function runPlainPython(session: SandboxSession, program: string): Promise<string> {
  const quoted = JSON.stringify(program);
  const { stdout } = await runWell(
    session,
    `import subprocess, sys\nprint(subprocess.run([sys.executable, "-c", ${quoted}], check=True, capture_output=True, text=True).stdout)`,
  );
  return stdout.trim();
}

export async function* inPieces(piece: Uint8Array, count: number): Bytes {
  for (let index = 0; index < count; index += 1) yield piece;
}

/** The figures a Python program printed, separated by blanks. */
export function numbersOf(text: string): number[] {
  return text.trim().split(/\s+/).map(Number);
}
