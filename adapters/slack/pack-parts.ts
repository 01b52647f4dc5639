import { plainContext } from './blocks.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { slackLimits, tableLimits } from './limits.ts';
import { partOf } from './rendered-part.ts';
import type { RenderedPart } from './rendered-part.ts';

/** Blocks that stay together in one message, and what stands for them where Slack refuses the newer kinds. */
export interface Piece {
  readonly blocks: readonly Json[];
  readonly plain: readonly Json[];
}

export function samePiece(blocks: readonly Json[]): Piece {
  return { blocks, plain: blocks };
}

/** Puts the pieces into as few messages as their order and Slack's limits allow. Each piece alone must fit one. */
export function packParts(pieces: readonly Piece[]): readonly RenderedPart[] {
  const parts: RenderedPart[] = [];
  let current: Piece = samePiece([]);
  const flush = (): void => {
    // A message cannot be without blocks, and a native chart has nothing that stands for it but its picture.
    const plain = current.plain.length > 0 ? current.plain : [plainContext('The chart is among the files.')];
    if (current.blocks.length > 0) parts.push(partOf(current.blocks, hasOnlyPlain(current) ? null : plain));
    current = samePiece([]);
  };
  for (const piece of pieces) {
    const joined = { blocks: [...current.blocks, ...piece.blocks], plain: [...current.plain, ...piece.plain] };
    if (fitsMessage(joined.blocks) && fitsMessage(joined.plain)) {
      current = joined;
    } else {
      flush();
      current = piece;
    }
  }
  flush();
  return parts;
}

function hasOnlyPlain({ blocks, plain }: Piece): boolean {
  return blocks.length === plain.length && blocks.every((block, index) => block === plain[index]);
}

function fitsMessage(blocks: readonly Json[]): boolean {
  const lengths = { markdown: 0, cells: 0, other: 0 };
  for (const block of blocks) {
    if (block['type'] === 'markdown') lengths.markdown += (asText(block['text']) ?? '').length;
    else if (block['type'] === 'data_table') lengths.cells += charactersIn(block['rows']);
    else lengths.other += charactersIn(block);
  }
  return (
    blocks.length <= slackLimits.messageBlocks &&
    lengths.markdown <= slackLimits.markdownCharacters &&
    lengths.cells <= tableLimits.cellCharacters &&
    lengths.markdown + lengths.cells + lengths.other <= slackLimits.messageCharacters
  );
}

/** Of everything under a key named `text`, `alt_text` or `title`, at any depth. */
function charactersIn(value: unknown): number {
  if (Array.isArray(value)) return asArray(value).reduce<number>((sum, entry) => sum + charactersIn(entry), 0);
  return Object.entries(asObject(value)).reduce((sum, [key, entry]) => {
    if (typeof entry === 'string') return ['text', 'alt_text', 'title'].includes(key) ? sum + entry.length : sum;
    return sum + charactersIn(entry);
  }, 0);
}
