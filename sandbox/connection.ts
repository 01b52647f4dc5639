import type { Duplex } from 'node:stream';
import type { Logger } from '../src/log.ts';
import { demultiplex, DemuxError } from './demux.ts';
import { decodeFrames, encodeFrameHead, FrameError } from './framing.ts';
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
  /** The next message. Rejects with `ConnectionLost`; silence past `timeoutMs` ends the connection (`unresponsive`). */
  next(timeoutMs: number): Promise<DriverFrame>;
  /** Resolves when the stream takes more. Rejects with `ConnectionLost`; a stall past `timeoutMs` ends the connection. */
  send(message: BotMessage, payload: Uint8Array, timeoutMs: number): Promise<void>;
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
  let waiting = false;
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

  const frames = decodeFrames(demultiplex(stream, createStderrLog(log)));

  const pull = async (): Promise<DriverFrame> => {
    try {
      const frame = await frames.next();
      if (frame.done === true) throw fail('gone', 'the stream ended');
      const message = parseDriverMessage(frame.value.header);
      waiting = true;
      return { message, payload: frame.value.payload };
    } catch (error) {
      throw fail(isProtocolFault(error) ? 'protocol' : 'gone', error instanceof Error ? error.message : String(error));
    }
  };
  const pullQuietly = (): Promise<DriverFrame> => {
    const pulled = pull();
    // Nobody may be listening when the driver goes; whoever asks next gets the same rejection.
    pulled.catch(() => {});
    return pulled;
  };
  let ahead = pullQuietly();

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
      return waiting;
    },
    async next(timeoutMs) {
      const frame = await bounded(ahead, timeoutMs, 'the driver was silent');
      waiting = false;
      ahead = pullQuietly();
      return frame;
    },
    async send(message, payload, timeoutMs) {
      if (lost !== null) throw lost;
      stream.cork();
      stream.write(encodeFrameHead(message, payload.length));
      if (payload.length > 0) stream.write(payload);
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
