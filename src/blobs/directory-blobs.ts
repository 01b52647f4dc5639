import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs, Bytes } from '../ports/blobs.ts';
import { unavailable } from './blob-errors.ts';
import { createIncomingFiles, namesIn, removeOlderThan } from './incoming-files.ts';
import { isSha256, verified } from './sha256.ts';

/**
 * Blobs as files `dir/ab/cdef…`, named by their SHA-256. A file appears under its name only when it is whole and on disk, so a
 * crash leaves no half blob; putting the same bytes again renews the file, which also repairs it and keeps it from a sweep.
 */
export function createDirectoryBlobs(deps: { readonly dir: string }): Blobs {
  const incoming = createIncomingFiles(join(deps.dir, 'incoming'), { isDurable: true });
  const pathOf = (sha256: string): string => join(deps.dir, sha256.slice(0, 2), sha256.slice(2));

  return {
    put: (bytes, { maxBytes }) =>
      incoming.take(bytes, maxBytes, async ({ path: temporary, sha256, sizeBytes }) => {
        const path = pathOf(sha256);
        const isNewFolder = (await mkdir(dirname(path), { recursive: true, mode: 0o700 })) !== undefined;
        await rename(temporary, path);
        await flushFolder(dirname(path));
        if (isNewFolder) await flushFolder(deps.dir);
        return { sha256, sizeBytes };
      }),

    get: (sha256) => verified(readFile(pathOf(sha256), sha256), sha256),

    remove: async (sha256s) => {
      for (const sha256 of sha256s) if (isSha256(sha256)) await rm(pathOf(sha256), { force: true });
    },

    sweep: async (keep, olderThanMs, signal) => {
      let removed = 0;
      for (const prefix of await namesIn(deps.dir)) {
        signal.throwIfAborted();
        if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
        for (const rest of await namesIn(join(deps.dir, prefix))) {
          if (keep.has(prefix + rest)) continue;
          if (await removeOlderThan(join(deps.dir, prefix, rest), olderThanMs)) removed += 1;
        }
      }
      await incoming.sweep(olderThanMs);
      return removed;
    },

    ping: async () => {
      await incoming.ping();
    },
  };
}

async function* readFile(path: string, sha256: string): Bytes {
  if (!isSha256(sha256)) throw unavailable(`not a SHA-256: ${sha256.slice(0, 80)}`);
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unavailable(`blob ${sha256} cannot be opened`, error);
  });
  // Closing is the stream's: it also does so when the reader stops early.
  yield* file.createReadStream() as Bytes;
}

/** A renamed file survives a power cut only when its folder was flushed too. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
