import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runAgent } from '../../src/agent/agent-loop.ts';
import { assertAnswered } from '../../src/agent/transcript.ts';
import type { ModelErrorCode, ModelMessage } from '../../src/ports/model.ts';
import { createFakeSession } from '../fakes/fake-session.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedTurn } from '../fakes/scripted-model.ts';

describe('whatever the model, the sandbox and the person do', () => {
  const call = fc.oneof(
    fc.constantFrom('print("a")', 'raise A("1")', 'load("x")', 'lose()', 'break_down()', 'wait()').map((code) => ({
      name: 'run_python',
      argumentsText: JSON.stringify({ title: 't', code }),
    })),
    fc.record({ name: fc.constantFrom('run_python', 'browse', ''), argumentsText: fc.string() }),
  );
  const turn: fc.Arbitrary<ScriptedTurn> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .record({ calls: fc.array(fc.tuple(call, fc.constantFrom('a', 'b', '', 'c')), { minLength: 1, maxLength: 3 }) })
        .map(({ calls }) => ({ calls: calls.map(([given, id]) => ({ ...given, id })) })),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        text: fc.constantFrom('', 'Answer.'),
        reason: fc.constantFrom('length' as const, 'content-filter' as const),
        calls: fc.constantFrom([], [{ id: 'q', name: 'run_python', argumentsText: '{"co' }]),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        text: fc.constantFrom('', 'part'),
        error: fc.record({
          code: fc.constantFrom<ModelErrorCode>(
            'rate-limited',
            'server-error',
            'context-overflow',
            'interrupted',
            'auth',
          ),
          retryable: fc.boolean(),
          retryAfterMs: fc.constantFrom(null, 5, 100_000),
        }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ text: 'Hm', hangs: true }) },
  );

  it('answers every call exactly once and ends in one outcome with words', async () => {
    const property = fc.asyncProperty(
      fc.array(turn, { maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      fc.option(fc.nat(20)),
      async (turns, maxSteps, stopAt) => {
        const stop = new AbortController();
        let seen = 0;
        const model = createScriptedModel(turns);
        const session = createFakeSession();
        const outcome = await runAgent({
          model,
          instructions: '',
          messages: [{ role: 'user', text: 'What is the total?' }],
          runCell: session.runCell,
          saveOutput: session.saveOutput,
          limits: { maxSteps, maxTokens: 400, maxWallMs: 40 },
          signal: stop.signal,
          sleep: async () => {},
          onUsage: () => {},
          allowance: async () => null,
          onEvent: () => {
            seen += 1;
            if (seen === stopAt) stop.abort();
          },
        });
        assertAnswered(outcome.messages);
        for (const { messages } of model.requests) assertAnswered(messages);
        return outcome.text.trim() !== '' && (outcome.outcome === 'cancelled') === stop.signal.aborted;
      },
    );
    await expect(fc.assert(property, { numRuns: 150 })).resolves.toBeUndefined();
  });
});

describe('the check of transcripts', () => {
  const call = pythonCall('print("a")');
  const asked: ModelMessage = { role: 'assistant', text: '', toolCalls: [call], providerItems: null };
  const result: ModelMessage = { role: 'tool', callId: call.id, text: 'ok' };
  const said: ModelMessage = { role: 'assistant', text: 'a', toolCalls: [], providerItems: null };

  it.each<[string, readonly ModelMessage[], boolean]>([
    ['a call and its result', [asked, result, said], true],
    ['a call without a result', [asked], false],
    ['a call that the next turn leaves open', [asked, said, result], false],
    ['two results', [asked, result, result], false],
    ['a result without a call', [result], false],
    ['two calls under one id', [{ ...asked, toolCalls: [call, call] }, result], false],
  ])('judges %s', (_what, messages, isAnswered) => {
    const check = (): boolean => {
      try {
        assertAnswered(messages);
        return true;
      } catch {
        return false;
      }
    };
    expect(check()).toBe(isAnswered);
  });
});
