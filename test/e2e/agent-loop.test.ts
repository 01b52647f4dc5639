import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAgent } from '../../src/agent/agent-loop.ts';
import type { AgentEvent, AgentOutcome } from '../../src/agent/agent-types.ts';
import { assertAnswered } from '../../src/agent/transcript.ts';
import type { ModelConfig } from '../../src/config.ts';
import { createChatModel } from '../../src/models/openai-chat.ts';
import { createResponsesModel } from '../../src/models/openai-responses.ts';
import type { Model, ModelMessage } from '../../src/ports/model.ts';
import { silentLog } from '../contract/model-contract.ts';
import { createFakeSession } from '../fakes/fake-session.ts';
import { chatWire, responsesWire } from '../fakes/openai-wire.ts';
import type { WireCall } from '../fakes/openai-wire.ts';
import { events, refuse, startScriptedHttp } from '../fakes/scripted-http.ts';
import type { ScriptedHttp } from '../fakes/scripted-http.ts';

/** The loop with a real adapter over real HTTP: the list of what goes wrong with models, for both APIs. */

const question: ModelMessage = { role: 'user', text: 'What is the total revenue?' };
const wrongPath = 'load("/data/sales.csv")';
const rightPath = 'load("sales.csv")\nprint("total 4711")';

interface Run {
  readonly outcome: AgentOutcome;
  readonly events: readonly AgentEvent[];
  readonly ran: readonly string[];
  readonly waits: readonly number[];
}

async function ask(model: Model): Promise<Run> {
  const session = createFakeSession(['sales.csv']);
  const seen: AgentEvent[] = [];
  const waits: number[] = [];
  const outcome = await runAgent({
    model,
    instructions: 'Compute, never guess.',
    messages: [question],
    runCell: session.runCell,
    saveOutput: session.saveOutput,
    limits: { maxSteps: 12, maxTokens: 100_000, maxWallMs: 20_000 },
    signal: new AbortController().signal,
    onUsage: () => {},
    allowance: async () => null,
    onEvent: (event) => {
      seen.push(event);
    },
    sleep: async (ms) => {
      waits.push(ms);
    },
  });
  assertAnswered(outcome.messages);
  return { outcome, events: seen, ran: session.ran, waits };
}

function configFor(baseUrl: string): ModelConfig {
  return { apiKey: 'key-for-tests', baseUrl, model: 'test-model', api: 'chat', timeoutMs: 2000 };
}

/** A call and the ids of its results, as either API puts them on the wire. */
function callsAndResults(body: unknown): { readonly calls: readonly string[]; readonly results: readonly string[] } {
  const { messages, input } = body as { readonly messages?: readonly Item[]; readonly input?: readonly Item[] };
  const items = messages ?? input ?? [];
  return {
    calls: items.flatMap((item) =>
      item.type === 'function_call' ? [item.call_id ?? ''] : (item.tool_calls ?? []).map(({ id }) => id),
    ),
    results: items.flatMap((item) => {
      if (item.role === 'tool') return [item.tool_call_id ?? ''];
      return item.type === 'function_call_output' ? [item.call_id ?? ''] : [];
    }),
  };
}

interface Item {
  readonly role?: string;
  readonly type?: string;
  readonly call_id?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string }[];
}

/** Every request must carry exactly one result for each of its calls, in whatever state the task is. */
function expectAnswered(bodies: readonly unknown[], atLeast: number): void {
  const all = bodies.map(callsAndResults);
  for (const { calls, results } of all) expect(results).toEqual(calls);
  expect(Math.max(...all.map(({ calls }) => new Set(calls).size))).toBe(atLeast);
}

const apis = [
  ['Responses', createResponsesModel, responsesWire],
  ['Chat Completions', createChatModel, chatWire],
] as const;

describe.each(apis)('%s, an OpenAI-compatible server', (_name, create) => {
  const server = new LLMock({ port: 0 });
  beforeEach(async () => {
    server.reset();
    await server.start();
  });
  afterEach(() => server.stop());

  const repairing = (): void => {
    const python = (code: string, title: string) => [
      { name: 'run_python', arguments: JSON.stringify({ title, code }) },
    ];
    server.on({ hasToolResult: false }, { content: 'I read the file.', toolCalls: python(wrongPath, 'Reading sales') });
    server.on({ toolResultContains: 'FileNotFoundError' }, { toolCalls: python(rightPath, 'Reading sales again') });
    server.on({ toolResultContains: 'total 4711' }, { content: 'The total revenue is 4711.' });
  };

  it('repairs a wrong path after its traceback and answers', async () => {
    repairing();
    const { outcome, events: seen, ran } = await ask(create(configFor(`${server.url}/v1`), silentLog));
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'The total revenue is 4711.' });
    expect(ran).toEqual([wrongPath, rightPath]);
    expect(seen.filter(({ type }) => type === 'step-started' || type === 'step-finished')).toEqual([
      { type: 'step-started', title: 'Reading sales' },
      { type: 'step-finished', status: 'error' },
      { type: 'step-started', title: 'Reading sales again' },
      { type: 'step-finished', status: 'ok' },
    ]);
    const journal = server.getRequests().map(({ body }) => body);
    expect(journal).toHaveLength(3);
    expectAnswered(journal, 2);
  });

  it.each([
    [429, 'rate_limit_exceeded', 1000, 1000],
    [500, 'server_error', 1000, 1250],
  ])('sits out a %i and answers', async (status, code, leastMs, mostMs) => {
    repairing();
    server.nextRequestError(status, { message: 'not now', code });
    const { outcome, waits } = await ask(create(configFor(`${server.url}/v1`), silentLog));
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'The total revenue is 4711.' });
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(leastMs);
    expect(waits[0]).toBeLessThanOrEqual(mostMs);
    expectAnswered(
      server.getRequests().map(({ body }) => body),
      2,
    );
  });
});

describe.each(apis)('%s, when things go wrong', (_name, create, wire) => {
  let server: ScriptedHttp;
  let model: Model;
  beforeEach(async () => {
    server = await startScriptedHttp();
    model = create(configFor(server.url), silentLog);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const python = (id: string, code: string): WireCall => ({
    id,
    name: 'run_python',
    argumentsText: JSON.stringify({ title: 'Reading', code }),
  });
  const turn = (...calls: readonly WireCall[]) => events(wire.calls(calls));
  const answer = events(wire.text(['The total ', 'is 4711.']));
  const bodies = (): readonly unknown[] => server.requests.map(({ body }) => body);

  it('starts a turn again that the connection lost in the middle', async () => {
    const half = wire.text(['The total ', 'is']).slice(0, -wire.terminalFrames);
    server.script(turn(python('a', rightPath)), events(half, 'break'), answer);
    const { outcome, events: seen, ran } = await ask(model);
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'The total is 4711.' });
    expect(ran).toEqual([rightPath]);
    const restarted = seen.findIndex(({ type }) => type === 'turn-restarted');
    const after = seen.slice(restarted).flatMap((event) => (event.type === 'text-delta' ? [event.text] : []));
    expect(after.join('')).toBe('The total is 4711.');
    expectAnswered(bodies(), 1);
  });

  it('does not run a call whose turn broke off behind it', async () => {
    const broken = wire.calls([python('a', 'print("once")')]).slice(0, -wire.terminalFrames);
    server.script(events(broken, 'break'), turn(python('b', rightPath)), answer);
    const { outcome, ran } = await ask(model);
    expect(outcome.outcome).toBe('answered');
    expect(ran).toEqual([rightPath]);
    expectAnswered(bodies(), 1);
  });

  it.each<[string, WireCall, RegExp]>([
    [
      'malformed arguments',
      { id: 'a', name: 'run_python', argumentsText: '{"title": "x", "code": print(1)}' },
      /not valid JSON/,
    ],
    ['an unknown tool', { id: 'a', name: 'web_search', argumentsText: '{"query":"revenue"}' }, /no tool named/],
  ])('answers %s in words, and the model goes on', async (_what, call, expected) => {
    server.script(turn(call), turn(python('b', rightPath)), answer);
    const { outcome } = await ask(model);
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'The total is 4711.' });
    expect(outcome.messages.find(({ role }) => role === 'tool')?.text).toMatch(expected);
    expectAnswered(bodies(), 2);
  });

  it('asks for shorter code after a call that the length limit cut', async () => {
    const cut = { id: 'a', name: 'run_python', argumentsText: '{"title":"Reading","code":"load(' };
    server.script(events(wire.cutCall(cut)), turn(python('b', rightPath)), answer);
    const { outcome, ran } = await ask(model);
    expect(outcome.outcome).toBe('answered');
    expect(ran).toEqual([rightPath]);
    expect(JSON.stringify(bodies()[1])).toContain('shorter code');
    expectAnswered(bodies(), 2);
  });

  it('makes room when the context overflows, with every call still answered', async () => {
    const overflow = refuse(400, { error: { message: 'too long', code: 'context_length_exceeded' } });
    const noisy = python('a', `print("${'x'.repeat(5000)}")`);
    server.script(turn(noisy), turn(python('b', rightPath)), overflow, overflow, answer);
    const { outcome } = await ask(model);
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'The total is 4711.' });
    const sizes = bodies().map((body) => JSON.stringify(body).length);
    expect(sizes[3]).toBeLessThan((sizes[2] ?? 0) - 4000);
    expect(sizes[4]).toBeLessThan((sizes[3] ?? 0) - 4000);
    expectAnswered(bodies(), 2);
  });

  it('ends in one clear sentence where nothing helps', async () => {
    const overflow = refuse(400, { error: { message: 'maximum context length is 8192 tokens' } });
    server.script(overflow, overflow, overflow);
    const { outcome } = await ask(model);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      text: expect.stringContaining('more text than the model can take'),
    });
    expect(outcome.text).not.toContain('8192');
  });

  it('says when to come back after a long Retry-After', async () => {
    server.script(refuse(429, { error: { message: 'slow' } }, { 'retry-after': '300' }));
    expect((await ask(model)).outcome).toMatchObject({
      outcome: 'failed',
      text: expect.stringContaining('in 5 minutes'),
    });
    expect(server.requests).toHaveLength(1);
  });

  it('names the setting to check when there is no server, or no right key', async () => {
    server.script(refuse(401, { error: { message: 'Incorrect API key provided: key-for-tests' } }));
    const refused = await ask(model);
    expect(refused.outcome).toMatchObject({ outcome: 'failed', text: expect.stringContaining('OPENAI_API_KEY') });
    expect(refused.outcome.text).not.toContain('key-for-tests');
    await server[Symbol.asyncDispose]();
    const gone = await ask(model);
    expect(gone.outcome).toMatchObject({ outcome: 'failed', text: expect.stringContaining('OPENAI_BASE_URL') });
  });
});
