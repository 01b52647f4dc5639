import { randomUUID } from 'node:crypto';
import type OpenAI from 'openai';
import type { ModelConfig } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Model, ModelMessage, ModelRequest } from '../ports/model.ts';
import type { JsonValue, ModelUsage } from '../types.ts';
import { createCallAssembly } from './openai-chat-calls.ts';
import type { ToolCallDelta } from './openai-chat-calls.ts';
import { createOpenAiClient, isOpenAiService } from './openai-client.ts';
import { toModelError } from './openai-errors.ts';
import { createThinkingSplitter } from './openai-thinking.ts';
import { noUsage, replayableArguments, streamTurn, reasoningOf } from './openai-turn.ts';
import type { DeltaEvent, TurnEnd, TurnReader } from './openai-turn.ts';

type MessageParam = OpenAI.Chat.ChatCompletionMessageParam;

/** A chunk as the many servers of this API send it. */
interface Chunk {
  readonly choices?: readonly Choice[] | null;
  readonly usage?: Usage | null;
}

interface Choice {
  readonly delta?: Delta | null;
  readonly finish_reason?: string | null;
}

interface Delta {
  readonly content?: string | readonly { readonly type?: string; readonly text?: string }[] | null;
  readonly refusal?: string | null;
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly tool_calls?: readonly ToolCallDelta[] | null;
}

interface Usage {
  readonly prompt_tokens?: number | null;
  readonly completion_tokens?: number | null;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number | null } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number | null } | null;
}

/** What this server takes; the parts that servers differ in are found out by its first refusal and remembered. */
interface Dialect {
  countsTokens: boolean;
  tokenLimit: 'max_completion_tokens' | 'max_tokens';
  tokenLimitTried: boolean;
}

/** Chat Completions, as served by OpenAI, Azure, Ollama, vLLM, llama.cpp, OpenRouter and many others. */
export function createChatModel(config: ModelConfig, log: Logger): Model {
  const client = createOpenAiClient(config);
  const adapter = `openai-chat/${config.model}`;
  const dialect: Dialect = {
    countsTokens: true,
    tokenLimit: isOpenAiService(config.baseUrl) ? 'max_completion_tokens' : 'max_tokens',
    tokenLimitTried: false,
  };

  const create = (request: ModelRequest, signal: AbortSignal): Promise<AsyncIterable<unknown>> =>
    client.chat.completions.create(
      {
        model: config.model,
        messages: [
          { role: 'system', content: request.instructions },
          ...request.messages.map((message) => messageParam(message, adapter)),
        ],
        tools: request.tools.map(({ name, description, parameters }) => ({
          type: 'function' as const,
          function: { name, description, parameters: parameters as Record<string, unknown> },
        })),
        // `auto` is the default everywhere, and not every server knows the member.
        ...(request.toolChoice === 'none' ? { tool_choice: 'none' as const } : {}),
        [dialect.tokenLimit]: request.maxOutputTokens,
        ...(dialect.countsTokens ? { stream_options: { include_usage: true } } : {}),
        stream: true as const,
      },
      { signal },
    );

  return {
    name: config.model,
    builtIn: false,
    stream: (request, signal) =>
      streamTurn({
        open: async (abort) => {
          for (;;) {
            try {
              return (await create(request, abort)) as AsyncIterable<Chunk>;
            } catch (error) {
              if (!adapt(dialect, error)) throw error;
            }
          }
        },
        reader: createChatReader(adapter),
        signal,
        apiKey: config.apiKey,
        timeoutMs: config.timeoutMs,
        log,
      }),
  };
}

/** True when the refusal names a member that can be left out or named otherwise; each is tried once. */
function adapt(dialect: Dialect, error: unknown): boolean {
  const { code, detail } = toModelError(error);
  if (code !== 'rejected') return false;
  if (dialect.countsTokens && /stream_options|include_usage/.test(detail)) {
    dialect.countsTokens = false;
    return true;
  }
  if (!dialect.tokenLimitTried && detail.includes(dialect.tokenLimit)) {
    dialect.tokenLimitTried = true;
    dialect.tokenLimit = dialect.tokenLimit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
    return true;
  }
  return false;
}

/** What a turn brought beside text and calls, and the server wants back with it. */
interface Replay {
  readonly reasoning?: string;
  readonly extras?: Readonly<Record<string, JsonValue>>;
}

function messageParam(message: ModelMessage, adapter: string): MessageParam {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: message.text };
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: message.text };
    case 'assistant': {
      if (message.toolCalls.length === 0) return { role: 'assistant', content: message.text };
      const isOurs = message.providerItems !== null && message.providerItems.adapter === adapter;
      const replay = (isOurs ? (message.providerItems?.items[0] ?? {}) : {}) as Replay;
      return {
        role: 'assistant',
        content: message.text === '' ? null : message.text,
        ...(replay.reasoning === undefined ? {} : { reasoning_content: replay.reasoning }),
        tool_calls: message.toolCalls.map((call) => ({
          id: call.id,
          type: 'function' as const,
          function: { name: call.name, arguments: replayableArguments(call.argumentsText) },
          ...(replay.extras?.[call.id] === undefined ? {} : { extra_content: replay.extras[call.id] }),
        })),
      };
    }
    default:
      return message satisfies never;
  }
}

function createChatReader(adapter: string): TurnReader<Chunk> {
  const calls = createCallAssembly(() => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`);
  const splitter = createThinkingSplitter();
  let text = '';
  let reasoningContent = '';
  let finishReason: string | null = null;
  let usage: ModelUsage = noUsage;

  function* take(chunk: Chunk): Iterable<DeltaEvent> {
    if (chunk.usage) usage = usageOf(chunk.usage);
    // The chunk that counts tokens has no choices; only one choice was asked for.
    const choice = chunk.choices?.[0];
    if (choice === undefined) return;
    const delta = choice.delta ?? {};
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    if (typeof reasoning === 'string' && reasoning !== '') {
      if (typeof delta.reasoning_content === 'string') reasoningContent += reasoning;
      yield { type: 'reasoning-delta', text: reasoning };
    }
    const said = textOf(delta);
    if (said !== '') yield* counted(splitter.take(said));
    for (const call of delta.tool_calls ?? []) calls.add(call);
    if (choice.finish_reason === null || choice.finish_reason === undefined) return;
    finishReason = choice.finish_reason;
    yield* counted(splitter.end());
  }

  function* counted(events: Iterable<DeltaEvent>): Iterable<DeltaEvent> {
    for (const event of events) {
      if (event.type === 'text-delta') text += event.text;
      yield event;
    }
  }

  return {
    take,
    end: () => (finishReason === null ? null : endOf(finishReason, calls.calls().length > 0)),
    usage: () => usage,
    message: () => {
      const extras = Object.fromEntries(calls.extras());
      const replay: Replay = {
        ...(reasoningContent === '' ? {} : { reasoning: reasoningContent }),
        ...(calls.extras().size === 0 ? {} : { extras }),
      };
      const isEmpty = Object.keys(replay).length === 0 || calls.calls().length === 0;
      return {
        role: 'assistant',
        text,
        toolCalls: calls.calls(),
        providerItems: isEmpty ? null : { adapter, items: [replay as JsonValue] },
      };
    },
  };
}

/** Some servers send text as a list of parts, of which those of type `text` are the answer. */
function textOf({ content, refusal }: Delta): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
  return refusal ?? '';
}

/** OpenAI's words, and those of servers that pass on other providers'. A call is a call whatever the reason says. */
function endOf(finishReason: string, hasCalls: boolean): TurnEnd {
  const reason = finishReason.toLowerCase();
  if (['length', 'max_tokens', 'max_output_tokens', 'model_length'].includes(reason))
    return { reason: 'length', error: null };
  if (['content_filter', 'safety', 'refusal', 'prohibited_content'].includes(reason))
    return { reason: 'content-filter', error: null };
  if (reason === 'error') {
    return {
      reason: 'error',
      error: { code: 'server-error', retryable: true, retryAfterMs: null, detail: 'finish_reason error' },
    };
  }
  return { reason: hasCalls ? 'tool-calls' : 'stop', error: null };
}

function usageOf(usage: Usage): ModelUsage {
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    ...reasoningOf(usage.completion_tokens_details?.reasoning_tokens),
  };
}
