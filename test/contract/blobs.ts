import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Blobs, Bytes } from '../../src/ports/blobs.ts';

const unstopped = new AbortController().signal;

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The bytes in chunks of `size`. */
export async function* inChunks(bytes: Uint8Array, size: number): Bytes {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

export async function collect(bytes: Bytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What every `Blobs` promises. `create` gives an empty one. */
export function describeBlobs(name: string, create: () => Promise<Blobs>): void {
  describe(`Blobs: ${name}`, () => {
    const content = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251);
    const roomy = { maxBytes: 1_000_000 };
    let blobs: Blobs;
    beforeEach(async () => {
      blobs = await create();
    });

    it('gives back the bytes that were put, named by their hash', async () => {
      const stored = await blobs.put(inChunks(content, 1000), roomy);
      expect(stored).toEqual({ sha256: sha256Of(content), sizeBytes: content.length });
      expect(Buffer.compare(await collect(blobs.get(stored.sha256)), content)).toBe(0);
      expect(Buffer.compare(await collect(blobs.get(stored.sha256)), content)).toBe(0);
    });

    it('takes an empty file and one of exactly the limit', async () => {
      const empty = await blobs.put(inChunks(new Uint8Array(), 10), roomy);
      expect((await collect(blobs.get(empty.sha256))).length).toBe(0);
      const full = await blobs.put(inChunks(content, 333), { maxBytes: content.length });
      expect(full.sizeBytes).toBe(content.length);
    });

    it('refuses what is larger than the limit, says the limit, keeps nothing and stops reading', async () => {
      let read = 0;
      async function* endless(): Bytes {
        for (;;) {
          read += 1;
          yield new Uint8Array(64 * 1024);
        }
      }
      await expect(blobs.put(endless(), { maxBytes: 1024 * 1024 })).rejects.toMatchObject({
        code: 'file-too-large',
        userMessage: expect.stringContaining('1 MB'),
      });
      expect(read).toBe(17);
      const cut = sha256Of(new Uint8Array(1024 * 1024));
      await expect(collect(blobs.get(cut))).rejects.toMatchObject({ code: 'file-unavailable' });
    });

    it('keeps nothing of a source that fails, and hands its error on', async () => {
      async function* broken(): Bytes {
        yield content;
        throw new Error('connection reset');
      }
      await expect(blobs.put(broken(), roomy)).rejects.toThrow('connection reset');
      await expect(collect(blobs.get(sha256Of(content)))).rejects.toMatchObject({ code: 'file-unavailable' });
    });

    it('takes the same bytes many times at once', async () => {
      const stored = await Promise.all(Array.from({ length: 20 }, () => blobs.put(inChunks(content, 5000), roomy)));
      expect(new Set(stored.map(({ sha256 }) => sha256)).size).toBe(1);
      expect(Buffer.compare(await collect(blobs.get(sha256Of(content))), content)).toBe(0);
    });

    it('rejects what is not there, and what is no hash', async () => {
      for (const wrong of ['0'.repeat(64), '', '../../etc/passwd', `${'0'.repeat(62)}/.`]) {
        await expect(collect(blobs.get(wrong))).rejects.toMatchObject({ code: 'file-unavailable' });
      }
    });

    it('sweeps what is old and not kept', async () => {
      const kept = await blobs.put(inChunks(content, 5000), roomy);
      const dropped = await blobs.put(inChunks(content.subarray(1), 5000), roomy);
      expect(await blobs.sweep(new Set(), 60_000, unstopped)).toBe(0);
      // One that is told to stop removes nothing more.
      await expect(blobs.sweep(new Set([kept.sha256]), 0, AbortSignal.abort())).rejects.toThrow('aborted');
      expect(await blobs.sweep(new Set([kept.sha256]), 0, unstopped)).toBe(1);
      expect((await collect(blobs.get(kept.sha256))).length).toBe(content.length);
      await expect(collect(blobs.get(dropped.sha256))).rejects.toMatchObject({ code: 'file-unavailable' });
    });

    it('answers when it is asked whether it works, also before the first blob', async () => {
      await expect(blobs.ping(AbortSignal.timeout(5000))).resolves.toBeUndefined();
    });

    it('lets a reader stop early', async () => {
      const { sha256 } = await blobs.put(inChunks(content, 5000), roomy);
      for await (const chunk of blobs.get(sha256)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    });
  });
}
