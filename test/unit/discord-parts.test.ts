import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { downloadsLimited } from '../../adapters/download-parts.ts';
import { attachmentNames, attachmentTitle } from '../../adapters/discord/file-names.ts';
import { createFileLimits } from '../../adapters/discord/file-limits.ts';
import { askedAt, compareSnowflakes, kindOfMark, markOf, nonceOf, questionOf } from '../../adapters/discord/ids.ts';
import { rerunIdOf, taskIdOf } from '../../adapters/discord/message.ts';
import { packFiles } from '../../adapters/discord/pack-files.ts';
import type { DiscordApi } from '../../adapters/discord/rest.ts';
import { threadName } from '../../adapters/discord/thread.ts';
import { createTyping } from '../../adapters/discord/typing.ts';
import { createLogger } from '../../src/log.ts';

const log = createLogger('silent');
const mebibyte = 1024 * 1024;

function planned(sizeBytes: number, name = `f${sizeBytes}.csv`) {
  const file = { name, mimeType: 'text/csv', sizeBytes, sha256: 'a'.repeat(64) };
  return { outgoing: { file, open: () => (async function* () {})() }, artifact: null, isExtra: false };
}

describe('packing files', () => {
  test('every file is in one message or named with its reason; every message fits', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 12 * mebibyte })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(sizes, (all) => {
        const files = all.map((size, index) => planned(size, `f${index}`));
        const { groups, notPosted } = packFiles(files, { fileBytes: 10 * mebibyte });
        const posted = groups.flat().map(({ outgoing }) => outgoing.file);
        const names = [...posted, ...notPosted].map(({ name }) => name);
        expect(names.toSorted()).toEqual(files.map(({ outgoing }) => outgoing.file.name).toSorted());
        expect(posted.length).toBeLessThanOrEqual(20);
        for (const group of groups) {
          expect(group.length).toBeGreaterThan(0);
          expect(group.length).toBeLessThanOrEqual(10);
          const sum = group.reduce((total, { outgoing }) => total + outgoing.file.sizeBytes, 0);
          expect(sum).toBeLessThanOrEqual(25 * mebibyte - 100_000);
        }
        for (const { sizeBytes } of posted) {
          expect(sizeBytes).toBeGreaterThan(0);
          expect(sizeBytes).toBeLessThanOrEqual(10 * mebibyte);
        }
      }),
    );
  });

  test.each([
    [9, 1],
    [10, 1],
    [11, 2],
    [20, 2],
  ])('%d small files need %d messages', (count, messages) => {
    const files = Array.from({ length: count }, (_, index) => planned(5, `f${index}`));
    expect(packFiles(files, { fileBytes: 10 * mebibyte }).groups).toHaveLength(messages);
  });

  test('pictures of tables do not count as files', () => {
    const files = Array.from({ length: 21 }, (_, index) => ({ ...planned(5, `f${index}`), isExtra: index < 5 }));
    const { groups, notPosted } = packFiles([...files, planned(5), planned(5), planned(5), planned(5), planned(5)], {
      fileBytes: 10 * mebibyte,
    });
    expect([groups.flat().length, notPosted.length]).toEqual([25, 1]);
  });

  test('a file of exactly the limit goes out, one byte more does not', () => {
    const { groups, notPosted } = packFiles([planned(10 * mebibyte), planned(10 * mebibyte + 1)], {
      fileBytes: 10 * mebibyte,
    });
    expect([groups.flat().length, notPosted.length]).toEqual([1, 1]);
  });

  test('where the server takes large files, one above 25 MB goes alone', () => {
    const { groups } = packFiles([planned(5), planned(40 * mebibyte), planned(6)], { fileBytes: 50 * mebibyte });
    expect(groups.map((group) => group.length)).toEqual([1, 1, 1]);
  });
});

describe('names of attachments', () => {
  test('are safe, different and keep their extension', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), { maxLength: 10 }),
        (stems) => {
          const names = attachmentNames(stems.map((stem) => `${stem}.csv`));
          expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(stems.length);
          for (const name of names) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.csv$/);
        },
      ),
    );
  });

  test.each([
    ['sales.csv', 'sales.csv', null],
    ['Umsätze März.xlsx', 'Umsatze_Marz.xlsx', 'Umsätze März'],
    ['отчёт.csv', 'file.csv', 'отчёт'],
    ['.env', 'env', ''],
    ['a/b\\c"d.png', 'a_b_c_d.png', 'a/b\\c"d'],
  ])('%s is uploaded as %s', (name, safe, title) => {
    const [given = ''] = attachmentNames([name]);
    expect(given).toBe(safe);
    expect(attachmentTitle(name, given)).toBe(title === '' ? '.env' : title);
  });
});

describe('names of threads', () => {
  test.each([
    ['<@123456789012345678> revenue by month?', 'revenue by month?'],
    ['revenue <@&123456789012345678>, please', 'revenue , please'],
    ['<@1>: # **Big** `question`\nwith lines', 'Big question with lines'],
    ['why is order 123456789012345678 late <:sad:123456789012345678>', 'why is order late :sad:'],
    ['<@1>', 'Question'],
  ])('%j', (content, name) => {
    expect(threadName({ content })).toBe(name);
  });

  test('a message without words is named after its file, an unreadable one in general', () => {
    const attachments = [{ id: '1', filename: 'sales_2026.csv', url: 'https://cdn.discordapp.com/a', size: 1 }];
    expect(threadName({ id: '2', channel_id: '3', content: '<@1>', attachments })).toBe('sales_2026.csv');
    expect(threadName(null)).toBe('Question');
  });

  test.each([
    ['<@1> asks about `sales.csv`:\n> Revenue by **month**?', 'Revenue by month?'],
    [
      '<@1> asks about `a.csv`, `b.csv` of https://discord.com/channels/1/2/3:\n> Profit\n> by region?',
      'Profit by region?',
    ],
    ['<@1> asks about `sales 2026.csv`, 3 more:\n> What is in it?', 'sales 2026.csv'],
    ['<@1> asks about no file:\n> What is in it?', 'What is in it?'],
  ])('an answer to a command, %j, is named after the question: %j', (content, name) => {
    expect(threadName({ content, interaction_metadata: { id: '1' } })).toBe(name);
  });

  test('are 1 to 100 characters without ids, whatever was written', () => {
    const piece = fc.oneof(
      fc.constantFrom('<@1>', '<@!123456789012345678>', '123456789012345678', '\n', '**'),
      fc.string({ unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const name = threadName({ content: pieces.join(' ') });
        expect(name.length).toBeGreaterThan(0);
        expect(name.length).toBeLessThanOrEqual(100);
        expect(name.isWellFormed()).toBe(true);
        expect(name).not.toMatch(/\d{15,20}|<@/);
      }),
    );
  });
});

describe('ids', () => {
  const task = 'discord-111111111111111111-222222222222222222-333333333333333333';
  const question = { channelId: '222222222222222222', messageId: '333333333333333333' };

  test.each([
    [task, question],
    [`${task}-reply`, question],
    [`${task}-r4fzyo82mvyr-progress`, question],
    [`${task}-card-444444444444444444`, question],
    ['discord-@me-222222222222222222-333333333333333333-reply', question],
    ['slack-T1-C1-1.2', null],
    ['discord-1-2', null],
  ])('%s tells the question', (id, expected) => {
    expect(questionOf(id)).toEqual(expected);
  });

  test('a post is younger than its question, and that of a re-run than the press that asked for it', () => {
    const asked = '1300000000000000001';
    const first = taskIdOf('1', '1200000000000000001', asked);
    expect(askedAt(`${first}-reply`)).toBe(asked);
    for (const press of ['100000000000000000', '1400000000000000007', '99999999999999999999']) {
      const again = rerunIdOf(rerunIdOf(first, '5'), press);
      expect([askedAt(again), askedAt(`${again}-reply`)]).toEqual([press, press]);
    }
    expect(askedAt('terminal-1')).toBe(null);
  });

  test('nonces and marks are the same for the same part, others for others, and inside their limits', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 100 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(ids, fc.constantFrom('text-1', 'full-2'), ([one = '', other = ''], partId) => {
        expect(nonceOf(one, partId)).toBe(nonceOf(one, partId));
        expect(nonceOf(one, partId)).not.toBe(nonceOf(other, partId));
        expect(nonceOf(one, partId).length).toBeLessThanOrEqual(25);
        const mark = markOf(one, partId, 'progress');
        expect(mark).toBeGreaterThan(1000);
        expect(mark).toBeLessThan(2 ** 31);
        expect([kindOfMark(mark), kindOfMark(markOf(one, partId, 'text'))]).toEqual(['progress', 'text']);
      }),
    );
    expect([kindOfMark(1), kindOfMark(null)]).toEqual([null, null]);
  });

  test('the order of two ids', () => {
    expect(['99', '100', '98'].toSorted(compareSnowflakes)).toEqual(['98', '99', '100']);
  });
});

test('the typing sign is renewed until it is ended', async () => {
  const calls: string[] = [];
  const api: DiscordApi = {
    call: async (method, route) => {
      calls.push(`${method} ${route}`);
      if (calls.length === 2) throw new Error('a hiccup');
      return null;
    },
  };
  const typing = createTyping({ api, log, renewalMs: 10 });
  const thread = { platform: 'discord', workspaceId: '1', channelId: '2', threadId: '3' };
  typing.start(thread);
  await expect.poll(() => calls.length).toBeGreaterThan(3);
  typing.end(thread);
  const { length } = calls;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(calls.length).toBeLessThanOrEqual(length + 1);
  expect(new Set(calls)).toEqual(new Set(['POST /channels/3/typing']));
});

test('the boost level of a server is asked once, and only where it matters', async () => {
  const asked: string[] = [];
  const apiOf = (answer: () => unknown): DiscordApi => ({
    call: async (_method, route) => {
      asked.push(route);
      return answer();
    },
  });
  const signal = AbortSignal.timeout(5000);
  const limits = createFileLimits({ api: apiOf(() => ({ premium_tier: 3 })), fixedBytes: null, log });
  expect(await limits.of('123', 5000, signal)).toBe(10 * mebibyte);
  expect(await limits.of('@me', 50 * mebibyte, signal)).toBe(10 * mebibyte);
  expect(asked).toEqual([]);
  expect(await limits.of('123', 50 * mebibyte, signal)).toBe(100 * mebibyte);
  expect(await limits.of('123', 50 * mebibyte, signal)).toBe(100 * mebibyte);
  expect(asked).toEqual(['/guilds/123']);
  const broken = apiOf(() => {
    throw new Error('no');
  });
  expect(await createFileLimits({ api: broken, fixedBytes: null, log }).of('5', 50 * mebibyte, signal)).toBe(
    10 * mebibyte,
  );
  expect(await createFileLimits({ api: broken, fixedBytes: 7, log }).of('5', 50 * mebibyte, signal)).toBe(7);
});

test('a refused download is tried again after the time that the answer names, be it in seconds or not', () => {
  for (const [stated, waitMs] of [
    ['7', 7000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 30_000],
  ] as const) {
    const answer = new Response(null, { status: 429, headers: { 'retry-after': stated } });
    expect(downloadsLimited('Discord', answer)).toMatchObject({ retryable: true, retryAfterMs: waitMs });
  }
});
