import { frameCaps } from './limits.ts';

/** The wire format of `protocol.md`: two lengths, a JSON header, opaque bytes. Knows no message types. */

export interface Frame {
  readonly header: FrameHeader;
  readonly payload: Uint8Array;
}

export type FrameHeader = { readonly type: string } & Readonly<Record<string, unknown>>;

export type FrameFault = 'header-too-large' | 'payload-too-large' | 'malformed-header' | 'truncated';

/** The peer broke the format. There is no way to find the next frame, so the session ends. */
export class FrameError extends Error {
  readonly fault: FrameFault;

  constructor(fault: FrameFault, message: string) {
    super(message);
    this.name = 'FrameError';
    this.fault = fault;
  }
}

const prefixBytes = 8;
const nothing = new Uint8Array(0);

/**
 * The bytes before the payload; the payload follows as it is, so that a large one is never copied.
 * Throws `FrameError` where header or payload is over its cap: a bug of the caller, found before the peer hangs up.
 */
export function encodeFrameHead(header: FrameHeader, payloadBytes: number): Uint8Array {
  const json = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(json);
  assertWithinCaps(headerBytes, payloadBytes);
  const head = Buffer.allocUnsafe(prefixBytes + headerBytes);
  head.writeUInt32BE(headerBytes, 0);
  head.writeUInt32BE(payloadBytes, 4);
  head.write(json, prefixBytes);
  return head;
}

/** A whole frame as one piece of bytes. */
export function encodeFrame(header: FrameHeader, payload: Uint8Array = nothing): Uint8Array {
  return Buffer.concat([encodeFrameHead(header, payload.length), payload]);
}

/** Cuts a stream into frames. Holds at most the frame under way and the chunks that were pushed since `next` last gave null. */
export interface FrameDecoder {
  push(chunk: Uint8Array): void;
  /** The next whole frame, or null until more is pushed. Throws `FrameError`; then the stream is lost. */
  next(): Frame | null;
  /** Part of a frame came, and the rest did not yet. */
  readonly midFrame: boolean;
}

export function createFrameDecoder(): FrameDecoder {
  let chunks: Buffer[] = [];
  /** Of `chunks` together. */
  let waitingBytes = 0;
  let current: { readonly header: FrameHeader; readonly payloadBytes: number } | null = null;
  let headerBytes = 0;
  let payloadBytes = 0;
  let large: Buffer | null = null;
  let filled = 0;

  /** Moves up to `length` bytes into `target`; returns how many. */
  const moveTo = (target: Buffer, at: number, length: number): number => {
    let moved = 0;
    let used = 0;
    for (const chunk of chunks) {
      if (moved === length) break;
      const part = chunk.subarray(0, length - moved);
      part.copy(target, at + moved);
      moved += part.length;
      if (part.length < chunk.length) chunks[used] = chunk.subarray(part.length);
      else used += 1;
    }
    chunks = chunks.slice(used);
    waitingBytes -= moved;
    return moved;
  };

  /** Exactly `length` waiting bytes: a view where they lie in one chunk. */
  const take = (length: number): Buffer => {
    const [first] = chunks;
    if (first !== undefined && first.length >= length) {
      if (first.length === length) chunks.shift();
      else chunks[0] = first.subarray(length);
      waitingBytes -= length;
      return first.subarray(0, length);
    }
    const whole = Buffer.allocUnsafe(length);
    moveTo(whole, 0, length);
    return whole;
  };

  const begin = (): boolean => {
    if (headerBytes === 0) {
      if (waitingBytes < prefixBytes) return false;
      const prefix = take(prefixBytes);
      headerBytes = prefix.readUInt32BE(0);
      payloadBytes = prefix.readUInt32BE(4);
      assertWithinCaps(headerBytes, payloadBytes);
    }
    if (waitingBytes < headerBytes) return false;
    current = { header: parseHeader(take(headerBytes)), payloadBytes };
    headerBytes = 0;
    return true;
  };

  return {
    push(chunk) {
      if (chunk.length === 0) return;
      chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      waitingBytes += chunk.length;
    },
    next() {
      if (current === null && !begin()) return null;
      if (current === null) return null;
      const { header } = current;
      if (large === null && waitingBytes >= current.payloadBytes) {
        const payload = current.payloadBytes === 0 ? nothing : take(current.payloadBytes);
        current = null;
        return { header, payload };
      }
      // Bytes go to their place as they come, so that chunks are not kept until the payload is whole.
      large ??= Buffer.allocUnsafeSlow(current.payloadBytes);
      filled += moveTo(large, filled, large.length - filled);
      if (filled < large.length) return null;
      const payload = large;
      current = null;
      large = null;
      filled = 0;
      return { header, payload };
    },
    get midFrame() {
      return current !== null || headerBytes > 0 || waitingBytes > 0;
    },
  };
}

/**
 * Frames out of chunks, however they were cut. Pulls the next chunk only when the consumer asks for a frame that needs it.
 * Ends with the source, between two frames; throws `FrameError` otherwise, and whatever the source throws.
 */
export async function* decodeFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void, void> {
  const decoder = createFrameDecoder();
  for await (const chunk of source) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== null; frame = decoder.next()) yield frame;
  }
  if (decoder.midFrame) throw new FrameError('truncated', 'the stream ended in the middle of a frame');
}

function assertWithinCaps(headerBytes: number, payloadBytes: number): void {
  if (headerBytes > frameCaps.headerBytes) {
    throw new FrameError(
      'header-too-large',
      `a frame header of ${headerBytes} bytes is over the cap of ${frameCaps.headerBytes}`,
    );
  }
  if (headerBytes === 0) throw new FrameError('malformed-header', 'a frame without a header');
  if (payloadBytes > frameCaps.payloadBytes) {
    throw new FrameError(
      'payload-too-large',
      `a frame payload of ${payloadBytes} bytes is over the cap of ${frameCaps.payloadBytes}`,
    );
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseHeader(bytes: Uint8Array): FrameHeader {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw new FrameError('malformed-header', `a frame header is not JSON: ${String(error)}`);
  }
  if (!isHeader(value))
    throw new FrameError('malformed-header', 'a frame header is not an object with a string "type"');
  return value;
}

function isHeader(value: unknown): value is FrameHeader {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    'type' in value &&
    typeof value.type === 'string'
  );
}
