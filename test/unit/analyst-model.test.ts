import { describe, expect, it } from 'vitest';
import { userMessage } from '../../src/agent/user-message.ts';
import { createAnalyst } from '../../src/models/analyst/analyst.ts';
import type { AssistantMessage, ModelEvent, ModelMessage, ModelRequest } from '../../src/ports/model.ts';
import { sales } from './analyst-cards.ts';

const tools = [{ name: 'run_python', description: '', parameters: {} }];

async function turn(
  messages: readonly ModelMessage[],
  change: Partial<ModelRequest> = {},
): Promise<{ readonly events: readonly ModelEvent[]; readonly message: AssistantMessage }> {
  const events: ModelEvent[] = [];
  const request = { instructions: '', messages, tools, toolChoice: 'auto' as const, maxOutputTokens: 1000, ...change };
  for await (const event of createAnalyst().stream(request, new AbortController().signal)) events.push(event);
  const last = events.at(-1);
  if (last?.type !== 'finish') throw new Error('no finish');
  expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1);
  return { events, message: last.message };
}

const result = (message: AssistantMessage, text: string): ModelMessage => ({
  role: 'tool',
  callId: message.toolCalls[0]?.id ?? '',
  text,
});
const facts =
  'status: ok (0.10 s)\n## stdout\n{"read": 600, "rejected": [], "rejected_count": 0, "used": 600, "values": {"Revenue (EUR)": 1234.5}}';

describe('the built-in analyst as a model', () => {
  it('calls the tool once, then answers with what it printed and says what it is', async () => {
    const question = userMessage('total revenue', [sales]);
    const first = await turn([question]);
    expect(first.message.toolCalls).toHaveLength(1);
    expect(first.events.filter(({ type }) => type === 'tool-call')).toHaveLength(1);
    const second = await turn([question, first.message, result(first.message, facts)]);
    expect(second.message.text).toContain('**1,234.50 EUR**');
    expect(second.message.text).toContain('All rows used.');
    expect(second.message.text).toContain('no language model is configured');
    expect(second.events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('')).toBe(
      second.message.text,
    );

    const again = userMessage('and by region?', []);
    const third = await turn([question, first.message, result(first.message, facts), second.message, again]);
    expect(third.message.toolCalls[0]?.argumentsText).toContain('groupby');
    expect(third.message.toolCalls[0]?.id).not.toBe(first.message.toolCalls[0]?.id);
  });

  it('tries once more with converted columns after an error, then says so without the traceback', async () => {
    const question = userMessage('total revenue', [sales]);
    const failure =
      'status: error (0.10 s)\n## error\nValueError: could not convert\nTraceback (most recent call last):\n  File "<cell 1>", line 3';
    const first = await turn([question]);
    const second = await turn([question, first.message, result(first.message, failure)]);
    expect(second.message.toolCalls[0]?.argumentsText).toContain('to_numeric');
    const third = await turn([
      question,
      first.message,
      result(first.message, failure),
      second.message,
      result(second.message, failure),
    ]);
    expect(third.message.toolCalls).toEqual([]);
    expect(third.message.text).toContain('could not convert');
    expect(third.message.text).not.toContain('Traceback');
  });

  it('does not try again what ran out of time', async () => {
    const question = userMessage('total revenue', [sales]);
    const first = await turn([question]);
    const second = await turn([
      question,
      first.message,
      result(first.message, 'status: timeout (60.00 s)\n## error\ntimeout: 60 s'),
    ]);
    expect(second.message.toolCalls).toEqual([]);
    expect(second.message.text).toMatch(/longer than a cell may/);
  });

  it('calls nothing when no tool may be called', async () => {
    const { message } = await turn([userMessage('total revenue', [sales])], { toolChoice: 'none' });
    expect(message.toolCalls).toEqual([]);
    expect(message.text).not.toMatch(/\d{2}/);
  });

  it('names the closest values instead of taking one of them', async () => {
    const question = userMessage('revenue in Nort', [sales]);
    const first = await turn([question]);
    const text =
      'status: ok (0.10 s)\n## stdout\n{"read": 600, "kept": 0, "no_match": {"value": "Nort", "column": "Region", "closest": ["North"]}}';
    const { message } = await turn([question, first.message, result(first.message, text)]);
    expect(message.text).toContain('“North”');
    expect(message.text).toContain('computed nothing');
  });

  it('is cancelled by an aborted signal', async () => {
    const events: ModelEvent[] = [];
    for await (const event of createAnalyst().stream(
      { instructions: '', messages: [], tools, toolChoice: 'auto', maxOutputTokens: 1 },
      AbortSignal.abort(),
    ))
      events.push(event);
    expect(events).toMatchObject([{ type: 'finish', reason: 'cancelled' }]);
  });
});
