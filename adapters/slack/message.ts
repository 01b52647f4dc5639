import type { Attachment, Task, ThreadRef } from '../../src/types.ts';
import { asArray, asNumber, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { pastedTables, tableFileName, toCsv, withoutTables } from './pasted-table.ts';
import type { PastedTable } from './pasted-table.ts';
import { fileIdsIn, markupOf } from './rich-text.ts';
import { plainText } from './text.ts';

/** Who the bot is in the workspace its token belongs to. */
export interface SlackSelf {
  readonly teamId: string;
  readonly userId: string;
  readonly botId: string;
}

/** A Slack message as far as it matters here, read from an event or from `conversations.replies`. */
export interface SlackMessage {
  readonly ts: string;
  readonly threadTs: string;
  readonly userId: string | null;
  readonly botId: string | null;
  readonly subtype: string | null;
  readonly text: string;
  /** Also those of a forwarded message, those that are part of the text, and, with an `inline` text, pasted tables. */
  readonly files: readonly Json[];
  readonly tables: readonly PastedTable[];
  readonly blocks: readonly Json[];
  /** Our own mark on what we posted. */
  readonly metadata: Json;
  /** A native stream that nobody ended yet. */
  readonly isStreaming: boolean;
}

/** `null` for what is not a message with a time stamp. */
export function readMessage(raw: unknown): SlackMessage | null {
  const message = asObject(raw);
  const ts = asText(message['ts']);
  if (ts === null) return null;
  // A forwarded message carries the original's files inside its attachments.
  const forwarded = asArray(message['attachments']).flatMap((attachment) => asArray(asObject(attachment)['files']));
  const blocks = asArray(message['blocks']).map(asObject);
  const named = fileIdsIn(blocks).map((id) => ({ id, isNamed: true }));
  const tables = pastedTables(message);
  const files = [
    ...[...asArray(message['files']), ...forwarded].map(asObject),
    ...named,
    ...tables.map((table, index) => tableFile(table, index, ts)),
  ];
  return {
    ts,
    threadTs: asText(message['thread_ts']) ?? ts,
    userId: asText(message['user']),
    botId: asText(message['bot_id']),
    subtype: asText(message['subtype']),
    text: asText(message['text']) ?? '',
    files: files.filter((file, index) => files.findIndex((other) => other['id'] === file['id']) === index),
    tables,
    blocks,
    metadata: asObject(asObject(message['metadata'])['event_payload']),
    isStreaming: message['streaming_state'] === 'in_progress',
  };
}

/** The same for every event about one message, whichever comes first, so that the store keeps one task of them. */
export function taskIdOf(teamId: string, channelId: string, ts: string): string {
  return `slack-${teamId}-${channelId}-${ts}`;
}

export function threadOf(teamId: string, channelId: string, message: SlackMessage): ThreadRef {
  return { platform: 'slack', workspaceId: teamId, channelId, threadId: message.threadTs };
}

/** Longer texts are cut by Slack; the blocks still have all of it. */
const cutTextCharacters = 3000;

/** The question as the person typed it: without the bot's mention, and without the rows of a table that is an attachment. */
export function questionOf(message: SlackMessage, botUserId: string): string {
  const { text, tables, blocks } = message;
  const typed = markupOf(blocks);
  const isCut = text.length >= cutTextCharacters && typed.length > text.length;
  const isBetter = typed !== '' && (isCut || text === '' || tables.length > 0);
  const question = plainText(isBetter ? typed : text, botUserId);
  return tables.length === 0 ? question : withoutTables(question, tables);
}

/** The task that a message is, for who hears it at `at`. */
export function taskOf(
  message: SlackMessage,
  at: { readonly workspaceId: string; readonly channelId: string; readonly botUserId: string; readonly userId: string },
): Task {
  const { workspaceId, channelId, botUserId, userId } = at;
  return {
    id: taskIdOf(workspaceId, channelId, message.ts),
    thread: threadOf(workspaceId, channelId, message),
    messageId: message.ts,
    // The name comes with the admission: nothing is asked of Slack before the event is acknowledged.
    person: { id: userId, displayName: userId },
    text: questionOf(message, botUserId),
    attachments: message.files.flatMap((file) => readFile(file, workspaceId) ?? []),
    receivedAtMs: Date.now(),
  };
}

/** In the shape of a file of Slack's, so that it goes wherever those go. */
function tableFile(table: PastedTable, index: number, ts: string): Json {
  const inline = toCsv(table);
  const size = new TextEncoder().encode(inline).byteLength;
  return { id: `${ts}-table-${index + 1}`, name: tableFileName(index), mimetype: 'text/csv', size, inline };
}

/** How the file can be fetched later. Never holds a token; `url` is only ever fetched from Slack's own hosts. */
export type SlackFileSource = SlackFile & {
  /** Whose token may fetch it, as in `ThreadRef`. */
  readonly workspaceId: string;
};

export type SlackFile =
  | { readonly kind: 'hosted'; readonly fileId: string; readonly url: string }
  /** A table from the message itself: its bytes are the text in UTF-8. */
  | { readonly kind: 'inline'; readonly fileId: string; readonly text: string }
  /** Only the id is known yet (Slack Connect): `files.info` has the rest. */
  | { readonly kind: 'stub'; readonly fileId: string }
  /** An id that the text names, which anybody can write: nothing says yet that it belongs to the conversation. */
  | { readonly kind: 'named'; readonly fileId: string }
  /** Lives in Google Drive and the like. */
  | { readonly kind: 'external'; readonly fileId: string; readonly service: string }
  | { readonly kind: 'deleted'; readonly fileId: string }
  | { readonly kind: 'hidden'; readonly fileId: string }
  /** A canvas, a list, a post: a page of Slack's own, without bytes to fetch. */
  | { readonly kind: 'page'; readonly fileId: string; readonly type: string };

export function readFile(file: Json, workspaceId: string): Attachment | null {
  const id = asText(file['id']);
  if (id === null) return null;
  return {
    id,
    name: asText(file['name']) ?? asText(file['title']) ?? id,
    mimeType: asText(file['mimetype']) ?? 'application/octet-stream',
    sizeBytes: asNumber(file['size']),
    source: { ...sourceOf(id, file), workspaceId },
  };
}

/** The stored form of a source, read back; `null` for what another adapter wrote. */
export function readSource(source: unknown): SlackFileSource | null {
  const fields = asObject(source);
  const fileId = asText(fields['fileId']);
  return fileId === null || asText(fields['kind']) === null ? null : (fields as unknown as SlackFileSource);
}

export function isStub(file: Json): boolean {
  return file['file_access'] === 'check_file_info';
}

const pageTypes = new Set(['quip', 'canvas', 'list', 'space', 'docs', 'post']);

function sourceOf(fileId: string, file: Json): SlackFile {
  const inline = asText(file['inline']);
  if (inline !== null) return { kind: 'inline', fileId, text: inline };
  if (file['isNamed'] === true) return { kind: 'named', fileId };
  const mode = asText(file['mode']) ?? '';
  const type = asText(file['filetype']) ?? '';
  const url = asText(file['url_private_download']) ?? asText(file['url_private']);
  if (mode === 'tombstone' || file['file_access'] === 'file_not_found') return { kind: 'deleted', fileId };
  if (mode === 'hidden_by_limit') return { kind: 'hidden', fileId };
  if (mode === 'external' || file['is_external'] === true) {
    return { kind: 'external', fileId, service: asText(file['external_type']) ?? 'another service' };
  }
  if (pageTypes.has(mode) || pageTypes.has(type)) return { kind: 'page', fileId, type: type || mode };
  return isStub(file) || url === null ? { kind: 'stub', fileId } : { kind: 'hosted', fileId, url };
}
