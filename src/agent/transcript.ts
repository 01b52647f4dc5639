import type { ModelMessage } from '../ports/model.ts';

/**
 * The invariant that model servers insist on: every tool call has exactly one result, after it and before the next assistant
 * or user message, and no result lacks its call. Throws an `Error` that names the call.
 */
export function assertAnswered(messages: readonly ModelMessage[]): void {
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.callId)) throw new Error(`result without an open call: ${message.callId}`);
      continue;
    }
    if (open.size > 0) throw new Error(`calls without a result: ${[...open].join(', ')}`);
    if (message.role !== 'assistant') continue;
    open = new Set(message.toolCalls.map(({ id }) => id));
    if (open.size !== message.toolCalls.length) throw new Error('two calls of one turn share an id');
  }
  if (open.size > 0) throw new Error(`calls without a result: ${[...open].join(', ')}`);
}
