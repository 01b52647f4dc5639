import { mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDirectoryBlobs } from '../../src/blobs/directory-blobs.ts';
import { collect, inChunks } from '../contract/blobs.ts';

const content = new TextEncoder().encode('month,revenue\nJanuary,1\n');
const limit = { maxBytes: 1000 };
const unstopped = new AbortController().signal;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plotline-blobs-'));
});
afterEach(() => rm(dir, { recursive: true }));

it('says when a stored file was changed behind its back, and repairs it by the next put', async () => {
  const blobs = createDirectoryBlobs({ dir });
  const { sha256 } = await blobs.put(inChunks(content, 5), limit);
  await truncate(join(dir, sha256.slice(0, 2), sha256.slice(2)), 10);
  await expect(collect(blobs.get(sha256))).rejects.toMatchObject({ code: 'file-unavailable' });
  await blobs.put(inChunks(content, 5), limit);
  expect((await collect(blobs.get(sha256))).length).toBe(content.length);
});

it('leaves no temporary file behind, whatever happened, and is readable by its owner alone', async () => {
  const blobs = createDirectoryBlobs({ dir });
  const { sha256 } = await blobs.put(inChunks(content, 5), limit);
  await expect(blobs.put(inChunks(content, 5), { maxBytes: 3 })).rejects.toThrow('larger than');
  expect(await readdir(join(dir, 'incoming'))).toEqual([]);
  expect((await stat(join(dir, sha256.slice(0, 2), sha256.slice(2)))).mode & 0o077).toBe(0);
});

it('sweeps what a killed upload left, but nothing that may still be written', async () => {
  const blobs = createDirectoryBlobs({ dir });
  await blobs.put(inChunks(content, 5), limit);
  const old = join(dir, 'incoming', 'old');
  await writeFile(old, 'x');
  await writeFile(join(dir, 'incoming', 'new'), 'x');
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
  await utimes(old, twoDaysAgo, twoDaysAgo);
  await blobs.sweep(new Set(), 0, unstopped);
  expect(await readdir(join(dir, 'incoming'))).toEqual(['new']);
});

it('keeps a blob from the sweep that was put again', async () => {
  const blobs = createDirectoryBlobs({ dir });
  const { sha256 } = await blobs.put(inChunks(content, 5), limit);
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
  await utimes(join(dir, sha256.slice(0, 2), sha256.slice(2)), twoDaysAgo, twoDaysAgo);
  await blobs.put(inChunks(content, 5), limit);
  expect(await blobs.sweep(new Set(), 3600 * 1000, unstopped)).toBe(0);
});

it('says why it does not work', async () => {
  await writeFile(join(dir, 'a-file'), 'x');
  const blobs = createDirectoryBlobs({ dir: join(dir, 'a-file') });
  await expect(blobs.ping(AbortSignal.timeout(5000))).rejects.toThrow(/ENOTDIR|EEXIST/);
});

it('sweeps a folder that was never used', async () => {
  expect(await createDirectoryBlobs({ dir: join(dir, 'nowhere') }).sweep(new Set(), 0, unstopped)).toBe(0);
});
