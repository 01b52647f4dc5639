import { setTimeout as delay } from 'node:timers/promises';
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { S3Place } from '../blob-config.ts';
import { AppError } from '../errors.ts';
import type { Blobs, Bytes } from '../ports/blobs.ts';
import { unavailable } from './blob-errors.ts';
import { createIncomingFiles } from './incoming-files.ts';
import { createS3Client, putFileCommand } from './s3-client.ts';
import { isMissing, isRefusal, sayS3Error, storageFailure } from './s3-errors.ts';
import { isSha256, verified } from './sha256.ts';

/** Both what a listing gives at most and what a batch may delete. */
const keysPerCall = 1000;

/** A download that breaks goes on where it broke, so often. */
const maxResumes = 4;
const resumePauseMs = 250;

/** The server's clock shows whole seconds, some round up. */
const clockStepMs = 1000;

/**
 * Blobs as objects `prefix/<sha256>` of any S3-compatible server. The hash is known at the end only, so bytes go to a file in
 * `spoolDir` first and from there to their key in one call: a crash leaves at most that file, which the sweep finds, and nothing on
 * the server; no memory holds them. Putting the same bytes again renews the object, which also repairs it and keeps it from a sweep.
 */
export function createS3Blobs(deps: {
  readonly place: S3Place;
  /** On this machine; of every process that shares it. */
  readonly spoolDir: string;
  /** Longest silence of the server in the midst of a transfer. */
  readonly silenceMs?: number;
}): Blobs & AsyncDisposable {
  const { place } = deps;
  const client = createS3Client(place, deps.silenceMs);
  const incoming = createIncomingFiles(deps.spoolDir, { isDurable: false });
  const keyOf = (sha256: string): string => `${place.prefix}${sha256}`;

  const removeKeys = async (keys: readonly string[]): Promise<void> => {
    for (let from = 0; from < keys.length; from += keysPerCall) {
      const Objects = keys.slice(from, from + keysPerCall).map((Key) => ({ Key }));
      const { Errors: [failed] = [] } = await client
        .send(new DeleteObjectsCommand({ Bucket: place.bucket, Delete: { Objects, Quiet: true } }))
        .catch(rethrowAs('deleting'));
      if (failed !== undefined)
        throw storageFailure(`deleting ${failed.Key}`, new Error(`${failed.Code}: ${failed.Message}`));
    }
  };

  return {
    put: (bytes, { maxBytes }) =>
      incoming.take(bytes, maxBytes, async (file) => {
        const { sha256, sizeBytes } = file;
        await client.send(putFileCommand(place, keyOf(sha256), file)).catch(rethrowAs(`putting ${sha256}`));
        return { sha256, sizeBytes };
      }),

    get: (sha256) => verified(readObject(client, place.bucket, keyOf(sha256), sha256), sha256),

    remove: (sha256s) => removeKeys(sha256s.filter(isSha256).map(keyOf)),

    sweep: async (keep, olderThanMs, signal) => {
      let removed = 0;
      for await (const objects of listed(client, place)) {
        signal.throwIfAborted();
        const newest = Date.now() - olderThanMs + clockStepMs;
        const old = objects.filter(({ modifiedMs }) => modifiedMs <= newest);
        const unneeded = old.filter(({ sha256 }) => !keep.has(sha256)).map(({ sha256 }) => keyOf(sha256));
        await removeKeys(unneeded);
        removed += unneeded.length;
      }
      await incoming.sweep(olderThanMs);
      return removed;
    },

    ping: async (signal) => {
      await incoming.ping();
      const one = new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 });
      await client.send(one, { abortSignal: signal }).catch(rethrowAs('asking for the bucket'));
    },

    [Symbol.asyncDispose]: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

/** Rejects with `config` where the server refuses us; resolves to what is wrong with it at the moment, `null` where it answers. */
export async function checkS3(place: S3Place): Promise<string | null> {
  const client = createS3Client(place);
  try {
    await client.send(new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 }));
    return null;
  } catch (error) {
    if (!isRefusal(error)) return sayS3Error(error);
    throw new AppError(
      'config',
      `The bucket “${place.bucket}” of BLOB_URL cannot be used: ${sayS3Error(error)}. Check the bucket, endpoint and region of BLOB_URL, ` +
        'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, and that the key may list, read, write and delete there.',
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}

async function* readObject(client: S3Client, Bucket: string, Key: string, sha256: string): Bytes {
  if (!isSha256(sha256)) throw unavailable(`not a SHA-256: ${sha256.slice(0, 80)}`);
  let position = 0;
  for (let resumes = 0; ; resumes += 1) {
    const range = position === 0 ? {} : { Range: `bytes=${position}-` };
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...range })).catch((error: unknown) => {
      if (isMissing(error)) throw unavailable(`blob ${sha256} is not in the bucket`, error);
      throw storageFailure(`getting ${sha256}`, error);
    });
    try {
      for await (const chunk of Body as Bytes) {
        position += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      if (resumes >= maxResumes) throw storageFailure(`reading ${sha256} at byte ${position}`, error);
    }
    await delay(resumePauseMs * 2 ** resumes);
  }
}

async function* listed(
  client: S3Client,
  { bucket, prefix }: S3Place,
): AsyncIterable<readonly { readonly sha256: string; readonly modifiedMs: number }[]> {
  let after: string | undefined;
  do {
    const page = await client
      .send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: keysPerCall,
          ...(after === undefined ? {} : { ContinuationToken: after }),
        }),
      )
      .catch(rethrowAs('listing'));
    yield (page.Contents ?? []).flatMap(({ Key = '', LastModified }) => {
      const sha256 = Key.slice(prefix.length);
      // What is not named like a blob is somebody else's.
      return isSha256(sha256) && LastModified !== undefined ? [{ sha256, modifiedMs: LastModified.getTime() }] : [];
    });
    after = page.NextContinuationToken;
  } while (after !== undefined);
}

function rethrowAs(doing: string): (error: unknown) => never {
  return (error) => {
    throw storageFailure(doing, error);
  };
}
