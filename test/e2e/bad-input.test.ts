import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { createLogger } from '../../src/log.ts';
import { startChatServer } from '../fakes/chat-server.ts';
import { makeFiles } from '../fakes/python-fixtures.ts';
import { startTestBot } from '../fakes/test-bot.ts';
import type { TestBot } from '../fakes/test-bot.ts';

const megabyte = 1024 * 1024;

const fixturesCode = `
import io, zipfile, openpyxl, msoffcrypto
from msoffcrypto.format.ooxml import OOXMLFile

book = openpyxl.Workbook()
book.active.append(["Month", "Revenue (EUR)"])
book.save("headers-only.xlsx")
book.active.append(["2024-01", 10])
book.save("/tmp/plain.xlsx")
with open("/tmp/plain.xlsx", "rb") as plain, open("locked.xlsx", "wb") as locked:
    OOXMLFile(plain).encrypt("secret", locked)

with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
    for number in range(4):
        with bomb.open(f"part{number}.csv", "w", force_zip64=True) as part:
            for _ in range(300):
                part.write(b"0" * 1024 * 1024)
`;

const csv = (rows: number): Buffer =>
  Buffer.from(
    `Month,Revenue (EUR)\n${Array.from({ length: rows }, (_, row) => `2024-0${row + 1},${(row + 1) * 10}`).join('\n')}\n`,
  );

let bot: TestBot;
let fixtures: ReadonlyMap<string, Buffer>;

const fixture = (name: string): Buffer => {
  const bytes = fixtures.get(name);
  if (bytes === undefined) throw new Error(`no fixture ${name}`);
  return bytes;
};

beforeAll(async () => {
  await using provider = createDockerSandbox({
    endpoint: null,
    image: 'plotline-sandbox:latest',
    runtime: 'auto',
    ownerId: createOwnerId(),
    limits: { memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, cpus: 2, processes: 128 },
    poolSize: 0,
    maxContainers: 1,
    log: createLogger('silent'),
  });
  await using session = await provider.acquire(
    { memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, cpus: 2, processes: 128 },
    AbortSignal.timeout(60_000),
  );
  fixtures = await makeFiles(session, fixturesCode);
  bot = await startTestBot();
}, 180_000);

afterAll(async () => {
  await bot[Symbol.asyncDispose]();
});

describe('bad input is answered in words', () => {
  it.each([
    ['an empty file', 'empty.csv', () => Buffer.alloc(0), /empty/i],
    [
      'a sheet without rows',
      'headers-only.xlsx',
      () => fixture('headers-only.xlsx'),
      /no (data )?rows|0 rows|without rows/i,
    ],
    ['a locked workbook', 'locked.xlsx', () => fixture('locked.xlsx'), /password/i],
    [
      'a program',
      'setup.exe',
      () => Buffer.from(`MZ${'\0'.repeat(500)}`),
      /program|do not (open|read)|cannot (open|read)/i,
    ],
    ['a zip bomb', 'bomb.zip', () => fixture('bomb.zip'), /unpack|compress|larger than|too (large|big)|limit/i],
  ])('%s', async (_, name, bytes, words) => {
    const { reply } = await bot.platform.ask(`bad-${name}`, 'Revenue by month', [{ name, bytes: bytes() }]);
    const said = bot.platform.posts
      .filter(({ threadId, message }) => threadId === `bad-${name}` && message.kind !== 'progress')
      .map(({ message }) =>
        message.kind === 'reply' ? message.reply.text : message.kind === 'card' ? message.text : '',
      )
      .join('\n');
    expect(said).toMatch(words);
    expect(said).not.toMatch(/Traceback|undefined|\[object/);
    expect(reply.artifacts.filter(({ kind }) => kind === 'chart')).toEqual([]);
  });

  it('a file over the limit is refused before it is fetched', async () => {
    const file = { name: 'huge.csv', bytes: csv(3), claimedBytes: 300 * megabyte };
    const { reply } = await bot.platform.ask('huge', 'total revenue', [file]);
    expect(reply).toMatchObject({ outcome: 'failed', text: expect.stringMatching(/huge\.csv.*300 MB.*100 MB/s) });
    expect(bot.platform.downloads).not.toContain('huge.csv');
  });

  it('a file over the limit beside a good one: the good one is used, the other named', async () => {
    const files = [
      { name: 'giant.csv', bytes: csv(3), claimedBytes: 300 * megabyte },
      { name: 'fine.csv', bytes: csv(3) },
    ];
    const { reply } = await bot.platform.ask('huge-and-fine', 'total revenue', files);
    expect(reply.text).toMatch(/\b60\b/);
    expect(reply.notices.join('\n')).toMatch(/giant\.csv/);
  });

  it('a file that lied about its size is cut off at the limit', async () => {
    const small = await startTestBot({ ATTACHMENTS_MAX_MB: '1' });
    await using _ = small;
    const file = { name: 'liar.csv', bytes: Buffer.alloc(2 * megabyte, 'a,b\n'), claimedBytes: 10 };
    const { reply } = await small.platform.ask('liar', 'total revenue', [file]);
    expect(reply.text).toMatch(/liar\.csv.*1\.0 MB/s);
  });

  it('UTF-16', async () => {
    const bytes = Buffer.from(`\ufeff${csv(3).toString()}`, 'utf16le');
    const { reply } = await bot.platform.ask('utf16', 'total revenue', [{ name: 'utf16.csv', bytes }]);
    expect(reply.text).toMatch(/\b60\b/);
  });

  it.each([
    ['separators', '../../etc/passwd.csv'],
    ['newlines', 'a\nb\r\n.csv'],
    ['300 characters', `${'x'.repeat(296)}.csv`],
    ['a right-to-left override', 'invoice\u202efdp.csv'],
  ])('a file name with %s', async (label, name) => {
    const { reply } = await bot.platform.ask(`name-${label}`, 'total revenue', [{ name, bytes: csv(3) }]);
    expect(reply.text).toMatch(/\b60\b/);
  });

  it('two files of one name are both kept', async () => {
    const files = [
      { name: 'report.csv', bytes: csv(2) },
      { name: 'report.csv', bytes: csv(3) },
    ];
    await bot.platform.ask('twins', 'total revenue', files);
    const { reply } = await bot.platform.ask('twins', 'total revenue in report (2).csv');
    expect(reply.text).toMatch(/\b60\b/);
  });

  it('a question without a file or a thread', async () => {
    const { reply } = await bot.platform.ask('nothing', 'Revenue by month as a line chart');
    expect(reply.text).toMatch(/attach|send|file/i);
  });

  it('20,000 characters of question', async () => {
    const { reply } = await bot.platform.ask('long', `total revenue ${'please '.repeat(2860)}`, [
      { name: 'a.csv', bytes: csv(3) },
    ]);
    expect(reply.text.length).toBeGreaterThan(0);
    expect(reply.outcome).not.toBe('failed');
  });

  it('a model server that is not there', async () => {
    // A port on which something listened a moment ago.
    const gone = await startChatServer([]);
    await gone[Symbol.asyncDispose]();
    await using lost = await startTestBot({ OPENAI_API_KEY: 'sk-test-00000000', OPENAI_BASE_URL: gone.baseUrl });
    const { reply } = await lost.platform.ask('nowhere', 'total revenue', [{ name: 'a.csv', bytes: csv(3) }]);
    expect(reply).toMatchObject({ outcome: 'failed', text: expect.stringMatching(/OPENAI_BASE_URL/) });
    expect(reply.text).not.toContain('sk-test');
  }, 90_000);

  it('Docker stopped: said in words, and answered once it is back, from the file that was sent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plotline-engine-'));
    const socketPath = join(folder, 'docker.sock');
    // The engine's socket behind one of our own, which is not there yet.
    const engine = createServer((client) => {
      const upstream = connect('/var/run/docker.sock');
      client.pipe(upstream).pipe(client);
      client.on('error', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
    });
    vi.stubEnv('DOCKER_HOST', `unix://${socketPath}`);
    try {
      await using stopped = await startTestBot();
      const file = { name: 'a.csv', bytes: csv(3) };
      const { reply } = await stopped.platform.ask('engine', 'total revenue', [file]);
      expect(reply).toMatchObject({ outcome: 'failed', text: expect.stringMatching(/Docker/) });
      expect(reply.text).not.toMatch(/ENOENT|ECONN|at .*\.ts/);

      await new Promise<void>((resolve) => engine.listen(socketPath, resolve));
      const again = await stopped.platform.ask('engine', 'total revenue');
      expect(again.reply.text).toMatch(/\b60\b/);
    } finally {
      vi.unstubAllEnvs();
      engine.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 90_000);
});
