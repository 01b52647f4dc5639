import { describe, expect, test } from 'vitest';
import { slackProblems, viewProblems } from '../fakes/slack-validator.ts';

/** The judge is judged: each of these would be refused by Slack, or would ping or mislead. */

const plain = (text: string) => ({ type: 'plain_text', text });
const button = { type: 'button', action_id: 'a', text: plain('Go'), value: 'v' };
const table = (overrides: object) => ({
  type: 'data_table',
  caption: 'c',
  rows: [[{ type: 'raw_text', text: 'h' }], [{ type: 'raw_number', value: 1, text: '1' }]],
  ...overrides,
});
const chart = (overrides: object) => ({
  type: 'data_visualization',
  title: 't',
  chart: {
    type: 'bar',
    series: [{ name: 's', data: [{ label: 'a', value: 1 }] }],
    axis_config: { categories: ['a'] },
    ...overrides,
  },
});
const pie = (segments: readonly object[]) => chart({ type: 'pie', segments });
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
const markdown = (text: string) => ({ type: 'markdown', text });

describe('good ones', () => {
  test.each([
    [section('a &amp; b\n>quote <https://example.com/a|example.com> <!date^1700000000^{date}|then>')],
    [markdown('```\n[bank.example](https://evil.example)\n```\n[x](https://example.com) a < b & c, ada@here.example')],
    [{ type: 'actions', elements: [button] }],
    [table({})],
    [chart({})],
    [pie([{ label: 'a', value: 1 }])],
    [{ type: 'image', slack_file: { id: 'F1' }, alt_text: 'a' }],
  ])('%j', (block) => {
    expect(slackProblems({ text: 'x', blocks: [block] }, 'message')).toEqual([]);
  });
});

describe('bad blocks', () => {
  test.each<[string, readonly unknown[]]>([
    ['unknown type', [{ type: 'fancy' }]],
    ['blocks, at most 50', Array.from({ length: 51 }, () => ({ type: 'divider' }))],
    ['same block_id', [1, 2].map(() => ({ type: 'divider', block_id: 'b' }))],
    ['block_id: 256', [{ type: 'divider', block_id: 'b'.repeat(256) }]],
    ['12001 characters of markdown', [markdown('x'.repeat(6000)), markdown('x'.repeat(6001))]],
    ['text: empty', [markdown('  ')]],
    ['text: not a text', [{ type: 'markdown' }]],
    ['3001 characters', [section('x'.repeat(3001))]],
    ['neither text nor fields', [{ type: 'section' }]],
    ['no entity', [section('R&D')]],
    ['a < outside', [section('a < b')]],
    ['a > that', [section('a > b')]],
    ['the token <@U1>', [section('<@U1>')]],
    ['the token <!channel>', [section('<!channel>')]],
    ['the mention @here', [section('@here')]],
    ['that reads', [section('<https://evil.example|bank.example>')]],
    ['the token <!here', [markdown('`<!here>`')]],
    ['the token <@U', [markdown('<@U123>')]],
    ['the mention @channel', [markdown('hi @channel')]],
    ['that reads', [markdown('[bank.example](https://evil.example)')]],
    ['that reads', [markdown('a\n     ```\n[ba**nk**.example\nx](https://evil.example)')]],
    ['that reads', [markdown('\\`[bank.example](https://evil.example)`')]],
    ['that reads', [markdown('[run](javascript:alert)')]],
    ['labelled link', [markdown('<https://evil.example|bank.example>')]],
    ['an image', [markdown('![p](https://evil.example/p.png)')]],
    ['link definition', [markdown('> [bank.example]: https://evil.example')]],
    ['surrogate', [markdown('\ud83d')]],
    ['turns text around', [markdown('a\u202eb')]],
    ['control character', [markdown('a\u001bb')]],
    ['1 to 25', [{ type: 'actions', elements: [] }]],
    ['action_id twice', [{ type: 'actions', elements: [button, button] }]],
    ['action_id: not', [{ type: 'actions', elements: [{ ...button, action_id: undefined }] }]],
    ['76 characters', [{ type: 'actions', elements: [{ ...button, text: plain('x'.repeat(76)) }] }]],
    ['2001 characters', [{ type: 'actions', elements: [{ ...button, value: 'x'.repeat(2001) }] }]],
    ['confirm.title', [{ type: 'actions', elements: [{ ...button, confirm: {} }] }]],
    ['1 to 5', [{ type: 'context_actions', elements: [] }]],
    ['positive_button', [{ type: 'context_actions', elements: [{ type: 'feedback_buttons', action_id: 'f' }] }]],
    ['1 to 10', [{ type: 'context', elements: Array.from({ length: 11 }, () => plain('x')) }]],
    ['151 characters', [{ type: 'header', text: plain('x'.repeat(151)) }]],
    ['not plain_text', [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }]],
    ['2 sources', [{ type: 'image', alt_text: 'a', slack_file: { id: 'F1', url: 'https://files.slack.com/a' } }]],
    ['0 sources', [{ type: 'image', alt_text: 'a' }]],
    ['alt_text: empty', [{ type: 'image', alt_text: '', slack_file: { id: 'F1' } }]],
    ['2 to 101', [table({ rows: [[{ type: 'raw_text', text: 'h' }]] })]],
    ['different lengths', [table({ rows: [[{ type: 'raw_text', text: 'h' }], []] })]],
    [
      '20 columns',
      [table({ rows: [1, 2].map(() => Array.from({ length: 21 }, () => ({ type: 'raw_text', text: 'x' }))) })],
    ],
    ['empty cell', [table({ rows: [1, 2].map(() => [{ type: 'raw_text', text: '' }]) })]],
    ['caption', [table({ caption: undefined })]],
    ['page_size', [table({ page_size: 101 })]],
    [
      'a number that is none',
      [table({ rows: [[{ type: 'raw_text', text: 'h' }], [{ type: 'raw_number', value: Number.NaN, text: 'x' }]] })],
    ],
    ['type raw_number', [table({ rows: [1, 2].map(() => [{ type: 'raw_number', value: 1, text: '1' }]) })]],
    [
      'in table cells',
      [1, 2].map(() => table({ rows: [1, 2].map(() => [{ type: 'raw_text', text: 'x'.repeat(2600) }]) })),
    ],
    ['in all blocks, at most 13200', [markdown('x'.repeat(11_000)), section('x'.repeat(2500))]],
    ['more than 2 charts', [chart({}), chart({}), chart({})]],
    ['an unknown chart', [chart({ type: 'scatter' })]],
    ['same name', [chart({ series: [1, 2].map(() => ({ name: 's', data: [{ label: 'a', value: 1 }] })) })]],
    ['for each category', [chart({ axis_config: { categories: ['a', 'b'] } })]],
    ['no number', [chart({ series: [{ name: 's', data: [{ label: 'a', value: null }] }] })]],
    ['21 characters', [pie([{ label: 'x'.repeat(21), value: 1 }])]],
    ['not above 0', [pie([{ label: 'a', value: 0 }])]],
    ['label twice', [pie([1, 2].map(() => ({ label: 'a', value: 1 })))]],
    ['1 to 6', [pie(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((label) => ({ label, value: 1 })))]],
    [
      'not for a message',
      [{ type: 'input', label: plain('l'), element: { type: 'plain_text_input', action_id: 'i' } }],
    ],
  ])('%s', (problem, blocks) => {
    expect(slackProblems({ text: 'x', blocks }, 'message').join('\n')).toContain(problem);
  });
});

test('bad texts', () => {
  expect(slackProblems({ text: ' ' }, 'message')).toEqual(['text: empty']);
  expect(slackProblems({ text: 'x'.repeat(4001) }, 'message')).toEqual(['text: 4001 characters, at most 4000']);
  expect(slackProblems({ text: 'a & b' }, 'message')).toEqual(['text: a & that is no entity']);
  expect(slackProblems({}, 'message')).toEqual(['neither text nor blocks']);
});

describe('views', () => {
  const modal = { type: 'modal', title: plain('T'), blocks: [{ type: 'divider' }] };
  const input = { type: 'input', label: plain('l'), element: { type: 'plain_text_input', action_id: 'i' } };

  test('good ones', () => {
    expect(viewProblems(modal)).toEqual([]);
    expect(viewProblems({ ...modal, submit: plain('Go'), blocks: [input] })).toEqual([]);
    expect(viewProblems({ type: 'home', blocks: [section('x')] })).toEqual([]);
  });

  test.each<[string, object]>([
    ['unknown view type', { type: 'window' }],
    ['title: 25 characters', { ...modal, title: plain('x'.repeat(25)) }],
    ['title: not plain_text', { ...modal, title: undefined }],
    ['private_metadata: 3001', { ...modal, private_metadata: 'x'.repeat(3001) }],
    ['callback_id: 256', { ...modal, callback_id: 'x'.repeat(256) }],
    ['an input without submit', { ...modal, blocks: [input] }],
    ['101 blocks, at most 100', { ...modal, blocks: Array.from({ length: 101 }, () => ({ type: 'divider' })) }],
    [
      'max_length',
      { ...modal, submit: plain('Go'), blocks: [{ ...input, element: { ...input.element, max_length: 3001 } }] },
    ],
    ['not for a modal', { ...modal, blocks: [markdown('x')] }],
    ['not for a home', { type: 'home', blocks: [table({})] }],
    [
      '250 KB',
      {
        ...modal,
        blocks: Array.from({ length: 90 }, () => section('x'.repeat(2900))),
      },
    ],
  ])('%s', (problem, view) => {
    expect(viewProblems(view).join('\n')).toContain(problem);
  });
});
