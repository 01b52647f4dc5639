import { describe, expect, it } from 'vitest';
import { discordMarkdown } from '../../adapters/discord/markdown.ts';
import { renderMessage } from '../../adapters/discord/render.ts';
import { usageText } from '../../adapters/discord/overview-text.ts';
import { escapeWithin } from '../../adapters/slack/text.ts';
import { limitLines, moneyText } from '../../adapters/usage-lines.ts';
import { reachedText, waitText } from '../../src/conversation/limit-texts.ts';
import type { LimitKind, LimitScope, LimitUse } from '../../src/ports/usage.ts';

const now = Date.UTC(2026, 10, 28, 11, 54, 30);
const minuteMs = 60_000;
const use = (scope: LimitScope, kind: LimitKind, used: number, value: number, freesInMs: number | null): LimitUse => ({
  scope,
  kind,
  used,
  value,
  freesAtMs: freesInMs === null ? null : now + freesInMs,
});

describe('a refusal says the limit, what is used of it, and when it frees up', () => {
  const wait = 130 * minuteMs;
  it.each([
    [
      use('person', 'tasks-per-day', 20, 20, wait),
      'You have asked 20 of 20 questions in the last 24 hours. The next one is possible in 2 h 10 min (at 14:05 UTC).',
    ],
    [
      use('channel', 'tasks-per-day', 100, 100, wait),
      'This channel has asked 100 of 100 questions in the last 24 hours. The next one is possible in 2 h 10 min (at 14:05 UTC).',
    ],
    [
      use('workspace', 'tokens-per-day', 2_000_123, 2_000_000, 30 * minuteMs),
      'This workspace has used 2,000,123 of 2,000,000 tokens of the language model in the last 24 hours. More is possible in 30 min (at 12:25 UTC).',
    ],
    [
      use('person', 'sandbox-ms-per-day', 3_600_400, 3_600_000, 1),
      'You have used 3,600 of 3,600 seconds of computing in the last 24 hours. More is possible in 1 min (at 11:55 UTC).',
    ],
    [
      use('person', 'tasks-at-once', 3, 3, null),
      '3 of your questions are still being answered (the most at once is 3); ask again when one is done, or stop one.',
    ],
    [
      use('person', 'tasks-at-once', 1, 1, null),
      '1 of your questions is still being answered (the most at once is 1); ask again when one is done, or stop one.',
    ],
    [
      use('workspace', 'tasks-at-once', 12, 10, null),
      '12 questions in this workspace are still being answered (the most at once is 10 for all together); ask again when one is done.',
    ],
  ])('%o', (reached, text) => {
    expect(reachedText([reached], now)).toBe(text);
    // On both platforms it is these words and nothing else: nothing in them is markup.
    expect(escapeWithin(text, 3000)).toBe(text);
    expect(discordMarkdown(text)).toBe(text);
    expect(renderMessage({ kind: 'refusal', personId: 'p', text })).toMatchObject({ texts: [text], rows: [] });
  });

  it('of several, the one that lasts longest: after it there is room', () => {
    const atOnce = use('person', 'tasks-at-once', 1, 1, null);
    const soon = use('person', 'tasks-per-day', 1, 1, minuteMs);
    const late = use('channel', 'tokens-per-day', 1, 1, 2 * minuteMs);
    for (const reached of [
      [atOnce, soon, late],
      [late, soon, atOnce],
      [soon, late],
    ]) {
      expect(reachedText(reached, now)).toMatch(/^This channel has used/);
    }
    expect(reachedText([atOnce, soon], now)).toMatch(/^You have asked/);
  });

  it.each([
    [1, '1 min'],
    [minuteMs, '1 min'],
    [minuteMs + 1, '2 min'],
    [59 * minuteMs, '59 min'],
    [59 * minuteMs + 1, '1 h'],
    [24 * 60 * minuteMs, '24 h'],
    [125 * minuteMs, '2 h 5 min'],
  ])('%i ms are %s: never less than it takes', (waitMs, text) => {
    expect(waitText(waitMs)).toBe(text);
  });
});

describe('what is left, and what it cost', () => {
  it('is one line for each scope that has limits', () => {
    expect(limitLines([])).toEqual([]);
    expect(
      limitLines([
        use('workspace', 'tokens-per-day', 12, 2_000_000, null),
        use('person', 'tasks-at-once', 1, 3, null),
        use('person', 'tasks-per-day', 21, 20, 30 * minuteMs),
      ]),
    ).toEqual([
      'Left for you: 2 of 3 questions at once, 0 of 20 questions in 24 hours (more at 12:25 UTC)',
      'Left for all of this workspace: 1,999,988 of 2,000,000 tokens in 24 hours',
    ]);
  });

  it.each([
    [[], ''],
    [[{ currency: 'USD', micros: 1_204_999 }], 'USD 1.20'],
    [[{ currency: 'USD', micros: 4200 }], 'USD 0.0042'],
    [
      [
        { currency: 'EUR', micros: 0 },
        { currency: 'USD', micros: 12_000_000 },
      ],
      'EUR 0.00 and USD 12.00',
    ],
  ])('%o', (money, text) => {
    expect(moneyText(money)).toBe(text);
  });

  it('Discord says both to who asked something, and what is left to everybody', () => {
    const usage = {
      questions: 2,
      inputTokens: 12_000,
      cachedInputTokens: 2000,
      outputTokens: 300,
      sandboxMs: 4200,
      sinceMs: Date.UTC(2026, 10, 1),
      money: [{ currency: 'USD', micros: 250_000 }],
    };
    const overview = {
      threads: [],
      usage,
      limits: [use('person', 'tasks-per-day', 2, 20, null)],
      everyone: { running: 0, waiting: 0 },
    };
    const left = 'Left for you: 18 of 20 questions in 24 hours';
    expect(usageText(overview).split('\n').slice(-3)).toEqual([
      '- 4 s of computing in the sandbox',
      '- USD 0.25',
      left,
    ]);
    expect(usageText({ ...overview, usage: { ...usage, questions: 0 } })).toBe(
      `You have asked nothing here since 2026-11-01.\n${left}`,
    );
  });
});
