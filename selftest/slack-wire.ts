import { createSingleWorkspace } from '../adapters/slack/workspaces.ts';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSlackClient } from '../adapters/slack/client.ts';
import { createLogger } from '../src/log.ts';
import type { OutgoingMessage } from '../src/ports/platforms.ts';
import type { ThreadRef } from '../src/types.ts';

/** One call of Slack's Web API as it went over the wire; arguments that Slack takes as JSON are parsed. */
export interface SlackCall {
  readonly method: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const thread: ThreadRef = { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1700000000.000100' };

/** Everything that the Slack client sends for these messages, heard by a server on the loopback that stands for Slack. */
export async function sentToSlack(messages: readonly OutgoingMessage[]): Promise<readonly SlackCall[]> {
  const calls: SlackCall[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const method = request.url?.split('/').at(-1)?.split('?')[0] ?? '';
    if (method !== 'upload') calls.push({ method, arguments: argumentsOf(body) });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answerTo(method, `http://${request.headers.host}`)));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const apiUrl = `http://127.0.0.1:${port}/api/`;
    const settings = { botToken: 'xoxb-selftest', apiUrl, log: createLogger('silent') };
    const client = createSlackClient({ ...settings, workspaces: createSingleWorkspace(settings), settleMs: 1 });
    for (const [index, message] of messages.entries()) {
      await client.post(thread, message, {
        postId: `selftest-${index}`,
        alreadyPosted: [],
        isRepeat: false,
        onPosted: () => Promise.resolve(),
        signal: AbortSignal.timeout(10_000),
      });
    }
    return calls;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

/** Arguments of these names are JSON in a form. */
const structured = new Set(['blocks', 'chunks', 'files', 'metadata']);

function argumentsOf(body: string): SlackCall['arguments'] {
  return Object.fromEntries(
    [...new URLSearchParams(body)].map(([key, value]) => [
      key,
      structured.has(key) ? (JSON.parse(value) as unknown) : value,
    ]),
  );
}

function answerTo(method: string, origin: string): object {
  const shares = { public: { [thread.channelId]: [{ ts: '1700000000.000300' }] } };
  switch (method) {
    case 'files.getUploadURLExternal':
      return { ok: true, upload_url: `${origin}/upload`, file_id: 'F1' };
    case 'files.completeUploadExternal':
      return { ok: true, files: [{ id: 'F1', shares }] };
    case 'files.info':
      return { ok: true, file: { id: 'F1', shares } };
    case 'chat.startStream':
      // Not a refusal, which would be remembered: so progress is heard in both of its forms.
      return { ok: false, error: 'internal_error' };
    default:
      return { ok: true, ts: '1700000000.000200', channel: thread.channelId, messages: [] };
  }
}

/** What in those calls Slack would bring to life, in words; none is what is wanted. */
export function alive(calls: readonly SlackCall[]): readonly string[] {
  return calls.flatMap(({ method, arguments: given }) => {
    const found: string[] = [];
    const { channel, channel_id: channelId = channel, thread_ts: threadTs, text, initial_comment: comment } = given;
    // What a stream shows comes in chunks.
    const blocks = [given['blocks'], given['chunks']];
    if (channelId !== undefined && channelId !== thread.channelId) found.push('another channel');
    if (threadTs !== undefined && threadTs !== thread.threadId) found.push('another thread');
    if (method === 'chat.postMessage' && (given['unfurl_links'] !== 'false' || given['unfurl_media'] !== 'false')) {
      found.push('links are fetched');
    }
    // Both are read as mrkdwn: there `<` alone begins a mention or a link.
    if (typeof text === 'string') found.push(...liveInMrkdwn(text));
    if (typeof comment === 'string') found.push(...liveInMrkdwn(comment));
    for (const words of textsOf(blocks))
      found.push(...(words.type === 'markdown' ? liveInMarkdown(words.text) : liveInMrkdwn(words.text)));
    for (const words of [...textsOf(blocks).map((block) => block.text), text, comment]) {
      if (typeof words === 'string' && hidden.test(words)) found.push('characters that hide or turn text around');
    }
    return found.map((what) => `${method}: ${what}`);
  });
}

// oxlint-disable-next-line no-control-regex
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const everyone = /(?<![\p{L}\p{N}_.@])@(?:channel|here|everyone)\b/iu;

function liveInMrkdwn(text: string): readonly string[] {
  return [...(/<[@#!a-z]/i.test(text) ? ['a live <…>'] : []), ...(everyone.test(text) ? ['a live @word'] : [])];
}

/** Slack's markdown block: mentions as in mrkdwn, links as in Markdown, images fetched. */
function liveInMarkdown(text: string): readonly string[] {
  const links = [...text.matchAll(/\[([^\]\n]*)\]\(([^)\s]+)\)/g)];
  return [
    ...(/<(?:@[A-Z0-9]|#[A-Z0-9]|!(?:channel|here|everyone|subteam|group|date))/i.test(text) ? ['a live <…>'] : []),
    ...(/<[a-z]+:[^>\s]*\|/i.test(text) ? ['a masked link'] : []),
    ...(everyone.test(text) ? ['a live @word'] : []),
    ...(/!\[[^\]]*\]\(/.test(text) ? ['an image to fetch'] : []),
    ...links.flatMap(([, label = '', url = '']) => {
      const named = /(?:[\w-]+\.)+[a-z]{2,}/i.exec(label)?.[0];
      return named !== undefined && !url.includes(`//${named}`) && !url.includes(`.${named}`)
        ? [`a link ${named} that leads elsewhere`]
        : [];
    }),
  ];
}

function textsOf(value: unknown): readonly { readonly type: string; readonly text: string }[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  const { type, text, title } = value as { readonly type?: unknown; readonly text?: unknown; readonly title?: unknown };
  if (typeof text === 'string') return [{ type: String(type), text }];
  if (typeof title === 'string') return [{ type: String(type), text: title }];
  return Object.values(value).flatMap(textsOf);
}
