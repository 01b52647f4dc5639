import { createHash } from 'node:crypto';
import { AppError } from '../../src/errors.ts';
import type { Blobs, Bytes } from '../../src/ports/blobs.ts';

/** Blobs in this process. */
export function createMemoryBlobs(): Blobs & { readonly stored: ReadonlyMap<string, Buffer> } {
  const stored = new Map<string, Buffer>();
  return {
    stored,
    put: async (bytes, { maxBytes }) => {
      const chunks: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const chunk of bytes) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes) throw new AppError('file-too-large', `The file is larger than ${maxBytes} bytes.`);
        chunks.push(chunk);
      }
      const whole = Buffer.concat(chunks);
      const sha256 = createHash('sha256').update(whole).digest('hex');
      stored.set(sha256, whole);
      return { sha256, sizeBytes };
    },
    get: (sha256) => read(stored, sha256),
    remove: (sha256s) => {
      for (const sha256 of sha256s) stored.delete(sha256);
      return Promise.resolve();
    },
    sweep: () => Promise.resolve(0),
    ping: () => Promise.resolve(),
  };
}

async function* read(stored: ReadonlyMap<string, Buffer>, sha256: string): Bytes {
  const bytes = stored.get(sha256);
  if (bytes === undefined) throw new AppError('file-unavailable', 'A file of this thread is no longer in my storage.');
  yield bytes;
}

export async function* bytesOf(text: string | Uint8Array): Bytes {
  yield typeof text === 'string' ? Buffer.from(text) : text;
}

export async function textOf(bytes: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
