import type { CardColumn, CardTable, FileCard } from '../types.ts';
import type { UserMessage } from './agent-types.ts';
import { cutMiddle } from './cut.ts';

/** Longest question that is kept whole, in characters: longer than any message a platform takes. */
const questionCharacters = 24_000;

/** All cards of one message together, in characters: about 8,000 tokens. */
const cardsCharacters = 32_000;

/** Columns of a table that are described when a card must be cut. */
const keptColumns = 60;

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
 * Cards over the budget lose their examples first, then frequent values, then columns beyond the 60th, then columns altogether.
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

function cardLines(cards: readonly FileCard[]): readonly string[] {
  const budget = Math.floor(cardsCharacters / cards.length);
  return cards.map((card) => {
    let smallest = '';
    for (const cut of cuts) {
      smallest = encode(cut(card));
      if (smallest.length <= budget) break;
    }
    return smallest;
  });
}

function encode(card: FileCard): string {
  return JSON.stringify(card).replaceAll('<', '\\u003c');
}

/** From whole to least, each on top of the one before. Every result is still a `FileCard`. */
const cuts: readonly ((card: FileCard) => FileCard)[] = [
  (card) => card,
  (card) => mapColumns(withFewLines(card, 50), (column) => ({ ...column, examples: [] })),
  (card) => mapColumns(withFewLines(card, 20), (column) => ({ ...column, examples: [], top: column.top.slice(0, 8) })),
  (card) => mapColumns(withFewLines(card, 20), withoutValues),
  (card) => withFewColumns(mapColumns(withFewLines(card, 10), withoutValues), keptColumns),
  (card) => withFewColumns(mapColumns(withFewLines(card, 3), withoutValues), 8),
];

function withoutValues(column: CardColumn): CardColumn {
  return { ...column, examples: [], top: [] };
}

function withFewLines(card: FileCard, lines: number): FileCard {
  return { ...card, rejected: card.rejected.slice(0, lines), warnings: card.warnings.slice(0, Math.max(lines, 10)) };
}

function mapColumns(card: FileCard, change: (column: CardColumn) => CardColumn): FileCard {
  return mapTables(card, (table) => ({ ...table, columns_info: table.columns_info.map(change) }));
}

function mapTables(card: FileCard, change: (table: CardTable) => CardTable): FileCard {
  return { ...card, tables: card.tables.map(change) };
}

/** Past a number of columns and tables only counts are left; the warning says how to see the rest. */
function withFewColumns(card: FileCard, columns: number): FileCard {
  const tables = card.tables.slice(0, keptColumns);
  const hidden = tables
    .filter((table) => table.columns_info.length > columns)
    .map((table) => `${table.columns_info.length - columns} more columns of table ${JSON.stringify(table.name)}`);
  const left = card.tables.length - tables.length;
  const parts = [...hidden.slice(0, 5), ...(left > 0 ? [`${left} more tables`] : [])];
  if (parts.length === 0) return card;
  const warning = {
    code: 'card-cut',
    message: `Not described here to save space: ${parts.join(', ')}. plotline.tables and plotline.load give them all.`,
    table: null,
    line: null,
  };
  return {
    ...mapTables({ ...card, tables }, (table) => ({ ...table, columns_info: table.columns_info.slice(0, columns) })),
    warnings: [...card.warnings, warning],
  };
}
