import { categoryColumns, labelOf, numberColumns, shortLabel, timeColumn } from './cards.ts';
import type { Files, Table } from './cards.ts';
import { primaryMeasure } from './measures.ts';

/** What the analyst says without running anything. */

export const introduction =
  '_Built-in analyst: no language model is configured, so I match your words to the columns of the file and write the Python myself._';

export function isGreeting(question: string): boolean {
  return /^\W*(?:(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening)|thanks?(?: you)?|thank you|cheers|help|help me|\?|what can (?:you|i) (?:do|ask)[^?]*|who are you|what are you|how does this work|how do you work)[\s,!.?]*)+(?:there|bot|plotline|so much|a lot)?\W*$/i.test(
    question,
  );
}

export function helpText(files: Files): string {
  const hints = suggestions(files);
  const own =
    hints.length > 0
      ? `With the file here you could ask:\n${bullets(hints)}`
      : 'Attach a spreadsheet (CSV, Excel, ODS, JSON), a zip of pictures, an image or a PDF and ask, for example:\n' +
        bullets(['Describe this file', 'Revenue by month as a line chart', 'Shuffle the pictures and make a video']);
  return `I answer questions about files: totals and averages by anything, charts, rankings, trends, filters, correlations, missing values, conversions; videos from pictures, QR codes, text of a PDF.\n\n${own}`;
}

export function askForFile(): string {
  return 'There is no file in this thread that I could work on. Attach a spreadsheet (CSV, Excel, ODS or JSON) to your next message, and ask again; without a file I can only make QR codes.';
}

export function unreadableFile(files: Files): string {
  const broken = files.newest.filter((card) => !card.ok);
  return broken
    .map(
      (card) =>
        `I could not read “${card.file}”: ${(card.error ?? 'its format is not one I know').replace(/\.$/, '')}.`,
    )
    .join('\n');
}

export function emptyTables(files: Files): string {
  const found = files.tables.map(({ ref, columns }) => {
    const names = columns.map((column) => column.ref.name).join(', ');
    return `“${ref.file}” has no data rows${names === '' ? '' : `, only the columns ${names}`}.`;
  });
  return `${[...new Set(found)].join('\n')}\n\nThere is nothing to compute from yet. Send a file with rows, and ask again.`;
}

export function notUnderstood(files: Files, unknown: readonly string[], table: Table | null): string {
  const hints = suggestions(files);
  const words = [...new Set(unknown)]
    .slice(0, 4)
    .map((word) => `“${word}”`)
    .join(', ');
  const columns = (table ?? files.tables[0])?.columns
    .slice(0, 12)
    .map(({ ref }) => ref.name)
    .join(', ');
  const why =
    words !== '' && columns !== undefined
      ? `I found nothing in the file for ${words}. Its columns are: ${columns}.`
      : 'I did not understand that question.';
  const ideas =
    hints.length === 0
      ? 'Attach a spreadsheet and ask about its columns.'
      : `Three things I could do with this file:\n${bullets(hints)}`;
  return `${why}\n\n${ideas}`;
}

/** Up to three questions that work on the files at hand, with real column names. */
export function suggestions(files: Files): readonly string[] {
  const tables = files.tables.filter((table) => !table.hidden && table.columns.length > 0);
  const table = tables.toSorted((left, right) => Number(right.isNew) - Number(left.isNew) || right.rows - left.rows)[0];
  const hints: string[] = [];
  if (table !== undefined) {
    const measure = primaryMeasure(table);
    const name = measure === null ? null : shortLabel(measure.label);
    const group = categoryColumns(table).find(({ card }) => card.distinct <= 60) ?? categoryColumns(table)[0];
    const time = timeColumn(table);
    if (name !== null && time !== null) hints.push(`${name} over time as a line chart`);
    if (name !== null && group !== undefined) {
      const noun = shortLabel(labelOf(group.ref));
      hints.push(group.card.distinct > 5 ? `Top 5 ${noun} by ${name}` : `${name} by ${noun}`);
    }
    if (name === null && group !== undefined) hints.push(`How many rows by ${shortLabel(labelOf(group.ref))}`);
    const numbers = numberColumns(table);
    if (numbers[0] !== undefined && numbers.length > 1 && hints.length < 3)
      hints.push(
        `Correlation of ${shortLabel(labelOf(numbers[0].ref))} and ${shortLabel(labelOf((numbers[1] ?? numbers[0]).ref))}`,
      );
    if (numbers[0] !== undefined && hints.length < 3) hints.push(`Histogram of ${shortLabel(labelOf(numbers[0].ref))}`);
    for (const hint of ['Describe this file', 'Which values are missing?', 'Show the first 10 rows'])
      if (hints.length < 3) hints.push(hint);
    return hints.slice(0, 3);
  }
  const kinds = files.newest
    .map((card) => `${card.kind} ${card.file}`)
    .join(' ')
    .toLowerCase();
  if (/zip/.test(kinds)) return ['Shuffle them and make a video', 'Make a GIF', 'List the files'];
  if (/image|png|jpe?g/.test(kinds)) return ['Colour palette of this image', 'Read the text', 'Make a video'];
  if (/pdf/.test(kinds)) return ['Extract the text', 'Read the text of this PDF', 'What does it say?'];
  return [];
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}
