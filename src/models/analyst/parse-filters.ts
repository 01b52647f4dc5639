import type { Table } from './cards.ts';
import { findValues, unusedWords } from './mentions.ts';
import type { Mention, ValueMention } from './mentions.ts';
import type { ColumnRef, Filter } from './plan.ts';
import { blank, parseNumber, tokenise } from './words.ts';

/** Which rows a question keeps: comparisons with numbers, values of columns, and values that no card lists. */

export interface FilterReading {
  readonly filters: readonly Filter[];
  readonly rest: string;
  /** Mentions that are no part of a comparison. */
  readonly mentions: readonly Mention[];
}

type Operator = Extract<Filter, { readonly kind: 'compare' }>['operator'];

const operatorWords: readonly (readonly [RegExp, Operator])[] = [
  [/^(?:>=|≥|at least|no less than|not less than|minimum|from)$/, '>='],
  [/^(?:<=|≤|at most|no more than|not more than|up to|maximum)$/, '<='],
  [/^(?:!=|<>|is not|not equal to)$/, '!='],
  [/^(?:>|over|above|more than|greater than|larger than|higher than|bigger than|exceeds?|exceeding)$/, '>'],
  [/^(?:<|under|below|less than|fewer than|smaller than|lower than)$/, '<'],
  [/^(?:==?|equals?|equal to|exactly|is)$/, '=='],
];

const operators =
  '>=|<=|!=|<>|==?|>|<|≥|≤|at least|at most|no less than|not less than|no more than|not more than|up to|more than|greater than|larger than|higher than|bigger than|less than|fewer than|smaller than|lower than|over|above|under|below|exceeds?|exceeding|equals?|equal to|exactly|is not|is';
const number = '[$€£¥]?\\s?-?\\d[\\d,_]*(?:\\.\\d+)?\\s?(?:k|m|mio|million|thousand|bn|billion)?\\b\\s?%?';

function operatorOf(words: string): Operator {
  const plain = words.trim().toLowerCase();
  return operatorWords.find(([pattern]) => pattern.test(plain))?.[1] ?? '==';
}

/** `units > 10`, `price between 5 and 8`, `more than 10 units`, `age over 40`. With a clock, `between 2019 and 2021` is a time. */
export function readComparisons(text: string, mentions: readonly Mention[], hasClock: boolean): FilterReading {
  let rest = text;
  const filters: Filter[] = [];
  const left: Mention[] = [];
  for (const mention of mentions) {
    const option = mention.options.find(({ column }) => column.ref.role === 'number' || column.ref.role === 'year');
    const column = option?.column.ref;
    const found = column === undefined ? null : comparisonAt(rest, mention, column, hasClock);
    if (found === null) {
      left.push(mention);
      continue;
    }
    filters.push(found.filter);
    rest = blank(rest, found.start, found.end);
  }
  return { filters, rest, mentions: left };
}

function comparisonAt(
  text: string,
  mention: Mention,
  column: ColumnRef,
  hasClock: boolean,
): { readonly filter: Filter; readonly start: number; readonly end: number } | null {
  const after = text.slice(mention.end);
  const range = new RegExp(
    `^\\s*(?:is |are |was |were )?(?:between|from)\\s+(${number})\\s*(?:and|to|-|–)\\s*(${number})`,
    'i',
  ).exec(after);
  if (range !== null) {
    const [from, to] = [parseNumber(range[1] ?? ''), parseNumber(range[2] ?? '')];
    const areYears =
      hasClock &&
      column.role === 'number' &&
      [from, to].every((value) => value !== null && Number.isInteger(value) && value >= 1900 && value <= 2100);
    if (from !== null && to !== null && !areYears) {
      return { filter: { kind: 'range', column, from, to }, start: mention.start, end: mention.end + range[0].length };
    }
  }
  const behind = new RegExp(`^\\s*(?:is |are |was |were |of )?(${operators})\\s*(${number})`, 'i').exec(after);
  const behindValue = behind === null ? null : parseNumber(behind[2] ?? '');
  if (behind !== null && behindValue !== null && !(column.role === 'year' && behind[1] === undefined)) {
    return {
      filter: { kind: 'compare', column, operator: operatorOf(behind[1] ?? ''), value: behindValue },
      start: mention.start,
      end: mention.end + behind[0].length,
    };
  }
  const before = new RegExp(`\\b(?:with |having |of |where )?(${operators})\\s*(${number})\\s*(?:of |in )?$`, 'i').exec(
    text.slice(0, mention.start),
  );
  const beforeValue = before === null ? null : parseNumber(before[2] ?? '');
  if (before !== null && beforeValue !== null && column.role === 'number') {
    return {
      filter: { kind: 'compare', column, operator: operatorOf(before[1] ?? ''), value: beforeValue },
      start: before.index,
      end: mention.end,
    };
  }
  return null;
}

/** Values that the cards know. Values of one column are alternatives; of several columns, all must hold. `question` still has the named columns that `text` lacks. */
export function readValues(
  text: string,
  tables: readonly Table[],
  base: Table | null,
  question: string,
): { readonly filters: readonly Filter[]; readonly rest: string } {
  let rest = text;
  const groups = new Map<string, { column: ColumnRef; values: string[]; exclude: boolean }>();
  for (const mention of findValues(text, tables)) {
    const option = preferred(mention, question, base);
    if (option === undefined) continue;
    const { ref } = option.column;
    const key = JSON.stringify([ref.file, ref.table, ref.name, mention.exclude]);
    const group = groups.get(key) ?? { column: ref, values: [], exclude: mention.exclude };
    if (!group.values.includes(option.value)) group.values.push(option.value);
    groups.set(key, group);
    rest = blank(rest, mention.start, mention.end);
  }
  const filters = [...groups.values()].map(({ column, values, exclude }): Filter => ({
    kind: 'values',
    columns: [column],
    values,
    exclude,
  }));
  return { filters, rest };
}

/** The same value may stand in several columns: one named just before it wins, then one of the base table. */
function preferred(
  mention: ValueMention,
  text: string,
  base: Table | null,
): ValueMention['options'][number] | undefined {
  const before = text.slice(Math.max(0, mention.start - 40), mention.start).toLowerCase();
  return (
    mention.options.find(({ column }) => column.words.some((word) => word.length > 2 && before.includes(word))) ??
    mostNamed(mention.options, text) ??
    mention.options.find(({ table }) => table === base) ??
    mention.options[0]
  );
}

/** The one whose header has most words in the text, if one leads. */
function mostNamed(options: ValueMention['options'], text: string): ValueMention['options'][number] | undefined {
  const said = new Set(tokenise(text).map(({ stem }) => stem));
  const ranked = options
    .map((option) => ({ option, count: option.column.words.filter((word) => said.has(word)).length }))
    .toSorted((left, right) => right.count - left.count);
  return (ranked[0]?.count ?? 0) > (ranked[1]?.count ?? 0) ? ranked[0]?.option : undefined;
}

/** `negative transactions`, `positive amounts`: the sign of the named column of numbers, else of `measure`. */
export function readSign(
  text: string,
  mentions: readonly Mention[],
  measure: ColumnRef | null,
): { readonly filters: readonly Filter[]; readonly rest: string } {
  const match = /\b(?:(negative)|positive)\b/i.exec(text);
  const named = mentions.flatMap(({ options }) => options).find(({ column }) => column.ref.role === 'number');
  const column = named?.column.ref ?? measure;
  if (match === null || column === null) return { filters: [], rest: text };
  const operator = match[1] === undefined ? '>' : '<';
  return {
    filters: [{ kind: 'compare', column, operator, value: 0 }],
    rest: blank(text, match.index, match.index + match[0].length),
  };
}

/** `in Ruritania`, `for Acme`, `where status is open`: values the cards do not list, to be looked for in the sandbox. */
export function readUnknownValues(
  text: string,
  mentions: readonly Mention[],
  base: Table,
): { readonly filters: readonly Filter[]; readonly rest: string } {
  const searchable = base.columns
    .filter(({ ref }) => ref.role === 'category' || ref.role === 'id')
    .map(({ ref }) => ref);
  for (const mention of mentions) {
    const column = mention.options.find((option) => option.table === base)?.column.ref;
    if (column === undefined || (column.role !== 'category' && column.role !== 'id')) continue;
    const is =
      /^\s*(?:is|=|==|equals|:|of|are)\s*(not\s+)?["“']?([\p{L}\p{N}][\p{L}\p{N} .&'-]*?)["”']?(?=\s*(?:$|[,;.?!]|\band\b|\bby\b|\bper\b|\bin\b|\bas\b))/iu.exec(
        text.slice(mention.end),
      );
    if (is?.[2] !== undefined && unusedWords(is[2]).length > 0) {
      const filter: Filter = {
        kind: 'values',
        columns: [column],
        values: [is[2].trim()],
        exclude: is[1] !== undefined,
      };
      return { filters: [filter], rest: blank(text, mention.start, mention.end + is[0].length) };
    }
  }
  const free = unusedWords(text).filter((token) =>
    mentions.every((mention) => token.end <= mention.start || token.start >= mention.end),
  );
  const match =
    /\b(in|for|from|only|of|at|without|except|excluding|not)\s+(?:the\s+)?((?:[\p{L}\p{N}][\p{L}\p{N}'’.&-]*\s*)+)/giu;
  for (const found of text.matchAll(match)) {
    const start = found.index + found[0].length - (found[2]?.length ?? 0);
    const inside = free.filter((token) => token.start >= start && token.end <= found.index + found[0].length);
    const first = inside[0];
    if (first === undefined || !/^\s*(?:the\s+)?$/i.test(text.slice(start, first.start))) continue;
    let end = first.end;
    for (const token of inside.slice(1)) {
      if (/^[\s.&'’-]*$/.test(text.slice(end, token.start))) end = token.end;
    }
    const value = text.slice(first.start, end);
    const named = /^\p{Lu}/u.test(value);
    if (searchable.length === 0 || (!named && found[1]?.toLowerCase() === 'of')) continue;
    const exclude = /^(?:without|except|excluding|not)$/i.test(found[1] ?? '');
    return {
      filters: [{ kind: 'values', columns: searchable, values: [value], exclude }],
      rest: blank(text, found.index, end),
    };
  }
  return { filters: [], rest: text };
}
