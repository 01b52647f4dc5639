import type { CardColumn, CardTable, FileCard } from '../../types.ts';
import type { ColumnRef, ColumnRole, Dimension, Grain, Order, TableRef } from './plan.ts';
import { headerWords, normalise, readableName } from './words.ts';

/** What the planner knows of the thread's files: their tables, each column with its role and its words. */

export interface Column {
  readonly ref: ColumnRef;
  readonly words: readonly string[];
  readonly card: CardColumn;
}

export interface Table {
  readonly ref: TableRef;
  readonly rows: number;
  readonly hidden: boolean;
  readonly columns: readonly Column[];
  /** Came with the newest message. */
  readonly isNew: boolean;
}

export interface Files {
  readonly cards: readonly FileCard[];
  /** Cards of the newest message that has any. */
  readonly newest: readonly FileCard[];
  readonly tables: readonly Table[];
}

/** Splits a user message into the question and the cards that follow it. Lines that are no card are left out. */
export function parseUserText(text: string): { readonly question: string; readonly cards: readonly FileCard[] } {
  const match = /(?:^|\n)\s*<file_cards>\n([\s\S]*?)\n?<\/file_cards>/.exec(text);
  if (match === null) return { question: text.trim(), cards: [] };
  const cards = (match[1] ?? '').split('\n').flatMap((line) => {
    try {
      const card: unknown = JSON.parse(line);
      return isCard(card) ? [card] : [];
    } catch {
      return [];
    }
  });
  return { question: text.slice(0, match.index).trim(), cards };
}

function isCard(value: unknown): value is FileCard {
  return (
    typeof value === 'object' && value !== null && 'file' in value && 'tables' in value && Array.isArray(value.tables)
  );
}

/** `messages` are the cards of each user message, oldest first. A file of the same name replaces the older one. */
export function collectFiles(messages: readonly (readonly FileCard[])[]): Files {
  const newest = messages.findLast((cards) => cards.length > 0) ?? [];
  const byName = new Map<string, FileCard>();
  for (const card of messages.flat()) {
    byName.delete(card.file);
    byName.set(card.file, card);
  }
  const cards = [...byName.values()];
  const tables = cards.flatMap((card) => card.tables.map((table) => toTable(card, table, newest.includes(card))));
  return { cards, newest, tables };
}

function toTable(card: FileCard, table: CardTable, isNew: boolean): Table {
  const place = { file: card.file, table: table.name };
  const years = table.columns_info.filter((column) => /^(19|20)\d\d$/.test(column.name.trim()));
  const months = table.columns_info.filter((column) => monthColumn.test(column.name.trim()));
  const period = years.length >= 3 ? 'Year' : 'Month';
  const periods = period === 'Year' ? years : months;
  const plain = (column: CardColumn): Column => ({
    ref: { ...place, name: column.name, role: roleOf(column, table.rows), unit: column.unit, order: orderOf(column) },
    words: headerWords(column.name),
    card: column,
  });
  const wide =
    periods.length >= 3 && periods.every((column) => ['integer', 'number', 'mixed', 'empty'].includes(column.type));
  const totals = card.warnings.some((warning) => warning.code === 'totals-row' && warning.table === table.name);
  const oneOfMany = card.tables.length > 1;
  const ref = (extra: TableRef['wide']): TableRef => ({ ...place, oneOfMany, totals, wide: extra });
  if (!wide)
    return { ref: ref(null), rows: table.rows, hidden: table.hidden, columns: table.columns_info.map(plain), isNew };

  // A column that adds up the months of its row would repeat in every one of them.
  const ids = table.columns_info.filter(
    (column) => !periods.includes(column) && !/^(?:(?:grand )?total|sum|summe|gesamt|ytd)\b/i.test(column.name.trim()),
  );
  const valueName = wideValueName(card, table);
  return {
    ref: ref({
      period,
      ids: ids.map((column) => column.name),
      columns: periods.map((column) => column.name),
      valueName,
    }),
    rows: table.rows * periods.length,
    hidden: table.hidden,
    isNew,
    columns: [...ids.map(plain), ...wideColumns(place, table, period, periods, valueName)],
  };
}

/** The period and value columns that a table with one column per period gets once it is read as one row per period. */
function wideColumns(
  place: { readonly file: string; readonly table: string },
  table: CardTable,
  period: 'Year' | 'Month',
  periods: readonly CardColumn[],
  valueName: string,
): readonly Column[] {
  const isYear = period === 'Year';
  const numbers = isYear ? periods.map((column) => Number(column.name)) : [];
  const blankCard = { unit: null, top: [], examples: [] };
  const when: CardColumn = {
    ...blankCard,
    name: period,
    type: isYear ? 'integer' : 'text',
    missing: 0,
    distinct: periods.length,
    min: isYear ? Math.min(...numbers) : null,
    max: isYear ? Math.max(...numbers) : null,
    top: isYear ? [] : periods.map(({ name }) => ({ value: name, count: table.rows })),
  };
  const missing = periods.reduce((sum, column) => sum + column.missing, 0);
  const value: CardColumn = {
    ...blankCard,
    name: valueName,
    type: 'number',
    missing,
    distinct: table.rows * periods.length,
    min: null,
    max: null,
  };
  return [
    {
      ref: {
        ...place,
        name: period,
        role: isYear ? 'year' : 'category',
        unit: null,
        order: isYear ? null : 'months',
      },
      words: [period.toLowerCase()],
      card: when,
    },
    {
      ref: { ...place, name: valueName, role: 'number', unit: null, order: null },
      words: headerWords(valueName),
      card: value,
    },
  ];
}

/** What the numbers of a wide table are is said by no header: the file's or the sheet's name is the best word for it. */
function wideValueName(card: FileCard, table: CardTable): string {
  const from =
    /^(sheet|table|tabelle|data)\s*\d*$/i.test(table.name) || card.tables.length === 1 ? card.file : table.name;
  const first = from.replace(/\.\w+$/, '').split(/[\s_-]+(?:by|per|of)[\s_-]+/i)[0] ?? 'Value';
  const name = readableName(first.replace(/-/g, ' '));
  const head = name.split(' ')[0] ?? '';
  const start = head.length <= 3 ? head.toUpperCase() : head.charAt(0).toUpperCase() + head.slice(1);
  return start === '' ? 'Value' : start + name.slice(head.length);
}

/** `Jan`, `September`; with a year behind it, it would not be one month of one year. */
const monthColumn =
  /^(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?$/i;

const yearWords = new Set(['year', 'jahr', 'yr', 'annee', 'ano', 'anno', 'season']);

function roleOf(column: CardColumn, rows: number): ColumnRole {
  const words = headerWords(column.name);
  switch (column.type) {
    case 'date':
      return 'date';
    case 'id':
      return 'id';
    case 'integer':
      if (words.some((word) => yearWords.has(word)) && Number(column.min) >= 1000 && Number(column.max) <= 2200)
        return 'year';
      return isIdName(words) && (words.at(-1) === 'id' || column.distinct > 0.5 * rows) ? 'id' : 'number';
    case 'number':
      return 'number';
    case 'text':
    case 'boolean':
      return 'category';
    case 'mixed':
      return typeof column.min === 'number' ? 'number' : 'category';
    case 'empty':
      return 'other';
    default:
      return column.type satisfies never;
  }
}

function isIdName(words: readonly string[]): boolean {
  return ['id', 'no', 'nr', 'number', 'code', 'key', 'index', 'zip', 'postcode', 'phone'].includes(words.at(-1) ?? '');
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function orderOf(column: CardColumn): Order | null {
  if (column.type !== 'text' || column.top.length < 3 || column.distinct > 12) return null;
  const heads = column.top.map((entry) => normalise(entry.value).slice(0, 3));
  if (heads.every((head) => monthNames.includes(head))) return 'months';
  return heads.every((head) => weekdayNames.includes(head)) ? 'weekdays' : null;
}

/** Numbers that can be added or averaged: no ids, no years. */
export function numberColumns(table: Table): readonly Column[] {
  return table.columns.filter((column) => column.ref.role === 'number');
}

/** Columns to group by, those with few values first. */
export function categoryColumns(table: Table): readonly Column[] {
  return table.columns
    .filter((column) => column.ref.role === 'category' && column.card.distinct > 1)
    .toSorted((left, right) => left.card.distinct - right.card.distinct);
}

/** The column that says when: a date if there is one, else a year. */
export function timeColumn(table: Table): Column | null {
  return (
    table.columns.find((column) => column.ref.role === 'date') ??
    table.columns.find((column) => column.ref.role === 'year') ??
    table.columns.find((column) => column.ref.order === 'months') ??
    null
  );
}

/** The grain that gives a readable number of points for the column's range. */
export function naturalGrain(column: Column): Grain | null {
  if (column.ref.role !== 'date') return null;
  const days = (Date.parse(String(column.card.max)) - Date.parse(String(column.card.min))) / 86_400_000;
  if (!Number.isFinite(days)) return 'month';
  if (days > 6 * 366) return 'year';
  if (days > 92) return 'month';
  return days > 2 ? 'day' : 'hour';
}

export function timeDimension(table: Table): Dimension | null {
  const column = timeColumn(table);
  return column === null ? null : { column: column.ref, grain: naturalGrain(column) };
}

/** The column for a person: readable name with its unit once. */
export function labelOf(ref: Pick<ColumnRef, 'name' | 'unit'>): string {
  const name = readableName(ref.name);
  if (ref.unit === null || ref.unit === '' || normalise(name).includes(normalise(ref.unit))) return name;
  return `${name} (${ref.unit})`;
}

/** The readable name without a unit in brackets, for sentences and titles. */
export function shortLabel(label: string): string {
  return label.replace(/\s*[([][^)\]]*[)\]]\s*$/, '') || label;
}
