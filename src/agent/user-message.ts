import type { FileCard } from '../types.ts';
import type { UserMessage } from './agent-types.ts';
import { fitCard, foldLines } from './card-cuts.ts';
import { cutMiddle } from './cut.ts';

/** Longest question that is kept whole, in characters: longer than any message a platform takes. */
const questionCharacters = 24_000;

/** All cards of one message together, in characters: about 8,000 tokens. */
const cardsCharacters = 32_000;

/** Below it a card says too little to be worth a file's name: rather fewer cards, and the rest counted. */
const leastCardCharacters = 600;

/** For the last line, which counts what has no card. */
const leftOutCharacters = 500;

/**
 * The question as the model sees it. Files follow as cards between two marker lines, one JSON object per line, `<` escaped,
 * so that no text of a file can end the block:
 *
 *     question
 *
 *     <file_cards>
 *     {"file":"sales.xlsx", …}
 *     </file_cards>
 *
 * Cards over the budget lose what tells least first; what was cut is said in the card itself (`card-cut`).
 */
export function userMessage(question: string, cards: readonly FileCard[]): UserMessage {
  const text = boundedQuestion(question);
  if (cards.length === 0) return { role: 'user', text };
  return { role: 'user', text: `${text}\n\n<file_cards>\n${cardLines(cards).join('\n')}\n</file_cards>` };
}

function boundedQuestion(question: string): string {
  // The markers are ours alone: a question that quotes them must not open or close the block.
  const text = question.trim().replace(/<(\/?file_cards>)/gi, '‹$1');
  const cut = cutMiddle(text, Math.ceil(questionCharacters * 0.7), Math.floor(questionCharacters * 0.3));
  if (cut.cutCharacters === 0) return text;
  return `${cut.head}\n[… ${cut.cutCharacters} characters of this message were left out here …]\n${cut.tail}`;
}

/**
 * One line a card, all of them within the budget. Cards that need less than their share leave the rest to the others, so that
 * twenty small files do not cost a large one its columns.
 */
function cardLines(cards: readonly FileCard[]): readonly string[] {
  const lines = new Map<FileCard, string>();
  let room = cardsCharacters - leftOutCharacters;
  const bySize = cards.toSorted((one, other) => encode(foldLines(one)).length - encode(foldLines(other)).length);
  for (const [index, card] of bySize.entries()) {
    const share = Math.max(leastCardCharacters, Math.floor(room / (bySize.length - index)) - 1);
    const line = fitCard(card, Math.min(share, room - 1), encode);
    if (line.length >= room) continue;
    lines.set(card, line);
    room -= line.length + 1;
  }
  const left = cards.length - lines.size;
  return [...cards.flatMap((card) => lines.get(card) ?? []), ...(left > 0 ? [encode(leftOut(left))] : [])];
}

/** A last card that stands for the files that have none. */
function leftOut(count: number): FileCard {
  const message = `${count} more files came with this message and are not described here. They are in the working directory: list it.`;
  return {
    file: `${count} more files`,
    ok: true,
    error: null,
    kind: 'other',
    size_bytes: 0,
    seconds: 0,
    dialect: null,
    tables: [],
    rejected: [],
    rejected_count: 0,
    warnings: [{ code: 'card-cut', message, table: null, line: null }],
  };
}

function encode(card: FileCard): string {
  return JSON.stringify(card).replaceAll('<', '\\u003c');
}
