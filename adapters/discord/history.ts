import type { HistoryMessage } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { asArray, asNumber, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { allComponents, filesOf } from './attachments.ts';
import { componentTypes } from './components.ts';
import { hasCode } from './errors.ts';
import { compareSnowflakes, kindOfMark } from './ids.ts';
import { discordLimits } from './limits.ts';
import type { DiscordApi } from './rest.ts';

const maxPages = 10;

/** Messages of a channel behind `afterId`, oldest first. Rejects with code `unknownChannel` where there is no such channel. */
export async function messagesAfter(
  api: DiscordApi,
  channelId: string,
  afterId: string,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const found = new Map<string, Json>();
  let after = afterId;
  for (let page = 0; page < maxPages; page += 1) {
    const query = { limit: String(discordLimits.messagesPerPage), after };
    const messages = asArray(await api.call('GET', `/channels/${channelId}/messages`, { query, signal })).map(asObject);
    for (const message of messages) found.set(idOf(message), message);
    if (messages.length < discordLimits.messagesPerPage) break;
    after = [...found.keys()].toSorted(compareSnowflakes).at(-1) ?? after;
  }
  return oldestFirst([...found.values()]);
}

/** The newest messages of a thread, oldest first, at most `limit` of them that say something. */
export async function threadHistory(
  api: DiscordApi,
  thread: ThreadRef,
  selfId: string,
  options: { readonly limit: number; readonly signal: AbortSignal },
): Promise<readonly HistoryMessage[]> {
  const { limit, signal } = options;
  const { channelId, threadId } = thread;
  let history: readonly HistoryMessage[] = [];
  let before: string | null = null;
  for (let page = 0; page < maxPages && history.length < limit; page += 1) {
    const query = { limit: String(discordLimits.messagesPerPage), ...(before === null ? {} : { before }) };
    let messages: readonly Json[] = [];
    try {
      messages = oldestFirst(
        asArray(await api.call('GET', `/channels/${threadId}/messages`, { query, signal })).map(asObject),
      );
    } catch (error) {
      // The thread is made with the first post: until then there is the question alone.
      if (!hasCode(error, 'unknownChannel') || threadId === channelId) throw error;
    }
    history = [...messages.flatMap((message) => toHistory(message, selfId)), ...history];
    before = messages[0] === undefined ? null : idOf(messages[0]);
    if (messages.length < discordLimits.messagesPerPage) {
      const hasStart = history.some(({ messageId }) => messageId === threadId);
      const start = hasStart || threadId === channelId ? null : await startOf(api, thread, signal);
      history = [...(start === null ? [] : toHistory(start, selfId)), ...history];
      break;
    }
  }
  return history.slice(-limit);
}

/** The message that a thread was made from stands in the channel around it. `null` where there is none. */
async function startOf(api: DiscordApi, { channelId, threadId }: ThreadRef, signal: AbortSignal): Promise<Json | null> {
  try {
    return asObject(await api.call('GET', `/channels/${channelId}/messages/${threadId}`, { signal }));
  } catch (error) {
    if (hasCode(error, 'unknownMessage', 'unknownChannel', 'missingAccess', 'wrongChannelType')) return null;
    throw error;
  }
}

/** Ordinary messages, replies, answers to commands (docs: resources/message, message types). */
const talkTypes = new Set([0, 19, 20, 23]);

function toHistory(message: Json, selfId: string): readonly HistoryMessage[] {
  if (!talkTypes.has(asNumber(message['type']) ?? 0)) return [];
  const isOurs = isFrom(message, selfId);
  if (isOurs && kindOfMark(markIn(message)) === 'progress') return [];
  const attachments = filesOf(message);
  const text = textOf(message, selfId);
  // Without the intent for message content, what other people said arrives empty.
  if (text === '' && attachments.length === 0) return [];
  return [{ messageId: idOf(message), from: isOurs ? 'bot' : 'person', text, attachments }];
}

export function isFrom(message: Json, userId: string): boolean {
  return asText(asObject(message['author'])['id']) === userId;
}

/** The id of the first component: on our own messages the mark of the part. */
export function markIn(message: Json): number | null {
  return asNumber(asObject(asArray(message['components'])[0])['id']);
}

export function idOf(message: Json): string {
  return asText(message['id']) ?? '';
}

/** Text of the message, of what it forwards, and of its components. */
function textOf(message: Json, selfId: string): string {
  const forwarded = asArray(message['message_snapshots']).map((snapshot) => asObject(asObject(snapshot)['message']));
  const displays = [message, ...forwarded]
    .flatMap(allComponents)
    .flatMap((component) =>
      component['type'] === componentTypes.textDisplay ? (asText(component['content']) ?? []) : [],
    );
  const contents = [message, ...forwarded].flatMap(({ content }) => asText(content) ?? []);
  return [...contents, ...displays]
    .join('\n')
    .replaceAll(new RegExp(`[ \\t]*<@!?${selfId}>[ \\t]*[,:]?`, 'g'), ' ')
    .replaceAll('\u200b', '')
    .trim();
}

function oldestFirst(messages: readonly Json[]): readonly Json[] {
  return messages.toSorted((left, right) => compareSnowflakes(idOf(left), idOf(right)));
}
