import type { Limit, Prices, TaskKind, UsageLedger } from '../ports/usage.ts';
import type { Task } from '../types.ts';
import { isDetailsRequest } from './details-request.ts';
import { reachedText } from './limit-texts.ts';
import { createMeter } from './meter.ts';
import type { Meter } from './meter.ts';
import { isNotebookRequest } from './notebook-request.ts';

/** What people, channels and workspaces may use, and what they did. */
export interface TaskLimits {
  /**
   * Takes a task's place among its person's, its channel's and its workspace's, before it costs anything. Resolves to a refusal in
   * words where there is none; `null`: it may go on. Asking again about a task that has its place is harmless.
   */
  claim(task: Task): Promise<string | null>;
  meter(task: Task, model: string): Meter;
  /** Those that are set. */
  readonly limits: readonly Limit[];
  /** In ms since 1970. */
  now(): number;
}

export function createTaskLimits(deps: {
  readonly store: Pick<UsageLedger, 'claim' | 'addUsage' | 'limitUses'>;
  readonly limits: readonly Limit[];
  readonly prices: Prices | null;
  readonly now: () => number;
}): TaskLimits {
  return {
    claim: async (task) => {
      const nowMs = deps.now();
      const reached = await deps.store.claim(task, { kind: kindOf(task), limits: deps.limits, nowMs });
      return reached.length === 0 ? null : reachedText(reached, nowMs);
    },
    meter: (task, model) => createMeter(task, { ...deps, model }),
    limits: deps.limits,
    now: deps.now,
  };
}

function kindOf(task: Task): TaskKind {
  if (isDetailsRequest(task)) return 'details';
  return isNotebookRequest(task) ? 'notebook' : 'question';
}
