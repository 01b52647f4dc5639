import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Place } from '../blob-config.ts';
import type { IncomingFile } from './incoming-files.ts';

/** Of each call, with the SDK's growing pauses between: half a minute of a server that asks to slow down is survived. */
const maxAttempts = 6;
const connectionTimeoutMs = 5000;

/** Longest silence on a connection, not of a whole transfer. */
const defaultSilenceMs = 30_000;

interface HttpMessage {
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/**
 * The client for any S3-compatible server: only what each of them has. No checksum trailers, which older servers refuse or store as
 * part of the object; instead a put is signed over its SHA-256, and a batch delete carries the older Content-MD5.
 */
export function createS3Client(place: S3Place, silenceMs: number = defaultSilenceMs): S3Client {
  const client = new S3Client({
    region: place.region,
    ...(place.endpoint === null ? {} : { endpoint: place.endpoint }),
    forcePathStyle: place.isPathStyle,
    ...(place.credentials === null ? {} : { credentials: place.credentials }),
    maxAttempts,
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: silenceMs },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      const { headers, body } = args.request as HttpMessage;
      if (context.commandName === 'DeleteObjectsCommand' && typeof body === 'string') {
        headers['content-md5'] = createHash('md5').update(body).digest('base64');
      }
      return next(args);
    },
    { step: 'build', name: 'plotlineContentMd5' },
  );
  return client;
}

/**
 * Puts a file under the key, in one piece: it is there whole or not at all, and there are no parts to clean up. Its hash is part of
 * the signature, so the server refuses bytes that were changed on the way. The SDK cannot repeat a body that is a stream: each
 * attempt therefore opens the file anew, behind its retries.
 */
export function putFileCommand(place: S3Place, key: string, file: IncomingFile): PutObjectCommand {
  const command = new PutObjectCommand({
    Bucket: place.bucket,
    Key: key,
    ContentLength: file.sizeBytes,
    ContentType: 'application/octet-stream',
  });
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as HttpMessage).headers['x-amz-content-sha256'] = file.sha256;
      return next(args);
    },
    { step: 'build', name: 'plotlineHash' },
  );
  command.middlewareStack.add(
    (next) => async (args) => {
      const body = createReadStream(file.path);
      try {
        return await next({ ...args, request: { ...(args.request as HttpMessage), body } });
      } finally {
        body.destroy();
      }
    },
    { step: 'finalizeRequest', priority: 'low', name: 'plotlineBody' },
  );
  return command;
}
