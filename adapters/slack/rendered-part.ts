import { neutralise } from '../escape.ts';
import { partText, splitMarkdown } from '../split-markdown.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';
import { escapeWithin } from './text.ts';

/** What `chat.postMessage` and `chat.update` take. */
export interface RenderedPart {
  /** For notifications and screen readers, and all there is where blocks are refused. */
  readonly text: string;
  readonly blocks: readonly Json[];
  /**
   * The same content without native tables, charts, images and feedback elements, for after `invalid_blocks`; `null` where
   * `blocks` has none of them.
   */
  readonly plainBlocks: readonly Json[] | null;
}

/** Markdown as blocks that each fit a message, in order; none for blank text. */
export function markdownBlocks(markdown: string): readonly Json[] {
  return splitMarkdown(neutralise(markdown), slackLimits.markdownCharacters)
    .map(partText)
    .filter((text) => text.trim() !== '')
    .map((text) => ({ type: 'markdown', text }));
}

/** One part for each piece of Markdown that fits a message. */
export function renderMarkdown(markdown: string): readonly RenderedPart[] {
  return markdownBlocks(markdown).map((block) => partOf([block], null));
}

/** `text` says what the blocks say that need nothing new of Slack. */
export function partOf(blocks: readonly Json[], plainBlocks: readonly Json[] | null): RenderedPart {
  const words = (plainBlocks ?? blocks).flatMap(wordsOf).join('\n').trim();
  return {
    text: escapeWithin(words || 'What can be done with this answer:', slackLimits.textCharacters),
    blocks,
    plainBlocks,
  };
}

function wordsOf(block: Json): readonly string[] {
  if (block['type'] === 'markdown') return [asText(block['text']) ?? ''];
  if (block['type'] !== 'context') return [];
  return asArray(block['elements']).map((element) => asText(asObject(element)['text']) ?? '');
}
