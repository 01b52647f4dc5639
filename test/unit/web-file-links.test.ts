import { createAdaptorServer } from '@hono/node-server';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { JsonValue, Reply, StoredFile } from '../../src/types.ts';
import { contentDisposition, plainName } from '../../src/web/content-disposition.ts';
import { bytesOfRange, parseRange } from '../../src/web/byte-range.ts';
import { createFileLinks } from '../../src/web/file-links.ts';
import { createLinkTokens } from '../../src/web/link-tokens.ts';
import { taskOf } from '../fakes/core.ts';

const log = createLogger('silent');
const key = new Uint8Array(32).fill(7);
const task = taskOf('t1');
const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const file: StoredFile = {
  name: 'Umsätze "2026"; 売上.csv',
  mimeType: 'text/csv',
  sizeBytes: content.byteLength,
  sha256: 'c'.repeat(64),
};
const dayMs = 86_400_000;

describe('links to files, on a real server', () => {
  let store: Store;
  let server: Server;
  let origin: string;
  let nowMs: number;
  let chunksRead: number;
  let closed: number;
  let isGone: boolean;
  let isBroken: boolean;

  const blobs = {
    get: async function* get(sha256: string): Bytes {
      if (isGone || sha256 !== file.sha256) throw new AppError('file-unavailable', 'Gone.');
      try {
        for (let place = 0; place < content.length; place += 1000) {
          chunksRead += 1;
          yield content.subarray(place, place + 1000);
        }
        if (isBroken) throw new AppError('file-unavailable', 'It does not match its hash.');
      } finally {
        closed += 1;
      }
    },
  };
  const links = (secret = key, publicUrl = origin) =>
    createFileLinks({ blobs, store, key: secret, publicUrl, clock: () => nowMs, log });

  beforeEach(async () => {
    [nowMs, chunksRead, closed, isGone, isBroken] = [Date.UTC(2026, 10, 28), 0, 0, false, false];
    store = await createSqliteStore({ path: ':memory:', log });
    await store.accept(task);
    const artifact = { kind: 'file' as const, title: 'x', file, altText: '', table: null, chart: null };
    const reply: Reply = {
      taskId: task.id,
      outcome: 'answered',
      text: '',
      artifacts: [artifact],
      notices: [],
      code: [],
    };
    const body = reply as unknown as JsonValue;
    await store.settle(task, {
      postId: 'p',
      taskId: task.id,
      threadKey: threadKeyOf(task.thread),
      kind: 'reply',
      body,
    });
    server = createAdaptorServer({ fetch: links(key, 'http://unused.example').routes.fetch }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await store[Symbol.asyncDispose]();
  });
  const url = (): string => links().linkTo(task.id, file).url;

  it('give the whole file, as a download that nothing may show, run or keep', async () => {
    const { days } = links().linkTo(task.id, file);
    const response = await fetch(url());
    expect([days, response.status, Buffer.from(await response.arrayBuffer()).equals(content)]).toEqual([7, 200, true]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/csv',
      'content-length': '300000',
      'content-disposition': `attachment; filename="Umsatze-2026-.csv"; filename*=UTF-8''Ums%C3%A4tze%20%222026%22%3B%20%E5%A3%B2%E4%B8%8A.csv`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
      'accept-ranges': 'bytes',
    });
    expect(closed).toBe(1);
  });

  it('HEAD says the same and reads next to nothing', async () => {
    const response = await fetch(url(), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '300000',
      '',
    ]);
    expect([closed, chunksRead]).toEqual([1, 2]);
  });

  it.each([
    ['bytes=0-9', 206, 0, 10],
    ['bytes=1500-2600', 206, 1500, 2601],
    ['bytes=299990-', 206, 299_990, 300_000],
    ['bytes=-5', 206, 299_995, 300_000],
    ['bytes=299999-400000', 206, 299_999, 300_000],
    ['bytes=0-1,5-6', 200, 0, 300_000],
    ['bytes=9-2', 200, 0, 300_000],
    ['lines=1-2', 200, 0, 300_000],
  ])('a range %s gives %d', async (range, status, from, to) => {
    const response = await fetch(url(), { headers: { range } });
    expect(response.status).toBe(status);
    expect(Buffer.from(await response.arrayBuffer()).equals(content.subarray(from, to))).toBe(true);
    expect(response.headers.get('content-range')).toBe(status === 206 ? `bytes ${from}-${to - 1}/300000` : null);
    expect([closed, response.headers.get('content-length')]).toEqual([1, String(to - from)]);
  });

  it('a range behind the end is refused with the size; one of another version gives all', async () => {
    const behind = await fetch(url(), { headers: { range: 'bytes=300000-' } });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, 'bytes */300000']);
    const other = await fetch(url(), { headers: { range: 'bytes=0-9', 'if-range': '"other"' } });
    expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, 300_000]);
    const same = await fetch(url(), { headers: { range: 'bytes=0-9', 'if-range': `"${file.sha256}"` } });
    expect([same.status, (await same.arrayBuffer()).byteLength]).toEqual([206, 10]);
  });

  it('end after seven days, with words', async () => {
    const link = url();
    nowMs += 7 * dayMs - 1000;
    expect((await fetch(link)).status).toBe(200);
    nowMs += 1000;
    const response = await fetch(link);
    expect([response.status, await response.text()]).toEqual([410, expect.stringContaining('good for 7 days')]);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
  });

  it('end with their thread, with their question, and with the file', async () => {
    const link = url();
    isGone = true;
    expect((await fetch(link)).status).toBe(404);
    isGone = false;
    expect((await fetch(link)).status).toBe(200);
    await store.forgetThread(threadKeyOf(task.thread));
    const response = await fetch(link);
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('was forgotten')]);
  });

  it('lead to files of their own task only', async () => {
    const other = links().linkTo('t2', file).url;
    const another = links().linkTo(task.id, { ...file, sha256: 'd'.repeat(64) }).url;
    expect([(await fetch(other)).status, (await fetch(another)).status]).toEqual([404, 404]);
  });

  it('whatever is changed in them, they are none', async () => {
    const link = url();
    const [, token = ''] = /files\/([^/]+)\//.exec(link) ?? [];
    const foreign = links(new Uint8Array(32).fill(8)).linkTo(task.id, file).url;
    expect((await fetch(foreign)).status).toBe(404);
    for (let place = 0; place < token.length; place += 7) {
      const changed = `${token.slice(0, place)}${token[place] === '0' ? '1' : '0'}${token.slice(place + 1)}`;
      expect((await fetch(link.replace(token, changed))).status, `letter ${place}`).toBe(404);
    }
    for (const path of [
      '/files',
      '/files/',
      `/files/${token}`,
      '/files/x/y',
      '/files/%00/y',
      `/files/${token}/../..`,
    ]) {
      expect((await fetch(origin + path)).status, path).toBe(404);
    }
    expect(chunksRead).toBe(0);
  });

  it('a file that fails at its end does not look whole', async () => {
    isBroken = true;
    await expect(fetch(url()).then((response) => response.arrayBuffer())).rejects.toThrow('terminated');
  });

  it('read no faster than they are taken, and stop when nobody takes more', async () => {
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.pause();
    const link = new URL(url());
    // Larger than every buffer on the way: the same bytes many times over.
    const many = 400;
    const original = blobs.get;
    blobs.get = async function* get(sha256: string): Bytes {
      for (let round = 0; round < many; round += 1) yield* original(sha256);
    };
    try {
      socket.write(`GET ${link.pathname} HTTP/1.1\r\nhost: x\r\n\r\n`);
      await expect.poll(() => chunksRead).toBeGreaterThan(10);
      let before = -1;
      await expect
        .poll(
          () => {
            const isStill = chunksRead === before;
            before = chunksRead;
            return isStill;
          },
          { interval: 200 },
        )
        .toBe(true);
      expect(chunksRead * 1000).toBeLessThan(30_000_000);
      socket.destroy();
      await expect.poll(() => closed).toBeGreaterThan(0);
    } finally {
      blobs.get = original;
    }
  });

  it('seventeen at once are one too many, and the next finds room again', async () => {
    const waiting = Promise.withResolvers<undefined>();
    const original = blobs.get;
    blobs.get = async function* get(sha256: string): Bytes {
      yield content.subarray(0, 1000);
      await waiting.promise;
      yield* original(sha256);
    };
    const open: Response[] = [];
    for (let count = 0; count < 16; count += 1) open.push(await fetch(url()));
    const refused = await fetch(url());
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    for (const response of open.slice(0, 8)) await response.body?.cancel();
    waiting.resolve(undefined);
    blobs.get = original;
    await expect.poll(async () => (await fetch(url())).status).toBe(200);
  });
});

describe('tokens', () => {
  it('give back what was signed, under the same key only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(), (taskId, expiresAt) => {
        const target = { taskId: taskId.toWellFormed(), sha256: 'a'.repeat(64), expiresAt };
        const token = createLinkTokens(key).sign(target);
        expect(token).toMatch(/^[0-9a-f]+\.[0-9a-f]{64}$/);
        expect(createLinkTokens(key).read(token)).toEqual(target);
        expect(createLinkTokens(new Uint8Array(32)).read(token)).toBeNull();
      }),
    );
  });

  it('any other text is none', () => {
    fc.assert(fc.property(fc.string(), (text) => createLinkTokens(key).read(text) === null));
    expect(createLinkTokens(key).read(`${'0'.repeat(10_000)}.${'0'.repeat(64)}`)).toBeNull();
  });
});

describe('names', () => {
  it('are header values that no name can break out of', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (name) => {
        const value = contentDisposition(name);
        expect(value).toMatch(/^attachment; filename="[\w.-]+"; filename\*=UTF-8''[\w.~%-]*$/);
        expect(decodeURIComponent(value.split("UTF-8''")[1] ?? '')).toBe(name.toWellFormed());
        expect(plainName(name)).toMatch(/^[A-Za-z0-9-][A-Za-z0-9.-]*$/);
      }),
    );
  });
});

describe('ranges', () => {
  it('are the same bytes however the blob is cut', async () => {
    const input = fc.record({
      size: fc.integer({ min: 1, max: 60 }),
      cut: fc.integer({ min: 1, max: 20 }),
      from: fc.nat({ max: 70 }),
      to: fc.nat({ max: 70 }),
    });
    await fc.assert(
      fc.asyncProperty(input, async ({ size, cut, from, to }) => {
        const all = Buffer.from(Array.from({ length: size }, (_, index) => index));
        const range = parseRange(`bytes=${from}-${to}`, size);
        const chunks: Uint8Array[] = [];
        const source = (async function* cutUp() {
          for (let place = 0; place < size; place += cut) yield all.subarray(place, place + cut);
        })();
        if (range !== 'unsatisfiable') for await (const chunk of bytesOfRange(source, range)) chunks.push(chunk);
        const wanted = from >= size && to >= from ? 'unsatisfiable' : to < from ? null : 'some';
        expect(typeof range === 'object' && range !== null ? 'some' : range).toBe(wanted);
        const expected = wanted === 'unsatisfiable' ? [] : wanted === null ? all : all.subarray(from, to + 1);
        expect(Buffer.concat(chunks).equals(Buffer.from(expected))).toBe(true);
      }),
    );
  });
});
