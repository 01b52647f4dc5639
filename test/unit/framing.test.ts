import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demultiplex, DemuxError } from '../../sandbox/demux.ts';
import {
  decodeFrames,
  encodeFrame,
  encodeFrameHead,
  type Frame,
  FrameError,
  type FrameHeader,
} from '../../sandbox/framing.ts';
import { frameCaps } from '../../sandbox/limits.ts';
import { muxed } from '../fakes/fake-driver.ts';

const frames = fc.array(
  fc.record({
    header: fc.record({ type: fc.string(), id: fc.nat(), note: fc.string({ unit: 'binary' }) }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 8 },
);

/** Cuts the bytes at the given places, wherever they fall; empty chunks included. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

async function* from(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

function plain(frame: Frame) {
  return { header: frame.header, payload: Buffer.from(frame.payload).toString('hex') };
}

async function faultOf(bytes: Uint8Array): Promise<string> {
  try {
    await collect(decodeFrames(from([bytes])));
  } catch (error) {
    if (error instanceof FrameError) return error.fault;
    throw error;
  }
  return 'none';
}

function prefix(headerBytes: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(headerBytes, 0);
  bytes.writeUInt32BE(payloadBytes, 4);
  return bytes;
}

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.array(fc.nat(), { maxLength: 30 }), async (sent, places) => {
        const bytes = Buffer.concat(sent.map(({ header, payload }) => encodeFrame(header as FrameHeader, payload)));
        const got = await collect(decodeFrames(from(cut(bytes, places))));
        expect(got.map(plain)).toEqual(sent.map((frame) => plain(frame as Frame)));
      }),
    );
  });

  it("come out the same through the engine's stream, with stderr in between and any cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        frames,
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.uint8Array({ maxLength: 50 }),
        async (sent, recordPlaces, chunkPlaces, noise) => {
          const bytes = Buffer.concat(sent.map(({ header, payload }) => encodeFrame(header as FrameHeader, payload)));
          const records = cut(bytes, recordPlaces).flatMap((piece) => [muxed(piece, 1), muxed(noise, 2)]);
          const stderr: Uint8Array[] = [];
          const chunks = from(cut(Buffer.concat(records), chunkPlaces));
          const got = await collect(decodeFrames(demultiplex(chunks, (piece) => stderr.push(piece))));
          expect(got.map(plain)).toEqual(sent.map((frame) => plain(frame as Frame)));
          expect(Buffer.concat(stderr).length).toBe((records.length / 2) * noise.length);
        },
      ),
    );
  });

  it('fail with a fault of their own', async () => {
    const header = (text: string) => Buffer.concat([prefix(Buffer.byteLength(text), 0), Buffer.from(text)]);
    expect(await faultOf(prefix(frameCaps.headerBytes + 1, 0))).toBe('header-too-large');
    expect(await faultOf(prefix(0xffffffff, 0xffffffff))).toBe('header-too-large');
    expect(await faultOf(prefix(2, frameCaps.payloadBytes + 1))).toBe('payload-too-large');
    expect(await faultOf(prefix(0, 5))).toBe('malformed-header');
    expect(await faultOf(header('{"type":'))).toBe('malformed-header');
    expect(await faultOf(header('[]'))).toBe('malformed-header');
    expect(await faultOf(header('null'))).toBe('malformed-header');
    expect(await faultOf(header('{"type":7}'))).toBe('malformed-header');
    expect(await faultOf(Buffer.concat([prefix(2, 0), Buffer.from([0xff, 0xfe])]))).toBe('malformed-header');
    expect(await faultOf(prefix(10, 0))).toBe('truncated');
    expect(await faultOf(Buffer.from([0, 0]))).toBe('truncated');
    expect(await faultOf(Buffer.concat([encodeFrame({ type: 'a' }, Buffer.alloc(9))]).subarray(0, -1))).toBe(
      'truncated',
    );
  });

  it('never fail in another way, whatever bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        async (bytes, places) => {
          const outcome = await collect(decodeFrames(from(cut(bytes, places)))).catch((error: unknown) => error);
          expect(Array.isArray(outcome) || outcome instanceof FrameError).toBe(true);
        },
      ),
    );
  });

  it('over the caps are refused before they are sent', () => {
    expect(() => encodeFrame({ type: 'x', pad: 'x'.repeat(frameCaps.headerBytes) })).toThrow(FrameError);
    expect(() => encodeFrameHead({ type: 'x' }, frameCaps.payloadBytes + 1)).toThrow(FrameError);
    expect(encodeFrameHead({ type: 'x' }, frameCaps.payloadBytes).length).toBe(8 + 12);
  });

  it('are pulled: a consumer that does not ask stops the source', async () => {
    let pulled = 0;
    const frame = encodeFrame({ type: 'x' }, Buffer.alloc(1000));
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        pulled += 1;
        yield muxed(frame, 1);
      }
    }
    const decoded = decodeFrames(demultiplex(endless(), () => {}));
    for (let taken = 1; taken <= 50; taken += 1) {
      await decoded.next();
      await new Promise(setImmediate);
      expect(pulled).toBe(taken);
    }
    await decoded.return();
  });

  it('leave bounded memory behind: 1 GB flows through without piling up', async () => {
    const payload = Buffer.alloc(1024 * 1024, 7);
    const head = encodeFrameHead({ type: 'data' }, payload.length);
    async function* gigabyte(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 1024; sent += 1) {
        yield head;
        for (let offset = 0; offset < payload.length; offset += 65_536) yield payload.subarray(offset, offset + 65_536);
      }
    }
    const before = process.memoryUsage.rss();
    let most = 0;
    let total = 0;
    for await (const frame of decodeFrames(gigabyte())) {
      total += frame.payload.length;
      most = Math.max(most, process.memoryUsage.rss() - before);
    }
    expect(total).toBe(1024 * payload.length);
    expect(most).toBeLessThan(300 * 1024 * 1024);
  });
});

describe("the engine's stream", () => {
  it('is refused where it is not multiplexed', async () => {
    await expect(collect(demultiplex(from([Buffer.from('hello, terminal')]), () => {}))).rejects.toBeInstanceOf(
      DemuxError,
    );
  });

  it('takes records of any announced length without holding them', async () => {
    const head = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    const got = await collect(demultiplex(from([head, Buffer.alloc(100_000), Buffer.alloc(5)]), () => {}));
    expect(got.map((piece) => piece.length)).toEqual([100_000, 5]);
  });
});
