import type { PostContext, PostedPart } from '../../src/ports/platforms.ts';
import { asText } from '../json.ts';
import type { Json } from '../json.ts';
import { filesOf } from './attachments.ts';
import { attachmentNames } from './file-names.ts';
import { idOf, isFrom, markIn, messagesAfter } from './history.ts';
import { askedAt, compareSnowflakes, markOf } from './ids.ts';
import { plainPieces, takeApart } from './layout.ts';
import type { MessagePart } from './layout.ts';
import type { DiscordApi } from './rest.ts';

/**
 * The parts of a post that are in the channel already: by the mark in their first component, plain messages by what they say.
 * Rejects with code `unknownChannel` where there is no such channel.
 */
export async function earlierParts(
  api: DiscordApi,
  channelId: string,
  selfId: string,
  parts: readonly MessagePart[],
  context: PostContext,
): Promise<readonly PostedPart[]> {
  const ids = context.alreadyPosted.map(({ messageId }) => messageId).toSorted(compareSnowflakes);
  const after = askedAt(context.postId) ?? ids[0] ?? channelId;
  const ours = (await messagesAfter(api, channelId, after, context.signal)).filter((message) =>
    isFrom(message, selfId),
  );
  const taken = new Set(ids);
  return candidates(parts).flatMap(({ partId, mark, isSame }) => {
    const wanted = markOf(context.postId, partId, mark);
    const found = ours.find(
      (message) => !taken.has(idOf(message)) && (markIn(message) === wanted || isSame?.(message) === true),
    );
    if (found === undefined) return [];
    taken.add(idOf(found));
    return [{ partId, messageId: idOf(found) }];
  });
}

interface Candidate {
  readonly partId: string;
  readonly mark: MessagePart['kind'];
  /** For messages that were sent without components. */
  readonly isSame: ((message: Json) => boolean) | null;
}

/** Every form that a part may have been posted in: with its files, without them, as plain messages. */
function candidates(parts: readonly MessagePart[]): readonly Candidate[] {
  return parts.flatMap((part) => {
    const apart = takeApart(part);
    const plain = plainPieces(part).map((piece): Candidate => {
      return { partId: piece.partId, mark: part.kind, isSame: says(piece.text, piece.files) };
    });
    const others = [...part.textPartIds, ...apart.map(({ partId }) => partId)].filter((id) => id !== part.partId);
    return [...plain, ...[...new Set(others)].map((partId): Candidate => ({ partId, mark: part.kind, isSame: null }))];
  });
}

function says(text: string, files: MessagePart['files']): (message: Json) => boolean {
  const names = attachmentNames(files.map(({ outgoing }) => outgoing.file.name));
  const wanted = squeezed(text) + names.join('\n');
  return (message) => {
    if (markIn(message) !== null && asText(message['content']) === null) return false;
    const found = filesOf(message).map(({ source }) => fileNameIn(source));
    return wanted !== '' && squeezed(asText(message['content']) ?? '') + found.join('\n') === wanted;
  };
}

function fileNameIn(source: unknown): string {
  const url = (source as { readonly url?: unknown } | null)?.url;
  return typeof url === 'string' ? (URL.parse(url)?.pathname.split('/').at(-1) ?? '') : '';
}

/** Discord trims what it is sent. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
