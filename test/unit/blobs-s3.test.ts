import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBlobs } from '../../src/blobs/open-blobs.ts';
import { checkS3, createS3Blobs } from '../../src/blobs/s3-blobs.ts';
import { createLogger } from '../../src/log.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import { collect, inChunks, sha256Of } from '../contract/blobs.ts';
import { startS3Faults } from '../fakes/s3-faults.ts';
import type { S3Faults } from '../fakes/s3-faults.ts';
import { hasS3Server, startS3 } from '../fakes/s3.ts';
import type { S3Server } from '../fakes/s3.ts';

const megabyte = 1024 * 1024;
const content = Uint8Array.from({ length: 3 * megabyte }, (_, index) => (index * 7919) % 251);
const name = sha256Of(content);
const roomy = { maxBytes: 10 * megabyte };
const unstopped = new AbortController().signal;
const source = (): Bytes => inChunks(content, 64 * 1024);

describe.skipIf(!hasS3Server())('blobs on a real S3 server', () => {
  let server: S3Server;
  let faults: S3Faults;
  let spoolDir: string;
  let place: S3Server['place'];
  let blobs: ReturnType<typeof createS3Blobs>;
  let count = 0;

  beforeAll(async () => {
    server = await startS3();
    faults = await startS3Faults(server.place.endpoint ?? '');
  });
  afterAll(async () => {
    await faults[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    spoolDir = await mkdtemp(join(tmpdir(), 'plotline-spool-'));
    count += 1;
    place = { ...server.place, endpoint: faults.endpoint, prefix: `unit-${count}/` };
    blobs = createS3Blobs({ place, spoolDir, silenceMs: 5000 });
    faults.plan([]);
  });
  afterEach(async () => {
    await blobs[Symbol.asyncDispose]();
    await rm(spoolDir, { recursive: true });
  });

  const keys = async (): Promise<readonly string[]> => {
    const listed = await server.client.send(new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix }));
    return (listed.Contents ?? []).map(({ Key = '' }) => Key);
  };

  it('puts again what was cut on its way, whole', async () => {
    faults.plan([{ cutRequestAfter: megabyte }, { cutRequestAfter: 0 }]);
    expect(await blobs.put(source(), roomy)).toEqual({ sha256: name, sizeBytes: content.length });
    expect(faults.calls.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT']);
    expect(Buffer.compare(await collect(blobs.get(name)), content)).toBe(0);
    expect(await readdir(spoolDir)).toEqual([]);
  });

  it('says what to do when no attempt gets through, and leaves nothing anywhere', async () => {
    faults.plan(Array.from({ length: 10 }, () => ({ cutRequestAfter: megabyte })));
    await expect(blobs.put(source(), roomy)).rejects.toMatchObject({
      code: 'internal',
      retryable: true,
      userMessage: expect.stringContaining('ask again in a few minutes'),
    });
    expect(faults.calls.length).toBe(6);
    expect(await keys()).toEqual([]);
    expect(await readdir(spoolDir)).toEqual([]);
  });

  it('goes on with a download where it was cut', async () => {
    await blobs.put(source(), roomy);
    faults.plan([{ cutAnswerAfter: megabyte }, 'slow-down', { cutAnswerAfter: megabyte }]);
    expect(Buffer.compare(await collect(blobs.get(name)), content)).toBe(0);
    const ranges = faults.calls.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0));
    expect(ranges).toEqual([0, megabyte, megabyte, 2 * megabyte]);
  });

  it('does not take a lost connection for a lost file', async () => {
    await blobs.put(source(), roomy);
    faults.plan(Array.from({ length: 50 }, () => ({ cutAnswerAfter: 1000 })));
    await expect(collect(blobs.get(name))).rejects.toMatchObject({ code: 'internal', retryable: true });
  });

  it('waits when the server asks to slow down', async () => {
    faults.plan(['slow-down', 'slow-down']);
    await blobs.put(source(), roomy);
    faults.plan(['slow-down']);
    expect((await collect(blobs.get(name))).length).toBe(content.length);
    faults.plan(['slow-down']);
    expect(await blobs.sweep(new Set([name]), 0, unstopped)).toBe(0);
    faults.plan(['slow-down']);
    await blobs.remove([name]);
    expect(faults.calls.length).toBe(2);
    expect(await keys()).toEqual([]);
  });

  it.each([
    ['changed', Uint8Array.from(content, (byte, index) => (index === 2_000_000 ? byte ^ 1 : byte))],
    ['cut', content.subarray(0, 1000)],
    ['longer', Buffer.concat([content, content])],
  ])('says when an object was %s behind its back, and repairs it by the next put', async (_, Body) => {
    await blobs.put(source(), roomy);
    await server.client.send(new PutObjectCommand({ Bucket: place.bucket, Key: place.prefix + name, Body }));
    await expect(collect(blobs.get(name))).rejects.toMatchObject({ code: 'file-unavailable' });
    await blobs.put(source(), roomy);
    expect(Buffer.compare(await collect(blobs.get(name)), content)).toBe(0);
  });

  it('removes by name, many at once, and does not miss what is not there', async () => {
    const { sha256 } = await blobs.put(inChunks(content.subarray(1), 65_536), roomy);
    await blobs.put(source(), roomy);
    await blobs.remove([name, '0'.repeat(64), 'nonsense', sha256]);
    expect(await keys()).toEqual([]);
  });

  it('sweeps more than a listing holds, and only what is named like a blob', async () => {
    const put = (Key: string) => server.client.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: 'x' }));
    const names = Array.from({ length: 120 }, (_, index) => index.toString(16).padStart(64, '0'));
    const waiting = [...names];
    const worker = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await put(place.prefix + next);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    await put(`${place.prefix}readme.txt`);
    const kept = [names[0] ?? '', names[110] ?? ''];
    expect(await blobs.sweep(new Set(kept), 0, unstopped)).toBe(118);
    expect(await keys()).toEqual([...kept, 'readme.txt'].map((key) => place.prefix + key));
  });

  it('keeps from the sweep what was put again', async () => {
    const { sha256: other } = await blobs.put(inChunks(content.subarray(1), 65_536), roomy);
    await blobs.put(source(), roomy);
    await delay(4000);
    await blobs.put(source(), roomy);
    expect(await blobs.sweep(new Set(), 3000, unstopped)).toBe(1);
    expect(await keys()).toEqual([place.prefix + name]);
    await expect(collect(blobs.get(other))).rejects.toMatchObject({ code: 'file-unavailable' });
  });

  const child = (megabytes: number): ChildProcess =>
    spawn(
      process.execPath,
      [
        fileURLToPath(new URL('../fakes/s3-put-child.ts', import.meta.url)),
        JSON.stringify(place),
        spoolDir,
        String(megabytes),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );

  it('leaves nothing of a process that was killed in the midst of a put, after the sweep', async () => {
    const putting = child(100_000);
    await once(putting.stdout ?? putting, 'data');
    putting.kill('SIGKILL');
    await once(putting, 'exit');
    expect(await readdir(spoolDir)).toHaveLength(1);
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    for (const file of await readdir(spoolDir)) await utimes(join(spoolDir, file), twoDaysAgo, twoDaysAgo);
    await blobs.sweep(new Set(), 0, unstopped);
    expect(await readdir(spoolDir)).toEqual([]);
    expect(await keys()).toEqual([]);
    const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: place.bucket }));
    expect(Uploads).toEqual([]);
  });

  it('holds no file in memory', async () => {
    const residentKilobytes = async (megabytes: number): Promise<number> => {
      let said = '';
      const putting = child(megabytes);
      putting.stdout?.on('data', (bytes: Buffer) => (said += bytes.toString()));
      await once(putting, 'exit');
      return Number(/put [0-9a-f]{64} (\d+)/.exec(said)?.[1]);
    };
    const [small, large] = [await residentKilobytes(1), await residentKilobytes(200)];
    expect(large - small).toBeLessThan(80 * 1024);
  });

  it('opens only a bucket that it may use, and says what to check', async () => {
    const log = createLogger('silent');
    const open = (wrong: object) => openBlobs({ place: { ...place, ...wrong }, dataDir: spoolDir, log });
    const key = { accessKeyId: 'test:tester', secretAccessKey: 'wrong' };
    await expect(open({ credentials: key })).rejects.toMatchObject({
      code: 'config',
      userMessage: expect.stringMatching(/plotline-test.*SignatureDoesNotMatch.*S3_SECRET_ACCESS_KEY/),
    });
    await expect(open({ bucket: 'no-such-bucket' })).rejects.toMatchObject({
      code: 'config',
      userMessage: expect.stringContaining('NoSuchBucket'),
    });
    expect(await checkS3({ ...place, endpoint: 'http://127.0.0.1:1' })).toContain('ECONNREFUSED');
    await open({});
  });
});
