import type OpenAI from 'openai';
import type { ModelConfig } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Model, ModelMessage, ModelRequest, ToolCall } from '../ports/model.ts';
import type { JsonValue, ModelUsage } from '../types.ts';
import { createOpenAiClient } from './openai-client.ts';
import { interrupted, isFiltered, toModelError } from './openai-errors.ts';
import { noUsage, replayableArguments, streamTurn, reasoningOf } from './openai-turn.ts';
import type { DeltaEvent, TurnEnd, TurnReader } from './openai-turn.ts';

type InputItem = OpenAI.Responses.ResponseInputItem;
type StreamEvent = OpenAI.Responses.ResponseStreamEvent;

/**
 * OpenAI's Responses API, without storage on their side: what a turn gave, encrypted reasoning included, is kept with its
 * message and sent again by us. The reasoning of one model means nothing to another, so the adapter's name includes the model.
 */
export function createResponsesModel(config: ModelConfig, log: Logger): Model {
  const client = createOpenAiClient(config);
  const adapter = `openai-responses/${config.model}`;
  /** Models that do not reason refuse to be asked for reasoning; known after the first refusal. */
  let withReasoning = true;

  const create = (request: ModelRequest, signal: AbortSignal): Promise<AsyncIterable<StreamEvent>> =>
    client.responses.create(
      {
        model: config.model,
        instructions: request.instructions,
        input: request.messages.flatMap((message) => inputItems(message, withReasoning ? adapter : null)),
        tools: request.tools.map(({ name, description, parameters }) => ({
          type: 'function' as const,
          name,
          description,
          parameters: parameters as Record<string, unknown>,
          strict: false,
        })),
        tool_choice: request.toolChoice,
        max_output_tokens: request.maxOutputTokens,
        store: false,
        ...(withReasoning ? { include: ['reasoning.encrypted_content' as const] } : {}),
        stream: true,
      },
      { signal },
    );

  return {
    name: config.model,
    builtIn: false,
    stream: (request, signal) =>
      streamTurn({
        open: async (abort) => {
          try {
            return await create(request, abort);
          } catch (error) {
            const { code, detail } = toModelError(error);
            if (!withReasoning || code !== 'rejected' || !/encrypted|reasoning/i.test(detail)) throw error;
            withReasoning = false;
            return create(request, abort);
          }
        },
        reader: createResponsesReader(adapter),
        signal,
        apiKey: config.apiKey,
        timeoutMs: config.timeoutMs,
        log,
      }),
  };
}

/** `adapter`: whose provider items may be replayed; `null` for none. */
function inputItems(message: ModelMessage, adapter: string | null): readonly InputItem[] {
  switch (message.role) {
    case 'user':
      return [{ role: 'user', content: message.text }];
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.callId, output: message.text }];
    case 'assistant':
      if (message.providerItems !== null && message.providerItems.adapter === adapter) {
        return message.providerItems.items as unknown as readonly InputItem[];
      }
      return [
        ...(message.text === '' ? [] : [{ role: 'assistant' as const, content: message.text }]),
        ...message.toolCalls.map((call) => ({
          type: 'function_call' as const,
          call_id: call.id,
          name: call.name,
          arguments: replayableArguments(call.argumentsText),
        })),
      ];
    default:
      return message satisfies never;
  }
}

interface PartialCall {
  id: string;
  name: string;
  argumentsText: string;
}

function createResponsesReader(adapter: string): TurnReader<StreamEvent> {
  let text = '';
  let end: TurnEnd | null = null;
  let usage: ModelUsage = noUsage;
  const calls = new Map<number, PartialCall>();
  const items: JsonValue[] = [];

  const toolCalls = (): readonly ToolCall[] =>
    [...calls.entries()].toSorted(([a], [b]) => a - b).map(([, call]) => ({ ...call }));

  const finish = (response: OpenAI.Responses.Response, reason: TurnEnd['reason']): void => {
    end = { reason, error: null };
    usage = {
      inputTokens: response.usage?.input_tokens ?? 0,
      cachedInputTokens: response.usage?.input_tokens_details?.cached_tokens ?? 0,
      outputTokens: response.usage?.output_tokens ?? 0,
      ...reasoningOf(response.usage?.output_tokens_details?.reasoning_tokens),
    };
  };

  const takeItem = (event: Extract<StreamEvent, { readonly item: unknown; readonly output_index: number }>): void => {
    if (event.item.type === 'function_call') {
      const { call_id: id, name, arguments: argumentsText } = event.item;
      calls.set(event.output_index, { id, name, argumentsText });
    }
    if (event.type === 'response.output_item.done') items.push(...replayable(event.item));
  };

  // Events that are not named here are of no interest, those of later versions of the API included.
  function* take(event: StreamEvent): Iterable<DeltaEvent> {
    const { type } = event;
    if (type === 'response.output_text.delta' || type === 'response.refusal.delta') {
      text += event.delta;
      yield { type: 'text-delta', text: event.delta };
    } else if (type === 'response.reasoning_summary_text.delta' || type === 'response.reasoning_text.delta') {
      yield { type: 'reasoning-delta', text: event.delta };
    } else if (type === 'response.output_item.added' || type === 'response.output_item.done') {
      takeItem(event);
    } else if (type === 'response.function_call_arguments.delta') {
      const call = calls.get(event.output_index);
      if (call !== undefined) call.argumentsText += event.delta;
    } else if (type === 'response.completed') {
      finish(event.response, calls.size > 0 ? 'tool-calls' : 'stop');
    } else if (type === 'response.incomplete') {
      const isFilter = event.response.incomplete_details?.reason === 'content_filter';
      finish(event.response, isFilter ? 'content-filter' : 'length');
    } else if (type === 'response.failed') {
      finish(event.response, 'error');
      end = endOfError(event.response.error);
    } else if (type === 'error') {
      end = endOfError(event);
    }
  }

  /** A turn that was cut may hold half an item, which the API refuses to take back; nor may a call be missing. */
  const isReplayable = (): boolean =>
    (end?.reason === 'stop' || end?.reason === 'tool-calls') &&
    items.length > 0 &&
    items.filter((item) => (item as { readonly type?: unknown }).type === 'function_call').length === calls.size;

  return {
    take,
    end: () => end,
    usage: () => usage,
    message: () => ({
      role: 'assistant',
      text,
      toolCalls: toolCalls(),
      providerItems: isReplayable() ? { adapter, items } : null,
    }),
  };
}

function endOfError(error: unknown): TurnEnd {
  if (error === null || error === undefined)
    return { reason: 'error', error: interrupted('the server failed the response without a reason') };
  return isFiltered(error)
    ? { reason: 'content-filter', error: null }
    : { reason: 'error', error: toModelError(error) };
}

/** The item as input of a later turn: without ids, which name stored items, and without reasoning that cannot be read back. */
function replayable(item: OpenAI.Responses.ResponseOutputItem): readonly JsonValue[] {
  if (item.type === 'reasoning' && !item.encrypted_content) return [];
  const { id: _id, status: _status, ...rest } = item as unknown as Record<string, JsonValue>;
  return [rest];
}
