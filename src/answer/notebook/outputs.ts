import type { CellRecord, JsonValue } from '../../types.ts';
import { megabytes } from '../size-text.ts';
import { linesOf } from './nbformat.ts';
import type { Output } from './nbformat.ts';

/** What every notebook viewer knows; types of our own and whole tables as CSV are left out. */
const textTypes = ['text/plain', 'text/html', 'text/markdown', 'text/latex', 'image/svg+xml'];
const binaryTypes = ['image/png', 'image/jpeg', 'application/pdf'];
const jsonType = 'application/json';
const shownTypes = [...textTypes, ...binaryTypes, jsonType];

/** Longest text of one stream, in characters: what is kept of a cell's output anyway. */
const streamCharacters = 65_536;

/** One MIME type of something that a cell showed. `read` resolves to `null` where its bytes are gone. */
export interface ShownPart {
  readonly sizeBytes: number;
  read(): Promise<string | Uint8Array | JsonValue>;
}

export type ShownBundle = Readonly<Record<string, ShownPart>>;

/** Room for the outputs of one notebook, in bytes as they are written to it. */
export interface OutputRoom {
  bytes: number;
}

/**
 * A cell's outputs in the order in which viewers show them: streams, results, the error. Takes its bytes from `room`; what does
 * not fit is named in its place, and never read.
 */
export async function outputsOf(
  { stdout, stderr, error }: Pick<CellRecord, 'stdout' | 'stderr' | 'error'>,
  results: readonly ShownBundle[],
  room: OutputRoom,
): Promise<readonly Output[]> {
  const outputs: Output[] = [...streamOf('stdout', stdout, room), ...streamOf('stderr', stderr, room)];
  for (const bundle of results) {
    const display = await displayOf(bundle, room);
    if (display !== null) outputs.push(display);
  }
  if (error !== null) {
    const { name, message, traceback } = error;
    const lines = traceback === '' ? [`${name}: ${message}`] : traceback.split('\n');
    outputs.push({
      output_type: 'error',
      ename: name.toWellFormed(),
      evalue: message.toWellFormed(),
      traceback: lines.map((line) => line.toWellFormed()),
    });
  }
  return outputs;
}

function streamOf(name: 'stdout' | 'stderr', text: string, room: OutputRoom): readonly Output[] {
  if (text === '') return [];
  const limit = Math.max(0, Math.min(streamCharacters, room.bytes));
  const left = text.length - limit;
  const kept = left <= 0 ? text : `${text.slice(0, limit).toWellFormed()}\n[${left} more characters were left out]\n`;
  room.bytes -= kept.length;
  return [{ output_type: 'stream', name, text: linesOf(kept) }];
}

/** The parts that viewers know; the largest ones give way until the rest fits. `null` where there are none. */
async function displayOf(bundle: ShownBundle, room: OutputRoom): Promise<Output | null> {
  const parts = Object.entries(bundle)
    .filter(([mimeType]) => shownTypes.includes(mimeType))
    .map(([mimeType, part]) => ({ mimeType, part, bytes: writtenBytes(mimeType, part.sizeBytes) }))
    .toSorted((one, other) => one.bytes - other.bytes);
  if (parts.length === 0) return null;
  const leftOut: string[] = [];
  while (parts.reduce((sum, { bytes }) => sum + bytes, 0) > room.bytes) {
    const largest = parts.pop();
    if (largest === undefined) break;
    leftOut.push(`${largest.mimeType} of ${megabytes(largest.bytes)}`);
  }
  const data: Record<string, JsonValue> = {};
  for (const { mimeType, part, bytes } of parts) {
    room.bytes -= bytes;
    const value = partOf(mimeType, await part.read());
    if (value === null) leftOut.push(`${mimeType}, which was not kept`);
    else data[mimeType] = value;
  }
  if (leftOut.length > 0) {
    data['text/plain'] = [`[Left out here: ${leftOut.join('; ')}. Run the cell to see it.]`];
  }
  // Where viewers look for the words that stand for a picture.
  const words = bundle['image/png'] === undefined ? undefined : data['text/plain'];
  const metadata = Array.isArray(words) ? { 'image/png': { alt: words.join('') } } : {};
  return { output_type: 'display_data', data, metadata };
}

/** Bytes become base64. */
function writtenBytes(mimeType: string, sizeBytes: number): number {
  return binaryTypes.includes(mimeType) ? Math.ceil(sizeBytes / 3) * 4 : sizeBytes;
}

function partOf(mimeType: string, value: string | Uint8Array | JsonValue): JsonValue | null {
  if (binaryTypes.includes(mimeType)) {
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : null;
  }
  if (textTypes.includes(mimeType)) return typeof value === 'string' ? linesOf(value) : null;
  return value instanceof Uint8Array ? null : value;
}
