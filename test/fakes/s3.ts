import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Place } from '../../src/blob-config.ts';
import { freePort } from './free-port.ts';

/** An S3 server of its own, with one bucket, on this machine's loopback; its files go with it. */
export interface S3Server extends AsyncDisposable {
  readonly place: S3Place;
  /** For whatever the blobs do not offer. */
  readonly client: S3Client;
}

const startTimeoutMs = 30_000;

/** Debian's Python, for which the server is installed; another Python on PATH does not see it. */
const python = '/usr/bin/python3';
const library = '/usr/lib/python3/dist-packages/swift/__init__.py';

/** Whether OpenStack Swift is installed here. Where CI is set it must be. */
export function hasS3Server(): boolean {
  return existsSync(library) || process.env['CI'] !== undefined;
}

/** Starts OpenStack Swift, whose S3 API checks signatures itself. */
export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'plotline-s3-'));
  const port = await freePort();
  const program = fileURLToPath(new URL('s3_server.py', import.meta.url));
  const child = spawn(python, [program, folder, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4000);
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const ready = Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the S3 server ended: ${said}`))),
    once(child, 'error').then(([error]) => Promise.reject(error as Error)),
    once(AbortSignal.timeout(startTimeoutMs), 'abort').then(() =>
      Promise.reject(new Error(`the S3 server did not start: ${said}`)),
    ),
  ]);
  const place: S3Place = {
    bucket: 'plotline-test',
    prefix: 'blobs/',
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    isPathStyle: true,
    credentials: { accessKeyId: 'test:tester', secretAccessKey: 'testing' },
  };
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: place.region,
    forcePathStyle: true,
    credentials: { accessKeyId: 'test:tester', secretAccessKey: 'testing' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  try {
    await ready;
    await client.send(new CreateBucketCommand({ Bucket: place.bucket }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    place,
    client,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await stop();
    },
  };
}
