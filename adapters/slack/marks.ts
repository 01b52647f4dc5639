import { createHash } from 'node:crypto';
import type { PostedPart } from '../../src/ports/platforms.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import type { SlackMessage } from './message.ts';

/**
 * How a message says which post and which parts of it it is, so that a later attempt, also of another process, finds what is
 * in the thread already. Messages of `chat.postMessage` say it in their `metadata`; what uploads and streams post takes none, so
 * there, and on images, it is the id of a block. Slack drops the ids of `markdown` blocks.
 */
export const postEventType = 'plotline_post';

const markPattern = /^plotline:([0-9a-f]{16}):([\w+-]{1,200})$/;

/** A block id (at most 255 characters) for one message that is all of these parts. */
export function markOf(postId: string, partIds: readonly string[]): string {
  return `plotline:${hashOf(postId)}:${partIds.join('+')}`;
}

/** Blocks whose ids Slack is known to keep. */
const keepsId = new Set(['section', 'rich_text', 'context', 'actions', 'header', 'divider']);

/** The blocks with the mark on one of them, or on a divider below them where none can take it. */
export function marked(blocks: readonly Json[], mark: string): readonly Json[] {
  const at = blocks.findIndex((block) => block['block_id'] === undefined && keepsId.has(String(block['type'])));
  if (at === -1) return [...blocks, { type: 'divider', block_id: mark }];
  return blocks.map((block, index) => (index === at ? { ...block, block_id: mark } : block));
}

/** The blocks, each image of the post with a mark of its own: `partIdOf` tells by the id of its file. */
export function withImageMarks(
  blocks: readonly Json[],
  postId: string,
  partIdOf: (fileId: string) => string | null,
): readonly Json[] {
  return blocks.map((block) =>
    changeImages(block, (image, fileId) => {
      const partId = partIdOf(fileId);
      return partId === null ? image : { ...image, block_id: markOf(postId, [partId]) };
    }),
  );
}

/** The files that are shown as images, also inside other blocks. */
export function imageFileIds(blocks: readonly Json[]): readonly string[] {
  const ids: string[] = [];
  for (const block of blocks) {
    changeImages(block, (image, fileId) => {
      ids.push(fileId);
      return image;
    });
  }
  return ids;
}

/** The parts of a post that are in the thread already, by the marks they carry. */
export function partsOf(messages: readonly SlackMessage[], postId: string): readonly PostedPart[] {
  const hash = hashOf(postId);
  return messages.flatMap(({ ts, metadata, blocks }) => {
    const partIds = new Set<string>();
    const named = asText(metadata['part_id']);
    if (metadata['post_id'] === postId && named !== null) partIds.add(named);
    for (const blockId of blockIds(blocks)) {
      const match = markPattern.exec(blockId);
      if (match?.[1] === hash) for (const partId of match[2]?.split('+') ?? []) partIds.add(partId);
    }
    return [...partIds].map((partId) => ({ partId, messageId: ts }));
  });
}

/** Whether a message carries a mark of any post. */
export function isMarked({ blocks, metadata }: SlackMessage): boolean {
  return asText(metadata['post_id']) !== null || blockIds(blocks).some((id) => markPattern.test(id));
}

function changeImages(block: Json, change: (image: Json, fileId: string) => Json): Json {
  const fileId = asText(asObject(block['slack_file'])['id']);
  if (block['type'] === 'image' && fileId !== null) return change(block, fileId);
  const entries = Object.entries(block).map(([key, value]) =>
    Array.isArray(value) ? [key, value.map((child: unknown) => changeChild(child, change))] : [key, value],
  );
  return Object.fromEntries(entries) as Json;
}

function changeChild(child: unknown, change: (image: Json, fileId: string) => Json): unknown {
  return typeof child === 'object' && child !== null && !Array.isArray(child)
    ? changeImages(child as Json, change)
    : child;
}

function blockIds(blocks: readonly unknown[]): readonly string[] {
  return blocks.flatMap((block) => {
    const fields = asObject(block);
    const children = Object.values(fields).flatMap((value) => blockIds(asArray(value)));
    return [...(asText(fields['block_id']) === null ? [] : [String(fields['block_id'])]), ...children];
  });
}

function hashOf(postId: string): string {
  return createHash('sha256').update(postId).digest('hex').slice(0, 16);
}
