import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeText } from '../../adapters/shown-code.ts';
import { codeView } from '../../adapters/slack/code-view.ts';
import { detailsView } from '../../adapters/slack/details-view.ts';
import { homeView } from '../../adapters/slack/home-view.ts';
import type { HomeOverview } from '../../adapters/slack/home-view.ts';
import { questionView } from '../../adapters/slack/question-view.ts';
import { helpText, statusText, usageText } from '../../adapters/slack/status-text.ts';
import type { Cell } from '../../src/types.ts';
import { anyCell, anyText } from '../fakes/any-reply.ts';
import { mrkdwnProblems } from '../fakes/slack-text-problems.ts';
import { viewProblems } from '../fakes/slack-validator.ts';

const overview: HomeOverview = {
  threads: [
    {
      question: 'Totals *by* <!channel>?',
      link: 'https://acme.slack.com/archives/C1/p1?a=1&b=2',
      askedAtMs: 1_700_000_000_000,
      state: 'done',
    },
    { question: '', link: 'javascript:alert(1)', askedAtMs: 1_700_000_000_000, state: 'running' },
  ],
  usage: {
    questions: 1,
    inputTokens: 12_345,
    outputTokens: 678,
    sandboxMs: 90_000,
    sinceMs: Date.UTC(2026, 10, 1),
    money: [{ currency: 'USD', micros: 4_200 }],
  },
  limits: [
    { scope: 'person', kind: 'tasks-per-day', value: 20, used: 20, freesAtMs: Date.UTC(2026, 10, 2, 14, 4, 1) },
    { scope: 'person', kind: 'tasks-at-once', value: 3, used: 1, freesAtMs: null },
    { scope: 'workspace', kind: 'sandbox-ms-per-day', value: 600_000, used: 1_500, freesAtMs: null },
  ],
  model: 'm & m',
  followUps: 'thread',
};
const everyone = { running: 2, waiting: 1234 };

const anyOverview: fc.Arbitrary<HomeOverview> = fc.record({
  threads: fc.array(
    fc.record({
      question: anyText,
      link: fc.option(fc.oneof(fc.webUrl(), anyText)),
      askedAtMs: fc.oneof(fc.nat(), fc.double()),
      state: fc.constantFrom('waiting' as const, 'running' as const, 'done' as const, 'cancelled' as const),
    }),
    { maxLength: 60 },
  ),
  usage: fc.record({
    questions: fc.nat(),
    inputTokens: fc.nat(),
    outputTokens: fc.nat(),
    sandboxMs: fc.nat(),
    sinceMs: fc.oneof(fc.nat(), fc.double()),
    money: fc.array(fc.record({ currency: fc.stringMatching(/^[A-Z]{2,10}$/), micros: fc.nat() }), { maxLength: 3 }),
  }),
  limits: fc.array(
    fc.record({
      scope: fc.constantFrom('person' as const, 'workspace' as const),
      kind: fc.constantFrom('tasks-at-once' as const, 'tokens-per-day' as const, 'sandbox-ms-per-day' as const),
      value: fc.nat(),
      used: fc.nat(),
      freesAtMs: fc.option(fc.nat()),
    }),
    { maxLength: 8 },
  ),
  model: anyText,
  followUps: fc.constantFrom('mention' as const, 'thread' as const),
});

function cell(overrides: Partial<Cell>, execution: Partial<Cell['execution']> = {}): Cell {
  return {
    taskId: 't',
    index: 0,
    title: 'Read',
    source: 'print(1)',
    seed: null,
    startedAtMs: 0,
    execution: {
      status: 'ok',
      stdout: '',
      stdoutSha256: null,
      stderr: '',
      results: [],
      error: null,
      stateKept: true,
      files: [],
      durationMs: 1234,
      ...execution,
    },
    ...overrides,
  };
}

describe('every view keeps to Slack’s limits, whatever is in it', () => {
  test('code', () => {
    fc.assert(
      fc.property(fc.array(anyCell, { maxLength: 30 }), (cells) => {
        const view = codeView(cells);
        expect(view === null ? [] : viewProblems(view)).toEqual([]);
        for (const line of codeText(cells).split('\n')) expect(line.isWellFormed()).toBe(true);
      }),
      { numRuns: 60 },
    );
  }, 20_000);

  test('home', () => {
    fc.assert(
      fc.property(anyOverview, (any) => {
        expect(viewProblems(homeView(any))).toEqual([]);
        for (const text of [statusText({ ...any, everyone }), usageText(any), helpText(any)]) {
          expect(mrkdwnProblems(text)).toEqual([]);
          expect(text.length).toBeLessThanOrEqual(3000);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('question and details', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 40 }), fc.nat({ max: 3000 }), (names, length) => {
        expect(viewProblems(questionView(names, 'x'.repeat(Math.max(1, length))))).toEqual([]);
        const sections = names.map((title) => ({ title, lines: Array.from({ length: 30 }, () => names.join(' ')) }));
        expect(viewProblems(detailsView({ file: names[0] ?? '', sections }))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the code', () => {
  const error = { name: 'KeyError', message: "'region'", traceback: 'Traceback …\n  File "cell", line 1' };

  test('each cell with its state, source and output, without the traceback', () => {
    const view = JSON.stringify(
      codeView([cell({}, { stdout: '1\n' }), cell({ index: 1, title: 'Sum' }, { status: 'error', error })]),
    );
    for (const shown of ['1. Read', 'ran, 1.2 s', 'print(1)', '2. Sum', 'ended with an error', "KeyError: 'region'"]) {
      expect(view).toContain(shown);
    }
    expect(view).not.toContain('Traceback');
  });

  test('what is too long for a modal is for a file; code is never cut', () => {
    expect(codeView([cell({ source: 'x'.repeat(9001) })])).toBeNull();
    expect(codeView(Array.from({ length: 40 }, (_, index) => cell({ index })))).toBeNull();
    expect(codeView(Array.from({ length: 30 }, (_, index) => cell({ index, source: '漢'.repeat(5000) })))).toBeNull();
    expect(viewProblems(codeView([]))).toEqual([]);
  });

  test('as a file it is Python that runs: the rest is comments', () => {
    const text = codeText([
      cell({ source: 'a = 1\nprint(a)\n' }, { stdout: '1\n2\n' }),
      cell({ index: 1, title: 'x\ny' }, { status: 'error', error }),
    ]);
    expect(text).toBe(
      "# 1. Read\n# ran, 1.2 s\na = 1\nprint(a)\n# > 1\n# > 2\n\n# 2. x y\n# ended with an error, 1.2 s\nprint(1)\n# > KeyError: 'region'\n",
    );
  });

  test('output is cut, and says so', () => {
    expect(JSON.stringify(codeView([cell({}, { stdout: 'y'.repeat(2000) })]))).toContain('(500 more characters)');
  });
});

describe('home and commands', () => {
  test('threads with their links, which have words of ours', () => {
    const view = JSON.stringify(homeView(overview));
    expect(view).toContain('<https://acme.slack.com/archives/C1/p1?a=1&amp;b=2|Open thread>');
    expect(view).not.toContain('javascript:');
    expect(view).not.toContain('<!channel>');
    expect(view).toContain('"action_id":"plotline-forget"');
    expect(view).toContain('12,345 tokens read');
  });

  test('status says what of this person runs, and how busy the bot is', () => {
    expect(statusText({ ...overview, everyone })).toBe(
      "*Yours:*\n• running: (a file without words)\nEveryone's: 2 running, 1,234 waiting.\nModel: m &amp; m",
    );
    expect(statusText({ ...overview, threads: [], everyone })).toMatch(/^Nothing of yours is running or waiting\./);
    expect(usageText(overview)).toBe(
      '*Your usage*\nSince 2026-11-01: 1 question\n12,345 tokens read, 678 tokens written\n90 s of Python\nUSD 0.0042\n' +
        'Left for you: 0 of 20 questions in 24 hours (more at 14:05 UTC), 2 of 3 questions at once\n' +
        'Left for all of this workspace: 598 of 600 seconds of Python in 24 hours\nModel: m &amp; m',
    );
    expect(helpText({ ...overview, followUps: 'mention' })).toContain('mention me again in the thread');
  });

  test('a question is asked about the files that are named', () => {
    const view = JSON.stringify(questionView(['a.csv', 'b.csv'], '{}'));
    expect(view).toContain('Files: a.csv, b.csv');
    expect(view).toContain('"callback_id":"plotline-question"');
    expect(() => questionView([], 'x'.repeat(3001))).toThrow('3000');
  });
});
