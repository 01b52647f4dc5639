/**
 * Docker's attach stream carries stdout and stderr in one: one byte 1 or 2, three zero bytes, a big-endian u32 length, that
 * many bytes. Untrusted code decides how much comes, so this reads only when asked (the engine's own client library does not).
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
 * The stdout bytes in order, as they come; nothing is gathered beyond one 8-byte head. stderr pieces go to `onStderr` at
 * once. A stream that ends inside a record just ends: the frame decoder above notices what is missing.
 * Throws `DemuxError` on an unknown stream number, and whatever the source throws.
 */
export async function* demultiplex(
  source: AsyncIterable<Uint8Array>,
  onStderr: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const head = Buffer.alloc(headBytes);
  let headFilled = 0;
  let remaining = 0;
  let stream = stdout;
  for await (const chunk of source) {
    let offset = 0;
    while (offset < chunk.length) {
      if (remaining === 0) {
        const part = chunk.subarray(offset, offset + headBytes - headFilled);
        head.set(part, headFilled);
        headFilled += part.length;
        offset += part.length;
        if (headFilled < headBytes) break;
        headFilled = 0;
        stream = head[0] ?? 0;
        remaining = head.readUInt32BE(4);
        if (stream !== stdout && stream !== stderr) throw new DemuxError(`stream ${stream} in the container's output`);
        continue;
      }
      const piece = chunk.subarray(offset, offset + remaining);
      offset += piece.length;
      remaining -= piece.length;
      if (stream === stdout) yield piece;
      else onStderr(piece);
    }
  }
}
