import { describe, expect, it } from 'vitest';
import { sameFile } from '../../src/conversation/same-file.ts';
import { createFakeSandbox, outputOf } from '../fakes/fake-sandbox.ts';
import { sandboxLimits } from '../fakes/core.ts';
import { bytesOf, createMemoryBlobs } from '../fakes/memory-blobs.ts';

const signal = new AbortController().signal;

/** Whether a session's file counts as the one that was recorded. */
async function isSame(path: string, recorded: string, now: string): Promise<boolean> {
  const sandbox = createFakeSandbox();
  sandbox.roomBytes = 1e9;
  const session = await sandbox.acquire(sandboxLimits, signal);
  const blobs = createMemoryBlobs();
  const stored = await blobs.put(bytesOf(recorded), { maxBytes: 1e9 });
  await session.write(path, bytesOf(now), signal);
  return sameFile(session, outputOf(path, now), stored, { blobs, durationMs: 0, signal });
}

describe('a file that a replay wrote', () => {
  const library = '/* a library */'.repeat(600_000);
  const page = (id: string, value: number): string => `<script>${library}</script><div id="${id}">${value}</div>`;
  const ids = ['4dcd4ee8-6a5c-4a0a-9f5e-6e2a7c5c9d11', '0b7a1a49-2a1b-4a55-8a3c-0d2e4d8a1c77'] as const;

  it('a page of 9 MB, as plotly writes them, is the same but for the id that is drawn by lot', async () => {
    expect(await isSame('chart.html', page(ids[0], 1), page(ids[1], 1))).toBe(true);
    expect(await isSame('chart.html', page(ids[0], 1), page(ids[1], 2))).toBe(false);
  });

  it('a table is the same only where every value is', async () => {
    expect(await isSame('a.csv', 'made 12:00:01\n', 'made 12:00:02\n')).toBe(true);
    expect(await isSame('a.csv', `${ids[0]}\n`, `${ids[1]}\n`)).toBe(false);
  });
});
