import type { Blobs } from '../ports/blobs.ts';
import { tablePictureMime } from '../types.ts';
import type { CellRecord, Execution, JsonValue, RecordedResult } from '../types.ts';
import { withoutChance } from './same-text.ts';

/** Text kept of one cell's output, in characters: enough to show. */
const keptCharacters = 65_536;

/** Of a larger part only its hash is kept: enough to compare a replay with. */
const keptPartBytes = 16 * 1024 * 1024;

const encoder = new TextEncoder();

/** An execution as it is stored, its text capped; and the bytes that `results` names, by their hashes. */
export async function toCellRecord(
  execution: Execution,
): Promise<{ readonly record: CellRecord; readonly parts: ReadonlyMap<string, Uint8Array> }> {
  const parts = new Map<string, Uint8Array>();
  const results: RecordedResult[] = [];
  for (const bundle of execution.results) {
    const recorded: Record<string, RecordedResult[string]> = {};
    for (const [mime, value] of Object.entries(bundle)) {
      if (mime === tablePictureMime) continue;
      const bytes = bytesOfPart(mime, value);
      const sha256 = await sha256Of(bytes);
      recorded[mime] = { sha256, sizeBytes: bytes.length };
      if (bytes.length <= keptPartBytes) parts.set(sha256, bytes);
    }
    results.push(recorded);
  }
  const { status, stdout, stderr, error, stateKept, files, durationMs } = execution;
  const texts = { stdout: cap(stdout), stdoutSha256: await sha256OfText(stdout), stderr: cap(stderr) };
  return { record: { status, ...texts, results, error, stateKept, files, durationMs }, parts };
}

/** Puts what is not among `stored` already. A part that cannot be kept is no reason to keep the answer back: its hash stays. */
export async function keepParts(
  parts: ReadonlyMap<string, Uint8Array>,
  stored: ReadonlySet<string>,
  blobs: Blobs,
): Promise<void> {
  const missing = [...parts].filter(([sha256]) => !stored.has(sha256));
  await Promise.allSettled(missing.map(([, bytes]) => blobs.put(once(bytes), { maxBytes: keptPartBytes })));
}

/** Bytes of a bundle's part as they are stored: text as UTF-8, JSON as `JSON.stringify` writes it. */
export function bytesOfPart(mime: string, value: string | Uint8Array | JsonValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return encoder.encode(typeof value === 'string' && !mime.endsWith('json') ? value : JSON.stringify(value));
}

/** Lower-case hexadecimal. */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return Buffer.from(digest).toString('hex');
}

/** As a record's `stdoutSha256`. */
export function sha256OfText(stdout: string): Promise<string> {
  return sha256Of(encoder.encode(withoutChance(stdout)));
}

export function cap(text: string): string {
  return text.length <= keptCharacters ? text : text.slice(0, keptCharacters).toWellFormed();
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
