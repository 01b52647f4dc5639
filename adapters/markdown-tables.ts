import type { TableData } from '../src/types.ts';
import { displayWidth } from './display-width.ts';
import { codeBlock } from './escape.ts';
import { markdownLines } from './markdown-lines.ts';
import type { MarkdownLine } from './markdown-lines.ts';
import { recordsText, tableText } from './table-text.ts';

/** For one code block; a longer table becomes several, each with its header. */
const blockCharacters = 1500;

/**
 * Markdown's tables as code blocks, for platforms that show none: aligned where they are at most `maxWidth` columns of the font
 * wide, else row by row. No cell is lost or shortened; emphasis and code marks inside cells go, links show their address.
 */
export function tablesAsCode(markdown: string, maxWidth: number): string {
  const lines = markdownLines(markdown);
  const textOf = (line: MarkdownLine): string => markdown.slice(line.start, line.end).replace(/\n$/, '');
  let result = '';
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    const delimiter = lines[index + 1];
    if (line === undefined) break;
    const header = delimiter?.isDelimiterRow === true ? cellsOf(textOf(line)) : [];
    const marks = delimiter === undefined ? [] : cellsOf(textOf(delimiter));
    if (header.length === 0 || header.length !== marks.length) {
      result += markdown.slice(line.start, line.end);
      continue;
    }
    let end = index + 2;
    const rows: (readonly string[])[] = [];
    while (lines[end]?.tableHead != null) {
      rows.push(cellsOf(textOf(lines[end] as MarkdownLine)));
      end += 1;
    }
    result += `${tableBlocks(header, marks, rows, maxWidth)}\n`;
    index = end - 1;
  }
  return result;
}

function tableBlocks(
  header: readonly string[],
  marks: readonly string[],
  rows: readonly (readonly string[])[],
  maxWidth: number,
): string {
  const width = Math.max(header.length, ...rows.map((row) => row.length));
  const table: TableData = {
    columns: Array.from({ length: width }, (_, column) => ({
      name: header[column] ?? '',
      type: isNumeric(marks[column] ?? '', rows, column) ? 'number' : 'text',
    })),
    rows: rows.map((row) => Array.from({ length: width }, (_, column) => row[column] ?? '')),
    rowCount: rows.length,
  };
  const all = { maxRows: Infinity, maxWidth: Infinity, maxCellWidth: Infinity, maxCharacters: Infinity };
  const [head = '', rule = '', ...body] = tableText(table, all).lines;
  const fits = [head, rule, ...body].every((text) => displayWidth(text) <= maxWidth);
  if (rows.length > 0 && !fits) return codeBlock(recordsText(table, all).lines.join('\n'));
  const blocks: string[] = [];
  let shown: string[] = [];
  for (const row of body) {
    if (shown.length > 0 && [head, rule, ...shown, row].join('\n').length > blockCharacters) {
      blocks.push(codeBlock([head, rule, ...shown].join('\n')));
      shown = [];
    }
    shown.push(row);
  }
  blocks.push(codeBlock([head, rule, ...shown].join('\n')));
  return blocks.join('\n');
}

function isNumeric(mark: string, rows: readonly (readonly string[])[], column: number): boolean {
  if (mark.startsWith(':-')) return false;
  if (mark.endsWith('-:')) return true;
  const values = rows.map((row) => row[column] ?? '').filter((value) => value !== '');
  return values.length > 0 && values.every((value) => /^[-+−]?[\d.,' ]*\d[\d.,' ]*%?$/.test(value));
}

/** A row's cells as plain text. Pipes behind a backslash belong to their cell. */
function cellsOf(row: string): readonly string[] {
  const inner = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => plainCell(cell.replaceAll('\\|', '|')));
}

function plainCell(cell: string): string {
  return cell
    .replace(/<br\s*\/?>/gi, ' ')
    .replace(/!?\[([^\]\n]{0,500})\]\(([^()\s]{1,2000})\)/g, (_link, label: string, url: string) =>
      label === url || !/^https?:/i.test(url) ? label : `${label} (${url})`,
    )
    .replace(/\*\*([^*\n]{1,500})\*\*/g, '$1')
    .replace(/(?<!`)`([^`\n]{1,500})`(?!`)/g, '$1')
    .trim();
}
