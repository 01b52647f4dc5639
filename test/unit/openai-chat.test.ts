import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/config.ts';
import { createChatModel } from '../../src/models/openai-chat.ts';
import { createThinkingSplitter } from '../../src/models/openai-thinking.ts';
import type { AssistantMessage, ModelEvent } from '../../src/ports/model.ts';
import { modelContract, silentLog, turnOf } from '../contract/model-contract.ts';
import { chatWire } from '../fakes/openai-wire.ts';
import { events, refuse, startScriptedHttp } from '../fakes/scripted-http.ts';

modelContract('Chat Completions', createChatModel, chatWire);

function configFor(baseUrl: string): ModelConfig {
  return { apiKey: 'k', baseUrl, model: 'test-model', api: 'chat', timeoutMs: 5000 };
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (value: object, finishReason: string | null = null): string =>
  data({ choices: [{ delta: value, finish_reason: finishReason }] });

/** One turn from exactly these chunks. */
async function read(
  ...frames: readonly string[]
): Promise<{ readonly said: readonly ModelEvent[]; readonly message: AssistantMessage; readonly reason: string }> {
  await using server = await startScriptedHttp();
  server.script(events(frames));
  const { said, finish } = await turnOf(createChatModel(configFor(server.url), silentLog));
  return { said, message: finish.message, reason: finish.reason };
}

describe('servers of the Chat Completions API', () => {
  it('takes a whole call in one chunk, with arguments as an object and finish reason stop', async () => {
    const { message, reason } = await read(
      delta({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'run_python', arguments: { code: '1' } } }] }),
      delta({}, 'stop'),
    );
    expect(reason).toBe('tool-calls');
    expect(message.toolCalls).toEqual([{ id: 'call_1', name: 'run_python', argumentsText: '{"code":"1"}' }]);
  });

  it('gives calls without an id one each', async () => {
    const { message } = await read(
      delta({ tool_calls: [{ index: 0, function: { name: 'run_python', arguments: '{"code"' } }] }),
      delta({ tool_calls: [{ index: 0, id: null, function: { name: null, arguments: ':"1"}' } }] }),
      delta({ tool_calls: [{ index: 1, id: '', function: { name: 'run_python', arguments: '{"code":"2"}' } }] }),
      delta({}, 'tool_calls'),
    );
    expect(message.toolCalls.map(({ argumentsText }) => argumentsText)).toEqual(['{"code":"1"}', '{"code":"2"}']);
    expect(new Set(message.toolCalls.map(({ id }) => id)).size).toBe(2);
    expect(message.toolCalls.every(({ id }) => id.startsWith('call_'))).toBe(true);
  });

  it('tells calls apart that all have index 0, or none', async () => {
    for (const index of [0, undefined]) {
      const { message } = await read(
        delta({ tool_calls: [{ index, id: 'a', function: { name: 'run_python', arguments: '{"code":' } }] }),
        delta({ tool_calls: [{ index, id: 'a', function: { arguments: '"1"}' } }] }),
        delta({ tool_calls: [{ index, id: 'b', function: { name: 'run_python', arguments: '{"code":"2"}' } }] }),
        delta({}, 'tool_calls'),
      );
      expect(message.toolCalls).toEqual([
        { id: 'a', name: 'run_python', argumentsText: '{"code":"1"}' },
        { id: 'b', name: 'run_python', argumentsText: '{"code":"2"}' },
      ]);
    }
  });

  it('takes content as parts, chunks without choices, and a missing count of tokens', async () => {
    const { message, reason } = await read(
      ': OPENROUTER PROCESSING\n\n',
      data({ choices: [] }),
      data({ prompt_filter_results: [] }),
      delta({
        content: [
          { type: 'thinking', thinking: [] },
          { type: 'text', text: 'Par' },
        ],
      }),
      delta({ content: 'ts.' }),
      delta({ content: null }, 'end_turn'),
    );
    expect(message.text).toBe('Parts.');
    expect(reason).toBe('stop');
  });

  it.each([
    ['reasoning_content', { reasoning_content: 'Hm.' }],
    ['reasoning', { reasoning: 'Hm.' }],
    ['a think tag', { content: '<think>Hm.</think>\n\n' }],
  ])('keeps reasoning given as %s out of the answer', async (_what, reasoning) => {
    const { said, message } = await read(
      delta(reasoning),
      delta({ content: 'Yes.' }),
      delta({}, 'stop'),
      'data: [DONE]\n\n',
    );
    const thought = said.map((event) => (event.type === 'reasoning-delta' ? event.text : '')).join('');
    expect(thought).toBe('Hm.');
    expect(message.text).toBe('Yes.');
  });

  it('gives reasoning and signatures back with the calls they came with', async () => {
    await using server = await startScriptedHttp();
    const model = createChatModel(configFor(server.url), silentLog);
    const extra = { google: { thought_signature: 'sig' } };
    server.script(
      events([
        delta({ reasoning_content: 'Hm.' }),
        delta({
          tool_calls: [{ index: 0, id: 'a', extra_content: extra, function: { name: 'run_python', arguments: '{}' } }],
        }),
        delta({}, 'tool_calls'),
      ]),
      events(chatWire.text(['ok'])),
    );
    const { finish } = await turnOf(model);
    await turnOf(model, [{ role: 'user', text: 'q' }, finish.message, { role: 'tool', callId: 'a', text: 'r' }]);
    expect(server.requests[1]?.body).toMatchObject({
      messages: [
        {},
        {},
        { role: 'assistant', reasoning_content: 'Hm.', tool_calls: [{ id: 'a', extra_content: extra }] },
        {},
      ],
    });
  });

  it('adapts to members that a server does not take, and remembers', async () => {
    await using server = await startScriptedHttp();
    const model = createChatModel(configFor(server.url), silentLog);
    server.script(
      refuse(400, { error: { message: 'Unrecognized request argument supplied: stream_options' } }),
      refuse(400, { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." } }),
      events(chatWire.text(['a'])),
      events(chatWire.text(['b'])),
    );
    expect((await turnOf(model)).finish.message.text).toBe('a');
    expect((await turnOf(model)).finish.message.text).toBe('b');
    expect(server.requests).toHaveLength(4);
    expect(server.requests[3]?.body).toMatchObject({ max_completion_tokens: 1000 });
    expect(server.requests[3]?.body).not.toHaveProperty('stream_options');
    expect(server.requests[3]?.body).not.toHaveProperty('max_tokens');
  });

  it('takes a turn as whole when the connection goes after the finish reason', async () => {
    await using server = await startScriptedHttp();
    server.script(events([delta({ content: 'All.' }), delta({}, 'stop')], 'break'));
    const { finish } = await turnOf(createChatModel(configFor(server.url), silentLog));
    expect(finish).toMatchObject({ reason: 'stop', error: null, message: { text: 'All.' } });
  });

  it('reads a status that a router puts into the error of a stream', async () => {
    await using server = await startScriptedHttp();
    server.script(events([delta({ content: 'Half' }), data({ error: { code: 429, message: 'upstream is busy' } })]));
    const { finish } = await turnOf(createChatModel(configFor(server.url), silentLog));
    expect(finish.error).toMatchObject({ code: 'rate-limited', retryable: true });
  });
});

describe('reasoning in think tags', () => {
  it('is told apart however the text is cut into pieces', () => {
    const whole = '<think>a < b </thin no</think>\nThe <think> tag.';
    for (let size = 1; size <= whole.length; size += 1) {
      const splitter = createThinkingSplitter();
      const said = { 'reasoning-delta': '', 'text-delta': '' };
      for (let at = 0; at < whole.length; at += size) {
        for (const event of splitter.take(whole.slice(at, at + size))) said[event.type] += event.text;
      }
      for (const event of splitter.end()) said[event.type] += event.text;
      expect(said['reasoning-delta']).toBe('a < b </thin no');
      expect(said['text-delta'].trim()).toBe('The <think> tag.');
    }
  });

  it('leaves text alone that only looks like a tag', () => {
    const splitter = createThinkingSplitter();
    const said = [...splitter.take('<thi'), ...splitter.take('ng>'), ...splitter.end()];
    expect(said.map(({ text }) => text).join('')).toBe('<thing>');
  });
});
