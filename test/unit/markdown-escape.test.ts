import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breakForgedLinks, codeBlock, codeSpan, neutralise } from '../../adapters/escape.ts';
import { mapMarkdown } from '../../adapters/markdown-lines.ts';
import { partText, splitMarkdown } from '../../adapters/split-markdown.ts';
import { markdownProblems } from '../fakes/slack-text-problems.ts';

const zeroWidth = /\u200b/g;

describe('mentions', () => {
  test.each([
    '<!channel>',
    '<!here|x>',
    '<@U123>',
    '<#C123|x>',
    '<!subteam^S1>',
    '<@!42>',
    '<@&42>',
    '@everyone',
    '`<@U1>`',
    '(@here)',
  ])('%s cannot ping and still reads the same', (text) => {
    const safe = neutralise(text);
    expect(safe).not.toContain(text);
    expect(safe.replace(zeroWidth, '')).toBe(text);
  });

  test.each([
    'a < b',
    'x <= y',
    '<!-- note -->',
    'ada@example.com',
    'bob@here.com',
    '@decorator',
    'R&D',
    '**@scope/pkg**',
  ])('%s stays as it is', (text) => {
    expect(neutralise(text)).toBe(text);
  });
});

test.each([
  ['photo\u202egnp.exe', 'photognp.exe'],
  ['\u001b[2Jcleared\r\nnext\u009b1m', '[2Jcleared\nnext1m'],
  ['half \ud800 a pair', 'half \ufffd a pair'],
])('%j holds nothing that is more than a character', (text, safe) => {
  expect(neutralise(text)).toBe(safe);
});

test('a link with a label of its own is broken inside code too, where Slack reads it all the same', () => {
  const safe = neutralise('```\n<https://evil.example/a|bank.example>\n```');
  expect(safe).not.toContain('<https');
  expect(safe.replace(zeroWidth, '')).toContain('<https://evil.example/a|bank.example>');
});

describe('links', () => {
  test.each([
    ['[the source](https://example.com/a_(b))', '[the source](https://example.com/a_(b))'],
    ['[example.com](https://www.example.com/x)', '[example.com](https://www.example.com/x)'],
    ['[bank.com](https://evil.com/)', '`bank.com` (https://evil.com/)'],
    [
      '[see https://bank.com/login](https://bank.com.evil.com)',
      '`see https://bank.com/login` (https://bank.com.evil.com)',
    ],
    ['[bаnk.com](https://evil.com)', '`bаnk.com` (https://evil.com)'],
    ['<https://evil.com|bank.com>', '`bank.com` (https://evil.com)'],
    ['![chart](https://example.com/c.png)', '[chart](https://example.com/c.png)'],
    ['[report.csv](sandbox:/mnt/data/report.csv)', 'report.csv'],
    ['[x](javascript:alert(1))', 'x'],
    ['`[bank.com](https://evil.com)`', '`[bank.com]\u200b(https://evil.com)`'],
    ['```\n[bank.com](https://evil.com)\n```', '```\n[bank.com](https://evil.com)\n```'],
    ['\\`[bank.com](https://evil.com)`', '\\`[bank.com]\u200b(https://evil.com)`'],
    ['~~~\n[bank.com](https://evil.com)\n~~~', '~~~\n[bank.com]\u200b(https://evil.com)\n~~~'],
    ['a\n     ```\n[bank.com](https://evil.com)', 'a\n     ```\n[bank.com]\u200b(https://evil.com)'],
    ['[bank.com\nnow](https://evil.com)', '[bank.com\nnow]\u200b(https://evil.com)'],
    ['[[[bank.com]]](https://evil.com)', '[[[bank.com]]]\u200b(https://evil.com)'],
    ['[bank\u200b.com](https://evil.com)', '`bank\u200b.com` (https://evil.com)'],
    ['[ba**nk**.com](https://evil.com)', '`ba**nk**.com` (https://evil.com)'],
    ['[bank\\.com](https://evil.com)', '`bank\\.com` (https://evil.com)'],
    ['[bank&#46;com](https://evil.com)', '`bank&#46;com` (https://evil.com)'],
    ['[bank。com](https://evil.com)', '`bank。com` (https://evil.com)'],
    ['> - [bank.com]: https://evil.com', '> - [bank.com]\u200b: https://evil.com'],
    ['[bank\n.com]: https://evil.com', '[bank\n.com]\u200b: https://evil.com'],
    ['`[a [bank.com](https://evil.com)](https://x.com)', '``a [bank.com]\u200b(https://evil.com)` (https://x.com)'],
    ['[a [bank.com](https://evil.com)](sandbox:/x)', 'a `bank.com` (https://evil.com)'],
    ['!![p](https://evil.com/p.png)', '!\u200b[p](https://evil.com/p.png)'],
    ['[bank.com\\![](https://evil.com)', '[bank.com\\\u200b[](https://evil.com)'],
    ['[![](https://evil.com/p)](https://evil.com)', '[![]\u200b(https://evil.com/p)](https://evil.com)'],
    ['m[i](j) and x[1]: 2', 'm[i]\u200b(j) and x[1]: 2'],
    ['[bank.com][1]\n\n[1]: https://evil.com', '[bank.com][1]\n\n[1]\u200b: https://evil.com'],
  ])('%s', (text, safe) => {
    expect(neutralise(text)).toBe(safe);
  });

  test('hostile text takes linear time', () => {
    const startedAt = performance.now();
    for (const unit of ['[', '[a](', '![[', '`', '``` `', '<http:', '|-', '[x]: ', '<@', '[a]('.repeat(3) + ')']) {
      neutralise(unit.repeat(Math.ceil(50_000 / unit.length)));
    }
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});

test('what is outside code and what is inside is the whole text', () => {
  const text = fc.array(fc.constantFrom('`', '``', '```', '\n', 'a', ' ', '~~~', '\n\n', '```py\n', '|', 'b'), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(text, (pieces) => {
      const same = (part: string): string => part;
      expect(mapMarkdown(pieces.join(''), same, same)).toBe(pieces.join(''));
    }),
  );
});

test('code cannot end its block, and a name cannot end its span', () => {
  expect(codeBlock('a\n```\nb').match(/^`{3,}/gm)).toHaveLength(2);
  expect(codeSpan('a`b\nc')).toBe('`a b c`');
});

test('no arrangement of brackets, backticks and fences brings a masked link or an image to life, also in a part of the text', () => {
  const marks =
    '` `` ``` ~~~ [ ] ( ) \\ ! ** &#46; [bank.example ](https://evil.example/a) @here <!here> [x](sandbox:/a)';
  const whole = '[bank.example](https://evil.example) <https://evil.example|bank.example>'.split(' ');
  const breaks = ['\n', '\n\n', '    ', '> ', '- ', '<div>\n', '| a | b |\n', '|-|-|\n', '\u200b', '```python\n'];
  const long = ['[bank.example]: https://evil.example', 'x'.repeat(70)];
  const piece = fc.constantFrom(...marks.split(' '), ...whole, ...breaks, ...long);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const safe = neutralise(pieces.join(''));
      expect(markdownProblems(safe)).toEqual([]);
      expect(splitMarkdown(safe, 250).flatMap((part) => markdownProblems(partText(part)))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['`[bank.com](https://evil.com/)`', '`[bank.com]\u200b(https://evil.com/)`'],
  ['[bank.com\nx](https://evil.com/)', '[bank.com\nx]\u200b(https://evil.com/)'],
  ['[a [b](https://a.com/1) d](https://a.com/)', '[a [b]\u200b(https://a.com/1) d](https://a.com/)'],
  ['[docs](https://a.com/) and `f[0](x)`', '[docs](https://a.com/) and `f[0](x)`'],
])('%s: what is left of links is broken unless it is honest', (text, safe) => {
  expect(breakForgedLinks(text)).toBe(safe);
});

test.each(['bank\u200b.com', 'ｂａｎｋ．com', 'ba\u00adnk.com'])('%s reads like a host and is none', (label) => {
  expect(neutralise(`[${label}](https://evil.com/)`)).toContain('(https://evil.com/)');
  expect(neutralise(`[${label}](https://evil.com/)`)).not.toContain('](');
});
