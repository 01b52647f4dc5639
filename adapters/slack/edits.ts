import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Task } from '../../src/types.ts';
import { asText } from '../json.ts';
import type { Json } from '../json.ts';
import { readMessage } from './message.ts';
import type { SlackMessage } from './message.ts';

/** What became of a message, as far as that matters here. */
export type MessageChange =
  | { readonly kind: 'edited'; readonly message: SlackMessage }
  | { readonly kind: 'deleted'; readonly ts: string };

/** Reads `message_changed` and `message_deleted`; `null` for changes that nobody typed: unfurled links, pins, replies counted. */
export function changeIn(event: Json): MessageChange | null {
  const before = readMessage(event['previous_message']);
  if (event['subtype'] === 'message_deleted') {
    const ts = asText(event['deleted_ts']) ?? before?.ts ?? null;
    return ts === null ? null : { kind: 'deleted', ts };
  }
  const message = readMessage(event['message']);
  if (event['subtype'] !== 'message_changed' || message === null) return null;
  if (isTombstone(message, before)) return { kind: 'deleted', ts: message.ts };
  return before !== null && before.text === message.text ? null : { kind: 'edited', message };
}

/** A deleted message that others replied to stays as an empty shell; so does one whose only content was a deleted file. */
function isTombstone(message: SlackMessage, before: SlackMessage | null): boolean {
  if (message.subtype === 'tombstone') return true;
  const isGone = (file: Json): boolean => file['mode'] === 'tombstone';
  const hadFile = before === null || before.files.some((file) => !isGone(file));
  return message.text === '' && message.files.length > 0 && message.files.every(isGone) && hadFile;
}

/** `offer`: the person is asked whether the edited question should be answered anew. */
export async function hearEdit(
  handlers: GatewayHandlers,
  task: Task,
  isForUs: boolean,
): Promise<'offer' | 'nothing more'> {
  const outcome = await handlers.onEdit(task);
  if (outcome === 'answered') return 'offer';
  // An edit that adds the mention makes a question of it; its own `app_mention` has the same id.
  if (isForUs && outcome !== 'restarted') await handlers.onTask(task);
  return 'nothing more';
}
