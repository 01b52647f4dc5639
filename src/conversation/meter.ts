import type { Limit, Prices, TaskSpending, UsageLedger } from '../ports/usage.ts';
import type { ModelUsage, Task } from '../types.ts';
import { reachedText } from './limit-texts.ts';

/** What a task takes, written down as it goes, so that an attempt that is killed has cost what it cost. */
export interface Meter {
  turn(usage: ModelUsage): void;
  ran(sandboxMs: number): void;
  /** Of its attachments, all together. */
  broughtIn(bytes: number): void;
  /** Writes down what came since the last time. */
  flush(): Promise<void>;
  /** Writes down too, and says in a sentence why the task may go no further; `null` while it may. */
  allowance(): Promise<string | null>;
}

/** A limit of tasks is looked at before one begins; these may be reached on the way. */
const isReachedOnTheWay = ({ kind }: Limit): boolean => kind === 'tokens-per-day' || kind === 'sandbox-ms-per-day';

const nothing = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  modelTurns: 0,
  sandboxMs: 0,
  bytesIn: 0,
};

export function createMeter(
  task: Task,
  deps: {
    readonly store: Pick<UsageLedger, 'addUsage' | 'limitUses'>;
    readonly limits: readonly Limit[];
    readonly prices: Prices | null;
    /** Its name, for what it took. */
    readonly model: string;
    readonly now: () => number;
  },
): Meter {
  const { platform, workspaceId, channelId } = task.thread;
  const who = { platform, workspaceId, channelId, personId: task.person.id };
  const limits = deps.limits.filter(isReachedOnTheWay);
  let unwritten = nothing;

  const flush = async (): Promise<void> => {
    if (unwritten === nothing) return;
    const spent = unwritten;
    unwritten = nothing;
    await deps.store.addUsage(task.id, { ...spent, ...costOf(spent, deps.prices), ...modelOf(spent, deps.model) });
  };

  return {
    turn: (usage) => {
      unwritten = {
        ...unwritten,
        inputTokens: unwritten.inputTokens + usage.inputTokens,
        cachedInputTokens: unwritten.cachedInputTokens + usage.cachedInputTokens,
        outputTokens: unwritten.outputTokens + usage.outputTokens,
        reasoningTokens: unwritten.reasoningTokens + (usage.reasoningTokens ?? 0),
        modelTurns: unwritten.modelTurns + 1,
      };
    },
    ran: (sandboxMs) => {
      unwritten = { ...unwritten, sandboxMs: unwritten.sandboxMs + sandboxMs };
    },
    broughtIn: (bytes) => {
      if (bytes > 0) unwritten = { ...unwritten, bytesIn: bytes };
    },
    flush,
    allowance: async () => {
      await flush();
      if (limits.length === 0) return null;
      const nowMs = deps.now();
      const reached = (await deps.store.limitUses(who, limits, nowMs)).filter(({ used, value }) => used >= value);
      return reached.length === 0 ? null : `I stopped here. ${reachedText(reached, nowMs)}`;
    },
  };
}

/** A price for a million in units is one for each in millionths. Rounded to whole ones at each writing. */
function costOf(
  { inputTokens, cachedInputTokens, outputTokens, modelTurns }: typeof nothing,
  prices: Prices | null,
): Partial<Pick<TaskSpending, 'costMicros' | 'currency'>> {
  if (prices === null || modelTurns === 0) return {};
  const cost =
    (inputTokens - cachedInputTokens) * prices.inputPerMillion +
    cachedInputTokens * prices.cachedInputPerMillion +
    outputTokens * prices.outputPerMillion;
  return { costMicros: Math.round(cost), currency: prices.currency };
}

function modelOf({ modelTurns }: typeof nothing, model: string): Partial<Pick<TaskSpending, 'model'>> {
  return modelTurns === 0 ? {} : { model };
}
