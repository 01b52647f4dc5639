import type { AssistantMessage, Model, ModelMessage } from '../ports/model.ts';
import type { Execution, ExecutionStatus, ModelUsage } from '../types.ts';

/** What the loop is given. It knows no platform, no store and no container: cells run through `runCell`. */
export interface AgentInput {
  readonly model: Model;
  readonly instructions: string;
  /** The conversation for the model, oldest first; the last message is the question (role `user`) this task answers. */
  readonly messages: readonly ModelMessage[];
  readonly runCell: RunCell;
  readonly saveOutput: SaveOutput;
  readonly limits: AgentLimits;
  /** The person's stop. Reaching a limit is the loop's own business. */
  readonly signal: AbortSignal;
  /** What one attempt at a model turn took, also one that failed. Called synchronously; must not throw. */
  readonly onUsage: (usage: ModelUsage) => void;
  /** Asked before each turn: why no more may be spent, as a sentence for the person; `null` while there is room. */
  readonly allowance: () => Promise<string | null>;
  /** Called in order, synchronously; must not throw. */
  readonly onEvent: (event: AgentEvent) => void;
  /** Waits between attempts at the model. Resolves early, without throwing, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface AgentLimits {
  /** Model turns with tool calls. */
  readonly maxSteps: number;
  /** Input and output tokens of all turns together, as the model's server counts them. */
  readonly maxTokens: number;
  readonly maxWallMs: number;
}

/**
 * Runs one cell in the thread's session; a session that was lost is replaced by the callee before the next cell. Bad Python
 * is data. Rejects with an `AppError` where the infrastructure is broken, which ends the task.
 */
export type RunCell = (
  title: string,
  code: string,
  signal: AbortSignal,
  onOutput: (stream: 'stdout' | 'stderr', text: string) => void,
) => Promise<Execution>;

/** Writes the whole of an output that was cut for the model to a hidden file of the working directory. May reject. */
export type SaveOutput = (name: string, text: string, signal: AbortSignal) => Promise<void>;

export type AgentEvent =
  /** Text of the turn under way. What came before a `step-started` was a remark on the way, not the answer. */
  | { readonly type: 'text-delta'; readonly text: string }
  /** The turn under way failed and starts again: text streamed since it began is void. */
  | { readonly type: 'turn-restarted' }
  /** The model server asked for patience, or failed and is tried again. */
  | { readonly type: 'waiting'; readonly text: string; readonly waitMs: number }
  | { readonly type: 'step-started'; readonly title: string }
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'step-finished'; readonly status: ExecutionStatus };

export interface AgentOutcome {
  readonly outcome: 'answered' | 'partial' | 'failed' | 'cancelled';
  /** Markdown for the person. Never empty; for `failed` and `partial` it says why. */
  readonly text: string;
  /** For the log: why the loop ended, with the provider's words where it was the model. */
  readonly reason: string;
  /** The question and everything after it, for `store.putTurn`. Each tool call in it has exactly one result. */
  readonly messages: readonly ModelMessage[];
  /** What was executed, in order. */
  readonly cells: readonly AgentCell[];
  readonly usage: ModelUsage;
}

export interface AgentCell {
  readonly title: string;
  readonly source: string;
  readonly execution: Execution;
}

export type ToolMessage = Extract<ModelMessage, { readonly role: 'tool' }>;
export type UserMessage = Extract<ModelMessage, { readonly role: 'user' }>;
export type { AssistantMessage };
