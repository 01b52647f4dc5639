import { createHash, randomUUID } from 'node:crypto';
import { access, constants, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import type { Bytes } from '../ports/blobs.ts';
import { orDiskFull, tooLarge } from './blob-errors.ts';

/** No upload takes this long, so a temporary file of this age is what a killed process left behind. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

export interface IncomingFile {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Where bytes are written until their hash is known: a folder of files that nobody names yet. `isDurable`: a file is on disk
 * before it is handed over.
 */
export interface IncomingFiles {
  /**
   * Writes the bytes to a file, hands it over, and removes what is left of it then, however that ended. Rejects with
   * `file-too-large` past `maxBytes`; an error of the source is handed on.
   */
  take<T>(bytes: Bytes, maxBytes: number, use: (file: IncomingFile) => Promise<T>): Promise<T>;
  /** Removes what killed processes left, once it is a day old and `olderThanMs`. */
  sweep(olderThanMs: number): Promise<void>;
  /** Rejects with the reason where no file could be written now. */
  ping(): Promise<void>;
}

export function createIncomingFiles(dir: string, { isDurable }: { readonly isDurable: boolean }): IncomingFiles {
  return {
    take: async (bytes, maxBytes, use) => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const path = join(dir, randomUUID());
      try {
        return await use({ path, ...(await writeWhole(path, bytes, maxBytes, isDurable)) });
      } catch (error) {
        throw orDiskFull(error);
      } finally {
        await rm(path, { force: true });
      }
    },
    ping: async () => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
      const { bavail } = await statfs(dir);
      if (bavail === 0) throw new AppError('internal', 'My disk is full.', { detail: `the disk of ${dir} is full` });
    },
    sweep: async (olderThanMs) => {
      const ageMs = Math.max(olderThanMs, abandonedAfterMs);
      for (const name of await namesIn(dir)) await removeOlderThan(join(dir, name), ageMs);
    },
  };
}

async function writeWhole(
  path: string,
  bytes: Bytes,
  maxBytes: number,
  isDurable: boolean,
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
    if (isDurable) await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** True where the file was old enough and is gone now. */
export async function removeOlderThan(path: string, ageMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || Date.now() - found.mtimeMs < ageMs) return false;
  await rm(path, { force: true });
  return true;
}

/** Of a folder that may not exist. */
export async function namesIn(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}
