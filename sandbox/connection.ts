import type { Duplex } from 'node:stream';
import type { Logger } from '../src/log.ts';
import { createDemultiplexer, DemuxError } from './demux.ts';
import { createFrameDecoder, encodeFrameHead, FrameError } from './framing.ts';
import { driverStderrBytes } from './limits.ts';
import { type BotMessage, type DriverMessage, MessageError, parseDriverMessage } from './messages.ts';

/** Why there is no driver to talk to any more. */
export type LossReason =
  /** The container ended or the engine dropped the stream. */
  | 'gone'
  /** The driver broke the protocol. */
  | 'protocol'
  /** The driver owed an answer and stayed silent past its time. */
  | 'unresponsive'
  /** This side let it go. */
  | 'disposed'
  /** The container reached its longest life. */
  | 'expired';

export class ConnectionLost extends Error {
  readonly reason: LossReason;

  constructor(reason: LossReason, detail: string) {
    super(detail);
    this.name = 'ConnectionLost';
    this.reason = reason;
  }
}

export type DriverFrame = { readonly message: DriverMessage; readonly payload: Uint8Array };

/**
 * Talks to one driver. One message is read ahead and no more: that is how the end of the stream is noticed while nothing
 * runs, and a consumer that does not ask for the next message slows the driver down.
 */
export interface DriverConnection {
  /** Set once, when the connection ended for whatever reason. */
  readonly lost: ConnectionLost | null;
  /** A message waits: `next` would resolve at once. */
  readonly waiting: boolean;
  /** The next message, also one that came before the container ended. Rejects with `ConnectionLost`; silence past `timeoutMs` ends the connection (`unresponsive`). */
  next(timeoutMs: number): Promise<DriverFrame>;
  /** `payload` may come in pieces. Resolves when the stream takes more. Rejects with `ConnectionLost`; a stall past `timeoutMs` ends the connection. */
  send(message: BotMessage, payload: Uint8Array | readonly Uint8Array[], timeoutMs: number): Promise<void>;
  /** Ends the connection. The first reason stands. */
  close(reason: LossReason, detail: string): void;
}

/** `stream` is the container's attached stream; `onLost` is called once. */
export function createConnection(
  stream: Duplex,
  log: Logger,
  onLost: (lost: ConnectionLost) => void,
): DriverConnection {
  let lost: ConnectionLost | null = null;
  const lostListeners = new Set<(lost: ConnectionLost) => void>([onLost]);

  const fail = (reason: LossReason, detail: string): ConnectionLost => {
    if (lost !== null) return lost;
    lost = new ConnectionLost(reason, detail);
    stream.destroy();
    for (const listener of lostListeners) listener(lost);
    lostListeners.clear();
    return lost;
  };
  stream.on('error', (error) => fail('gone', error.message));
  stream.on('close', () => fail('gone', 'the stream was closed'));
  // One that is over already tells nobody any more.
  if (stream.destroyed) queueMicrotask(() => fail('gone', 'the stream was closed'));

  /** Came and was not asked for yet. While one waits nothing more is read. */
  const arrived: DriverFrame[] = [];
  let asking: ((frame: DriverFrame) => void) | null = null;
  const decoder = createFrameDecoder();
  const demultiplex = createDemultiplexer((bytes) => decoder.push(bytes), createStderrLog(log));

  const takeFrames = (): void => {
    while (arrived.length === 0) {
      const frame = decoder.next();
      if (frame === null) return;
      const arrival = { message: parseDriverMessage(frame.header), payload: frame.payload };
      if (asking === null) arrived.push(arrival);
      else asking(arrival);
      asking = null;
    }
    stream.pause();
  };
  const guard = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      fail(isProtocolFault(error) ? 'protocol' : 'gone', error instanceof Error ? error.message : String(error));
    }
  };
  stream.on('data', (chunk: Uint8Array) =>
    guard(() => {
      demultiplex(chunk);
      takeFrames();
    }),
  );
  stream.on('end', () => fail('gone', 'the stream ended'));

  /** `promise`, or the connection's end, whichever is first; ends the connection itself after `timeoutMs`. */
  const bounded = async <T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> => {
    if (lost !== null) throw lost;
    const { promise: ended, reject } = Promise.withResolvers<never>();
    lostListeners.add(reject);
    const timer = setTimeout(
      () => fail('unresponsive', `${what} for ${Math.round(timeoutMs)} ms`),
      Math.max(0, timeoutMs),
    );
    try {
      return await Promise.race([promise, ended]);
    } finally {
      clearTimeout(timer);
      lostListeners.delete(reject);
    }
  };

  return {
    get lost() {
      return lost;
    },
    get waiting() {
      return arrived.length > 0;
    },
    async next(timeoutMs) {
      const here = lost === null || lost.reason === 'gone' ? arrived.shift() : undefined;
      if (here !== undefined) {
        guard(takeFrames);
        if (arrived.length === 0) stream.resume();
        return here;
      }
      const { promise, resolve } = Promise.withResolvers<DriverFrame>();
      asking = resolve;
      try {
        return await bounded(promise, timeoutMs, 'the driver was silent');
      } finally {
        asking = null;
      }
    },
    async send(message, payload, timeoutMs) {
      if (lost !== null) throw lost;
      const pieces: readonly Uint8Array[] = payload instanceof Uint8Array ? [payload] : payload;
      const payloadBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      stream.cork();
      stream.write(encodeFrameHead(message, payloadBytes));
      for (const piece of pieces) if (piece.length > 0) stream.write(piece);
      stream.uncork();
      if (!stream.writableNeedDrain) return;
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      stream.once('drain', resolve);
      try {
        await bounded(drained, timeoutMs, 'the driver took no input');
      } finally {
        stream.off('drain', resolve);
      }
    },
    close(reason, detail) {
      fail(reason, detail);
    },
  };
}

function isProtocolFault(error: unknown): boolean {
  return (
    error instanceof MessageError ||
    error instanceof DemuxError ||
    (error instanceof FrameError && error.fault !== 'truncated')
  );
}

/** The driver's own complaints, for whoever reads the log; capped, because code in the container may reach that stream. */
function createStderrLog(log: Logger): (bytes: Uint8Array) => void {
  let left = driverStderrBytes;
  return (bytes) => {
    if (left <= 0) return;
    const shown = bytes.subarray(0, left);
    left -= shown.length;
    log.debug({ stderr: Buffer.from(shown).toString('utf8'), capped: left <= 0 }, 'sandbox driver stderr');
  };
}
