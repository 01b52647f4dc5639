import { createHash } from 'node:crypto';
import type { Bytes } from '../ports/blobs.ts';
import { unavailable } from './blob-errors.ts';

const hashPattern = /^[0-9a-f]{64}$/;

export function isSha256(text: string): boolean {
  return hashPattern.test(text);
}

/** The bytes as they come; rejects with `file-unavailable` at their end where they are not those of the hash. */
export async function* verified(bytes: Bytes, sha256: string): Bytes {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) throw unavailable(`blob ${sha256} does not match its hash`);
}
