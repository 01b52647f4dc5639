import { expect, it } from 'vitest';
import { statusText } from '../../adapters/discord/overview-text.ts';
import type { PersonOverview } from '../../src/ports/platforms.ts';

const id = (digit: string): string => digit.repeat(20);

function overview(count: number, question: string): PersonOverview {
  const thread = { platform: 'discord', workspaceId: id('1'), channelId: id('2'), threadId: id('3') };
  const usage = {
    questions: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    sandboxMs: 0,
    sinceMs: 0,
    money: [],
  };
  return {
    threads: Array.from({ length: count }, () => ({
      thread,
      question,
      messageId: id('3'),
      askedAtMs: 1.8e12,
      state: 'running' as const,
    })),
    usage,
    limits: [],
    everyone: { running: 12_345, waiting: 12_345 },
  };
}

it('the status fits one message, and says what it leaves out', () => {
  for (const question of [
    'x',
    'total by month',
    'm'.repeat(500),
    '@everyone '.repeat(50),
    'https://a.example/b '.repeat(9),
  ]) {
    for (const count of [0, 1, 9, 10, 11, 20]) {
      const text = statusText(overview(count, question));
      const shown = text.match(/^- running/gm)?.length ?? 0;
      expect(text.length).toBeLessThanOrEqual(2000);
      expect(
        shown === count || text.endsWith(`and ${count - shown} older ${count - shown === 1 ? 'one' : 'ones'}`),
      ).toBe(true);
    }
  }
});
