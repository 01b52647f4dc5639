import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { createS3Blobs } from '../../src/blobs/s3-blobs.ts';
import { hasS3Server, startS3 } from '../fakes/s3.ts';
import type { S3Server } from '../fakes/s3.ts';
import { describeBlobs } from './blobs.ts';

// The program is OpenStack Swift with its S3 API: `npm run setup` says how it comes to this machine.
describe.skipIf(!hasS3Server())('on a real S3 server', () => {
  let server: S3Server;
  let spoolDir: string;
  const made: AsyncDisposable[] = [];
  let count = 0;
  beforeAll(async () => {
    spoolDir = await mkdtemp(join(tmpdir(), 'plotline-spool-'));
    server = await startS3();
  }, 60_000);
  afterAll(async () => {
    for (const blobs of made) await blobs[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(spoolDir, { recursive: true });
  });

  describeBlobs('S3', () => {
    count += 1;
    const blobs = createS3Blobs({ place: { ...server.place, prefix: `test-${count}/` }, spoolDir });
    made.push(blobs);
    return Promise.resolve(blobs);
  });
});
