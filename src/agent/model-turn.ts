import type { Model, ModelError, ModelEvent, ModelMessage } from '../ports/model.ts';
import type { ModelUsage } from '../types.ts';
import type { AgentEvent } from './agent-types.ts';
import { hardestSqueeze, outputTokensFor, squeezed } from './context-budget.ts';
import type { Squeeze } from './context-budget.ts';
import { duration, waitingTexts } from './failure-text.ts';
import { retryWaitMs } from './retry.ts';
import { runPythonTool } from './run-python-tool.ts';

export type Finish = Extract<ModelEvent, { readonly type: 'finish' }>;

export type TurnResult =
  | { readonly kind: 'finished'; readonly finish: Finish }
  | { readonly kind: 'failed'; readonly error: ModelError }
  /** The signal aborted. */
  | { readonly kind: 'aborted' };

export interface TurnRequest {
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly toolChoice: 'auto' | 'none';
  readonly signal: AbortSignal;
}

/**
 * Takes model turns for one task: retries what is worth it and squeezes the conversation when it no longer fits. A squeeze
 * stays for the rest of the task, because the conversation only grows.
 */
export function createTurnTaker(deps: {
  readonly model: Model;
  /** Index of this task's question in the messages. */
  readonly questionIndex: number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: AgentEvent) => void;
  readonly onUsage: (usage: ModelUsage) => Promise<void>;
}): (request: TurnRequest) => Promise<TurnResult> {
  let squeeze: Squeeze = 0;

  const attempt = async (request: TurnRequest): Promise<{ readonly finish: Finish; readonly streamed: boolean }> => {
    let streamed = false;
    let finish: Finish | null = null;
    const events = deps.model.stream(
      {
        instructions: request.instructions,
        messages: squeezed(request.messages, deps.questionIndex, squeeze),
        tools: [runPythonTool],
        toolChoice: request.toolChoice,
        maxOutputTokens: outputTokensFor(squeeze),
      },
      request.signal,
    );
    for await (const event of events) {
      if (event.type === 'finish') finish = event;
      if (event.type !== 'text-delta') continue;
      streamed = true;
      deps.onEvent(event);
    }
    if (finish === null) throw new Error(`model ${deps.model.name} ended a turn without its finish event`);
    await deps.onUsage(finish.usage);
    return { finish, streamed };
  };

  return async (request) => {
    for (let failures = 1; ;) {
      const { finish, streamed } = await attempt(request);
      const error = errorOf(finish);
      if (error === null && !request.signal.aborted) return { kind: 'finished', finish };
      if (streamed) deps.onEvent({ type: 'turn-restarted' });
      if (request.signal.aborted || error === null) return { kind: 'aborted' };

      if (error.code === 'context-overflow' && squeeze < hardestSqueeze) {
        squeeze = squeeze === 0 ? 1 : 2;
        continue;
      }
      const waitMs = retryWaitMs(error, failures, Math.random);
      if (waitMs === null) return { kind: 'failed', error };
      failures += 1;
      if (error.code in waitingTexts) {
        const text = `${waitingTexts[error.code as keyof typeof waitingTexts]}; trying again in ${duration(waitMs)}.`;
        deps.onEvent({ type: 'waiting', text, waitMs });
      }
      await deps.sleep(waitMs, request.signal);
      if (request.signal.aborted) return { kind: 'aborted' };
    }
  };
}

/** A turn that says it was cancelled though nobody cancelled it was interrupted. */
function errorOf(finish: Finish): ModelError | null {
  if (finish.reason === 'cancelled') {
    return { code: 'interrupted', retryable: true, retryAfterMs: null, detail: 'cancelled by the server' };
  }
  return finish.error;
}
