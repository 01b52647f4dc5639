import type { OutgoingMessage } from '../../src/ports/platforms.ts';
import type { Artifact } from '../../src/types.ts';
import { neutralise } from '../escape.ts';
import { oneLine, shorten } from '../format.ts';
import { detailsButton } from './buttons.ts';
import { slackLimits } from './limits.ts';
import { renderProgress } from './render-progress.ts';
import { renderReply } from './render-reply.ts';
import { renderMarkdown } from './rendered-part.ts';
import type { RenderedPart } from './rendered-part.ts';
import { escapeWithin } from './text.ts';

export { progressBlockId } from './render-progress.ts';
export type { RenderedPart } from './rendered-part.ts';

/**
 * The message's parts, in order; at least one. `images`: Slack's file ids of the charts that are uploaded and ready, by the name
 * of the artifact's file; each becomes an `image` block.
 */
export function renderMessage(
  message: OutgoingMessage,
  images: ReadonlyMap<string, string> = new Map(),
): readonly RenderedPart[] {
  if (message.kind === 'progress') return [renderProgress(message.progress)];
  if (message.kind === 'reply') return renderReply(message.reply, images);
  const parts = renderMarkdown(message.text);
  const shown = parts.length > 0 ? parts : renderMarkdown('…');
  return message.kind === 'card' ? withDetailsButton(shown, message.file) : shown;
}

/** Below the last part. */
function withDetailsButton(parts: readonly RenderedPart[], file: string): readonly RenderedPart[] {
  return parts.map((part, index) =>
    index === parts.length - 1 ? { ...part, blocks: [...part.blocks, ...detailsButton(file)] } : part,
  );
}

const inlineImageTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif']);

/** True for charts that can be an `image` block: Slack shows no other types in one. */
export function isInlineImage(artifact: Artifact): boolean {
  return artifact.kind === 'chart' && inlineImageTypes.has(artifact.file.mimeType);
}

/** What stands above uploaded files. Slack's SDK loses alt texts on the way, so they are said here, one line per chart. */
export function uploadComment(artifacts: readonly Artifact[]): string {
  const share = Math.floor(slackLimits.commentCharacters / Math.max(1, artifacts.length));
  const lines = artifacts.map(({ kind, title, altText, file }) => {
    const name = oneLine(title) || file.name;
    return shorten(kind === 'chart' && altText !== '' ? `${name}: ${oneLine(altText)}` : name, share - 3);
  });
  const list = lines.length > 1 ? lines.map((line) => `• ${line}`) : lines;
  return commentText(list.join('\n'));
}

/** Plain text for an upload's comment, within its limit, without mentions. */
export function commentText(text: string): string {
  return escapeWithin(neutralise(text), slackLimits.commentCharacters);
}
