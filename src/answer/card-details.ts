import type { FileDetails } from '../ports/platforms.ts';
import type { CardColumn, CardTable, FileCard } from '../types.ts';
import { cardFindings, counted, personCount } from './card-findings.ts';
import { megabytes } from './size-text.ts';

/** Values of a column that are named with their counts. */
const shownValues = 6;
const valueCharacters = 40;

/** The whole card for a person: the file, each table with its columns, every finding, every line that could not be loaded. */
export function cardDetails(card: FileCard): FileDetails {
  const rejected = card.rejected.map(({ table, line, reason }) => {
    const where = card.tables.length > 1 ? `${table}, ` : '';
    return `${where}${placeWord(card)} ${line} ${reason}`;
  });
  const more = card.rejected_count - card.rejected.length;
  const sections = [
    { title: 'File', lines: fileLines(card) },
    { title: 'What I noticed', lines: cardFindings(card).map(({ text }) => text) },
    {
      title: `Could not be loaded: ${counted(card.rejected_count, placeWord(card))}`,
      lines: [...rejected, ...(more > 0 ? [`and ${personCount(more)} more`] : [])],
    },
    ...card.tables.map((table) => ({ title: tableTitle(table), lines: table.columns_info.map(columnLine) })),
  ];
  return { file: card.file, sections: sections.filter(({ lines }) => lines.length > 0) };
}

/** The details as Markdown, for a message or a file. */
export function detailsMarkdown({ file, sections }: FileDetails): string {
  const parts = sections.map(({ title, lines }) =>
    [`**${literal(title)}**`, ...lines.map((line) => `- ${literal(line)}`)].join('\n'),
  );
  return [`\`${file.replaceAll('`', "'")}\``, ...parts].join('\n\n');
}

/** Text of a file as Markdown shows it as it is. */
function literal(text: string): string {
  // Underscores inside words mean nothing to Markdown, and names of columns are full of them.
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*[\]<]|(?<!\w)_|_(?!\w)|~(?=~)|^[#>+-]/g, '\\$&');
}

function placeWord(card: FileCard): string {
  return ['xlsx', 'xlsm', 'xltx', 'xltm', 'xlam', 'xlsb', 'xls', 'ods', 'fods', 'xml-spreadsheet'].includes(card.kind)
    ? 'row'
    : 'line';
}

const marks: Readonly<Record<string, string>> = {
  '\t': 'tabs',
  ',': 'commas',
  ';': 'semicolons',
  '|': 'bars',
  ' ': 'blanks',
};

function fileLines({ kind, size_bytes: bytes, error, dialect, tables }: FileCard): readonly string[] {
  const size = bytes < 100_000 ? `${personCount(bytes)} bytes` : megabytes(bytes);
  const shape = tables.length === 0 ? '' : `, ${counted(tables.length, 'table')}`;
  const lines = [`${kind.toUpperCase()}, ${size}${shape}`];
  if (error !== null) lines.push(error);
  if (dialect !== null) {
    const between =
      dialect.delimiter === ''
        ? 'one column'
        : `values between ${marks[dialect.delimiter] ?? `“${dialect.delimiter}”`}`;
    const quotes = dialect.quote === null ? 'without quotes' : `quotes ${dialect.quote}`;
    lines.push(`encoding ${dialect.encoding}, ${between}, ${quotes}`);
  }
  return lines;
}

function tableTitle({ name, hidden, range, rows, columns, header_rows: headers }: CardTable): string {
  const place = range === '' ? '' : `, ${range}`;
  const heads = headers === 1 ? '' : headers === 0 ? ', no header' : `, ${headers} header rows`;
  return `${name}${hidden ? ' (hidden)' : ''}: ${counted(rows, 'row')} × ${counted(columns, 'column')}${place}${heads}`;
}

function columnLine(column: CardColumn): string {
  const { name, type, unit, missing, distinct, min, max, top, examples, readings = [] } = column;
  const parts = [unit === null ? type : `${type} in ${unit}`];
  if (type !== 'empty') parts.push(`${personCount(distinct)} different`);
  if (missing > 0) parts.push(`${personCount(missing)} missing`);
  if (min !== null && max !== null) parts.push(`${shown(min)} to ${shown(max)}`);
  const frequent = top.slice(0, shownValues).map(({ value, count }) => `${clipped(value)} (${personCount(count)})`);
  if (frequent.length > 0) parts.push(`${frequent.join(', ')}${distinct > frequent.length ? ' …' : ''}`);
  else if (min === null && examples.length > 0) parts.push(`such as ${examples.map(clipped).join(', ')}`);
  const both = readings.map(
    (one) => `${one.reading}: ${shown(one.min)} to ${shown(one.max)}, ${one.examples[0] ?? ''}`,
  );
  return `${name}: ${parts.join('; ')}${both.length > 0 ? `; two readings: ${both.join('; or ')}` : ''}`;
}

function shown(value: number | string): string {
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : value;
}

function clipped(text: string): string {
  return text.length <= valueCharacters ? text : `${text.slice(0, valueCharacters - 1).toWellFormed()}…`;
}
