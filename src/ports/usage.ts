import type { PersonRef } from './platforms.ts';
import type { ModelUsage, Reply, Task } from '../types.ts';

export type LimitScope = 'person' | 'channel' | 'workspace';

export type LimitKind = 'tasks-at-once' | 'tasks-per-day' | 'tokens-per-day' | 'sandbox-ms-per-day';

/** So much at most. A day is the last 24 hours; a person is one in one workspace. */
export interface Limit {
  readonly scope: LimitScope;
  readonly kind: LimitKind;
  /** At least 1. */
  readonly value: number;
}

/** How a limit stands. */
export interface LimitUse extends Limit {
  readonly used: number;
  /**
   * When `used` is below `value` again if nothing is added, in ms since 1970: exact to the millisecond. `null` where it is below
   * it now, and for `tasks-at-once`, which nobody can foretell.
   */
  readonly freesAtMs: number | null;
}

/** `question` counts everywhere; `notebook` asks no model, but computes; `details` costs nothing. */
export type TaskKind = 'question' | 'notebook' | 'details';

/** What one task took. */
export interface TaskSpending extends ModelUsage {
  readonly reasoningTokens: number;
  readonly modelTurns: number;
  readonly sandboxMs: number;
  /** Attachments. */
  readonly bytesIn: number;
  /** Millionths of `currency`, which is empty where nothing has a price. */
  readonly costMicros: number;
  readonly currency: string;
  readonly model: string;
}

/** What tokens cost, in units of the currency for a million of them. */
export interface Prices {
  /** As the operator names it: `USD`. */
  readonly currency: string;
  readonly inputPerMillion: number;
  readonly cachedInputPerMillion: number;
  readonly outputPerMillion: number;
}

export interface Money {
  readonly currency: string;
  readonly micros: number;
}

export type UsageGrouping = 'person' | 'channel' | 'workspace' | 'day' | 'model';

/** What the tasks of one person, channel, workspace, day (UTC) or model took together. */
export interface UsageSum extends Omit<TaskSpending, 'costMicros' | 'currency' | 'model'> {
  /** `platform/workspace/person`, each part percent-encoded; a day as `2026-11-28`. Empty for people whose thread was forgotten. */
  readonly group: string;
  readonly tasks: number;
  /** Of them. */
  readonly refused: number;
  readonly failed: number;
  readonly bytesOut: number;
  readonly money: readonly Money[];
}

/** What tasks take, one row for each, and the limits that are checked against it. Part of the store. */
export interface UsageLedger {
  /**
   * Begins the task's row, unless one of its limits is reached: resolves to those, none where the task may go on. One step: of claims
   * at the same time, in any process, no more pass than there is room for. A task that was claimed as the same kind passes again;
   * one that was refused is looked at anew.
   */
  claim(
    task: Task,
    claim: { readonly kind: TaskKind; readonly limits: readonly Limit[]; readonly nowMs: number },
  ): Promise<readonly LimitUse[]>;
  /** How the limits stand for one person, in a channel where it is named; those of other scopes are left out. */
  limitUses(
    who: PersonRef & { readonly channelId: string | null },
    limits: readonly Limit[],
    nowMs: number,
  ): Promise<readonly LimitUse[]>;
  /** Adds to the task's row; what is not named is 0. Of `bytesIn` the greatest counts: it is of the task and not of an attempt. */
  addUsage(taskId: string, spent: Partial<TaskSpending>): Promise<void>;
  /** Ends the task's row, which every task has from then on. Where it does not `count`, it is as if it had not been asked. */
  endUsage(
    task: Task,
    end: { readonly outcome: Reply['outcome']; readonly bytesOut: number; readonly counts: boolean },
  ): Promise<void>;
  /** What a person's questions cost since then. */
  moneyOf(who: PersonRef, sinceMs: number): Promise<readonly Money[]>;
  /** Tasks that began since then. Days in their order, everything else with the most tokens first. */
  usageBy(by: UsageGrouping, sinceMs: number): Promise<readonly UsageSum[]>;
}
