/** The two OpenAI APIs on the wire: the same turns as the events each of them sends. */
export interface Wire {
  readonly text: (parts: readonly string[]) => readonly string[];
  readonly calls: (calls: readonly WireCall[], text?: string) => readonly string[];
  /** A turn that the length limit ended inside the last call's arguments. */
  readonly cutCall: (call: WireCall) => readonly string[];
  readonly cutText: (text: string) => readonly string[];
  readonly filtered: (text: string) => readonly string[];
  /** An error object instead of the rest of the stream. */
  readonly failed: (code: string, message: string) => readonly string[];
  /** The number of last frames without which the turn is not over. */
  readonly terminalFrames: number;
}

export interface WireCall {
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
}

const usage = { input: 100, cached: 40, output: 7, reasoning: 3 };

function data(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function chatChunk(delta: object, finishReason: string | null = null): string {
  return data({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'test',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
}

function chatEnd(finishReason: string): readonly string[] {
  return [
    chatChunk({}, finishReason),
    data({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      choices: [],
      usage: {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output,
        prompt_tokens_details: { cached_tokens: usage.cached },
        completion_tokens_details: { reasoning_tokens: usage.reasoning },
      },
    }),
    'data: [DONE]\n\n',
  ];
}

function chatCall({ id, name, argumentsText }: WireCall, index: number): readonly string[] {
  const half = Math.ceil(argumentsText.length / 2);
  return [
    chatChunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
    chatChunk({ tool_calls: [{ index, function: { arguments: argumentsText.slice(0, half) } }] }),
    chatChunk({ tool_calls: [{ index, function: { arguments: argumentsText.slice(half) } }] }),
  ];
}

export const chatWire: Wire = {
  text: (parts) => [
    chatChunk({ role: 'assistant', content: '' }),
    ...parts.map((content) => chatChunk({ content })),
    ...chatEnd('stop'),
  ],
  calls: (calls, text) => [
    ...(text === undefined ? [] : [chatChunk({ content: text })]),
    ...calls.flatMap(chatCall),
    ...chatEnd('tool_calls'),
  ],
  cutCall: (call) => [...chatCall(call, 0), ...chatEnd('length')],
  cutText: (text) => [chatChunk({ content: text }), ...chatEnd('length')],
  filtered: (text) => [chatChunk({ content: text }), ...chatEnd('content_filter')],
  failed: (code, message) => [data({ error: { code, message } })],
  terminalFrames: 3,
};

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function responseEnd(status: 'completed' | 'incomplete' | 'failed', fields: object = {}): string {
  return event(`response.${status}`, {
    response: {
      id: 'resp_1',
      object: 'response',
      status,
      output: [],
      usage: {
        input_tokens: usage.input,
        input_tokens_details: { cached_tokens: usage.cached },
        output_tokens: usage.output,
        output_tokens_details: { reasoning_tokens: usage.reasoning },
        total_tokens: usage.input + usage.output,
      },
      ...fields,
    },
  });
}

function responseText(parts: readonly string[], index: number): readonly string[] {
  const item = { type: 'message', id: `msg_${index}`, role: 'assistant', status: 'completed' };
  return [
    event('response.output_item.added', { output_index: index, item: { ...item, content: [] } }),
    ...parts.map((delta) => event('response.output_text.delta', { output_index: index, content_index: 0, delta })),
    event('response.output_item.done', {
      output_index: index,
      item: { ...item, content: [{ type: 'output_text', text: parts.join(''), annotations: [] }] },
    }),
  ];
}

function reasoning(index: number): readonly string[] {
  const item = { type: 'reasoning', id: `rs_${index}`, summary: [], encrypted_content: `sealed-${index}` };
  return [
    event('response.reasoning_summary_text.delta', { output_index: index, summary_index: 0, delta: 'Thinking.' }),
    event('response.output_item.done', { output_index: index, item }),
  ];
}

function responseCall(call: WireCall, index: number, isWhole: boolean): readonly string[] {
  const item = { type: 'function_call', id: `fc_${index}`, call_id: call.id, name: call.name };
  const done = { ...item, arguments: call.argumentsText, status: 'completed' };
  return [
    event('response.output_item.added', {
      output_index: index,
      item: { ...item, arguments: '', status: 'in_progress' },
    }),
    event('response.function_call_arguments.delta', { output_index: index, delta: call.argumentsText }),
    ...(isWhole ? [event('response.output_item.done', { output_index: index, item: done })] : []),
  ];
}

const responseStart = event('response.created', { response: { id: 'resp_1', status: 'in_progress' } });

export const responsesWire: Wire = {
  text: (parts) => [responseStart, ...reasoning(0), ...responseText(parts, 1), responseEnd('completed')],
  calls: (calls, text) => [
    responseStart,
    ...reasoning(0),
    ...(text === undefined ? [] : responseText([text], 1)),
    ...calls.flatMap((call, index) => responseCall(call, index + 2, true)),
    responseEnd('completed'),
  ],
  cutCall: (call) => [
    responseStart,
    ...responseCall(call, 0, false),
    responseEnd('incomplete', { incomplete_details: { reason: 'max_output_tokens' } }),
  ],
  cutText: (text) => [
    responseStart,
    ...responseText([text], 0),
    responseEnd('incomplete', { incomplete_details: { reason: 'max_output_tokens' } }),
  ],
  filtered: (text) => [
    responseStart,
    ...responseText([text], 0),
    responseEnd('incomplete', { incomplete_details: { reason: 'content_filter' } }),
  ],
  failed: (code, message) => [responseStart, responseEnd('failed', { error: { code, message } })],
  terminalFrames: 1,
};
