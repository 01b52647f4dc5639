import type { FileCard } from '../types.ts';

/** Findings said in the thread; the model gets all of them. */
const saidWarnings = 4;
const saidLines = 8;

/** Warnings that change what an answer means. The rest is only for the model. */
const worthSaying = new Set([
  'encoding-mixed',
  'ambiguous-dates',
  'ambiguous-decimals',
  'mixed-types',
  'unusable-values',
  'duplicate-rows',
  'hidden-sheet',
  'error-cells',
  'formulas-without-values',
  'totals-row',
  'instruction-like-text',
  'truncated',
  'sampled',
]);

/** What a careful colleague would say about a file before using it, or `null` when there is nothing to say. */
export function cardText(card: FileCard): string | null {
  const findings = [
    ...rejectedLines(card),
    ...card.warnings.filter(({ code }) => worthSaying.has(code)).map(({ message }) => message),
  ];
  if (!card.ok) return `*${card.file}*: ${card.error ?? 'this file could not be read.'}`;
  if (findings.length === 0) return null;
  const shown = findings.slice(0, saidWarnings);
  const more = findings.length - shown.length;
  const lines = [...shown, ...(more > 0 ? [`and ${more} smaller ${more === 1 ? 'thing' : 'things'}.`] : [])];
  return `*${card.file}* (${shapeOf(card)}), before I use it:\n${lines.map((line) => `• ${line}`).join('\n')}`;
}

function rejectedLines(card: FileCard): readonly string[] {
  if (card.rejected_count === 0) return [];
  const lines = card.rejected.slice(0, saidLines).map(({ line, reason }) => `${line} (${reason})`);
  const more = card.rejected_count - lines.length;
  const noun = card.rejected_count === 1 ? 'line' : 'lines';
  return [
    `${card.rejected_count} ${noun} could not be loaded: ${lines.join('; ')}${more > 0 ? ` and ${more} more` : ''}.`,
  ];
}

function shapeOf(card: FileCard): string {
  const [table] = card.tables;
  if (table === undefined) return card.kind;
  if (card.tables.length > 1) return `${card.tables.length} tables`;
  return `${table.rows.toLocaleString('en-US')} rows × ${table.columns} columns`;
}
