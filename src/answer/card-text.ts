import type { FileCard } from '../types.ts';
import { cardFindings, counted, withPlural } from './card-findings.ts';
import type { CardFinding } from './card-findings.ts';

/** Longest that is said before an answer, in lines below the first; the model gets the whole card, a person the details. */
const saidLines = 4;
const lineCharacters = 300;
const nameCharacters = 80;

/**
 * Findings that change what an answer means, the gravest first. The rest (constant columns, blanks at edges, titles above a
 * table …) is in the details and in the model's card.
 */
const worthSaying: readonly string[] = [
  'instruction-like-text',
  'rejected-lines',
  'damaged-sheet',
  'missing-sheet',
  'sampled',
  'not-read',
  'many-files',
  'many-tables',
  'no-rows',
  'totals-row',
  'unusable-values',
  'formulas-without-values',
  'spreadsheet-errors',
  'ambiguous-dates',
  'ambiguous-decimals',
  'duplicate-rows',
  'duplicate-keys',
  'odd-number-format',
  'mixed-types',
  'mixed-encoding',
  'garbled-text',
  'lost-characters',
  'nul-bytes',
  'same-but-spelling',
  'odd-format',
  'series-gap',
  'outliers',
  'odd-sign',
  'short-rows',
  'stray-quotes',
  'date-order',
  'leading-zeros',
  'hidden-sheets',
  'hidden-rows-or-columns',
  'cells-outside',
];

/**
 * What a careful colleague would say about a file before using it, or `null` when there is nothing to say. A file that could
 * not be read says so in the answer itself.
 */
export function cardText(card: FileCard): string | null {
  const findings = findingsToSay(card);
  if (findings.length === 0) return null;
  const shown = findings.length <= saidLines ? findings : findings.slice(0, saidLines - 1);
  const more = findings.length - shown.length;
  const lines = shown.map(({ text }) => shortened(text, lineCharacters));
  const shape = shapeOf([card]);
  return [
    `${nameOf(card)}${shape === '' ? '' : ` (${shape})`}, before I use it:`,
    ...lines.map((line) => `• ${line}`),
    ...(more > 0 ? [`• and ${more} more in the details.`] : []),
  ].join('\n');
}

/** Files that were looked at, in one line of the progress: the whole of what is said about them where all is well. */
export function cardsLine(cards: readonly FileCard[]): string {
  const [card] = cards;
  const name = cards.length === 1 && card !== undefined ? nameOf(card).replaceAll('`', '') : `${cards.length} files`;
  const unread = cards.filter(({ ok }) => !ok).length;
  if (unread === cards.length) return `${name}: could not be read`;
  const shape = shapeOf(cards) || descriptionOf(cards);
  const noted = cards.filter((one) => findingsToSay(one).length > 0).length;
  const verdicts = [
    ...(unread > 0 ? [`${unread} could not be read`] : []),
    ...(noted === 0 ? [] : [cards.length === 1 ? 'see what I noticed' : `something to know about ${noted} of them`]),
  ];
  const verdict = verdicts.length === 0 ? 'nothing odd' : verdicts.join(', ');
  if (shape === '') return verdicts.length === 0 ? name : `${name}: ${verdict}`;
  const isTable = cards.some(({ tables }) => tables.length > 0);
  return isTable || verdicts.length > 0 ? `${name}: ${shape}; ${verdict}` : `${name}: ${shape}`;
}

/** What the intake says of one file that is no table, as part of a sentence. */
function descriptionOf(cards: readonly FileCard[]): string {
  const found = cards[0]?.warnings.find(({ code }) => code === 'not-a-table' || code === 'other-files');
  if (cards.length !== 1 || found === undefined) return '';
  const text = withPlural(found.message)
    .replace(/^The zip /, '')
    .replace(/^A(n?) /, 'a$1 ');
  return shortened(text.replace(/\.$/, ''), lineCharacters / 2);
}

function findingsToSay(card: FileCard): readonly CardFinding[] {
  if (!card.ok) return [];
  return cardFindings(card)
    .filter(({ code }) => worthSaying.includes(code))
    .toSorted((one, other) => worthSaying.indexOf(one.code) - worthSaying.indexOf(other.code));
}

function nameOf({ file }: FileCard): string {
  return `\`${shortened(file.replaceAll('`', "'"), nameCharacters)}\``;
}

function shortened(line: string, characters: number): string {
  return line.length <= characters ? line : `${line.slice(0, characters - 1).toWellFormed()}…`;
}

/** `40 rows × 4 columns` of one table, `3 tables, 1,204 rows` of several. */
function shapeOf(cards: readonly FileCard[]): string {
  const tables = cards.flatMap((card) => card.tables);
  const [table] = tables;
  if (table === undefined) return '';
  if (tables.length === 1 && cards.length === 1) {
    return `${counted(table.rows, 'row')} × ${counted(table.columns, 'column')}`;
  }
  const rows = tables.reduce((sum, one) => sum + one.rows, 0);
  return `${counted(tables.length, 'table')}, ${counted(rows, 'row')}`;
}
