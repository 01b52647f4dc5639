import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the scripted model says in one turn: a call of run_python, or its answer. */
export type ScriptedTurn = { readonly title: string; readonly code: string } | { readonly answer: string };

export interface ChatServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Bodies of the requests so far. */
  readonly requests: readonly { readonly messages: readonly { readonly role: string }[] }[];
}

/**
 * An OpenAI-compatible Chat Completions server for whole-process tests. Turns are picked by the number of tool results after
 * the last question, so a task that starts again after a crash gets the same script from its beginning.
 */
export async function startChatServer(
  /** The same for every question, or chosen by what the last question says. */
  script: readonly ScriptedTurn[] | ((question: string) => readonly ScriptedTurn[]),
): Promise<ChatServer> {
  const requests: { messages: { role: string; content?: unknown }[] }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const parsed = JSON.parse(body) as (typeof requests)[number];
      requests.push(parsed);
      const lastQuestion = parsed.messages.findLastIndex(({ role }) => role === 'user');
      const results = parsed.messages.slice(lastQuestion).filter(({ role }) => role === 'tool').length;
      const turns = typeof script === 'function' ? script(JSON.stringify(parsed.messages[lastQuestion])) : script;
      const turn = turns[results] ?? { answer: 'The script has no further turn.' };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of eventsOf(turn, requests.length)) response.write(`data: ${JSON.stringify(event)}\n\n`);
      response.end('data: [DONE]\n\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function eventsOf(turn: ScriptedTurn, number: number): readonly object[] {
  const chunk = (delta: object, finish: string | null): object => ({
    id: `chatcmpl-${number}`,
    object: 'chat.completion.chunk',
    created: 0,
    model: 'scripted',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  if ('answer' in turn) return [chunk({ role: 'assistant', content: turn.answer }, null), chunk({}, 'stop')];
  const call = { name: 'run_python', arguments: JSON.stringify({ title: turn.title, code: turn.code }) };
  const toolCalls = [{ index: 0, id: `call_${number}`, type: 'function', function: call }];
  return [chunk({ role: 'assistant', tool_calls: toolCalls }, null), chunk({}, 'tool_calls')];
}
