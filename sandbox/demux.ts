/**
 * Docker's attach stream carries stdout and stderr in one: one byte 1 or 2, three zero bytes, a big-endian u32 length, that
 * many bytes. Untrusted code decides how much comes, so this gathers nothing (the engine's own client library does).
 */

/** The engine sent something that is no such record: most likely the container has a terminal, and the bytes are raw. */
export class DemuxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DemuxError';
  }
}

const headBytes = 8;
const stdout = 1;
const stderr = 2;

/**
 * Takes the stream's chunks, however they are cut, and hands on the bytes of each record as they come, as views of the chunk.
 * Keeps one 8-byte head at most. A stream that ends inside a record just ends: the frame decoder above notices what is missing.
 * The returned function throws `DemuxError` on an unknown stream number, and whatever the two callbacks throw.
 */
export function createDemultiplexer(
  onStdout: (bytes: Buffer) => void,
  onStderr: (bytes: Buffer) => void,
): (chunk: Uint8Array) => void {
  const head = Buffer.alloc(headBytes);
  let headFilled = 0;
  let remaining = 0;
  let stream = stdout;
  return (bytes) => {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = 0;
    while (offset < chunk.length) {
      if (remaining === 0) {
        const part = chunk.subarray(offset, offset + headBytes - headFilled);
        head.set(part, headFilled);
        headFilled += part.length;
        offset += part.length;
        if (headFilled < headBytes) return;
        headFilled = 0;
        stream = head[0] ?? 0;
        remaining = head.readUInt32BE(4);
        if (stream !== stdout && stream !== stderr) throw new DemuxError(`stream ${stream} in the container's output`);
        continue;
      }
      const piece = chunk.subarray(offset, offset + remaining);
      offset += piece.length;
      remaining -= piece.length;
      if (stream === stdout) onStdout(piece);
      else onStderr(piece);
    }
  };
}

/** The stdout pieces of a stream that is pulled; stderr pieces go to `onStderr` at once. Throws `DemuxError`, and what the source throws. */
export async function* demultiplex(
  source: AsyncIterable<Uint8Array>,
  onStderr: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const pieces: Buffer[] = [];
  const take = createDemultiplexer((piece) => pieces.push(piece), onStderr);
  for await (const chunk of source) {
    take(chunk);
    yield* pieces.splice(0);
  }
}
