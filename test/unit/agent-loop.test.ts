import { describe, expect, it } from 'vitest';
import { runAgent } from '../../src/agent/agent-loop.ts';
import type { AgentEvent, AgentInput, AgentOutcome } from '../../src/agent/agent-types.ts';
import { assertAnswered } from '../../src/agent/transcript.ts';
import { AppError } from '../../src/errors.ts';
import type { ModelErrorCode, ModelMessage, ToolCall } from '../../src/ports/model.ts';
import { createFakeSession } from '../fakes/fake-session.ts';
import type { FakeSession } from '../fakes/fake-session.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedModel, ScriptedTurn } from '../fakes/scripted-model.ts';

const question: ModelMessage = { role: 'user', text: 'What is the total?' };

interface Run {
  readonly outcome: AgentOutcome;
  readonly events: readonly AgentEvent[];
  readonly waits: readonly number[];
}

/** Runs the loop without real waiting, and checks on every path what must always hold. */
async function run(
  model: ScriptedModel,
  given: Partial<AgentInput> = {},
  session: FakeSession = createFakeSession(),
): Promise<Run> {
  const events: AgentEvent[] = [];
  const waits: number[] = [];
  const outcome = await runAgent({
    model,
    instructions: 'Be exact.',
    messages: [question],
    runCell: session.runCell,
    saveOutput: session.saveOutput,
    limits: { maxSteps: 12, maxTokens: 100_000, maxWallMs: 20_000 },
    signal: new AbortController().signal,
    onUsage: () => {},
    allowance: async () => null,
    onEvent: (event) => {
      events.push(event);
    },
    sleep: async (ms) => {
      waits.push(ms);
    },
    ...given,
  });
  assertAnswered(outcome.messages);
  for (const { messages } of model.requests) assertAnswered(messages);
  expect(outcome.text.trim()).not.toBe('');
  expect(outcome.messages[0]).toBe((given.messages ?? [question]).at(-1));
  expect(outcome.messages.at(-1)?.role).toBe('assistant');
  const opened = events.filter(({ type }) => type === 'step-started').length;
  expect(events.filter(({ type }) => type === 'step-finished')).toHaveLength(opened);
  return { outcome, events, waits };
}

function resultsOf(outcome: AgentOutcome): readonly string[] {
  return outcome.messages.flatMap((message) => (message.role === 'tool' ? [message.text] : []));
}

describe('the way to an answer', () => {
  it('answers without code where none is needed', async () => {
    const { outcome, events } = await run(createScriptedModel([{ text: 'I analyse files.' }]));
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'I analyse files.', cells: [] });
    expect(outcome.usage).toEqual({ inputTokens: 10, cachedInputTokens: 0, outputTokens: 5 });
    expect(events).toEqual([{ type: 'text-delta', text: 'I analyse files.' }]);
  });

  it('gives a traceback back to the model, which repairs its code', async () => {
    const session = createFakeSession(['sales.csv']);
    const model = createScriptedModel([
      { calls: [pythonCall('load("data.csv")', 'Reading')] },
      { calls: [pythonCall('load("sales.csv")\nprint("42")', 'Reading again')] },
      { text: 'The total is 42.' },
    ]);
    const { outcome, events } = await run(model, {}, session);
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'The total is 42.' });
    expect(outcome.cells.map(({ title, execution }) => [title, execution.status])).toEqual([
      ['Reading', 'error'],
      ['Reading again', 'ok'],
    ]);
    const seen = model.requests[1]?.messages.at(-1);
    expect(seen?.text).toMatch(/^status: error .*\n## error\nFileNotFoundError: .*data\.csv/);
    expect(seen?.text).toContain('Traceback');
    expect(events.filter(({ type }) => type !== 'text-delta')).toEqual([
      { type: 'step-started', title: 'Reading' },
      { type: 'step-finished', status: 'error' },
      { type: 'step-started', title: 'Reading again' },
      { type: 'output', stream: 'stdout', text: '42\n' },
      { type: 'step-finished', status: 'ok' },
    ]);
  });

  it('runs several calls of one turn in order and goes on after a lost session', async () => {
    const session = createFakeSession();
    const calls = [pythonCall('print("a")'), pythonCall('lose()'), pythonCall('print("b")')];
    const { outcome } = await run(createScriptedModel([{ calls }, { text: 'ok' }]), {}, session);
    expect(session.ran).toEqual(['print("a")', 'lose()', 'print("b")']);
    expect(resultsOf(outcome).map((text) => text.split(' (')[0])).toEqual(['status: ok', 'status: lost', 'status: ok']);
  });

  it('tells calls apart whose ids a server repeats', async () => {
    const call = (code: string): ToolCall => ({ ...pythonCall(code), id: 'call_0' });
    const { outcome } = await run(
      createScriptedModel([{ calls: [call('print("a")'), call('print("b")')] }, { calls: [call('print("c")')] }]),
    );
    expect(outcome.outcome).toBe('answered');
    expect(resultsOf(outcome)).toHaveLength(3);
  });

  it.each<[string, ToolCall, RegExp]>([
    ['an unknown tool', { id: 'x', name: 'browse', argumentsText: '{}' }, /no tool named "browse".*run_python/],
    [
      'arguments that are no JSON',
      { id: 'x', name: 'run_python', argumentsText: '{"code": print(1)' },
      /not valid JSON.*"code"/,
    ],
    ['arguments without code', { id: 'x', name: 'run_python', argumentsText: '{"title":"t"}' }, /no "code"/],
  ])('answers %s in words', async (_what, call, expected) => {
    const { outcome } = await run(createScriptedModel([{ calls: [call] }, { text: 'Done.' }]));
    expect(resultsOf(outcome)).toEqual([expect.stringMatching(expected)]);
    expect(outcome).toMatchObject({ outcome: 'answered', cells: [] });
  });

  it('asks for shorter code when the length limit cut a call, and runs what came whole', async () => {
    const cut: ToolCall = { id: 'cut', name: 'run_python', argumentsText: '{"title":"t","code":"prin' };
    const { outcome } = await run(
      createScriptedModel([{ calls: [pythonCall('print("a")'), cut], reason: 'length' }, { text: 'Done.' }]),
    );
    expect(resultsOf(outcome)).toEqual([
      expect.stringContaining('status: ok'),
      expect.stringMatching(/cut off.*shorter code/),
    ]);
  });

  it('nudges once after an empty answer, then says so', async () => {
    const nudged = createScriptedModel([{}, { text: 'Yes.' }]);
    expect((await run(nudged)).outcome).toMatchObject({ outcome: 'answered', text: 'Yes.' });
    expect(nudged.requests[1]?.instructions).toContain('empty');
    expect(nudged.requests[1]?.messages).toEqual([question]);
    expect((await run(createScriptedModel([{}, { text: ' ' }]))).outcome).toMatchObject({
      outcome: 'failed',
      reason: 'empty answer',
    });
  });

  it('says when an answer was cut or withheld', async () => {
    const cut = await run(createScriptedModel([{ text: 'The first half', reason: 'length' }]));
    expect(cut.outcome).toMatchObject({
      outcome: 'partial',
      text: expect.stringMatching(/^The first half\n\n.*cut off/),
    });
    const withheld = await run(createScriptedModel([{ reason: 'content-filter' }]));
    expect(withheld.outcome).toMatchObject({ outcome: 'failed', text: expect.stringContaining('content rules') });
  });
});

describe('model failures', () => {
  it('waits as the server says, starts the turn again and voids its text', async () => {
    const model = createScriptedModel([
      { text: 'Half a sen', error: { code: 'interrupted' } },
      { error: { code: 'rate-limited', retryAfterMs: 7000 } },
      { text: 'Whole.' },
    ]);
    const { outcome, events, waits } = await run(model);
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'Whole.' });
    expect(waits[0]).toBeGreaterThanOrEqual(1000);
    expect(waits[0]).toBeLessThanOrEqual(1250);
    expect(waits[1]).toBe(7000);
    expect(events).toEqual([
      { type: 'text-delta', text: 'Half a sen' },
      { type: 'turn-restarted' },
      { type: 'waiting', text: expect.stringContaining('broke off'), waitMs: waits[0] },
      { type: 'waiting', text: expect.stringContaining('7 seconds'), waitMs: 7000 },
      { type: 'text-delta', text: 'Whole.' },
    ]);
  });

  it('tries five times at growing intervals, then says so with what was done', async () => {
    const model = createScriptedModel([{ calls: [pythonCall('print("a")', 'Adding up')] }], () => ({
      error: { code: 'server-error' },
    }));
    const { outcome, waits } = await run(model);
    expect(model.requests).toHaveLength(6);
    expect(waits.map((ms) => Math.floor(Math.log2(ms / 1000)))).toEqual([0, 1, 2, 3]);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      text: expect.stringMatching(/model server failed[^]*Adding up: done/),
    });
  });

  it('does not sit out a long wait but says when to come back', async () => {
    const { outcome, waits } = await run(
      createScriptedModel([{ error: { code: 'rate-limited', retryAfterMs: 600_000 } }]),
    );
    expect(waits).toEqual([]);
    expect(outcome).toMatchObject({ outcome: 'failed', text: expect.stringContaining('in 10 minutes') });
  });

  it.each<[ModelErrorCode, boolean, RegExp]>([
    ['auth', false, /OPENAI_API_KEY/],
    ['unreachable', true, /could not reach.*OPENAI_BASE_URL/],
    ['rejected', false, /refused.*LLM_MODEL/],
    ['rate-limited', false, /quota/],
    ['rate-limited', true, /rate limit/],
    ['interrupted', true, /connection/],
  ])('ends %s (retryable: %s) in one clear sentence', async (code, retryable, expected) => {
    const model = createScriptedModel([], () => ({
      error: { code, retryable, detail: '{"error":"sk-secret-value"}' },
    }));
    const { outcome } = await run(model);
    expect(outcome).toMatchObject({ outcome: 'failed', text: expect.stringMatching(expected) });
    expect(outcome.text).not.toContain('secret');
    expect(outcome.reason).toContain(code);
    expect(model.requests.length === 1).toBe(!retryable);
  });

  it('squeezes the conversation when it does not fit, first outputs, then earlier questions', async () => {
    const long = 'x'.repeat(5000);
    const old: ModelMessage[] = [
      { role: 'user', text: 'An old question' },
      { role: 'assistant', text: '', toolCalls: [pythonCall('print("old")')], providerItems: null },
    ];
    const oldCall = old[1]?.role === 'assistant' ? (old[1].toolCalls[0]?.id ?? '') : '';
    old.push({ role: 'tool', callId: oldCall, text: `status: ok (0.10 s)\n## stdout\n${long}` });
    old.push({ role: 'assistant', text: 'An old answer', toolCalls: [], providerItems: null });
    const overflow = { error: { code: 'context-overflow', retryable: false } } as const;
    const model = createScriptedModel([overflow, overflow, { calls: [pythonCall('print("a")')] }, { text: 'Fits.' }]);
    const { outcome, waits } = await run(model, { messages: [...old, question] });
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'Fits.' });
    expect(waits).toEqual([]);
    const sizes = model.requests.map(({ messages }) => JSON.stringify(messages).length);
    expect(sizes[1]).toBeLessThan(1000);
    expect(model.requests[1]?.messages).toHaveLength(5);
    expect(model.requests[2]?.messages).toEqual([
      { role: 'user', text: expect.stringMatching(/left out[^]*What is the total/) },
    ]);
    expect(model.requests[3]?.messages).toHaveLength(3);
    expect(model.requests.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([16_000, 4000, 2000, 2000]);
    expect(outcome.messages[0]).toEqual(question);
  });

  it('says when nothing helps against a conversation that does not fit', async () => {
    const model = createScriptedModel([], () => ({ error: { code: 'context-overflow', retryable: false } }));
    const { outcome } = await run(model);
    expect(model.requests).toHaveLength(3);
    expect(outcome).toMatchObject({ outcome: 'failed', text: expect.stringContaining('new thread') });
  });
});

describe('stop conditions', () => {
  const onward: (n?: number) => ScriptedTurn = () => ({ calls: [pythonCall(`print("${Math.random()}")`)] });
  const untilForbidden = (text: string) =>
    createScriptedModel([], (request) => (request.toolChoice === 'none' ? { text } : onward()));

  it('wraps up without tools after the last step', async () => {
    const model = untilForbidden('So far: 3.');
    const { outcome } = await run(model, { limits: { maxSteps: 3, maxTokens: 100_000, maxWallMs: 20_000 } });
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual(['auto', 'auto', 'auto', 'none']);
    expect(model.requests.at(-1)?.instructions).toMatch(/^Be exact\.[^]*3 steps[^]*missing/);
    expect(model.requests.at(-1)?.tools).toHaveLength(1);
    expect(outcome).toMatchObject({
      outcome: 'partial',
      reason: 'steps',
      text: expect.stringMatching(/^So far: 3\.\n\n.*3 steps/),
    });
    expect(outcome.cells).toHaveLength(3);
  });

  it('wraps up at the token limit', async () => {
    const { outcome } = await run(untilForbidden('So far.'), {
      limits: { maxSteps: 12, maxTokens: 40, maxWallMs: 20_000 },
    });
    expect(outcome).toMatchObject({ outcome: 'partial', reason: 'tokens' });
    expect(outcome.cells).toHaveLength(3);
  });

  it('ends a cell and a model turn at the time limit', async () => {
    const limits = { maxSteps: 12, maxTokens: 100_000, maxWallMs: 60 };
    const cell = await run(
      createScriptedModel([{ calls: [pythonCall('wait()'), pythonCall('print("a")')] }, { text: 'So far.' }]),
      { limits },
    );
    expect(cell.outcome).toMatchObject({
      outcome: 'partial',
      reason: 'wall-clock',
      text: expect.stringContaining('So far.'),
    });
    expect(resultsOf(cell.outcome)[1]).toBe('not run: stopped');
    const turn = await run(createScriptedModel([{ text: 'Hm', hangs: true }, { text: 'So far.' }]), { limits });
    expect(turn.outcome).toMatchObject({ outcome: 'partial', reason: 'wall-clock' });
    expect(turn.events.map(({ type }) => type)).toEqual(['text-delta', 'turn-restarted', 'text-delta']);
  });

  it.each([
    ['the same code', ['raise A("1")', 'raise A("1")', 'raise A("1")']],
    ['the same code but for comments and blanks', ['raise A("1")', '# again\nraise A("1")', 'raise A("1")\n\n']],
  ])('stops %s from failing a fourth time', async (_what, codes) => {
    const model = createScriptedModel(
      codes.map((code) => ({ calls: [pythonCall(code)] })),
      (request) => (request.toolChoice === 'none' ? { text: 'I could not.' } : onward()),
    );
    const { outcome } = await run(model);
    expect(outcome).toMatchObject({ outcome: 'partial', reason: 'repeated-failure' });
    expect(outcome.cells).toHaveLength(3);
  });

  it('lets different failures go on, and counts anew after a success', async () => {
    const codes = [
      'raise A("1")',
      'raise A("1")',
      'print("ok")',
      'raise A("1")',
      'raise B("1")',
      'raise B("2")',
      'raise B("1")',
    ];
    const { outcome } = await run(createScriptedModel(codes.map((code) => ({ calls: [pythonCall(code)] }))));
    expect(outcome).toMatchObject({ outcome: 'answered', text: 'Done.' });
  });

  it('counts calls that cannot be run', async () => {
    const call = (): ToolCall => ({ id: `c${Math.random()}`, name: 'run_python', argumentsText: 'print(1)' });
    const { outcome } = await run(
      createScriptedModel([], ({ toolChoice }) => (toolChoice === 'none' ? { text: 'No.' } : { calls: [call()] })),
    );
    expect(outcome).toMatchObject({ outcome: 'partial', reason: 'repeated-failure', cells: [] });
  });

  it('lists what was done when the wrap-up fails or calls tools all the same', async () => {
    for (const last of [
      { error: { code: 'rejected', retryable: false } },
      { calls: [pythonCall('print("z")')] },
    ] as const) {
      const model = createScriptedModel([{ calls: [pythonCall('print("a")', 'Reading the file')] }, last]);
      const { outcome } = await run(model, { limits: { maxSteps: 1, maxTokens: 100_000, maxWallMs: 20_000 } });
      expect(outcome).toMatchObject({
        outcome: 'partial',
        text: expect.stringMatching(/1 steps[^]*- Reading the file: done/),
      });
    }
  });
});

describe('a stop by the person', () => {
  it('ends the turn under way', async () => {
    const stop = new AbortController();
    const { outcome } = await run(createScriptedModel([{ text: 'Hm', hangs: true }]), {
      signal: stop.signal,
      onEvent: () => stop.abort(),
    });
    expect(outcome).toMatchObject({ outcome: 'cancelled', messages: [question, { role: 'assistant' }] });
  });

  it('ends the cell under way and answers the calls behind it', async () => {
    const stop = new AbortController();
    const session = createFakeSession();
    const model = createScriptedModel([{ calls: [pythonCall('wait()'), pythonCall('print("b")')] }]);
    const { outcome } = await run(
      model,
      {
        signal: stop.signal,
        runCell: (title, code, signal, onOutput) => {
          setTimeout(() => stop.abort(), 10);
          return session.runCell(title, code, signal, onOutput);
        },
      },
      session,
    );
    expect(outcome.outcome).toBe('cancelled');
    expect(session.ran).toEqual(['wait()']);
    expect(resultsOf(outcome)).toEqual([expect.stringContaining('status: cancelled'), 'not run: stopped']);
    expect(model.requests).toHaveLength(1);
  });

  it('ends a wait for the model server', async () => {
    const stop = new AbortController();
    const { outcome } = await run(
      createScriptedModel([], () => ({ error: {} })),
      {
        signal: stop.signal,
        sleep: async () => stop.abort(),
      },
    );
    expect(outcome.outcome).toBe('cancelled');
  });
});

describe('a sandbox that breaks down', () => {
  it('answers every call and says it in the words of the error', async () => {
    const calls = [pythonCall('print("a")'), pythonCall('print("b")')];
    const { outcome } = await run(createScriptedModel([{ calls }]), {
      runCell: () =>
        Promise.reject(new AppError('docker-unavailable', 'Docker does not answer. Start it and ask again.')),
    });
    expect(outcome).toMatchObject({
      outcome: 'failed',
      text: 'Docker does not answer. Start it and ask again.',
      cells: [],
    });
    expect(resultsOf(outcome)).toEqual(Array(2).fill('not run: the sandbox is not available'));
  });
});
