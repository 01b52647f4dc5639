import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createDirectoryBlobs } from '../../src/blobs/directory-blobs.ts';
import { describeBlobs } from './blobs.ts';

const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

describeBlobs('directory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plotline-blobs-'));
  dirs.push(dir);
  return createDirectoryBlobs({ dir: join(dir, 'not', 'there', 'yet') });
});
