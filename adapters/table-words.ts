import type { TableData } from '../src/types.ts';
import { counted, oneLine, shorten } from './format.ts';
import { cellText } from './table-text.ts';

/** Of the whole text, what the names of the columns may take. */
const namesShare = 0.4;
const nameCharacters = 40;
const cellCharacters = 40;

/** What pandas calls a column without a name. */
const unnamed = /^Unnamed: \d+(?:_level_\d+)?$/;

/**
 * A table for somebody who cannot see its picture: its title, its size, its columns, and as many of its first rows as fit into
 * `maxCharacters`, each cell behind the name of its column. Plain text.
 */
export function tableWords(title: string, table: TableData, maxCharacters: number): string {
  const names = table.columns.map(({ name }, index) => {
    const text = shorten(oneLine(name), nameCharacters);
    return text === '' || unnamed.test(text) ? `column ${index + 1}` : text;
  });
  const head = `Table${title.trim() === '' ? '' : ` “${shorten(oneLine(title), 120)}”`}: ${counted(table.rowCount, 'row')}, ${counted(names.length, 'column')}: `;
  let words = `${head}${listed(names, maxCharacters * namesShare)}.`;
  for (const [index, row] of table.rows.entries()) {
    const cells = names.map((name, place) => `${name} ${shorten(cellText(row[place] ?? null), cellCharacters)}`);
    const sentence = ` Row ${index + 1}: ${cells.join(', ')}.`;
    if (words.length + sentence.length > maxCharacters) {
      const room = maxCharacters - words.length;
      return index === 0 && room > nameCharacters ? words + shorten(sentence, room) : shorten(words, maxCharacters);
    }
    words += sentence;
  }
  return shorten(words, maxCharacters);
}

function listed(names: readonly string[], maxCharacters: number): string {
  let list = '';
  for (const [index, name] of names.entries()) {
    if (list.length + name.length > maxCharacters) return `${list} and ${names.length - index} more`;
    list += index === 0 ? name : `, ${name}`;
  }
  return list;
}
