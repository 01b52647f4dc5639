import { inflateSync } from 'node:zlib';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Share, 0 to 1, of the pixels whose colour is not the one of the top left corner. */
  readonly drawnShare: number;
}

/** Samples of a pixel by PNG colour type: grey, RGB, palette, grey with alpha, RGBA. */
const samplesByColourType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Decodes a PNG of 8 bits a sample without interlacing, which is what matplotlib writes. Throws on anything else. */
export function readPng(bytes: Buffer): Picture {
  if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('not a PNG');
  const header = bytes.subarray(16, 29);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const pixelBytes = samplesByColourType[header.readUInt8(9)];
  if (header.readUInt8(8) !== 8 || pixelBytes === undefined || header.readUInt8(12) !== 0) {
    throw new Error('a PNG of another depth, colour type or interlacing');
  }
  const pixels = unfilter(inflateSync(imageData(bytes)), height, width * pixelBytes, pixelBytes);
  const corner = pixels.subarray(0, pixelBytes);
  let drawn = 0;
  for (let at = 0; at < pixels.length; at += pixelBytes) {
    if (!pixels.subarray(at, at + pixelBytes).equals(corner)) drawn += 1;
  }
  return { width, height, drawnShare: drawn / (width * height) };
}

function imageData(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (bytes.subarray(at + 4, at + 8).toString('latin1') === 'IDAT')
      parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return Buffer.concat(parts);
}

/** Undoes the five row filters of PNG (section 9 of its specification). */
function unfilter(raw: Buffer, height: number, rowBytes: number, pixelBytes: number): Buffer {
  const out = Buffer.alloc(height * rowBytes);
  for (let row = 0; row < height; row += 1) {
    const filter = raw.readUInt8(row * (rowBytes + 1));
    for (let column = 0; column < rowBytes; column += 1) {
      const at = row * rowBytes + column;
      const left = column >= pixelBytes ? (out[at - pixelBytes] ?? 0) : 0;
      const above = row > 0 ? (out[at - rowBytes] ?? 0) : 0;
      const corner = row > 0 && column >= pixelBytes ? (out[at - rowBytes - pixelBytes] ?? 0) : 0;
      const sample = raw[row * (rowBytes + 1) + 1 + column] ?? 0;
      out[at] = sample + predicted(filter, left, above, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
