import { toAppError } from '../src/errors.ts';
import type { SandboxSession } from '../src/ports/sandbox.ts';
import { verdict } from './attack.ts';
import type { Verdict } from './attack.ts';

/** What came out of one file of a session: its bytes, or the code of the refusal. Nothing else counts as an outcome. */
export interface Taken {
  readonly bytes: Buffer;
  /** The `AppError`'s code; `null` where the file came out whole. */
  readonly refused: string | null;
  readonly milliseconds: number;
}

/** Reads as the bot does. `bytes` is what had come by the time of a refusal. */
export async function take(
  session: SandboxSession,
  path: string,
  signal: AbortSignal,
  maxBytes = 4 * 1024 * 1024,
): Promise<Taken> {
  const chunks: Uint8Array[] = [];
  const startedAt = performance.now();
  let refused: string | null = null;
  try {
    for await (const chunk of session.read(path, { maxBytes, signal })) chunks.push(chunk);
  } catch (error) {
    refused = toAppError(error).code;
  }
  return { bytes: Buffer.concat(chunks), refused, milliseconds: performance.now() - startedAt };
}

/** Paths that `list` gives; the code of the refusal in its place where it refuses. */
export async function listed(session: SandboxSession, dir = ''): Promise<readonly string[] | string> {
  try {
    return (await session.list(dir)).map(({ path }) => path);
  } catch (error) {
    return toAppError(error).code;
  }
}

/** Contained when every claim holds; the evidence names the ones that do not, then what was seen. */
export function judge(claims: Readonly<Record<string, boolean>>, seen: string): Verdict {
  const broken = Object.entries(claims).flatMap(([claim, holds]) => (holds ? [] : [claim]));
  return verdict(oneLine(seen), [broken.length > 0 && oneLine(`not so: ${broken.join(', ')} (${seen})`)]);
}

/** Reads like the host's or the container's password file, or like a process's environment. */
export function looksLikeLoot(text: string): boolean {
  return /root:[x*!]?:0:0|PATH=\//.test(text);
}

/** For evidence about hostile text: without what a terminal would obey, and not too long. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]+/g, ' ').toWellFormed();
  return line.length <= 400 ? line : `${line.slice(0, 399).toWellFormed()}…`;
}
