import type { Logger } from '../log.ts';
import type { AssistantMessage, ModelError, ModelEvent } from '../ports/model.ts';
import type { ModelUsage } from '../types.ts';
import { interrupted, isFiltered, toModelError } from './openai-errors.ts';

type Finish = Extract<ModelEvent, { readonly type: 'finish' }>;
export type DeltaEvent = Extract<ModelEvent, { readonly type: 'text-delta' | 'reasoning-delta' }>;

export interface TurnEnd {
  readonly reason: Finish['reason'];
  readonly error: ModelError | null;
}

/** Makes sense of one API's stream, chunk by chunk. */
export interface TurnReader<Chunk> {
  take(chunk: Chunk): Iterable<DeltaEvent>;
  /** How the turn ended, once the stream's terminal event was seen; `null` until then. */
  end(): TurnEnd | null;
  /** What was said so far. */
  message(): AssistantMessage;
  usage(): ModelUsage;
}

/** What may still come after the terminal event (a count of tokens) is not worth waiting longer for. */
const afterEndMs = 5000;

/**
 * Runs one streamed request as the port wants it: nothing is thrown, there is exactly one `finish`, and a stream that stops
 * without its terminal event, or is silent for `timeoutMs`, is `interrupted`. Leaving the iteration early closes the request.
 */
export async function* streamTurn<Chunk>(turn: {
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Chunk>>;
  readonly reader: TurnReader<Chunk>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly log: Logger;
  /** Some servers quote the key they refuse; it must not get from there into the log. */
  readonly apiKey: string;
}): AsyncIterable<ModelEvent> {
  const { reader, signal } = turn;
  const startedAtMs = performance.now();
  const request = new AbortController();
  const either = AbortSignal.any([signal, request.signal]);
  let silent = false;
  let failure: unknown = null;

  /** Ends the request when nothing arrives in time; the consumer's own pauses do not count. */
  const inTime = async <Value>(arrival: Promise<Value>): Promise<Value> => {
    const timer = setTimeout(
      () => {
        silent = true;
        request.abort();
      },
      reader.end() === null ? turn.timeoutMs : afterEndMs,
    );
    try {
      return await arrival;
    } finally {
      clearTimeout(timer);
    }
  };

  try {
    if (!signal.aborted) {
      const chunks = (await inTime(turn.open(either)))[Symbol.asyncIterator]();
      for (let next = await inTime(chunks.next()); next.done !== true; next = await inTime(chunks.next())) {
        yield* reader.take(next.value);
      }
    }
  } catch (error) {
    failure = error;
  } finally {
    request.abort();
  }

  const end = reader.end() ?? endOf();
  const whole = reader.message();
  const usable = end.reason !== 'error' && end.reason !== 'cancelled';
  const message = usable ? whole : { ...whole, toolCalls: [], providerItems: null };
  for (const call of message.toolCalls) yield { type: 'tool-call', call };
  const fields = { reason: end.reason, ms: Math.round(performance.now() - startedAtMs), ...reader.usage() };
  if (end.error === null) turn.log.debug(fields, 'model turn');
  else turn.log.warn({ ...fields, code: end.error.code, detail: end.error.detail }, 'model turn failed');
  yield { type: 'finish', reason: end.reason, message, usage: reader.usage(), error: end.error };

  function endOf(): TurnEnd {
    // The SDK ends its loop silently on an abort, so the signals are asked before anything is made of the failure.
    if (signal.aborted) return { reason: 'cancelled', error: null };
    if (silent) return { reason: 'error', error: interrupted(`silent for ${turn.timeoutMs / 1000} s`) };
    if (failure === null) return { reason: 'error', error: interrupted('the stream ended without its terminal event') };
    if (isFiltered(failure)) return { reason: 'content-filter', error: null };
    const error = toModelError(failure);
    return { reason: 'error', error: { ...error, detail: error.detail.replaceAll(turn.apiKey, '[key]') } };
  }
}

export const noUsage: ModelUsage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };

/** Servers that think in silence may say how much. */
export function reasoningOf(tokens: number | null | undefined): Pick<ModelUsage, 'reasoningTokens'> {
  return typeof tokens === 'number' ? { reasoningTokens: tokens } : {};
}

/** The arguments as an object's JSON: servers parse what is replayed to them, and some fail on anything else. */
export function replayableArguments(argumentsText: string): string {
  try {
    const value: unknown = JSON.parse(argumentsText);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return argumentsText;
  } catch {
    // What cannot be parsed is replayed as text inside an object.
  }
  return JSON.stringify({ unreadable_arguments: argumentsText });
}
