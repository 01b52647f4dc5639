import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/config.ts';
import type { Logger } from '../../src/log.ts';
import type { Model, ModelEvent, ModelMessage, ModelRequest } from '../../src/ports/model.ts';
import type { Wire } from '../fakes/openai-wire.ts';
import { events, refuse, startScriptedHttp } from '../fakes/scripted-http.ts';
import type { ScriptedHttp } from '../fakes/scripted-http.ts';

export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
  within: (_, work) => work(),
};

type Finish = Extract<ModelEvent, { readonly type: 'finish' }>;

export function requestOf(messages: readonly ModelMessage[]): ModelRequest {
  return {
    instructions: 'Answer from the data.',
    messages,
    tools: [{ name: 'run_python', description: 'Runs Python.', parameters: { type: 'object', properties: {} } }],
    toolChoice: 'auto',
    maxOutputTokens: 1000,
  };
}

const question: ModelMessage = { role: 'user', text: 'Total?' };

/** Everything a turn says. Fails when there is not exactly one finish, at the end. */
export async function turnOf(
  model: Model,
  messages: readonly ModelMessage[] = [question],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly said: readonly ModelEvent[]; readonly finish: Finish }> {
  const said: ModelEvent[] = [];
  for await (const event of model.stream(requestOf(messages), signal)) said.push(event);
  const finishes = said.filter((event) => event.type === 'finish');
  expect(finishes).toHaveLength(1);
  expect(said.at(-1)).toBe(finishes[0]);
  return { said, finish: finishes[0] as Finish };
}

const call = { id: 'call_a', name: 'run_python', argumentsText: '{"title":"Add","code":"print(1)"}' };

/** The contract of the port `Model`, against a real server of the API and, for what that cannot be made to do, scripted bytes. */
export function modelContract(name: string, create: (config: ModelConfig, log: Logger) => Model, wire: Wire): void {
  const configFor = (baseUrl: string, timeoutMs = 5000): ModelConfig => ({
    apiKey: 'key-for-tests',
    baseUrl,
    model: 'test-model',
    api: 'chat',
    timeoutMs,
  });

  describe(`${name} against an OpenAI-compatible server`, () => {
    const server = new LLMock({ port: 0 });
    let model: Model;
    beforeAll(async () => {
      server.on(
        { userMessage: 'calls', hasToolResult: false },
        {
          content: 'I look.',
          toolCalls: [
            { name: 'run_python', arguments: '{"code":"1"}' },
            { name: 'run_python', arguments: '{"code":"2"}' },
          ],
        },
      );
      server.on({ userMessage: 'calls', hasToolResult: true }, { content: 'Three.' });
      server.on({ userMessage: 'Total?' }, { content: 'It is 42, computed from all rows.' });
      await server.start();
      model = create(configFor(`${server.url}/v1`), silentLog);
    });
    afterAll(() => server.stop());

    it('streams text in pieces that make up the message', async () => {
      const { said, finish } = await turnOf(model);
      const pieces = said.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []));
      expect(pieces.length).toBeGreaterThan(1);
      expect(pieces.join('')).toBe('It is 42, computed from all rows.');
      expect(finish).toMatchObject({ reason: 'stop', error: null, message: { text: pieces.join(''), toolCalls: [] } });
    });

    it('announces each call once and takes its result back under the same id', async () => {
      server.clearRequests();
      const first: ModelMessage = { role: 'user', text: 'calls' };
      const { said, finish } = await turnOf(model, [first]);
      expect(finish.reason).toBe('tool-calls');
      const announced = said.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
      expect(announced).toEqual(finish.message.toolCalls);
      expect(announced.map(({ argumentsText }) => argumentsText)).toEqual(['{"code":"1"}', '{"code":"2"}']);
      const results = announced.map(({ id }): ModelMessage => ({ role: 'tool', callId: id, text: `result of ${id}` }));
      const second = await turnOf(model, [first, finish.message, ...results]);
      expect(second.finish.message.text).toBe('Three.');
      const journal = server.getLastRequest()?.body as { readonly messages: readonly Record<string, unknown>[] };
      const ids = journal.messages.flatMap((message) => (message['tool_calls'] as { id: string }[] | undefined) ?? []);
      const answered = journal.messages.filter(({ role }) => role === 'tool').map((message) => message['tool_call_id']);
      expect(answered).toEqual(announced.map(({ id }) => id));
      expect(ids.map(({ id }) => id)).toEqual(answered);
    });

    it('maps a rate limit with the server’s own wait', async () => {
      server.nextRequestError(429, { message: 'slow down', code: 'rate_limit_exceeded' });
      expect((await turnOf(model)).finish.error).toMatchObject({
        code: 'rate-limited',
        retryable: true,
        retryAfterMs: 1000,
      });
    });
  });

  describe(`${name} on the wire`, () => {
    let server: ScriptedHttp;
    let model: Model;
    beforeEach(async () => {
      server = await startScriptedHttp();
      model = create(configFor(server.url), silentLog);
    });
    afterEach(() => server[Symbol.asyncDispose]());

    it('counts tokens as the server does', async () => {
      server.script(events(wire.text(['a'])));
      expect((await turnOf(model)).finish.usage).toEqual({ inputTokens: 100, cachedInputTokens: 40, outputTokens: 7 });
    });

    it('sends the key to the configured server and forbids calls when asked to', async () => {
      server.script(events(wire.text(['a'])));
      const request: ModelRequest = { ...requestOf([question]), toolChoice: 'none' };
      for await (const event of model.stream(request, AbortSignal.timeout(5000))) expect(event).toBeDefined();
      const last = server.requests.at(-1);
      expect(last?.headers.authorization).toBe('Bearer key-for-tests');
      expect(last?.body).toMatchObject({ tool_choice: 'none', model: 'test-model', stream: true });
    });

    it('says when the length limit cut a call, with the call as far as it came', async () => {
      server.script(events(wire.cutCall({ ...call, argumentsText: '{"title":"Add","code":"pri' })));
      const { finish } = await turnOf(model);
      expect(finish.reason).toBe('length');
      expect(finish.message.toolCalls).toEqual([{ ...call, argumentsText: '{"title":"Add","code":"pri' }]);
    });

    it('says when the answer was cut or withheld', async () => {
      server.script(events(wire.cutText('half an ans')), events(wire.filtered('some')));
      expect((await turnOf(model)).finish).toMatchObject({ reason: 'length', message: { text: 'half an ans' } });
      expect((await turnOf(model)).finish).toMatchObject({ reason: 'content-filter', error: null });
    });

    it('takes back arguments that are no JSON as JSON', async () => {
      server.script(events(wire.text(['a'])));
      await turnOf(model, [
        question,
        { role: 'assistant', text: '', toolCalls: [{ ...call, argumentsText: '{"code": pri' }], providerItems: null },
        { role: 'tool', callId: call.id, text: 'not JSON' },
      ]);
      const sent = /"arguments":"((?:[^"\\]|\\.)*)"/.exec(JSON.stringify(server.requests.at(-1)?.body))?.[1];
      expect(JSON.parse(JSON.parse(`"${sent}"`) as string)).toEqual({ unreadable_arguments: '{"code": pri' });
    });

    const refusals: readonly (readonly [number, object, Record<string, string>, object])[] = [
      [401, { message: 'Incorrect API key' }, {}, { code: 'auth', retryable: false }],
      [403, { message: 'not for you' }, {}, { code: 'auth', retryable: false }],
      [404, { message: 'no such model' }, {}, { code: 'rejected', retryable: false }],
      [429, { message: 'slow' }, { 'retry-after': '7' }, { code: 'rate-limited', retryable: true, retryAfterMs: 7000 }],
      [429, { message: 'slow' }, { 'retry-after-ms': '250' }, { code: 'rate-limited', retryAfterMs: 250 }],
      [429, { message: 'slow' }, {}, { code: 'rate-limited', retryable: true, retryAfterMs: null }],
      [
        429,
        { message: 'pay', code: 'insufficient_quota' },
        { 'retry-after': '1' },
        { code: 'rate-limited', retryable: false, retryAfterMs: null },
      ],
      [402, { message: 'Insufficient credits' }, {}, { code: 'rate-limited', retryable: false }],
      [
        429,
        { message: 'Request too large for test on tokens per min' },
        {},
        { code: 'context-overflow', retryable: false },
      ],
      [500, { message: 'oops' }, {}, { code: 'server-error', retryable: true }],
      [503, { message: 'overloaded' }, { 'retry-after': '3' }, { code: 'server-error', retryAfterMs: 3000 }],
      [
        400,
        { message: 'too long', code: 'context_length_exceeded' },
        {},
        { code: 'context-overflow', retryable: false },
      ],
      [400, { message: "This model's maximum context length is 8192 tokens" }, {}, { code: 'context-overflow' }],
      [400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }, {}, { code: 'context-overflow' }],
      [400, { message: 'the request exceeds the available context size' }, {}, { code: 'context-overflow' }],
      [400, { message: 'Invalid value' }, {}, { code: 'rejected', retryable: false }],
    ];
    it.each(refusals)('maps %i %j', async (status, error, headers, expected) => {
      server.script(refuse(status, { error }, headers));
      const { finish } = await turnOf(model);
      expect(finish).toMatchObject({ reason: 'error', error: expected, message: { text: '', toolCalls: [] } });
    });

    it('reads a Retry-After that is a date', async () => {
      const date = new Date(Date.now() + 30_000).toUTCString();
      server.script(refuse(429, { error: { message: 'slow' } }, { 'retry-after': date }));
      const waitMs = (await turnOf(model)).finish.error?.retryAfterMs ?? 0;
      expect(waitMs).toBeGreaterThan(25_000);
      expect(waitMs).toBeLessThanOrEqual(30_000);
    });

    it('takes a refusal for its content as the end of the turn', async () => {
      server.script(refuse(400, { error: { message: 'filtered by policy', code: 'content_filter' } }));
      expect((await turnOf(model)).finish).toMatchObject({ reason: 'content-filter', error: null });
    });

    it('maps an error inside the stream', async () => {
      server.script(
        events(wire.failed('server_error', 'it broke')),
        events(wire.failed('rate_limit_exceeded', 'slow')),
      );
      expect((await turnOf(model)).finish.error).toMatchObject({ code: 'server-error', retryable: true });
      expect((await turnOf(model)).finish.error).toMatchObject({ code: 'rate-limited', retryable: true });
    });

    it('calls a dropped connection interrupted and keeps the text, not the calls', async () => {
      const whole = wire.calls([call], 'So far');
      server.script(events(whole.slice(0, -wire.terminalFrames), 'break'));
      const { said, finish } = await turnOf(model);
      expect(finish).toMatchObject({ reason: 'error', error: { code: 'interrupted', retryable: true } });
      expect(finish.message).toMatchObject({ text: 'So far', toolCalls: [], providerItems: null });
      expect(said.filter(({ type }) => type === 'tool-call')).toEqual([]);
    });

    it.each([
      ['nothing at all', []],
      ['no terminal event', wire.text(['a', 'b']).slice(0, -wire.terminalFrames)],
      ['garbage', ['data: {"not json\n\n']],
      ['a web page', ['<html><body>Welcome to the proxy</body></html>\n']],
      ['events of the wrong shape', ['data: {"choices":[null]}\n\n', 'data: {"type":"response.output_item.done"}\n\n']],
    ])('calls a stream with %s interrupted', async (_what, frames) => {
      server.script(events(frames));
      expect((await turnOf(model)).finish.error).toMatchObject({ code: 'interrupted', retryable: true });
    });

    it('gives up on silence after the time limit, before the first byte and in mid-stream', async () => {
      const impatient = create(configFor(server.url, 150), silentLog);
      server.script(() => {}, events(wire.text(['a', 'b']).slice(0, -wire.terminalFrames), 'silence'));
      for (let turn = 0; turn < 2; turn += 1) {
        const { finish } = await turnOf(impatient);
        expect(finish.error).toMatchObject({ code: 'interrupted', retryable: true });
        expect(finish.error?.detail).toContain('silent');
      }
    });

    it('ends as cancelled when stopped before, at and after the first byte', async () => {
      const before = await turnOf(model, [question], AbortSignal.abort());
      expect(before.finish).toMatchObject({ reason: 'cancelled', error: null });

      server.script(() => {}, events(wire.text(['a', 'b']).slice(0, -wire.terminalFrames), 'silence'));
      const waiting = await turnOf(model, [question], AbortSignal.timeout(100));
      expect(waiting.finish).toMatchObject({ reason: 'cancelled', error: null });

      const stop = new AbortController();
      let finish: Finish | null = null;
      for await (const event of model.stream(requestOf([question]), stop.signal)) {
        if (event.type === 'text-delta') stop.abort();
        if (event.type === 'finish') finish = event;
      }
      expect(finish).toMatchObject({
        reason: 'cancelled',
        error: null,
        message: { text: expect.stringContaining('a') },
      });
    });

    it('closes the connection when nobody listens any more', async () => {
      const before = server.abandoned();
      server.script(events(wire.text(['a', 'b']).slice(0, -wire.terminalFrames), 'silence'));
      for await (const event of model.stream(requestOf([question]), new AbortController().signal)) {
        if (event.type === 'text-delta') break;
      }
      await expect.poll(() => server.abandoned()).toBe(before + 1);
    });

    it('says that a server is not there', async () => {
      const gone = await startScriptedHttp();
      await gone[Symbol.asyncDispose]();
      for (const url of [gone.url, 'http://no-such-host.invalid/v1']) {
        const { finish } = await turnOf(create(configFor(url), silentLog));
        expect(finish.error).toMatchObject({ code: 'unreachable', retryable: true });
      }
    });
  });
}
