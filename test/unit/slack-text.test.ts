import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderMessage, uploadComment } from '../../adapters/slack/render.ts';
import { escapeText, escapeWithin, plainText } from '../../adapters/slack/text.ts';
import type { Artifact, Reply } from '../../src/types.ts';

describe('what a person typed', () => {
  test.each([
    ['<@UBOT> hello', 'hello'],
    ['<@UBOT>: hello', 'hello'],
    ['<@UBOT|plotline>, hello', 'hello'],
    ['please <@UBOT> compare', 'please compare'],
    ['ask <@U2> and <@U3|bob>', 'ask @U2 and @bob'],
    ['in <#C1|sales> and <#C2>', 'in #sales and #C2'],
    ['<!here> <!subteam^S1|@team> <!date^1^{date}|Monday>', '@here @team Monday'],
    ['<http://example.com|example.com>', 'example.com'],
    ['<https://example.com/>', 'https://example.com/'],
    ['<https://example.com/a|the list>', 'the list (https://example.com/a)'],
    ['<mailto:a@b.com|a@b.com>', 'a@b.com'],
    ['a &lt; b &amp;&amp; c &gt; d', 'a < b && c > d'],
    ['&amp;lt;', '&lt;'],
    ['sum &lt;revenue&gt;', 'sum <revenue>'],
    ['line one\nline two', 'line one\nline two'],
  ])('%s', (slackText, plain) => {
    expect(plainText(slackText, 'UBOT')).toBe(plain);
  });

  test('escaped text reads back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(plainText(escapeText(text), 'UBOT')).toBe(text.trim());
      }),
    );
  });
});

test('escaped text that is cut keeps to its limit and ends no entity half-way', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('&', '<', 'a', '😀') }),
      fc.integer({ min: 5, max: 60 }),
      (text, max) => {
        const escaped = escapeWithin(text, max);
        expect(escaped.length).toBeLessThanOrEqual(max);
        expect(escaped.replaceAll(/&(?:amp|lt|gt);/g, '')).not.toMatch(/[&<>]/);
        expect(escaped === escapeText(text)).toBe(escapeText(text).length <= max);
      },
    ),
  );
});

describe('what is posted', () => {
  const file = (name: string) => ({ name, mimeType: 'image/png', sizeBytes: 1, sha256: '' });
  const artifact = (overrides: Partial<Artifact>): Artifact => ({
    kind: 'chart',
    title: 'T',
    file: file('t.png'),
    altText: '',
    table: null,
    chart: null,
    ...overrides,
  });
  const reply = (overrides: Partial<Reply>): Reply => ({
    taskId: 't',
    outcome: 'answered',
    text: '',
    artifacts: [],
    notices: [],
    code: [],
    ...overrides,
  });

  test('every rendered message keeps to Slack’s limits, whatever is in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30_000 }),
      fc.nat({ max: 60_000 }).map((n) => '🧮<!here>'.repeat(n / 9)),
    );
    const table = fc.record({
      columns: fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), type: fc.constantFrom('text', 'number') }), {
        maxLength: 30,
      }),
      rows: fc.array(fc.array(fc.oneof(fc.string(), fc.double(), fc.constant(null)), { maxLength: 30 }), {
        maxLength: 40,
      }),
      rowCount: fc.nat(),
    });
    fc.assert(
      fc.property(text, fc.option(table), fc.array(fc.string(), { maxLength: 5 }), (words, data, notices) => {
        const artifacts = [artifact({ kind: 'table', table: data, title: words.slice(0, 50) })];
        const messages = [
          { kind: 'reply' as const, reply: reply({ text: words, artifacts, notices }), files: [] },
          { kind: 'notice' as const, text: words },
          {
            kind: 'progress' as const,
            progress: {
              personId: 'U1',
              running: true,
              taskId: 't',
              note: '',
              steps: words
                .split(' ')
                .slice(0, 40)
                .map((title) => ({ title: title.repeat(300), state: 'done' as const })),
            },
          },
        ];
        for (const part of messages.flatMap((message) => renderMessage(message))) {
          const markdown = part.blocks.filter(({ type }) => type === 'markdown').map(({ text: body }) => String(body));
          expect(markdown.join('').length).toBeLessThanOrEqual(12_000);
          expect(part.blocks.length).toBeLessThanOrEqual(50);
          expect(part.text.length).toBeLessThanOrEqual(4000);
          expect(part.text.trim()).not.toBe('');
          const section = part.blocks.find(({ type }) => type === 'section')?.['text'] as { text: string } | undefined;
          expect(section?.text.length ?? 1).toBeLessThanOrEqual(3000);
          expect(JSON.stringify(part)).not.toMatch(/<!(?:here|channel)/);
        }
        expect(uploadComment(artifacts).length).toBeLessThanOrEqual(3000);
      }),
      { numRuns: 60 },
    );
  });

  test('an upload names each chart with its alternative text, without mentions', () => {
    expect(
      uploadComment([
        artifact({ title: 'Revenue', altText: 'a line,\nrising' }),
        artifact({ kind: 'file', title: '', file: file('a&b.zip') }),
      ]),
    ).toBe('• Revenue: a line, rising\n• a&amp;b.zip');
    expect(uploadComment([artifact({ title: '<!channel>' })])).not.toContain('<!channel>');
  });

  test('a reply without words and files still says something; files alone need no words', () => {
    expect(renderMessage({ kind: 'reply', reply: reply({}), files: [] })).toHaveLength(1);
    expect(renderMessage({ kind: 'reply', reply: reply({ artifacts: [artifact({})] }), files: [] })).toEqual([]);
  });
});
