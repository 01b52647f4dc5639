import type { Column, Table } from './cards.ts';
import { isSteering, likeness, normalise, tokenise } from './words.ts';
import type { Token } from './words.ts';

/** Where a question names columns, and where it names values that columns hold. */

export interface Option {
  readonly table: Table;
  readonly column: Column;
  /** Share of the header's words that were named, weighed by how alike they are: 0 … 1. */
  readonly score: number;
}

export interface Mention {
  /** Best first; columns of several tables may share one name. */
  readonly options: readonly Option[];
  readonly start: number;
  readonly end: number;
  readonly words: number;
  /** The words as the person wrote them. */
  readonly text: string;
  /** It follows `by`, `per`, `for each` … */
  readonly afterBy: boolean;
}

const byWords = new Set(['by', 'per', 'across', 'each', 'every', 'grouped', 'versus', 'vs', 'pro', 'je', 'nach']);
const connecting = new Set(['the', 'each', 'every', 'a', 'an', 'and', 'all', 'der', 'dem']);

/**
 * Columns that the text names, in the order of the text, longest names first where two overlap. Words that steer
 * (`total`, `line`, `by`) match a header only together with another word, unless `lenient`.
 */
export function findMentions(text: string, tables: readonly Table[], lenient: boolean): readonly Mention[] {
  const tokens = tokenise(text);
  const options = tables.flatMap((table) => table.columns.map((column) => ({ table, column })));
  const runs = options.flatMap(({ table, column }) =>
    tokens.flatMap((_, at) => {
      const grouping = byWords.has(tokens[at - 1]?.norm ?? '') && column.ref.role === 'category';
      const run = runFrom(tokens, at, column.words, lenient || grouping);
      return run === null ? [] : [{ option: { table, column, score: run.score }, at, count: run.count }];
    }),
  );
  const ranked = runs.toSorted((left, right) => right.count - left.count || right.option.score - left.option.score);
  const taken = new Map<number, Mention & { readonly at: number }>();
  const mentions: (Mention & { readonly at: number })[] = [];
  for (const { at, count } of ranked) {
    const places = Array.from({ length: count }, (_, step) => at + step);
    if (places.some((place) => taken.has(place))) continue;
    const same = ranked.filter((run) => run.at === at && run.count === count);
    const mention = {
      options: same.map((run) => run.option),
      start: tokens[at]?.start ?? 0,
      end: tokens[at + count - 1]?.end ?? 0,
      words: count,
      text: text.slice(tokens[at]?.start, tokens[at + count - 1]?.end),
      afterBy: false,
      at,
    };
    for (const place of places) taken.set(place, mention);
    mentions.push(mention);
  }
  return markAfterBy(
    mentions.toSorted((left, right) => left.start - right.start),
    tokens,
  );
}

/** The longest run of tokens from `at` that are all words of the header, each word used once. */
function runFrom(
  tokens: readonly Token[],
  at: number,
  words: readonly string[],
  lenient: boolean,
): { readonly count: number; readonly score: number } | null {
  const left = [...words];
  let count = 0;
  let sum = 0;
  let strong = false;
  for (const token of tokens.slice(at, at + words.length + 1)) {
    const likes = left.map((word) => (isSteering(token) && word !== token.stem ? 0 : likeness(token.stem, word)));
    const best = Math.max(0, ...likes);
    if (best === 0) break;
    left.splice(likes.indexOf(best), 1);
    strong ||= !isSteering(token);
    count += 1;
    sum += best;
  }
  if (count === 0) return null;
  const whole = left.length === 0;
  if (!strong && !(whole && (lenient || words.length > 1))) return null;
  return { count, score: sum / words.length };
}

function markAfterBy(
  mentions: readonly (Mention & { readonly at: number })[],
  tokens: readonly Token[],
): readonly Mention[] {
  const marked: (Mention & { readonly at: number })[] = [];
  for (const mention of mentions) {
    let place = mention.at - 1;
    while (place >= 0 && connecting.has(tokens[place]?.norm ?? '') && !byWords.has(tokens[place]?.norm ?? ''))
      place -= 1;
    const before = marked.at(-1);
    const joined = before?.afterBy === true && place === before.at + before.words - 1;
    marked.push({ ...mention, afterBy: byWords.has(tokens[place]?.norm ?? '') || joined });
  }
  return marked;
}

export interface ValueMention {
  readonly options: readonly { readonly table: Table; readonly column: Column; readonly value: string }[];
  readonly start: number;
  readonly end: number;
  /** `not Germany`, `without Germany`, `except Germany`. */
  readonly exclude: boolean;
}

/** Values of text columns, as the cards list them, that the text names in full; longer values first. */
export function findValues(text: string, tables: readonly Table[]): readonly ValueMention[] {
  const tokens = tokenise(text);
  const known = tables.flatMap((table) =>
    table.columns
      .filter((column) => column.ref.role === 'category' || column.ref.role === 'id')
      .flatMap((column) =>
        [...new Set([...column.card.top.map((entry) => entry.value), ...column.card.examples])].map((value) => ({
          table,
          column,
          value,
          words: tokenise(value),
        })),
      ),
  );
  const found = known.flatMap((entry) => {
    const size = entry.words.length;
    if (size === 0 || entry.words.every((word) => /^\d+$/.test(word.norm))) return [];
    // `IT` is a department where it is written as in the file, `it` is not.
    const exactly = entry.words.every(isSteering);
    if (exactly && !/^\p{Lu}[\p{Lu}\p{N}&-]+$/u.test(entry.value.trim())) return [];
    return tokens.flatMap((_, at) => {
      const fits = entry.words.every((word, step) => {
        const token = tokens[at + step];
        if (token === undefined || (exactly && token.text !== word.text)) return false;
        return token.norm === word.norm || (token.norm.length > 3 && token.stem === word.stem);
      });
      return fits ? [{ entry, at, size }] : [];
    });
  });
  const mentions: ValueMention[] = [];
  for (const { at, size } of found.toSorted((left, right) => right.size - left.size)) {
    const start = tokens[at]?.start ?? 0;
    const end = tokens[at + size - 1]?.end ?? 0;
    if (mentions.some((other) => start < other.end && other.start < end)) continue;
    mentions.push({
      options: found.filter((other) => other.at === at && other.size === size).map(({ entry }) => entry),
      start,
      end,
      exclude:
        /\b(?:not|without|except|excluding|exclude|but not|other than|ignoring)\s+(?:for\s+|in\s+|the\s+)*$/i.test(
          text.slice(0, start),
        ),
    });
  }
  return mentions.toSorted((left, right) => left.start - right.start);
}

/** Words of the text that nothing has used: neither steering words nor numbers. */
export function unusedWords(text: string): readonly Token[] {
  return tokenise(text).filter(
    (token) => !isSteering(token) && !/^\d/.test(token.norm) && normalise(token.text).length > 1,
  );
}
