import type { Column, Table } from './cards.ts';
import type { Option, Mention } from './mentions.ts';
import type { ColumnRef, Join, Source } from './plan.ts';
import { likeness, stemOf, tokenise } from './words.ts';

/** Which table a question is about, and how other tables are joined to it when its columns are spread over several. */

/**
 * The table that has most of what was named; the newest and larger one where that is even. `bonus` is for what a table can
 * give without naming it, such as a revenue from quantity and price. `null` without tables.
 */
export function chooseTable(
  question: string,
  mentions: readonly Mention[],
  tables: readonly Table[],
  preferred: Table | null,
  bonus: (table: Table) => number = () => 0,
): Table | null {
  const named = tables.find((table) => namesTable(question, table));
  const fileMatch = Math.max(0, ...tables.map((table) => namedLength(question, table.ref.file)));
  const scored = tables.map((table) => ({
    table,
    score:
      mentions.reduce((sum, mention) => sum + bestIn(mention, table) * mention.words, 0) +
      bonus(table) +
      (table === named ? 0.5 : 0) +
      (fileMatch > 0 && namedLength(question, table.ref.file) === fileMatch ? 2 : 0) +
      (table.hidden ? -0.4 : 0) +
      (table === preferred ? 0.3 : 0) +
      (table.isNew ? 0.2 : 0),
  }));
  const best = scored.toSorted((left, right) => right.score - left.score || right.table.rows - left.table.rows);
  return best[0]?.table ?? null;
}

function bestIn(mention: Mention, table: Table): number {
  return Math.max(0, ...mention.options.filter((option) => option.table === table).map((option) => option.score));
}

/** How much of the question is this file's name, with or without its ending: of `a.csv` and `a (2).csv` the longer match counts. */
function namedLength(question: string, file: string): number {
  const asked = question.toLowerCase();
  const names = [file, file.replace(/\.[^.]+$/, '')].map((name) => name.toLowerCase());
  return names.find((name) => name.length >= 4 && asked.includes(name))?.length ?? 0;
}

/** `the Customers sheet`, `sheet 2`, or simply the words of the table's name. */
function namesTable(question: string, table: Table): boolean {
  const words = tokenise(table.ref.table).map((token) => token.stem);
  const asked = new Set(tokenise(question).map((token) => token.stem));
  return (
    words.length > 0 &&
    words.every((word) => asked.has(word)) &&
    (words.length > 1 || !/^(?:data|sheet|table)$/.test(words[0] ?? ''))
  );
}

/** Of the columns a mention may mean, the one in the base table, else the best that can be joined to it. */
export function resolve(mention: Mention, base: Table): Option | null {
  const ranked = mention.options.toSorted((left, right) => right.score - left.score);
  const here = ranked.filter((option) => option.table === base);
  const away = ranked.filter((option) => option.table !== base && keysBetween(base, option.table).length > 0);
  // A whole name elsewhere ("country" in Customers) beats a part of a longer name here.
  if (here[0] !== undefined && (here[0].score >= 0.8 || (away[0]?.score ?? 0) <= here[0].score + 0.2)) return here[0];
  return away[0] ?? here[0] ?? null;
}

/**
 * The table whose rows are measured: joined tables must have each key once, or rows would be counted more than once. Where the
 * measured table is the one with single keys, the other becomes the base, and `flipped` says so.
 */
export function baseFor(
  measured: Table,
  columns: readonly ColumnRef[],
  tables: readonly Table[],
): { readonly table: Table; readonly flipped: boolean } {
  const others = tables.filter((table) => table !== measured && columns.some((column) => isIn(column, table)));
  const many = others.find((other) => {
    const key = keysBetween(measured, other)[0]?.[1];
    const column = other.columns.find(({ ref }) => ref.name === key);
    return column !== undefined && column.card.distinct < 0.9 * other.rows;
  });
  return many === undefined ? { table: measured, flipped: false } : { table: many, flipped: true };
}

export function isIn(column: ColumnRef, table: Table): boolean {
  return column.file === table.ref.file && column.table === table.ref.table;
}

/** The base table and a join for each other table that the columns need. */
export function sourceFor(base: Table, columns: readonly ColumnRef[], tables: readonly Table[]): Source {
  const others = tables.filter((table) => table !== base && columns.some((column) => isIn(column, table)));
  const joins = others.flatMap((right): readonly Join[] => {
    const keys = keysBetween(base, right);
    return keys.length === 0 ? [] : [{ left: base.ref, right: right.ref, keys }];
  });
  return { table: base.ref, joins };
}

/** Pairs of columns that may identify the same thing in both tables, likeliest first, at most three. */
export function keysBetween(left: Table, right: Table): readonly (readonly [string, string])[] {
  const pairs = left.columns.flatMap((one) =>
    right.columns.flatMap((other) => {
      const score = keyLikeness(one, left, other, right);
      return score === 0 ? [] : [{ pair: [one.ref.name, other.ref.name] as const, score }];
    }),
  );
  return pairs
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ pair }) => pair);
}

function keyLikeness(one: Column, left: Table, other: Column, right: Table): number {
  const kinds = [one.card.type, other.card.type];
  if (kinds.some((kind) => kind === 'number' || kind === 'boolean' || kind === 'empty')) return 0;
  if (kinds.includes('date') || one.ref.role === 'year' || other.ref.role === 'year') return 0;
  // Measures of the same name ("Amount" in two tables) are no key: at least one side must be nearly unique.
  const uniqueness = Math.max(
    one.card.distinct / Math.max(1, left.rows),
    other.card.distinct / Math.max(1, right.rows),
  );
  if (uniqueness < 0.9) return 0;
  const withTable = (column: Column, table: Table): readonly string[] =>
    isBareId(column.words) ? [...tokenise(table.ref.table).map((token) => token.stem), ...column.words] : column.words;
  const [a, b] = [withTable(one, left), withTable(other, right)];
  const shared = a.filter((word) => b.some((rival) => likeness(word, rival) >= 0.85)).length;
  const alike = (2 * shared) / (a.length + b.length);
  if (alike < 0.6) return 0;
  return alike + (one.ref.role === 'id' || isIdLike(one.words) ? 0.5 : 0) + 0.1 * uniqueness;
}

function isBareId(words: readonly string[]): boolean {
  return words.length === 1 && isIdLike(words);
}

function isIdLike(words: readonly string[]): boolean {
  return /^(?:id|no|nr|number|code|key|sku)$/.test(stemOf(words.at(-1) ?? ''));
}
