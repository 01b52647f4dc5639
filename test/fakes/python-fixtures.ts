import type { Bytes } from '../../src/ports/blobs.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';

/**
 * Files that only other programs can write, made by running Python in a sandbox session: `code` writes to the working
 * directory; the result holds every file it made.
 */
export async function makeFiles(session: SandboxSession, code: string): Promise<ReadonlyMap<string, Buffer>> {
  const signal = AbortSignal.timeout(120_000);
  const execution = await session.run(code, { timeoutMs: 120_000, signal, onOutput: () => {} });
  if (execution.status !== 'ok') throw new Error(`${execution.error?.message}\n${execution.error?.traceback}`);
  const files = new Map<string, Buffer>();
  for (const { path } of execution.files) {
    files.set(path, await collect(session.read(path, { maxBytes: 64 * 1024 * 1024, signal })));
  }
  return files;
}

export async function collect(bytes: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
