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

/**
 * Frames out of chunks, however they were cut. Pulls the next chunk only when the consumer asks for a frame that needs it,
 * so a slow consumer slows the sender; holds at most one frame and one chunk. Ends with the source, between two frames;
 * throws `FrameError` otherwise, and whatever the source throws.
 */
export async function* decodeFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void, void> {
  const read = createReader(source);
  for (;;) {
    const prefix = await read(prefixBytes, true);
    if (prefix === null) return;
    const headerBytes = prefix.readUInt32BE(0);
    const payloadBytes = prefix.readUInt32BE(4);
    assertWithinCaps(headerBytes, payloadBytes);
    const header = parseHeader((await read(headerBytes, false)) ?? nothing);
    const payload = payloadBytes === 0 ? nothing : ((await read(payloadBytes, false)) ?? nothing);
    yield { header, payload };
  }
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

/** Resolves to exactly `length` bytes; to null where the source ends before the first of them and `mayEnd` is set. */
type Read = (length: number, mayEnd: boolean) => Promise<Buffer | null>;

function createReader(source: AsyncIterable<Uint8Array>): Read {
  const chunks = source[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);

  const pull = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    return true;
  };

  const take = (length: number): Buffer => {
    const taken = chunk.subarray(0, length);
    chunk = chunk.subarray(length);
    return taken;
  };

  return async (length, mayEnd) => {
    while (chunk.length === 0) {
      if (await pull()) continue;
      if (mayEnd) return null;
      throw truncated();
    }
    if (chunk.length >= length) return take(length);
    const whole = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      if (chunk.length === 0 && !(await pull())) throw truncated();
      filled += take(length - filled).copy(whole, filled);
    }
    return whole;
  };
}

function truncated(): FrameError {
  return new FrameError('truncated', 'the stream ended in the middle of a frame');
}
