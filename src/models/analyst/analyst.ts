import type { AssistantMessage, Model, ModelEvent, ModelRequest, ToolCall } from '../../ports/model.ts';
import type { JsonValue } from '../../types.ts';
import { answerText, failureText } from './answer.ts';
import { readToolResult } from './facts.ts';
import type { RunPlan } from './plan.ts';
import { codeFor, titleFor } from './python.ts';
import { planFor } from './question.ts';
import { introduction } from './talk.ts';
import { adapterName, readThread } from './thread.ts';
import type { Thread } from './thread.ts';

const noUsage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };

/** One try as planned, one with columns converted by force. */
const attemptsAllowed = 2;

/**
 * The built-in analyst: no language model. It matches the words of a question to the columns of the thread's files,
 * writes Python for it and puts what the Python printed into sentences. The same messages give the same turn.
 */
export function createAnalyst(): Model {
  return {
    name: 'built-in analyst',
    builtIn: true,
    async *stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
      if (signal.aborted) {
        yield { type: 'finish', reason: 'cancelled', message: say('', null), usage: noUsage, error: null };
        return;
      }
      const turn = nextTurn(request);
      if (turn.text !== '') yield { type: 'text-delta', text: turn.text };
      for (const call of turn.toolCalls) yield { type: 'tool-call', call };
      yield {
        type: 'finish',
        reason: turn.toolCalls.length > 0 ? 'tool-calls' : 'stop',
        message: turn,
        usage: noUsage,
        error: null,
      };
    },
  };
}

function nextTurn(request: ModelRequest): AssistantMessage {
  const thread = readThread(request.messages);
  const plan = planFor(thread.question, thread.files, thread.previous, thread.fresh);
  if (plan.kind === 'talk') return reply(thread, plan.text, thread.previous);

  const attempts = thread.results.length;
  const last = thread.results.at(-1);
  const outcome = last === undefined ? null : readToolResult(last);
  if (outcome?.status === 'ok' && outcome.facts !== null) return reply(thread, answerText(plan, outcome.facts), plan);
  const mayRun = request.toolChoice === 'auto' && request.tools.length > 0;
  const worthTrying =
    outcome === null ||
    ((outcome.status === 'error' || outcome.status === 'lost' || outcome.status === 'ok') &&
      attempts < attemptsAllowed);
  if (mayRun && worthTrying) return callFor(plan, attempts, thread);
  if (outcome === null)
    return reply(
      thread,
      'I may run no code for this question any more, and without running code I give no figures. Please ask again.',
      null,
    );
  return reply(thread, failureText(plan, outcome), thread.previous);
}

function reply(thread: Thread, text: string, plan: RunPlan | null): AssistantMessage {
  return say(thread.isFirstReply ? `${text}\n\n${introduction}` : text, plan);
}

function say(text: string, plan: RunPlan | null): AssistantMessage {
  const items = plan === null ? null : { adapter: adapterName, items: [toJson(plan)] };
  return { role: 'assistant', text, toolCalls: [], providerItems: items };
}

function callFor(plan: RunPlan, attempt: number, thread: Thread): AssistantMessage {
  const title = attempt === 0 ? titleFor(plan) : `${titleFor(plan)}, second try`;
  const toolCall: ToolCall = {
    id: `call_${thread.messageCount}_${checksum(thread.question)}`,
    name: 'run_python',
    argumentsText: JSON.stringify({ title, code: codeFor(plan, attempt > 0) }),
  };
  return { role: 'assistant', text: '', toolCalls: [toolCall], providerItems: null };
}

/** Plans are plain JSON; this only tells the compiler. */
function toJson(plan: RunPlan): JsonValue {
  return JSON.parse(JSON.stringify(plan)) as JsonValue;
}

/** Tells the calls of different questions apart; nothing more is asked of it. */
function checksum(text: string): string {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum.toString(36);
}
