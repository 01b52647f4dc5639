import type { HistoryMessage } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { readFile, readMessage } from './message.ts';
import type { SlackMessage } from './message.ts';
import { progressBlockId } from './render.ts';
import { richTextWords } from './to-rich-text.ts';
import { plainText } from './text.ts';
import type { SlackWeb } from './web.ts';

const pageSize = 200;
const maxPages = 10;

/** The thread's messages, oldest first, ours with the marks we gave them. `oldestTs` leaves out what was before. */
export async function readThread(
  web: SlackWeb,
  thread: ThreadRef,
  options: { readonly oldestTs?: string; readonly signal: AbortSignal },
): Promise<readonly SlackMessage[]> {
  const messages: SlackMessage[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await web.call(
      'conversations.replies',
      {
        channel: thread.channelId,
        ts: thread.threadId,
        limit: pageSize,
        include_all_metadata: true,
        ...(options.oldestTs === undefined ? {} : { oldest: options.oldestTs, inclusive: true }),
        ...(cursor === null ? {} : { cursor }),
      },
      options.signal,
    );
    for (const raw of asArray(answer['messages'])) {
      const message = readMessage(raw);
      if (message !== null && !messages.some(({ ts }) => ts === message.ts)) messages.push(message);
    }
    cursor = asText(asObject(answer['response_metadata'])['next_cursor']);
    if (cursor === null) break;
  }
  return messages.toSorted((left, right) => Number(left.ts) - Number(right.ts));
}

/** One message of a thread, read again; `null` when it is not there. */
export async function readOneMessage(
  web: SlackWeb,
  at: { readonly channelId: string; readonly threadTs: string; readonly ts: string },
  signal: AbortSignal,
): Promise<SlackMessage | null> {
  const answer = await web.call(
    'conversations.replies',
    { channel: at.channelId, ts: at.threadTs, oldest: at.ts, latest: at.ts, inclusive: true, limit: 2 },
    signal,
  );
  return (
    asArray(answer['messages'])
      .map(readMessage)
      .find((message) => message?.ts === at.ts) ?? null
  );
}

/** History for the core: without the bot's progress, joins and other system messages. */
export function toHistory(
  messages: readonly SlackMessage[],
  botUserId: string,
  workspaceId: string,
): readonly HistoryMessage[] {
  return messages
    .filter((message) => message.subtype === null || talkSubtypes.has(message.subtype))
    .filter(({ blocks, isStreaming }) => !isStreaming && !blocks.some(isProgress))
    .map((message) => ({
      messageId: message.ts,
      from: message.userId === botUserId ? 'bot' : 'person',
      text: textOf(message, botUserId),
      attachments: message.files.flatMap((file) => readFile(file, workspaceId) ?? []),
    }));
}

/** Posted and edited, or a native stream. */
function isProgress(block: Json): boolean {
  return block['block_id'] === progressBlockId || block['type'] === 'plan' || block['type'] === 'task_card';
}

const talkSubtypes = new Set(['file_share', 'thread_broadcast', 'bot_message']);

/** Our own text is in its blocks; `text` is only its shortened form, or for files nothing. */
function textOf(message: SlackMessage, botUserId: string): string {
  if (message.userId === botUserId) {
    const words = message.blocks.flatMap((block) => {
      if (block['type'] === 'markdown') return asText(block['text']) ?? [];
      return block['type'] === 'rich_text' ? richTextWords(block) : [];
    });
    if (words.length > 0) return words.join('\n');
  }
  return plainText(message.text, botUserId);
}
