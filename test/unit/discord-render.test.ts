import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { componentMessage, layOut, plainMessage } from '../../adapters/discord/layout.ts';
import { discordMarkdown, splitForDiscord } from '../../adapters/discord/markdown.ts';
import { packFiles } from '../../adapters/discord/pack-files.ts';
import { filesOfReply, picturedTables } from '../../adapters/discord/reply-files.ts';
import { renderMessage } from '../../adapters/discord/render.ts';
import { displayWidth } from '../../adapters/display-width.ts';
import type { OutgoingMessage } from '../../src/ports/platforms.ts';
import type { Artifact, Reply, StoredFile, TableData } from '../../src/types.ts';
import { brokenLimits } from '../fakes/discord-limits.ts';
import { forgedLinks, pingsIn, readAsDiscord } from '../fakes/discord-reader.ts';

const oddPieces = [
  ['`', '``', '```', '````', '~~~', '\n', '\n\n', '\\', '\\`', '[', ']', '](', '|', ' ', '> ', '# ', '||', '\r\n'],
  ['<@123456789012345678>', '<@!1>', '<@&2>', '<#3>', '@everyone', '@here', '</delete:1>', '<id:home>'],
  ['[google.com](https://evil.example)', '[x](https://a.example/b)', '[google.com](sandbox:/x)', 'https://a.example'],
  ['[google.com', '](https://evil.example)', '| a | b |\n| - | -: |\n| 1 | 2 |\n', '```py\nprint(1)\n```\n'],
];
const odd = fc.constantFrom(...oddPieces.flat());
const word = fc.stringMatching(/^[a-zA-Z0-9äöü你好مرحبا]{1,14}$/u);
const odds = fc.array(fc.oneof(odd, word, fc.constant(' ')), { maxLength: 60 }).map((parts) => parts.join(''));
const exotic = fc.string({
  unit: fc.constantFrom('👩‍🔬', '汉字', 'שלום', 'e\u0301', '𝒳', 'ｗ', ' ', '\u202e', '🇩🇪'),
  maxLength: 400,
});
const wall = fc.integer({ min: 1, max: 100_000 }).map((length) => 'x y'.repeat(length / 3));
const name = fc.oneof(
  word,
  odds,
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  fc.constant('отчёт 2026.xlsx'),
);

const cell = fc.oneof(word, exotic, odds, fc.double(), fc.integer(), fc.constant(null), fc.boolean());
const tables: fc.Arbitrary<TableData> = fc.integer({ min: 1, max: 14 }).chain((columns) =>
  fc.record({
    columns: fc.array(fc.record({ name, type: fc.constantFrom('number' as const, 'text' as const) }), {
      minLength: columns,
      maxLength: columns,
    }),
    rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 20 }),
    rowCount: fc.integer({ min: 20, max: 1e6 }),
  }),
);
const size = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 9_000_000, max: 11_000_000 }));
const pictureFile = (of: string, sizeBytes: number): StoredFile => {
  return { name: `${of}.png`, mimeType: 'image/png', sizeBytes, sha256: 'b'.repeat(64) };
};
const artifact: fc.Arbitrary<Artifact> = fc
  .record({
    kind: fc.constantFrom('chart' as const, 'table' as const, 'file' as const),
    title: name,
    altText: fc.oneof(odds, fc.string({ maxLength: 3000 })),
    table: fc.option(tables),
    name,
    mimeType: fc.constantFrom('image/png', 'image/svg+xml', 'text/csv'),
    sizeBytes: size,
    pictureBytes: fc.option(fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.constant(2 * 1024 * 1024))),
  })
  .map(({ name: fileName, mimeType, sizeBytes, pictureBytes, ...rest }) => ({
    ...rest,
    chart: null,
    ...(pictureBytes === null || rest.table === null ? {} : { picture: pictureFile(fileName, pictureBytes) }),
    file: { name: fileName, mimeType, sizeBytes, sha256: 'a'.repeat(64) },
  }));
const reply: fc.Arbitrary<Reply> = fc.record({
  taskId: fc.constantFrom('discord-111111111111111111-222222222222222222-333333333333333333', 't'.repeat(98)),
  outcome: fc.constantFrom('answered' as const, 'partial' as const, 'failed' as const, 'cancelled' as const),
  text: fc.oneof(
    { weight: 4, arbitrary: fc.array(fc.oneof(odds, exotic), { maxLength: 30 }).map((all) => all.join('\n')) },
    wall,
  ),
  artifacts: fc.array(artifact, { maxLength: 25 }),
  notices: fc.array(fc.oneof(odds, exotic), { maxLength: 12 }),
  code: fc.constantFrom([], [{ title: 'x', source: '1', status: 'ok' as const, durationMs: 1 }]),
});

const outgoingOf = (file: StoredFile) => ({ file, open: () => (async function* () {})() });

/** Everything a post would send, in both forms. */
function requestsOf(message: OutgoingMessage) {
  const rendered = renderMessage(message);
  const files =
    message.kind === 'reply'
      ? filesOfReply(
          message.reply,
          message.reply.artifacts.map(({ file, picture }) => ({
            ...outgoingOf(file),
            ...(picture === undefined ? {} : { picture: outgoingOf(picture) }),
          })),
        )
      : [];
  const { groups, notPosted } = packFiles(files, { fileBytes: 10 * 1024 * 1024 });
  const parts = layOut(rendered, groups);
  return {
    rendered,
    notPosted,
    requests: parts.map((part) => {
      const { body, attachmentNames } = componentMessage(part, 'post-1');
      const sent = part.files.map(({ outgoing }, index) => ({
        name: attachmentNames[index] ?? '',
        sizeBytes: outgoing.file.sizeBytes,
      }));
      return { part, body, sent };
    }),
  };
}

function expectHarmless(text: string): void {
  expect(pingsIn(text)).toEqual([]);
  expect(forgedLinks(readAsDiscord(text))).toEqual([]);
  expect(text).not.toMatch(/<\/\w+:\d|<id:|[\u202a-\u202e]/);
}

describe('every message stays inside the limits, pings nobody and forges no link', () => {
  test('replies', () => {
    fc.assert(
      fc.property(reply, (one) => {
        const { requests } = requestsOf({ kind: 'reply', reply: one, files: [] });
        expect(requests.length).toBeGreaterThan(0);
        for (const { part, body, sent } of requests) {
          expect(brokenLimits(body, sent)).toEqual([]);
          expectHarmless(part.text);
          for (const text of splitForDiscord(part.text, 1950)) {
            const plain = plainMessage({ ...part, text });
            expect(brokenLimits(plain.body, sent)).toEqual([]);
            expectHarmless(text);
          }
        }
      }),
      { numRuns: 250 },
    );
  });

  test('every file of a reply is posted or named, every wide table is a picture with words or a text', () => {
    fc.assert(
      fc.property(reply, (one) => {
        const { rendered, requests, notPosted } = requestsOf({ kind: 'reply', reply: one, files: [] });
        const posted = requests.flatMap(({ part }) => part.files);
        const names = [...posted.map(({ outgoing }) => outgoing.file.name), ...notPosted.map((left) => left.name)];
        const pictures = posted.filter(({ isExtra }) => isExtra);
        expect(names.length).toBe(one.artifacts.length + pictures.length);
        for (const { file } of one.artifacts) expect(names).toContain(file.name);
        const pictured = picturedTables(one);
        expect(pictures.map(({ outgoing }) => outgoing.file)).toEqual([...pictured].map(({ picture }) => picture));
        for (const { table, picture } of one.artifacts) {
          if (picture === undefined || pictured.size >= 5 || table?.rowCount === 1) continue;
          expect(pictures.some(({ outgoing }) => outgoing.file === picture)).toBe(true);
        }
        if (rendered.wholeText !== null) return;
        const text = rendered.texts.join('\n');
        const shown = one.artifacts.filter(({ table }) => table !== null).length;
        const hidden = Number(/(\d+) more tables? (?:is|are) in the files\./.exec(text)?.[1] ?? 0);
        const blocks = text.split(/As a picture; all of it, [\d,]+ rows? and \d+ columns?, is in/).length - 1;
        expect(blocks).toBeLessThanOrEqual(pictured.size);
        expect(blocks).toBeGreaterThanOrEqual(pictured.size - hidden);
        expect(hidden).toBeLessThanOrEqual(shown);
        for (const { body, part } of requests) {
          const galleries = (body['components'] as readonly { items?: readonly { description?: string }[] }[]).flatMap(
            ({ items }) => items ?? [],
          );
          const words = galleries.flatMap(({ description }) => description ?? []);
          expect(words.filter((text_) => text_.startsWith('Table')).length).toBeGreaterThanOrEqual(
            part.files.filter(({ isExtra }) => isExtra).length,
          );
        }
      }),
      { numRuns: 250 },
    );
  });

  test('progress, cards, notices and refusals', () => {
    const step = fc.record({
      title: name,
      state: fc.constantFrom('running' as const, 'done' as const, 'failed' as const),
    });
    const message: fc.Arbitrary<OutgoingMessage> = fc.oneof(
      fc
        .record({
          taskId: name,
          personId: fc.constant('1'),
          running: fc.boolean(),
          steps: fc.array(step, { maxLength: 40 }),
          note: fc.oneof(fc.constant(''), odds, wall),
        })
        .map((progress) => ({ kind: 'progress' as const, progress })),
      fc.record({ kind: fc.constant('card' as const), text: odds, file: name }),
      fc.record({ kind: fc.constant('notice' as const), text: fc.oneof(odds, wall, fc.constant('')) }),
      fc.record({ kind: fc.constant('refusal' as const), personId: fc.constant('1'), text: odds }),
    );
    fc.assert(
      fc.property(message, (one) => {
        const { requests } = requestsOf(one);
        expect(requests.length).toBeLessThanOrEqual(one.kind === 'progress' ? 1 : Infinity);
        for (const { part, body } of requests) {
          expect(brokenLimits(body)).toEqual([]);
          expectHarmless(part.text);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Letters and digits only, in their order. */
const letters = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '');

describe('no character is lost', () => {
  test('in prose and code, however it is cut', () => {
    const block = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '));
    const fenced = fc
      .tuple(fc.constantFrom('```', '~~~', '````', '  ```'), fc.array(block, { maxLength: 30 }))
      .map(([marker, lines]) => `${marker}py\n${lines.join('\n')}\n${marker}`);
    const text = fc.array(fc.oneof(block, fenced, wall, exotic), { maxLength: 8 }).map((blocks) => blocks.join('\n\n'));
    fc.assert(
      fc.property(text, fc.constantFrom(1950, 3800), (markdown, max) => {
        const shown = splitForDiscord(discordMarkdown(markdown), max);
        for (const part of shown) expect(part.isWellFormed()).toBe(true);
        const withoutFences = (all: string): string => all.replace(/^ *(?:`{3,}|~{3,})\w*$/gm, '');
        expect(letters(shown.map(withoutFences).join(''))).toBe(letters(withoutFences(markdown)));
      }),
      { numRuns: 200 },
    );
  });

  test('of a table in the text: every cell is there, aligned or row by row', () => {
    const plainCell = fc.oneof(word, fc.constantFrom('汉字汉字', '👩‍🔬', '1,234.5', 'a \\| b', '**bold**', '`code`'));
    const rows = fc
      .integer({ min: 1, max: 9 })
      .chain((columns) =>
        fc.array(fc.array(plainCell, { minLength: columns, maxLength: columns }), { minLength: 2, maxLength: 80 }),
      );
    fc.assert(
      fc.property(rows, ([head = [], ...body]) => {
        const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
        const markdown = ['before', '', line(head), line(head.map(() => '---')), ...body.map(line), '', 'after'].join(
          '\n',
        );
        const shown = discordMarkdown(markdown);
        const reading = readAsDiscord(shown);
        const code = reading.code.join('\n');
        for (const text of [head, ...body].flat()) {
          expect(code).toContain(text.replaceAll('\\|', '|').replace(/\*\*|`/g, ''));
        }
        expect(reading.prose).toMatch(/before[\s\S]*after/);
        expect(shown).not.toMatch(/^\|/m);
      }),
      { numRuns: 150 },
    );
  });

  test('a text of more than three messages is a file as a whole, and the message says so', () => {
    const paragraphs = Array.from({ length: 900 }, (_, index) => `Paragraph ${index} says something about revenue.`);
    const text = paragraphs.join('\n\n');
    const one: Reply = {
      taskId: 't',
      outcome: 'answered',
      text,
      artifacts: [],
      notices: ['Sheet2 was left out.'],
      code: [],
    };
    const rendered = renderMessage({ kind: 'reply', reply: one, files: [] });
    expect(rendered.texts).toHaveLength(1);
    expect(rendered.texts[0]).toContain('Paragraph 0 ');
    expect(rendered.texts[0]).toContain(`all ${text.length.toLocaleString('en-US')} characters are in \`answer.md\``);
    expect(rendered.texts[0]).toContain('Sheet2 was left out.');
    expect(rendered.wholeText).toBe(`${text}\n\n> Sheet2 was left out.`);
  });

  test('three messages are still shown, four are not', () => {
    const textOf = (length: number): Reply => {
      const text = 'word '.repeat(length / 5);
      return { taskId: 't', outcome: 'answered', text, artifacts: [], notices: [], code: [] };
    };
    const counts = [3700, 11_000, 11_300, 11_600].map((length) => {
      const rendered = renderMessage({ kind: 'reply', reply: textOf(length), files: [] });
      return rendered.wholeText === null ? rendered.texts.length : 'file';
    });
    expect(counts).toEqual([1, 3, 3, 'file']);
  });
});

describe('tables', () => {
  const columns = [
    { name: 'Region', type: 'text' as const },
    { name: '売上', type: 'number' as const },
  ];
  const ofTable = (table: TableData): string => {
    const file = { name: 'all.csv', mimeType: 'text/csv', sizeBytes: 9, sha256: 'a'.repeat(64) };
    const artifacts = [{ kind: 'table' as const, title: 'Sales', file, altText: '', table, chart: null }];
    const one: Reply = { taskId: 't', outcome: 'answered', text: 'Here.', artifacts, notices: [], code: [] };
    return renderMessage({ kind: 'reply', reply: one, files: [] }).texts.join('\n');
  };

  test('line up by display width, numbers to the right', () => {
    const text = ofTable({
      columns,
      rows: [
        ['東京', 12],
        ['Berlin', 1234.5],
        ['👩‍🔬', null],
      ],
      rowCount: 3,
    });
    expect(text).toContain('Region    売上\n──────  ──────\n東京        12\nBerlin  1234.5\n👩‍🔬           –');
    const [code = ''] = readAsDiscord(text).code;
    const widths = code.split('\n').map(displayWidth);
    expect(new Set(widths).size).toBe(1);
  });

  test('stay narrow enough for a phone, and say where the rest is', () => {
    const wide = Array.from({ length: 20 }, (_, index) => ({ name: `column ${index}`, type: 'text' as const }));
    const row = wide.map(({ name: value }) => value);
    const text = ofTable({ columns: wide, rows: Array.from({ length: 30 }, () => row), rowCount: 400 });
    const [code = ''] = readAsDiscord(text).code;
    for (const line of code.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(48);
    expect(text).toContain('First 15 of 400 rows, 5 of 20 columns; all of it is in `all.csv`.');
  });

  const pictured = (rows: number, rowCount = rows) => {
    const wide = Array.from({ length: 8 }, (_, index) => ({ name: `column ${index}`, type: 'number' as const }));
    const file = { name: 'all.csv', mimeType: 'text/csv', sizeBytes: 9, sha256: 'a'.repeat(64) };
    const row = wide.map((_, index) => index + 0.123456);
    const table = { columns: wide, rows: Array.from({ length: rows }, () => row), rowCount };
    const picture = pictureFile('all', 50_000);
    const one = { kind: 'table' as const, title: 'Sales', file, altText: '', table, chart: null, picture };
    const whole: Reply = { taskId: 't', outcome: 'answered', text: 'Here.', artifacts: [one], notices: [], code: [] };
    return requestsOf({ kind: 'reply', reply: whole, files: [] });
  };

  test('too wide for a code block are a picture with words, above the whole as a file', () => {
    const { rendered, requests } = pictured(20, 1340);
    expect(rendered.texts).toEqual([
      'Here.\n\n**Sales**\nAs a picture; all of it, 1,340 rows and 8 columns, is in `all.csv`.',
    ]);
    const components = requests[0]?.body['components'] as readonly Record<string, unknown>[];
    const items = components.flatMap((one) => (one['items'] as readonly Record<string, string>[] | undefined) ?? []);
    expect(components.map(({ type }) => type)).toEqual([10, 14, 12, 13, 1, 1]);
    expect(items[0]?.['description']).toMatch(
      /^Table “Sales”: 1,340 rows, 8 columns: column 0, column 1, .*column 7\. Row 1: column 0 0\.1235, column 1 1\.1235/,
    );
    expect(items[0]?.['description']?.length).toBeLessThanOrEqual(1024);
    expect(requests[0]?.sent.map(({ name: sent }) => sent)).toEqual(['all.png', 'all.csv']);
  });

  test('of one row are read better line by line', () => {
    const { rendered, requests } = pictured(1);
    expect(rendered.texts[0]).toContain('column 7: 7.1235');
    expect(requests[0]?.sent.map(({ name: sent }) => sent)).toEqual(['all.csv']);
  });

  test('of few rows and many columns go row by row', () => {
    const wide = Array.from({ length: 8 }, (_, index) => ({ name: `column ${index}`, type: 'text' as const }));
    const text = ofTable({ columns: wide, rows: [wide.map((_, index) => `value ${index}`)], rowCount: 1 });
    expect(text).toContain('column 0: value 0\ncolumn 1: value 1');
    expect(text).toContain('column 7: value 7');
  });
});

describe('Markdown as Discord reads it', () => {
  test.each([
    ['~~~py\nx = "```"\n~~~', '```py\nx = "`\u200b`\u200b`"\n```\n'],
    ['```\n\n```', '```\n\u200b\n```\n'],
    ['say ```x``` now', 'say `x` now'],
    ['| a |\nno table', '| a |\nno table'],
    ['title | more\n---\ntext', 'title | more\n---\ntext'],
    ['[bank.com](https://evil.com/)', '`bank.com` (https://evil.com/)'],
    ['\\`[bank.com](https://evil.com/)\\`', 'ˋ[bank.com]\u200b(https://evil.com/)ˋ'],
    ['use ``a ` b`` or `c', 'use `a ˋ b` or ˋc'],
    ['[google.com\n```\n](https://evil.com)\n```', '[google.com\n```\n]\u200b(https://evil.com)\n```\n'],
    ['[our docs](https://a.com/x)', '[our docs](https://a.com/x)'],
  ])('%j', (markdown, expected) => {
    expect(splitForDiscord(discordMarkdown(markdown), 2000)).toEqual([expected]);
  });

  test('what looks like code to us and not to Discord cannot forge a link', () => {
    const trap = '``x` [google.com](https://evil.example) `y';
    expect(forgedLinks(readAsDiscord(trap))).toHaveLength(1);
    for (const text of splitForDiscord(discordMarkdown(trap), 2000)) {
      expect(forgedLinks(readAsDiscord(text))).toEqual([]);
    }
  });
});
