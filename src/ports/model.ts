import type { JsonValue, ModelUsage } from '../types.ts';

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments object. */
  readonly parameters: JsonValue;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote it: may be malformed or cut. */
  readonly argumentsText: string;
}

export type ModelMessage =
  | { readonly role: 'user'; readonly text: string }
  | AssistantMessage
  | { readonly role: 'tool'; readonly callId: string; readonly text: string };

export interface AssistantMessage {
  readonly role: 'assistant';
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** What the provider wants replayed (e.g. encrypted reasoning items). Opaque to everyone but the adapter named in it. */
  readonly providerItems: { readonly adapter: string; readonly items: readonly JsonValue[] } | null;
}

export interface ModelRequest {
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** `none`: the tools stay declared (their calls are in the history) but must not be called. */
  readonly toolChoice: 'auto' | 'none';
  readonly maxOutputTokens: number;
}

export type ModelErrorCode =
  | 'rate-limited'
  | 'server-error'
  | 'unreachable'
  | 'interrupted'
  | 'context-overflow'
  | 'auth'
  | 'rejected';

export interface ModelError {
  readonly code: ModelErrorCode;
  /** Worth asking again as it is. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  /** The provider's words, for the log. */
  readonly detail: string;
}

export type ModelEvent =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | {
      readonly type: 'finish';
      readonly reason: 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'cancelled' | 'error';
      /** What was said until then; its tool calls are the ones announced as events, whole or cut. */
      readonly message: AssistantMessage;
      readonly usage: ModelUsage;
      /** Present exactly when `reason` is `error`. */
      readonly error: ModelError | null;
    };

/**
 * Streams one model turn. Never throws after the call, ends with exactly one `finish`; a stream that ends without its
 * terminal event is a failure (`interrupted`). Does not retry: the loop does.
 */
export interface Model {
  readonly name: string;
  /** True for the built-in analyst, which says so in its first reply. */
  readonly builtIn: boolean;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}
