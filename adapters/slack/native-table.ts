import type { Artifact, TableData } from '../../src/types.ts';
import { breakMentions } from '../escape.ts';
import { cellText } from '../table-text.ts';
import { inertLine } from './blocks.ts';
import type { Json } from '../json.ts';
import { tableLimits } from './limits.ts';

export interface NativeTable {
  readonly block: Json;
  /** Of all cells, header included: what Slack counts over all tables of a message. */
  readonly cellCharacters: number;
}

/**
 * The table as one that people can sort and filter. `null` where it would not be the whole table (sorting a part of one misleads)
 * or does not fit Slack's limits; then it is shown as text.
 */
export function nativeTable({ table, title, file }: Artifact): NativeTable | null {
  if (table === null || !isSmall(table)) return null;
  const header = table.columns.map(({ name }) => rawText(breakMentions(cellText(name))));
  const rows = table.rows.map((row) => table.columns.map((_column, index) => cell(row[index] ?? null)));
  const cells = [header, ...rows];
  if (cells.flat().some(({ text }) => text.length > tableLimits.charactersPerCell)) return null;
  const cellCharacters = cells.flat().reduce((sum, { text }) => sum + text.length, 0);
  if (cellCharacters > tableLimits.cellCharacters) return null;
  const block = {
    type: 'data_table',
    caption: inertLine(title || file.name, tableLimits.captionCharacters) || 'Table',
    page_size: tableLimits.pageSize,
    rows: cells,
  };
  return { block, cellCharacters };
}

function isSmall({ columns, rows, rowCount }: TableData): boolean {
  return (
    rows.length === rowCount &&
    rows.length >= 1 &&
    rows.length <= tableLimits.rows &&
    columns.length >= 1 &&
    columns.length <= tableLimits.columns
  );
}

function cell(value: TableData['rows'][number][number]) {
  const text = breakMentions(cellText(value));
  if (typeof value === 'number' && Number.isFinite(value)) return { type: 'raw_number', value, text };
  return rawText(text);
}

/** Slack refuses the whole message for one empty cell. */
function rawText(text: string) {
  return { type: 'raw_text', text: text === '' ? ' ' : text };
}
