import { createHash } from 'node:crypto';
import { AppError } from '../src/errors.ts';
import type { Bytes } from '../src/ports/blobs.ts';
import type { DriverConnection, DriverFrame } from './connection.ts';
import { ConnectionLost } from './connection.ts';
import { createPieceCollector } from './free-pieces.ts';
import { driverIdleMs, pieceBytes } from './limits.ts';
import { type DriverFailure, type DriverMessage, MessageError } from './messages.ts';
import { abortable } from './turns.ts';
import { lossSentence, megabytes } from './words.ts';

/** Files over the driver's stream. Each function is one request, from its first frame to its answer. */

const nothing = new Uint8Array(0);

/** Small pieces of a source travel together: a frame costs the driver as much as copying this many bytes. */
const gatheredBytes = 256 * 1024;

export interface WriteRequest {
  readonly id: number;
  readonly name: string;
  readonly bytes: Bytes;
  readonly workspaceBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Streams `bytes` to `/mnt/data/<name>` and checks the driver's hash against its own. A source that fails, an abort and a file
 * over the workspace leave no file behind. Rejects with what the source threw, `cancelled`, `file-too-large`,
 * `file-rejected`, or `sandbox-failed`.
 */
export async function writeFile(
  connection: DriverConnection,
  request: WriteRequest,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const { id, name, bytes, workspaceBytes, signal } = request;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const source = bytes[Symbol.asyncIterator]();
  const send = async () => {
    let pieces: Uint8Array[] = [];
    let waitingBytes = 0;
    const sendPieces = async () => {
      const sent = connection.send({ type: 'write-data', id }, pieces, driverIdleMs);
      // While the engine takes them.
      for (const piece of pieces) hash.update(piece);
      pieces = [];
      waitingBytes = 0;
      await sent;
    };
    for (;;) {
      const next = await abortable(source.next(), signal);
      if (next.done === true) break;
      sizeBytes += next.value.length;
      if (sizeBytes > workspaceBytes) throw noRoom(name, workspaceBytes);
      for (let offset = 0; offset < next.value.length;) {
        // The driver gave up already and says why below.
        if (connection.waiting) return;
        const piece = next.value.subarray(offset, offset + pieceBytes - waitingBytes);
        pieces.push(piece);
        waitingBytes += piece.length;
        offset += piece.length;
        if (waitingBytes >= gatheredBytes) await sendPieces();
      }
    }
    if (waitingBytes > 0) await sendPieces();
  };

  return guarded(connection, async () => {
    await connection.send({ type: 'write', id, path: name, sizeBytes: null }, nothing, driverIdleMs);
    let cause: unknown = null;
    try {
      await send();
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      cause = error ?? new Error('the source of a file failed');
    } finally {
      // Not awaited: a source that hangs must not hold the sandbox.
      Promise.resolve(source.return?.()).catch(() => {});
    }
    await connection.send({ type: 'write-end', id, abort: cause !== null }, nothing, driverIdleMs);
    const { message } = answerTo(id, await connection.next(driverIdleMs));
    if (cause !== null) throw cause;
    if (message.type === 'failed') throw writeFailure(name, workspaceBytes, message);
    if (message.type !== 'written') throw new MessageError(`a ${message.type} as answer to a write`);
    const sha256 = hash.digest('hex');
    if (message.sha256 !== sha256 || message.sizeBytes !== sizeBytes) throw damaged(name);
    return { sizeBytes, sha256 };
  });
}

/**
 * The bytes of one file, at most `maxBytes`, as the consumer takes them. The hash is checked at the end: a consumer that got
 * to the end without an error has the file. One that stops early makes the rest run off unread, which `maxBytes` bounds.
 * Rejects with `cancelled`, `file-too-large`, `file-unavailable`, or `sandbox-failed`.
 */
export async function* readFile(
  connection: DriverConnection,
  request: { readonly id: number; readonly path: string; readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  const { id, path, maxBytes, signal } = request;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const collect = createPieceCollector();
  let answered = false;
  const next = () =>
    guarded(connection, async () => {
      const frame = answerTo(id, await connection.next(driverIdleMs));
      answered = frame.message.type !== 'data';
      return frame;
    });
  await guarded(connection, () => connection.send({ type: 'read', id, path, maxBytes }, nothing, driverIdleMs));
  try {
    for (;;) {
      const { message, payload } = await next();
      if (signal.aborted) throw new AppError('cancelled', 'Stopped.', { cause: signal.reason });
      if (message.type === 'failed') throw readFailure(path, maxBytes, message);
      if (message.type === 'end') {
        if (message.sizeBytes !== sizeBytes || message.sha256 !== hash.digest('hex')) throw damaged(path);
        return;
      }
      if (message.type !== 'data') throw guardViolation(connection, `a ${message.type} as answer to a read`);
      sizeBytes += payload.length;
      if (sizeBytes > maxBytes) throw guardViolation(connection, `more than the ${maxBytes} bytes asked for`);
      hash.update(payload);
      yield payload;
      collect(payload.length);
    }
  } finally {
    const owed = () => !answered && connection.lost === null;
    while (owed()) await next().catch(() => {});
  }
}

/** Regular files below `path`. Rejects with `file-unavailable` or `sandbox-failed`. */
export function listFiles(
  connection: DriverConnection,
  id: number,
  path: string,
): Promise<readonly { readonly path: string; readonly sizeBytes: number }[]> {
  return guarded(connection, async () => {
    await connection.send({ type: 'list', id, path }, nothing, driverIdleMs);
    const { message } = answerTo(id, await connection.next(driverIdleMs));
    if (message.type === 'failed') throw readFailure(path, 0, message);
    if (message.type !== 'listing') throw new MessageError(`a ${message.type} as answer to a list`);
    return message.entries;
  });
}

type Answer = Exclude<DriverMessage, { type: 'ready' }>;

function answerTo(id: number, frame: DriverFrame): { readonly message: Answer; readonly payload: Uint8Array } {
  if (frame.message.type === 'ready' || frame.message.id !== id) {
    throw new MessageError(`a ${frame.message.type} that belongs to no request`);
  }
  return { message: frame.message, payload: frame.payload };
}

/** A broken protocol ends the connection; a lost connection becomes `sandbox-failed` in words. */
async function guarded<T>(connection: DriverConnection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MessageError) throw guardViolation(connection, error.message);
    if (error instanceof ConnectionLost) throw lostFailure(error);
    throw error;
  }
}

function guardViolation(connection: DriverConnection, detail: string): AppError {
  connection.close('protocol', detail);
  return lostFailure(connection.lost ?? new ConnectionLost('protocol', detail));
}

export function lostFailure(lost: ConnectionLost): AppError {
  return new AppError('sandbox-failed', lossSentence(lost.reason), {
    cause: lost,
    retryable: true,
    detail: `sandbox lost: ${lost.message}`,
  });
}

function noRoom(name: string, workspaceBytes: number): AppError {
  return new AppError(
    'file-too-large',
    `"${name}" does not fit into the workspace of ${megabytes(workspaceBytes)} MB. Send a smaller file, or raise SANDBOX_WORKSPACE_MB.`,
  );
}

function damaged(name: string): AppError {
  return new AppError(
    'sandbox-failed',
    `"${name}" was damaged on its way to or from the sandbox. Asking again may work.`,
    { retryable: true },
  );
}

const rejected: ReadonlySet<DriverFailure['code']> = new Set(['bad-path', 'not-a-file', 'not-found']);

function writeFailure(name: string, workspaceBytes: number, failure: DriverFailure): AppError {
  if (failure.code === 'aborted') return new AppError('cancelled', 'Stopped.', { detail: failure.message });
  if (!rejected.has(failure.code)) return noRoom(name, workspaceBytes);
  return new AppError('file-rejected', `The sandbox cannot take a file under the name "${name}".`, {
    detail: failure.message,
  });
}

function readFailure(path: string, maxBytes: number, failure: DriverFailure): AppError {
  const detail = failure.message;
  if (failure.code === 'too-large') {
    const words = `"${path}" is larger than the ${megabytes(maxBytes)} MB that may be taken out of the sandbox.`;
    return new AppError('file-too-large', words, { detail });
  }
  const words =
    failure.code === 'not-found'
      ? `"${path}" is not in the sandbox any more.`
      : `"${path}" is not a plain file in /mnt/data, so it was not taken.`;
  return new AppError('file-unavailable', words, { detail });
}
