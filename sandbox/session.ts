import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { Bytes } from '../src/ports/blobs.ts';
import type { RunOptions, SandboxLimits, SandboxSession } from '../src/ports/sandbox.ts';
import type { Execution, ExecutionError } from '../src/types.ts';
import type { ConnectionLost, DriverConnection } from './connection.ts';
import { maxCodeBytes } from './limits.ts';
import { runCell } from './run-cell.ts';
import { listFiles, lostFailure, readFile, writeFile } from './transfer.ts';
import { createTurns } from './turns.ts';
import { containerMemoryError, lostError } from './words.ts';

export interface SessionDeps {
  readonly id: string;
  /** Past its `ready`. */
  readonly connection: DriverConnection;
  readonly limits: SandboxLimits;
  readonly imageDigest: string;
  nextRequestId(): number;
  /** As of `RunningContainer`. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Whether the engine saw the container hit its memory limit since that moment (`Date.now()`). Waits for a late event, briefly. */
  ranOutOfMemory(sinceMs: number): Promise<boolean>;
  readonly log: Logger;
}

/**
 * A session over a driver's connection. Requests wait for each other; a `read` holds its turn until its consumer is done, so
 * awaiting another call inside the loop over a `read` waits for ever.
 */
export function createSession(deps: SessionDeps): SandboxSession {
  const { id, connection, limits, log } = deps;
  const turns = createTurns();
  let suspended = false;

  /** The caller's turn, with a container that runs where it still exists. Resolves to the function that ends the turn. */
  const takeTurn = async (signal: AbortSignal | null): Promise<() => void> => {
    const end = await turns.take(signal);
    if (suspended && connection.lost === null) {
      try {
        await deps.unpause();
      } catch (error) {
        connection.close('gone', `not woken: ${String(error)}`);
      }
    }
    suspended = false;
    return end;
  };

  const request = async <T>(signal: AbortSignal | null, work: (id: number) => Promise<T>): Promise<T> => {
    const end = await takeTurn(signal);
    try {
      if (connection.lost !== null) throw lostFailure(connection.lost);
      return await work(deps.nextRequestId());
    } finally {
      end();
    }
  };

  const suspend = async (): Promise<void> => {
    const end = await turns.take(null);
    try {
      if (suspended || connection.lost !== null) return;
      suspended = true;
      await deps.pause();
      log.debug({}, 'sandbox suspended');
    } catch (error) {
      // It may stand still all the same, so the next call wakes it.
      log.warn({ error: String(error) }, 'a sandbox could not be suspended');
    } finally {
      end();
    }
  };

  const run = async (code: string, options: RunOptions): Promise<Execution> => {
    const bytes = Buffer.from(code, 'utf8');
    if (bytes.length > maxCodeBytes) return unrun('error', codeTooLong(bytes.length));
    let end: () => void;
    try {
      end = await takeTurn(options.signal);
    } catch {
      return unrun('cancelled', stopped);
    }
    try {
      const before = connection.lost;
      if (before !== null) return unrun('lost', lostError(before.reason));
      const startedAtMs = Date.now();
      const execution = await runCell(connection, deps.nextRequestId(), bytes, options, log);
      const after: ConnectionLost | null = connection.lost;
      const mayBeMemory = execution.status === 'lost' && after?.reason === 'gone';
      if (!mayBeMemory || !(await deps.ranOutOfMemory(startedAtMs))) return execution;
      return { ...execution, status: 'out-of-memory', error: containerMemoryError(limits.memoryBytes) };
    } finally {
      end();
    }
  };

  return {
    id,
    imageDigest: deps.imageDigest,
    get alive() {
      return connection.lost === null;
    },
    run,
    async write(name, bytes, signal) {
      assertFileName(name);
      return request(signal, (requestId) =>
        writeFile(connection, { id: requestId, name, bytes, workspaceBytes: limits.workspaceBytes, signal }),
      );
    },
    list: (dir) => request(null, (requestId) => listFiles(connection, requestId, dir)),
    async *read(path, { maxBytes, signal }): Bytes {
      const end = await takeTurn(signal);
      try {
        if (connection.lost !== null) throw lostFailure(connection.lost);
        yield* readFile(connection, { id: deps.nextRequestId(), path, maxBytes, signal });
      } finally {
        end();
      }
    },
    suspend,
    async [Symbol.asyncDispose]() {
      // The end of a connection starts the container's removal; whoever posts an answer must not wait for that.
      connection.close('disposed', 'the session was disposed');
    },
  };
}

const stopped: ExecutionError = { name: 'cancelled', message: 'Stopped before it started.', traceback: '' };

function codeTooLong(bytes: number): ExecutionError {
  return {
    name: 'CodeTooLong',
    message: `The code has ${bytes} bytes, over the limit of ${maxCodeBytes}. Put data into a file instead of the code.`,
    traceback: '',
  };
}

/** The execution of a cell that never ran. */
function unrun(status: 'error' | 'cancelled' | 'lost', error: ExecutionError): Execution {
  const stateKept = status === 'lost' ? null : true;
  return { status, stdout: '', stderr: '', results: [], error, stateKept, files: [], durationMs: 0, truncated: false };
}

/** Throws `file-rejected` unless `name` is one path segment of at most 255 bytes. */
function assertFileName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > 255 || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new AppError('file-rejected', 'A file name in the sandbox is one path segment of 1 to 255 bytes.', {
      detail: `bad file name of ${bytes} bytes`,
    });
  }
}
