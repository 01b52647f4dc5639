import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeText, escapeWithin, plainText } from '../../adapters/slack/text.ts';

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
