import type { FileCard } from '../types.ts';

/** Longest that is said before an answer, in lines below the first; the model gets the whole card. */
const saidLines = 4;
const lineCharacters = 300;

/** Rejected lines that are named with their reason; the rest are counted. */
const saidRejected = 8;

/**
 * Warnings of the intake that change what an answer means, the gravest first. The rest (constant columns, outliers, units, …)
 * is only for the model. `rejected-lines` is said from the card's own list.
 */
const worthSaying: readonly string[] = [
  'instruction-like-text',
  'damaged-sheet',
  'missing-sheet',
  'sampled',
  'not-read',
  'many-files',
  'many-tables',
  'formulas-without-values',
  'spreadsheet-errors',
  'unusable-values',
  'totals-row',
  'duplicate-rows',
  'duplicate-keys',
  'no-rows',
  'ambiguous-decimals',
  'date-order',
  'mixed-types',
  'mixed-encoding',
  'nul-bytes',
  'stray-quotes',
  'hidden-sheets',
  'hidden-rows-or-columns',
  'cells-outside',
];

/**
 * What a careful colleague would say about a file before using it, or `null` when there is nothing to say. A file that could
 * not be read says so in the answer itself.
 */
export function cardText(card: FileCard): string | null {
  if (!card.ok) return null;
  const findings = [...rejectedLine(card), ...warningLines(card)];
  if (findings.length === 0) return null;
  const shown = findings.length <= saidLines ? findings : findings.slice(0, saidLines - 1);
  const more = findings.length - shown.length;
  const lines = more > 0 ? [...shown, `and ${more} more like these.`] : shown;
  const shape = shapeOf(card);
  const head = `\`${card.file.replaceAll('`', "'")}\`${shape === '' ? '' : ` (${shape})`}, before I use it:`;
  return [head, ...lines.map((line) => `• ${line}`)].join('\n');
}

function warningLines(card: FileCard): readonly string[] {
  const said = card.warnings
    .filter(({ code }) => worthSaying.includes(code))
    // The intake puts every further line of one finding into a warning of its own.
    .filter(({ message }) => !message.startsWith('The same on line '))
    .toSorted((one, other) => worthSaying.indexOf(one.code) - worthSaying.indexOf(other.code));
  return [...new Set(said.map(({ message }) => shortened(withPlural(message))))];
}

/** Lines of one reason are named together. */
function rejectedLine(card: FileCard): readonly string[] {
  const count = card.rejected_count;
  if (count === 0) return [];
  const byReason = Map.groupBy(card.rejected.slice(0, saidRejected), ({ reason }) => reason);
  const groups = [...byReason].map(
    ([reason, lines]) => `line ${lines.map(({ line }) => line).join(', ')} ${lines.length > 1 ? 'each ' : ''}${reason}`,
  );
  const more = count - Math.min(saidRejected, card.rejected.length);
  const noun = count === 1 ? '1 line' : `${count.toLocaleString('en-US')} lines`;
  return [shortened(`${noun} could not be loaded: ${groups.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`)];
}

/** The intake writes `3 row(s)`: right in every number, and read by a model. A person gets the right form. */
function withPlural(message: string): string {
  return message
    .replaceAll(/\b(\d[\d,]*) ([a-z]+)\(s\)/g, (_, count: string, noun: string) =>
      count === '1' ? `1 ${noun}` : `${count} ${noun}s`,
    )
    .replaceAll('(s)', 's')
    .replace(/^(1 [a-z]+) (repeat|look|hold|lie)\b/, '$1 $2s');
}

function shortened(line: string): string {
  return line.length <= lineCharacters ? line : `${line.slice(0, lineCharacters - 1).toWellFormed()}…`;
}

function shapeOf(card: FileCard): string {
  const [table] = card.tables;
  if (table === undefined) return '';
  if (card.tables.length > 1) return `${card.tables.length} tables`;
  return `${counted(table.rows, 'row')} × ${counted(table.columns, 'column')}`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
