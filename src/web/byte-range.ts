import type { Bytes } from '../ports/blobs.ts';

/** First and last byte, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * One range of a `Range` header (RFC 9110, 14.1.2). `null`: send all of it, because none is asked for, or several are, or in a form that nobody
 * knows. `unsatisfiable`: it begins behind the end.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | null | 'unsatisfiable' {
  const [matched, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec((header ?? '').replace(/\s/g, '')) ?? [];
  if (matched === undefined || (from === '' && to === '')) return null;
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return null;
  return first > last ? 'unsatisfiable' : { first, last };
}

/** The bytes of the range, `null`: all; what is before it is read over, as blobs are read from their beginning. */
export async function* bytesOfRange(bytes: Bytes, range: ByteRange | null): AsyncGenerator<Uint8Array> {
  // All is to the very end, where a blob that does not match its hash says so.
  const { first, last } = range ?? { first: 0, last: Infinity };
  let place = 0;
  for await (const chunk of bytes) {
    const part = chunk.subarray(Math.max(0, first - place), Math.max(0, last + 1 - place));
    place += chunk.byteLength;
    if (part.byteLength > 0) yield part;
    if (place > last) return;
  }
}
