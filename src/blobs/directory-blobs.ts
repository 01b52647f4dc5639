import { createHash, randomUUID } from 'node:crypto';
import { access, constants, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors.ts';
import type { Blobs, Bytes } from '../ports/blobs.ts';

const bytesPerMegabyte = 1024 * 1024;

/** No upload takes this long, so a temporary file of this age is what a killed process left behind. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

const hashPattern = /^[0-9a-f]{64}$/;

/**
 * Blobs as files `dir/ab/cdef…`, named by their SHA-256. A file appears under its name only when it is whole and on disk, so a
 * crash leaves no half blob; putting the same bytes again renews the file, which also repairs it and keeps it from a sweep.
 */
export function createDirectoryBlobs(deps: { readonly dir: string }): Blobs {
  const temporaryDir = join(deps.dir, 'incoming');
  const pathOf = (sha256: string): string => join(deps.dir, sha256.slice(0, 2), sha256.slice(2));

  return {
    put: async (bytes, { maxBytes }) => {
      await mkdir(temporaryDir, { recursive: true, mode: 0o700 });
      const temporary = join(temporaryDir, randomUUID());
      try {
        const written = await writeWhole(temporary, bytes, maxBytes);
        const path = pathOf(written.sha256);
        const isNewFolder = (await mkdir(dirname(path), { recursive: true, mode: 0o700 })) !== undefined;
        await rename(temporary, path);
        await flushFolder(dirname(path));
        if (isNewFolder) await flushFolder(deps.dir);
        return written;
      } catch (error) {
        await rm(temporary, { force: true });
        throw isNoSpace(error)
          ? new AppError('internal', 'My disk is full, so I could not keep this file. Please tell whoever runs me.', {
              cause: error,
            })
          : error;
      }
    },

    get: (sha256) => readVerified(pathOf(sha256), sha256),

    remove: async (sha256s) => {
      for (const sha256 of sha256s) if (hashPattern.test(sha256)) await rm(pathOf(sha256), { force: true });
    },

    sweep: async (keep, olderThanMs) => {
      let removed = 0;
      for (const prefix of await namesIn(deps.dir)) {
        if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
        for (const rest of await namesIn(join(deps.dir, prefix))) {
          if (keep.has(prefix + rest)) continue;
          if (await removeOlderThan(join(deps.dir, prefix, rest), olderThanMs)) removed += 1;
        }
      }
      for (const name of await namesIn(temporaryDir)) {
        await removeOlderThan(join(temporaryDir, name), Math.max(olderThanMs, abandonedAfterMs));
      }
      return removed;
    },

    ping: async () => {
      await mkdir(temporaryDir, { recursive: true, mode: 0o700 });
      await access(temporaryDir, constants.R_OK | constants.W_OK | constants.X_OK);
      const { bavail } = await statfs(temporaryDir);
      if (bavail === 0)
        throw new AppError('internal', 'My disk is full.', { detail: `the disk of ${deps.dir} is full` });
    },
  };
}

/** Resolves when the bytes are on disk. On any failure the caller removes the file. */
async function writeWhole(
  path: string,
  bytes: Bytes,
  maxBytes: number,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of bytes) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

async function* readVerified(path: string, sha256: string): Bytes {
  if (!hashPattern.test(sha256)) throw unavailable(`not a SHA-256: ${sha256.slice(0, 80)}`);
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unavailable(`blob ${sha256} cannot be opened`, error);
  });
  const hash = createHash('sha256');
  // Closing is the stream's: it also does so when the reader stops early.
  for await (const chunk of file.createReadStream()) {
    hash.update(chunk as Uint8Array);
    yield chunk as Uint8Array;
  }
  if (hash.digest('hex') !== sha256) throw unavailable(`blob ${sha256} does not match its hash`);
}

async function removeOlderThan(path: string, ageMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || Date.now() - found.mtimeMs < ageMs) return false;
  await rm(path, { force: true });
  return true;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
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

function tooLarge(maxBytes: number): AppError {
  const limit = Number((maxBytes / bytesPerMegabyte).toPrecision(3));
  return new AppError(
    'file-too-large',
    `The file is larger than ${limit} MB, the most I may keep. Send a part of it, or only the columns you need.`,
  );
}

function unavailable(detail: string, cause?: unknown): AppError {
  return new AppError('file-unavailable', 'A file of this thread is no longer in my storage. Please attach it again.', {
    cause,
    detail,
  });
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
