import { expect, it } from 'vitest';
import type { UsageSum } from '../../src/ports/usage.ts';
import { parseUsageArguments } from '../../src/usage-command/arguments.ts';
import { usageReport } from '../../src/usage-command/usage-command.ts';

const sum = (group: string, given: Partial<UsageSum> = {}): UsageSum => ({
  group,
  tasks: 0,
  refused: 0,
  failed: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  modelTurns: 0,
  sandboxMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  money: [],
  ...given,
});

const sums = [
  sum('slack/T1/U%2F1', {
    tasks: 12,
    failed: 1,
    inputTokens: 1_234_567,
    outputTokens: 890,
    sandboxMs: 1250,
    money: [{ currency: 'USD', micros: 1_500_000 }],
  }),
  sum('', {
    tasks: 1,
    inputTokens: 5,
    money: [
      { currency: 'EUR', micros: 1 },
      { currency: 'USD', micros: 2 },
    ],
  }),
];
const now = Date.UTC(2026, 10, 28, 12);

async function report(
  argv: readonly string[],
  found = sums,
): Promise<{ readonly text: string; readonly asked: unknown }> {
  let asked: unknown = null;
  const usageBy = async (...question: unknown[]) => {
    asked = question;
    return found;
  };
  return { text: await usageReport(parseUsageArguments(argv), { usageBy }, now), asked };
}

it('a table: words left, numbers right, without columns that hold nothing', async () => {
  const { text, asked } = await report([]);
  expect(asked).toEqual(['person', Date.UTC(2026, 10, 1)]);
  expect(text).toBe(
    [
      'person                questions  failed  tokens in  tokens out  sandbox s                        money',
      'slack/T1/U/1                 12       1  1,234,567         890        1.3                 USD 1.500000',
      '(forgotten, or none)          1       0          5           0          0  EUR 0.000001 + USD 0.000002',
      '',
    ].join('\n'),
  );
  expect((await report([], [])).text).toBe('No questions since 2026-11-01T00:00:00.000Z.\n');
  const hostile = await report([], [sum('slack/T1/%1B%5B2J%E2%80%AE', { tasks: 1 })]);
  expect((await report(['--by', 'model'], [sum('100%', { tasks: 1 })])).text).toContain('100%');
  expect(hostile.text).toContain('slack/T1/\u{fffd}[2J\u{fffd}');
});

it('JSON and CSV for other programs, by what is asked', async () => {
  const { text, asked } = await report(['--json', '--by', 'channel', '--since', '2026-11-20T08:00+01:00']);
  expect(asked).toEqual(['channel', Date.UTC(2026, 10, 20, 7)]);
  expect(JSON.parse(text)).toEqual([
    {
      group: 'slack/T1/U%2F1',
      tasks: 12,
      refused: 0,
      failed: 1,
      modelTurns: 0,
      inputTokens: 1_234_567,
      cachedInputTokens: 0,
      outputTokens: 890,
      reasoningTokens: 0,
      sandboxSeconds: 1.25,
      bytesIn: 0,
      bytesOut: 0,
      money: [{ currency: 'USD', amount: 1.5 }],
    },
    expect.objectContaining({
      group: '',
      money: [
        { currency: 'EUR', amount: 0.000_001 },
        { currency: 'USD', amount: 0.000_002 },
      ],
    }),
  ]);
  expect((await report(['--csv', '--by', 'model'], [sum('a,"b"', { tasks: 1 })])).text).toBe(
    'model,tasks,refused,failed,modelTurns,inputTokens,cachedInputTokens,outputTokens,reasoningTokens,sandboxSeconds,bytesIn,bytesOut,money\r\n' +
      '"a,""b""",1,0,0,0,0,0,0,0,0,0,0,\r\n',
  );
  expect((await report(['--json'], [])).text).toBe('[]\n');
});

it.each([
  [['--by', 'team'], /there is only person, channel, workspace, day, model/],
  [['--since', 'yesterday'], /--since yesterday: write a day like/],
  [['--since', '2026-11-01T08:00'], /write a day like/],
  [['--since', '2026-13-01'], /write a day like/],
  [['--json', '--csv'], /not both/],
  [['extra'], /extra/],
])('%j is refused with what there is', (argv, words) => {
  expect(() => parseUsageArguments(argv)).toThrow(words);
});
