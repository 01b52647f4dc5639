import type { ExecutionError, JsonValue, MimeBundle } from '../../types.ts';
import { megabytes } from '../size-text.ts';
import { linesOf } from './nbformat.ts';
import type { Output } from './nbformat.ts';

/** What every notebook viewer knows; types of our own and whole tables as CSV are left out. */
const textTypes = ['text/plain', 'text/html', 'text/markdown', 'text/latex', 'image/svg+xml'];
const binaryTypes = ['image/png', 'image/jpeg', 'application/pdf'];
const jsonType = 'application/json';

/** Longest text of one stream, in characters: what is kept of a cell's output anyway. */
const streamCharacters = 65_536;

/** What a cell printed, showed and raised, as far as it was kept. */
export interface StepOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly results: readonly MimeBundle[];
  readonly error: ExecutionError | null;
}

/** Room for the outputs of one notebook, in bytes as they are written to it. */
export interface OutputRoom {
  bytes: number;
}

/** Outputs in the order in which viewers show them: streams, results, the error. Takes its bytes from `room`; what does not fit is named. */
export function outputsOf(step: StepOutput, room: OutputRoom): readonly Output[] {
  const displayed = step.results.map((bundle) => displayOf(bundle, room)).filter((output) => output !== null);
  return [
    ...streamOf('stdout', step.stdout, room),
    ...streamOf('stderr', step.stderr, room),
    ...displayed,
    ...(step.error === null ? [] : [errorOf(step.error)]),
  ];
}

function streamOf(name: 'stdout' | 'stderr', text: string, room: OutputRoom): readonly Output[] {
  if (text === '') return [];
  const limit = Math.max(0, Math.min(streamCharacters, room.bytes));
  const kept = text.length <= limit ? text : `${text.slice(0, limit)}\n[${text.length - limit} characters left out]\n`;
  room.bytes -= kept.length;
  return [{ output_type: 'stream', name, text: linesOf(kept) }];
}

/** The parts that viewers know; the largest ones give way until the rest fits. `null` where nothing is for viewers. */
function displayOf(bundle: MimeBundle, room: OutputRoom): Output | null {
  const parts = Object.entries(bundle)
    .map(([mimeType, value]) => ({ mimeType, data: partOf(mimeType, value) }))
    .filter((part): part is { mimeType: string; data: JsonValue } => part.data !== null)
    .map((part) => ({ ...part, sizeBytes: JSON.stringify(part.data).length }))
    .toSorted((one, other) => one.sizeBytes - other.sizeBytes);
  if (parts.length === 0) return null;
  const leftOut: typeof parts = [];
  while (parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > room.bytes) {
    const largest = parts.pop();
    if (largest === undefined) break;
    leftOut.push(largest);
  }
  for (const { sizeBytes } of parts) room.bytes -= sizeBytes;
  const data: Record<string, JsonValue> = Object.fromEntries(parts.map((part) => [part.mimeType, part.data]));
  if (leftOut.length > 0) {
    const names = leftOut.map(({ mimeType, sizeBytes }) => `${mimeType}, ${megabytes(sizeBytes)}`).join('; ');
    data['text/plain'] = [`[Left out, because the notebook would be too large: ${names}. Run the cell to see it.]`];
  }
  return { output_type: 'display_data', data, metadata: {} };
}

function partOf(mimeType: string, value: string | Uint8Array | JsonValue): JsonValue | null {
  if (binaryTypes.includes(mimeType)) return value instanceof Uint8Array ? base64Of(value) : null;
  if (textTypes.includes(mimeType)) return typeof value === 'string' ? linesOf(value) : null;
  return mimeType === jsonType && !(value instanceof Uint8Array) ? value : null;
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function errorOf({ name, message, traceback }: ExecutionError): Output {
  const lines = traceback === '' ? [`${name}: ${message}`] : traceback.split('\n');
  return { output_type: 'error', ename: name, evalue: message, traceback: lines.map((line) => line.toWellFormed()) };
}
