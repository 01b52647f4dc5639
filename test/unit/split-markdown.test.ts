import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partText, splitMarkdown } from '../../adapters/split-markdown.ts';

const word = fc.stringMatching(/^[a-zA-Z0-9äöü你好مرحبا|*_#>`~-]{1,14}$/u);
const sentence = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '));
const oddText = fc.string({ unit: 'grapheme', maxLength: 400 });
const fence = fc
  .tuple(
    fc.constantFrom('```', '````', '~~~'),
    fc.constantFrom('', 'python', 'sql'),
    fc.array(sentence, { maxLength: 40 }),
  )
  .map(([marker, info, lines]) => `${marker}${info}\n${lines.join('\n')}\n${marker}`);
const table = fc
  .array(fc.tuple(word, word, word), { minLength: 2, maxLength: 60 })
  .map((rows) => rows.map((row) => row.map((cell) => cell.replaceAll('|', ''))).map((row) => `| ${row.join(' | ')} |`))
  .map(([head, ...rows]) => [head, '| --- | --- | --- |', ...rows].join('\n'));
const wall = fc.nat({ max: 3000 }).map((length) => 'x'.repeat(length));
const markdown = fc
  .array(fc.oneof(sentence, oddText, fence, table, wall), { maxLength: 12 })
  .chain((blocks) => fc.constantFrom('\n', '\n\n', '\n\n\n').map((gap) => blocks.join(gap)));
const limit = fc.integer({ min: 250, max: 2000 });

/** Markers of fences in a text that stands alone, as a reader counts them. */
function openFence(text: string): string | null {
  let open: string | null = null;
  for (const line of text.split('\n')) {
    const match = /^ {0,8}(`{3,20}|~{3,20})([^\n]{0,60})$/.exec(line.replace(/\r$/, ''));
    const [, marker = '', info = ''] = match ?? [];
    if (match === null) continue;
    if (open === null) open = marker.startsWith('`') && info.includes('`') ? null : marker;
    else if (marker.startsWith(open) && info.trim() === '') open = null;
  }
  return open;
}

describe('splitting Markdown', () => {
  test('loses no character and keeps every part within the limit', () => {
    fc.assert(
      fc.property(markdown, limit, (text, maxCharacters) => {
        const parts = splitMarkdown(text, maxCharacters);
        expect(parts.map(({ body }) => body).join('')).toBe(text);
        for (const part of parts) {
          expect(partText(part).length).toBeLessThanOrEqual(maxCharacters);
          expect(part.body.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('leaves no code fence open in any part', () => {
    fc.assert(
      fc.property(markdown, limit, (text, maxCharacters) => {
        for (const part of splitMarkdown(text, maxCharacters)) expect(openFence(partText(part))).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test('never cuts a surrogate pair', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('😀', '👩‍🔬', 'e\u0301', '𝒳'), maxLength: 900 }),
        limit,
        (text, max) => {
          for (const { body } of splitMarkdown(text, max)) expect(body.isWellFormed()).toBe(true);
        },
      ),
    );
  });

  test('short text stays one part, empty text is none', () => {
    expect(splitMarkdown('**hello**', 1000).map(partText)).toEqual(['**hello**']);
    expect(splitMarkdown('', 1000)).toEqual([]);
  });

  test('a long code block is closed, and opened again with its language', () => {
    const code = Array.from({ length: 80 }, (_, index) => `print(${index})`).join('\n');
    const parts = splitMarkdown(`Before.\n\n\`\`\`python\n${code}\n\`\`\`\nAfter.`, 300).map(partText);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts[1]).toMatch(/^```python\nprint\(\d+\)\n/);
    expect(parts[1]).toMatch(/\n```$/);
    expect(parts.at(-1)).toMatch(/After\.$/);
  });

  test('a long table is cut between rows and every part repeats its head', () => {
    const rows = Array.from({ length: 60 }, (_, index) => `| row ${index} | ${index} |`);
    const parts = splitMarkdown(['| name | value |', '| --- | ---: |', ...rows].join('\n'), 300).map(partText);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part.startsWith('| name | value |\n| --- | ---: |\n| row ')).toBe(true);
      for (const line of part.trimEnd().split('\n')) expect(line).toMatch(/^\|.*\|$/);
    }
    expect(parts.join('\n').match(/row \d+ /g)).toHaveLength(60);
  });

  test('a table that fits is not cut: the text before it ends the part', () => {
    const shortTable = ['| a | b |', '|---|---|', ...Array.from({ length: 12 }, (_, index) => `| ${index} | x |`)].join(
      '\n',
    );
    const parts = splitMarkdown(`${'Words before the table. '.repeat(8)}\n\n${shortTable}\n\nEnd.`, 300).map(partText);
    expect(parts.filter((part) => part.includes('|')).length).toBe(1);
  });

  test('100,000 characters in one line are cut in linear time', () => {
    const parts = splitMarkdown('word '.repeat(20_000), 1000);
    expect(parts.length).toBeGreaterThan(99);
    expect(parts.every(({ body }) => body.endsWith(' '))).toBe(true);
  });
});
