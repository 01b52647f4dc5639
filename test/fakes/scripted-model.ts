import type { Model, ModelError, ModelEvent, ModelRequest, ToolCall } from '../../src/ports/model.ts';
import type { ModelUsage } from '../../src/types.ts';

/** One model turn. Without an error or another reason it ends as its calls say. */
export interface ScriptedTurn {
  readonly text?: string;
  readonly calls?: readonly ToolCall[];
  readonly reason?: 'length' | 'content-filter';
  readonly error?: Partial<ModelError>;
  readonly usage?: Partial<ModelUsage>;
  /** Streams its text, then waits until it is stopped. */
  readonly hangs?: boolean;
}

export interface ScriptedModel extends Model {
  /** What was asked, as it was then. */
  readonly requests: readonly ModelRequest[];
}

/** Plays turns in order; `more` gives the ones after the last. */
export function createScriptedModel(
  turns: readonly ScriptedTurn[],
  more: (request: ModelRequest) => ScriptedTurn = () => ({ text: 'Done.' }),
): ScriptedModel {
  const waiting = [...turns];
  const requests: ModelRequest[] = [];

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
    requests.push(structuredClone(request));
    const turn = waiting.shift() ?? more(request);
    const text = turn.text ?? '';
    if (text !== '' && !signal.aborted) yield { type: 'text-delta', text };
    if (turn.hangs === true && !signal.aborted) {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
    }
    const error: ModelError | null =
      turn.error === undefined
        ? null
        : { code: 'server-error', retryable: true, retryAfterMs: null, detail: 'scripted', ...turn.error };
    const failed = error !== null || signal.aborted;
    const toolCalls = failed ? [] : (turn.calls ?? []);
    for (const call of toolCalls) yield { type: 'tool-call', call };
    yield {
      type: 'finish',
      reason: signal.aborted
        ? 'cancelled'
        : error !== null
          ? 'error'
          : (turn.reason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop')),
      message: { role: 'assistant', text, toolCalls, providerItems: null },
      usage: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, ...turn.usage },
      error: signal.aborted ? null : error,
    };
  }

  return { name: 'scripted', builtIn: false, stream, requests };
}

let callsMade = 0;

/** A well-formed call of run_python with an id of its own. */
export function pythonCall(code: string, title = 'Working'): ToolCall {
  callsMade += 1;
  return { id: `call_${callsMade}`, name: 'run_python', argumentsText: JSON.stringify({ title, code }) };
}
