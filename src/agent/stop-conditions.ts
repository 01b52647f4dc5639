import type { ModelUsage } from '../types.ts';
import type { AgentLimits } from './agent-types.ts';

/** Why the loop stops asking for more and wraps up. */
export type StopReason = 'steps' | 'tokens' | 'wall-clock' | 'repeated-failure' | 'allowance';

/** The same failing call this many times in a row is a loop the model does not leave by itself. */
const failuresInARow = 3;

export interface StopConditions {
  /** A turn with tool calls is over. */
  readonly countStep: () => void;
  readonly addUsage: (usage: ModelUsage) => void;
  /** What a call came to: `error` is `null` when it worked. Calls that could not be run count as failures. */
  readonly callFinished: (code: string, error: string | null) => void;
  /** The first condition that holds, or `null` while the loop may go on. */
  readonly reason: () => Exclude<StopReason, 'allowance'> | null;
  readonly usage: ModelUsage;
  readonly steps: number;
}

export function createStopConditions(limits: AgentLimits, deadline: AbortSignal): StopConditions {
  let usage: ModelUsage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
  let steps = 0;
  let last: { readonly code: string; readonly errorAndCode: string } | null = null;
  let repeats = 0;

  return {
    countStep: () => {
      steps += 1;
    },
    addUsage: (more) => {
      usage = {
        inputTokens: usage.inputTokens + more.inputTokens,
        cachedInputTokens: usage.cachedInputTokens + more.cachedInputTokens,
        outputTokens: usage.outputTokens + more.outputTokens,
      };
    },
    callFinished: (code, error) => {
      if (error === null) {
        last = null;
        repeats = 0;
        return;
      }
      const failure = { code: code.trim(), errorAndCode: `${error}\n${fingerprint(code)}` };
      const isSame = last !== null && (last.code === failure.code || last.errorAndCode === failure.errorAndCode);
      repeats = isSame ? repeats + 1 : 1;
      last = failure;
    },
    reason: () => {
      if (deadline.aborted) return 'wall-clock';
      if (repeats >= failuresInARow) return 'repeated-failure';
      if (steps >= limits.maxSteps) return 'steps';
      return usage.inputTokens + usage.outputTokens >= limits.maxTokens ? 'tokens' : null;
    },
    get usage() {
      return usage;
    },
    get steps() {
      return steps;
    },
  };
}

/** The code without what can differ while it still does the same: comments, blank space, quotes. */
function fingerprint(code: string): string {
  return code
    .replace(/^\s*#.*$/gm, '')
    .replace(/["']/g, '"')
    .replace(/\s+/g, '');
}
