import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';

/** A table that somebody pasted into a message, as rows of cell texts. */
export type PastedTable = readonly (readonly string[])[];

/** The tables of a message: in its blocks, and in those of its attachments, where Slack puts them as well. */
export function pastedTables(message: Json): readonly PastedTable[] {
  const attached = asArray(message['attachments']).flatMap((attachment) => asArray(asObject(attachment)['blocks']));
  const tables = [...asArray(message['blocks']), ...attached]
    .map(asObject)
    .filter((block) => block['type'] === 'table')
    .map((block) => asArray(block['rows']).map((row) => asArray(row).map(cellText)))
    .filter((rows) => rows.some((row) => row.some((cell) => cell !== '')));
  const texts = tables.map(toCsv);
  // The same table in both places is one table.
  return tables.filter((_table, index) => texts.indexOf(texts[index] ?? '') === index);
}

export function tableFileName(index: number): string {
  return index === 0 ? 'pasted-table.csv' : `pasted-table-${index + 1}.csv`;
}

/** CSV by RFC 4180, each line ended by a line feed. */
export function toCsv(rows: PastedTable): string {
  const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** The text without the lines that only repeat a row of a table. */
export function withoutTables(text: string, tables: readonly PastedTable[]): string {
  const bare = (line: string): string => line.replace(/[\s|,;]+/g, '');
  const rows = new Set(tables.flat().map((row) => bare(row.join(''))));
  const kept = text.split('\n').filter((line) => {
    const isRule = /^[\s|:+-]*-[\s|:+-]*$/.test(line);
    return !isRule && (bare(line) === '' || !rows.has(bare(line)));
  });
  return kept.join('\n').trim();
}

function cellText(raw: unknown): string {
  const cell = asObject(raw);
  if (cell['type'] === 'raw_number') {
    const value = cell['value'] ?? cell['number'];
    return asText(cell['text']) ?? (typeof value === 'number' ? String(value) : (asText(value) ?? ''));
  }
  if (cell['type'] === 'rich_text') return richCell(cell).trim();
  // Slack takes no empty cell: a space stands for one.
  return (asText(cell['text']) ?? '').trim();
}

function richCell(element: Json): string {
  switch (element['type']) {
    case 'text':
      return asText(element['text']) ?? '';
    case 'link':
      return asText(element['text']) ?? asText(element['url']) ?? '';
    case 'user':
      return `@${asText(element['user_id']) ?? ''}`;
    case 'channel':
      return `#${asText(element['channel_id']) ?? ''}`;
    case 'emoji':
      return `:${asText(element['name']) ?? ''}:`;
    case 'date':
      return asText(element['fallback']) ?? '';
    default: {
      const separator = element['type'] === 'rich_text' || element['type'] === 'rich_text_list' ? '\n' : '';
      return asArray(element['elements'])
        .map((child) => richCell(asObject(child)))
        .join(separator);
    }
  }
}
