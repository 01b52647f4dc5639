import type { TableData } from '../src/types.ts';
import { displayWidth, fitToWidth } from './display-width.ts';
import { formatCount, oneLine } from './format.ts';

export interface TableLimits {
  readonly maxRows: number;
  /** Columns of the monospaced font for a whole line. */
  readonly maxWidth: number;
  /** Columns of the font for one cell; longer ones end in an ellipsis. */
  readonly maxCellWidth: number;
  /** Characters of the whole text. */
  readonly maxCharacters: number;
}

export interface TableText {
  /** Header, rule and rows, one per line, without a line break at the end. */
  readonly lines: readonly string[];
  readonly shownRows: number;
  readonly shownColumns: number;
  /** What is not shown, as a sentence without a full stop: `First 15 of 1,234 rows, 6 of 9 columns`; empty when all is. */
  readonly leftOut: string;
}

type Cell = TableData['rows'][number][number];

const gap = '  ';

/**
 * The table as aligned monospaced text: numbers to the right, by display width, so that CJK and emoji line up. Whole columns
 * that do not fit are left out from the right, whole rows from the end; at least the first column is shown.
 */
export function tableText(table: TableData, limits: TableLimits): TableText {
  const candidates = table.rows.slice(0, limits.maxRows);
  const columns = fittingColumns(table, candidates, limits);
  const header = line(columns, (column) => pad(column.name, column.width, column.alignRight));
  const rule = line(columns, (column) => '─'.repeat(column.width));
  const lines = [header, rule];
  let characters = header.length + rule.length + 1;
  for (const row of candidates) {
    const text = line(columns, (column) => pad(column.cellText(row), column.width, column.alignRight));
    if (characters + text.length + 1 > limits.maxCharacters) break;
    lines.push(text);
    characters += text.length + 1;
  }
  const shownRows = lines.length - 2;
  return { lines, shownRows, shownColumns: columns.length, leftOut: leftOut(table, shownRows, columns.length) };
}

/**
 * The table row by row, each cell a line of its own behind its column's name: for tables whose columns do not fit beside each
 * other. Whole rows that do not fit are left out from the end.
 */
export function recordsText(
  table: TableData,
  limits: Pick<TableLimits, 'maxRows' | 'maxCellWidth' | 'maxCharacters'>,
): TableText {
  const lines: string[] = [];
  let characters = 0;
  let shownRows = 0;
  for (const row of table.rows.slice(0, limits.maxRows)) {
    const record = table.columns.map(({ name }, index) => {
      const label = fitToWidth(oneLine(name), limits.maxCellWidth);
      const value = fitToWidth(cellText(row[index] ?? null), limits.maxCellWidth);
      return label === '' ? value : `${label}: ${value}`;
    });
    const block = shownRows === 0 ? record : ['', ...record];
    characters += block.join('\n').length + 1;
    if (characters > limits.maxCharacters) break;
    lines.push(...block);
    shownRows += 1;
  }
  return {
    lines,
    shownRows,
    shownColumns: table.columns.length,
    leftOut: leftOut(table, shownRows, table.columns.length),
  };
}

/** A cell as it is read: numbers without noise digits, missing values as an en dash. */
export function cellText(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'number') return numberText(cell);
  return oneLine(String(cell));
}

interface ShownColumn {
  readonly name: string;
  readonly width: number;
  readonly alignRight: boolean;
  cellText(row: readonly Cell[]): string;
}

function fittingColumns(table: TableData, rows: TableData['rows'], limits: TableLimits): readonly ShownColumn[] {
  const shown: ShownColumn[] = [];
  let width = 0;
  for (const [index, column] of table.columns.entries()) {
    const maxWidth = Math.min(limits.maxCellWidth, limits.maxWidth);
    const read = (row: readonly Cell[]): string => fitToWidth(cellText(row[index] ?? null), maxWidth);
    const name = fitToWidth(oneLine(column.name), maxWidth);
    const columnWidth = Math.max(1, displayWidth(name), ...rows.map((row) => displayWidth(read(row))));
    const widthWith = width + columnWidth + (shown.length > 0 ? gap.length : 0);
    if (shown.length > 0 && widthWith > limits.maxWidth) break;
    width = widthWith;
    shown.push({ name, width: columnWidth, alignRight: column.type === 'number', cellText: read });
  }
  return shown;
}

function line(columns: readonly ShownColumn[], text: (column: ShownColumn) => string): string {
  return columns.map(text).join(gap).trimEnd();
}

function pad(text: string, width: number, alignRight: boolean): string {
  const spaces = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return alignRight ? spaces + text : text + spaces;
}

/** Four decimals from 1 up, four significant digits below: enough to read, and never 0 for what is not 0. */
function numberText(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
  return String(Math.abs(value) >= 1 ? Number(value.toFixed(4)) : Number(value.toPrecision(4)));
}

function leftOut(table: TableData, shownRows: number, shownColumns: number): string {
  const parts: string[] = [];
  if (shownRows < table.rowCount) parts.push(`first ${formatCount(shownRows)} of ${formatCount(table.rowCount)} rows`);
  if (shownColumns < table.columns.length) parts.push(`${shownColumns} of ${table.columns.length} columns`);
  const sentence = parts.join(', ');
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
