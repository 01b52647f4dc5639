import { assert, property, string, stringMatching, array, constantFrom, oneof } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { richTextWords, toRichText, withoutMarkdown } from '../../adapters/slack/to-rich-text.ts';

const elements = (markdown: string) => (toRichText(markdown)?.['elements'] ?? []) as readonly Record<string, unknown>[];
const text = (content: string, style?: object) => ({
  type: 'text',
  text: content,
  ...(style === undefined ? {} : { style }),
});

describe('Slack: Markdown as rich text', () => {
  test('styles, code and links', () => {
    expect(elements('A **bold** and *leaning* word, ~~gone~~, `x < 1`, [docs](https://example.com/a_(b)).')).toEqual([
      {
        type: 'rich_text_section',
        elements: [
          text('A '),
          text('bold', { bold: true }),
          text(' and '),
          text('leaning', { italic: true }),
          text(' word, '),
          text('gone', { strike: true }),
          text(', '),
          text('x < 1', { code: true }),
          text(', '),
          { type: 'link', url: 'https://example.com/a_(b)', text: 'docs' },
          text('.'),
        ],
      },
    ]);
    expect(elements('**both *at* once**')[0]?.['elements']).toEqual([
      text('both ', { bold: true }),
      text('at', { bold: true, italic: true }),
      text(' once', { bold: true }),
    ]);
  });

  test.each([
    ['snake_case_name and 2 * 3 * 4', 'snake_case_name and 2 * 3 * 4'],
    ['\\*not bold\\* and a \\_b\\_', '*not bold* and a _b_'],
    ['5 > 3 & <!channel> <@U1>', '5 > 3 & <!channel> <@U1>'],
  ])('%s stays as it is', (markdown, shown) => {
    expect(elements(markdown)).toEqual([{ type: 'rich_text_section', elements: [text(shown)] }]);
  });

  test('headings, lists, quotes and code blocks', () => {
    const markdown =
      '# Result\n- one\n  - inner\n- two\n\n3. third\n4. fourth\n\n> said\n> twice\n\n```python\nx = "**1**"\n\ny\n```\nEnd';
    expect(elements(markdown).map(({ type, style, indent, offset }) => ({ type, style, indent, offset }))).toEqual([
      { type: 'rich_text_section' },
      { type: 'rich_text_list', style: 'bullet', indent: 0 },
      { type: 'rich_text_list', style: 'bullet', indent: 1 },
      { type: 'rich_text_list', style: 'bullet', indent: 0 },
      { type: 'rich_text_list', style: 'ordered', indent: 0, offset: 2 },
      { type: 'rich_text_quote' },
      { type: 'rich_text_preformatted' },
      { type: 'rich_text_section' },
    ]);
    expect(richTextWords(toRichText(markdown) ?? {})).toBe(
      'Result\n- one\n  - inner\n- two\n3. third\n4. fourth\n> said\n> twice\n```\nx = "**1**"\n\ny\n```\nEnd',
    );
  });

  test('paragraphs keep the empty line between them', () => {
    expect(richTextWords(toRichText('One\nline.\n\n\nTwo.') ?? {})).toBe('One\nline.\n\nTwo.');
  });

  test('what it cannot say stays Markdown', () => {
    expect(toRichText('| a | b |\n|---|---|\n| 1 | 2 |')).toBeNull();
    expect(toRichText('Title\n=====')).toBeNull();
    const image = { type: 'image', slack_file: { id: 'F1' } };
    expect(withoutMarkdown([{ type: 'markdown', text: 'a' }, image])?.map(({ type }) => type)).toEqual([
      'rich_text',
      'image',
    ]);
    expect(
      withoutMarkdown([
        { type: 'markdown', text: 'a' },
        { type: 'markdown', text: '|a|\n|-|' },
      ]),
    ).toBeNull();
  });

  test('no letter gets lost, none is added, and no leaf is empty, whatever the text', () => {
    const bits = oneof(
      constantFrom('**', '*', '_', '~~', '`', '```\n', '\n', '- ', '1. ', '> ', '# ', '[a](https://b.c)', '\\', ' '),
      stringMatching(/^[a-z]{1,5}$/),
      string({ maxLength: 5 }),
    );
    assert(
      property(array(bits, { maxLength: 30 }), (pieces) => {
        const markdown = pieces.join('').replaceAll('[a](https://b.c)', 'link');
        const block = toRichText(markdown);
        if (block === null) return;
        const letters = (value: string) => value.replace(/[^\p{L}]/gu, '');
        // The name of a code block's language is not shown.
        const shown = markdown.replace(/^ {0,8}(`{3,20}|~{3,20})[^\n]*$/gm, '');
        expect(letters(richTextWords(block))).toBe(letters(shown));
        expect(JSON.stringify(block)).not.toContain('"text":""');
      }),
      { numRuns: 2000 },
    );
  });
});
