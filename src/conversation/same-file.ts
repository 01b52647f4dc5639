import type { Blobs, Bytes } from '../ports/blobs.ts';
import type { SandboxSession } from '../ports/sandbox.ts';
import { sameText } from './same-text.ts';

/** Text files up to this size are compared as text: a page with plotly's own script in it has 9 MB. */
const textBytes = 16 * 1024 * 1024;

/** Larger files are not compared but by their hashes: they would travel and be read twice. */
const comparedBytes = 64 * 1024 * 1024;

const compareTimeoutMs = 10_000;

/** Hidden from `files` of the cells, and removed by the code that looks at it. */
const recordedName = '.recorded-by-plotline';

/**
 * Whether a file that a replay wrote says the same as the recorded one, though their hashes differ: texts but for the time of
 * the day in them, office files, archives and PDFs but for the dates that these formats write into themselves. Other formats
 * than text are looked at inside the session. False where the recorded bytes are no longer kept.
 */
export async function sameFile(
  session: SandboxSession,
  file: { readonly path: string; readonly sizeBytes: number },
  recorded: { readonly sha256: string; readonly sizeBytes: number },
  deps: { readonly blobs: Blobs; readonly durationMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { blobs, durationMs, signal } = deps;
  const largerBytes = Math.max(file.sizeBytes, recorded.sizeBytes);
  if (largerBytes > comparedBytes) return false;
  try {
    if (largerBytes <= textBytes) {
      const now = await textOf(session.read(file.path, { maxBytes: textBytes, signal }));
      const before = now === null ? null : await textOf(blobs.get(recorded.sha256));
      if (now !== null && before !== null) return sameText(before, now, durationMs, mimeOf(file.path));
    }
    await session.write(recordedName, blobs.get(recorded.sha256), signal);
    // A JSON string is a valid Python string: same quotes, same escapes.
    const names = [file.path, recordedName].map((name) => JSON.stringify(name)).join(', ');
    const code = `__import__("plotline.same_content").same_content.show_same(${names})`;
    const { stdout } = await session.run(code, { timeoutMs: compareTimeoutMs, signal, onOutput: () => {} });
    return stdout === 'True\n';
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** `null` where it is no UTF-8. */
async function textOf(bytes: Bytes): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return null;
  }
}

function mimeOf(path: string): string {
  if (/\.html?$/i.test(path)) return 'text/html';
  return /\.svg$/i.test(path) ? 'image/svg+xml' : 'text/plain';
}
