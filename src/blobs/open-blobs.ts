import { join } from 'node:path';
import type { S3Place } from '../blob-config.ts';
import type { Logger } from '../log.ts';
import type { Blobs } from '../ports/blobs.ts';
import { createDirectoryBlobs } from './directory-blobs.ts';

/**
 * Files where the settings want them: a bucket, or the folder `blobs` of `dataDir`. Rejects with `config` where the server refuses
 * the bucket or the key; one that cannot be reached now is logged, for it may come back.
 */
export async function openBlobs(deps: {
  readonly place: S3Place | null;
  readonly dataDir: string;
  readonly log: Logger;
}): Promise<Blobs & AsyncDisposable> {
  const { place, dataDir, log } = deps;
  if (place === null) {
    return { ...createDirectoryBlobs({ dir: join(dataDir, 'blobs') }), [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const { checkS3, createS3Blobs } = await import('./s3-blobs.ts');
  const trouble = await checkS3(place);
  if (trouble !== null) log.error({ bucket: place.bucket, error: trouble }, 'the storage for files does not answer');
  return createS3Blobs({ place, spoolDir: join(dataDir, 'spool') });
}
