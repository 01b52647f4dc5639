import { createHash } from 'node:crypto';
import { type Duplex, duplexPair } from 'node:stream';
import { decodeFrames, encodeFrame, type Frame, type FrameHeader } from '../../sandbox/framing.ts';

/**
 * A driver for tests of the bot's side: speaks the frames over one end of a pair of streams, with the engine's stream heads on
 * what it sends, and does what the test scripts. It executes nothing.
 */
export interface FakeDriver {
  /** The bot's end, as the engine would hand it over. */
  readonly stream: Duplex;
  /** Frames that came from the bot. */
  readonly received: Frame[];
  send(header: FrameHeader, payload?: Uint8Array): void;
  /** Raw bytes on stdout (1) or stderr (2), under an engine head. */
  sendRaw(bytes: Uint8Array, stream?: 1 | 2): void;
  /** The container ends. */
  end(): void;
}

/** `answer` is called for each frame of the bot, in order, after it is in `received`. */
export function createFakeDriver(answer: (frame: Frame, driver: FakeDriver) => void): FakeDriver {
  const [bot, own] = duplexPair();
  const driver: FakeDriver = {
    stream: bot,
    received: [],
    send: (header, payload) => driver.sendRaw(encodeFrame(header, payload)),
    sendRaw: (bytes, stream = 1) => {
      own.write(muxed(bytes, stream));
    },
    end: () => own.destroy(),
  };
  const serve = async () => {
    for await (const frame of decodeFrames(own)) {
      driver.received.push(frame);
      answer(frame, driver);
    }
  };
  // The bot may leave in the middle of anything.
  serve().catch(() => own.destroy());
  own.on('error', () => {});
  return driver;
}

/** One record of the engine's attach stream. */
export function muxed(bytes: Uint8Array, stream: 1 | 2): Uint8Array {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

export function doneHeader(id: unknown, status: string = 'ok', error: object | null = null): FrameHeader {
  return { type: 'done', id, status, error, stateKept: true, files: [], durationMs: 1, truncated: false };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
