import { timeColumn } from './cards.ts';
import type { Files, Table } from './cards.ts';
import { primaryMeasure, productMeasure } from './measures.ts';
import { findMentions, unusedWords } from './mentions.ts';
import type { Mention } from './mentions.ts';
import { readComparisons, readSign, readUnknownValues, readValues } from './parse-filters.ts';
import { readStyle } from './parse-style.ts';
import type { StyleReading } from './parse-style.ts';
import { readGrain, readPeriods } from './parse-time.ts';
import type { TimeReading } from './parse-time.ts';
import type { Aggregate, AnalysisPlan, Filter } from './plan.ts';
import { chooseTable } from './source.ts';
import { blank } from './words.ts';
import type { Token } from './words.ts';

/** What a question says about tables, before it is decided what it means. */
export interface Reading {
  readonly question: string;
  readonly table: Table;
  /** Columns that are named and are no part of a filter, in the order of the text. */
  readonly mentions: readonly Mention[];
  readonly filters: readonly Filter[];
  readonly style: StyleReading;
  readonly time: TimeReading;
  readonly aggregate: Aggregate | null;
  readonly top: AnalysisPlan['top'];
  /** `highest`, `most`, `worst`: a ranking without a number. */
  readonly superlative: 'desc' | 'asc' | null;
  readonly compute: AnalysisPlan['compute'];
  /** Words that nothing understood. */
  readonly unknown: readonly string[];
  /** The same words with their places in the question. */
  readonly unknownPlaces: readonly Token[];
}

const numberWords: Readonly<Record<string, number>> = {
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  twenty: 20,
  two: 2,
};
const count = `(\\d{1,4}|${Object.keys(numberWords).join('|')})`;
const topPattern = new RegExp(
  `\\b(?:the\\s+)?(?:only\\s+|just\\s+)?(?:(top|best|largest|highest|biggest|first|strongest)|(bottom|worst|lowest|smallest|weakest|last))\\s+${count}\\b|\\b(?:the\\s+)?${count}\\s+(?:(best|largest|highest|biggest|top|most|strongest|oldest|longest)|(worst|lowest|smallest|least|fewest|bottom|weakest|youngest|shortest))\\b`,
  'i',
);
const mostPattern = /\b(?:highest|most|best|largest|biggest|greatest|top|strongest|leading|peak)\b/i;
const leastPattern = /\b(?:lowest|least|worst|smallest|fewest|weakest|bottom)\b/i;

/** Reads a question. `preferred` is the table of the question before; `quick`: it may be a short wish about the last answer. */
export function readQuestion(asked: string, files: Files, preferred: Table | null, quick: boolean): Reading | null {
  const style = readStyle(asked, quick);
  const question = style.withoutTitle;
  const ranked = readTop(style.rest);
  const first = mentionsIn(ranked.rest, files.tables);
  const others = unusedWords(withoutMentions(ranked.rest, first)).map((token) => token.text);
  const table = chooseTable(question, first, files.tables, preferred, (candidate) =>
    productMeasure(candidate, others) === null ? 0 : 1.5,
  );
  if (table === null) return null;

  const compared = readComparisons(ranked.rest, first, columnOf(table) !== null);
  const values = readValues(withoutMentions(compared.rest, compared.mentions), files.tables, table, question);
  const clock = clockFor(table, compared.mentions, files.tables);
  const sign = readSign(values.rest, compared.mentions, primaryMeasure(table)?.columns[0] ?? null);
  const periods = readPeriods(sign.rest, clock);
  const time = readGrain(periods.rest);
  const bare = withoutMentions(time.rest, compared.mentions);
  const unknown = readUnknownValues(withMentions(bare, question, compared.mentions), compared.mentions, table);
  const left = compared.mentions.filter((mention) => !isBlank(unknown.rest, mention));
  const unknownPlaces = unusedWords(withoutMentions(unknown.rest, left));
  return {
    question,
    table,
    mentions: left,
    filters: [...compared.filters, ...values.filters, ...sign.filters, ...periods.filters, ...unknown.filters],
    style,
    time,
    aggregate: readAggregate(question),
    top: ranked.top,
    superlative:
      ranked.top !== null ? null : mostPattern.test(question) ? 'desc' : leastPattern.test(question) ? 'asc' : null,
    compute: readCompute(question, style),
    unknown: unknownPlaces.map((token) => token.text),
    unknownPlaces,
  };
}

/** Named columns; words such as `total` or `value` count as columns only when nothing else is named. */
function mentionsIn(text: string, tables: readonly Table[]): readonly Mention[] {
  const strict = findMentions(text, tables, false);
  const hasNumber = strict.some((mention) => mention.options.some(({ column }) => column.ref.role === 'number'));
  if (hasNumber) return strict;
  const lenient = findMentions(text, tables, true).filter(
    (mention) => !strict.some((other) => mention.start < other.end && other.start < mention.end),
  );
  const numbers = lenient.filter((mention) => mention.options.some(({ column }) => column.ref.role === 'number'));
  return [...strict, ...numbers].toSorted((left, right) => left.start - right.start);
}

/** The column that says when: a date or year that is named, else the table's own, else one that a join would bring. */
function clockFor(table: Table, mentions: readonly Mention[], tables: readonly Table[]): ReturnType<typeof columnOf> {
  const named = mentions
    .flatMap((mention) => mention.options)
    .find(
      (option) => option.table === table && (option.column.ref.role === 'date' || option.column.ref.role === 'year'),
    );
  return (
    named?.column.ref ??
    columnOf(table) ??
    tables
      .filter((other) => other.ref.file === table.ref.file)
      .map(columnOf)
      .find((ref) => ref !== null) ??
    null
  );
}

function columnOf(table: Table) {
  return timeColumn(table)?.ref ?? null;
}

function readTop(text: string): { readonly top: AnalysisPlan['top']; readonly rest: string } {
  const match = topPattern.exec(text);
  if (match === null) return { top: null, rest: text };
  const word = (match[3] ?? match[4] ?? '').toLowerCase();
  const size = numberWords[word] ?? Number(word);
  if (size < 1) return { top: null, rest: text };
  const order = match[2] !== undefined || match[6] !== undefined ? 'asc' : 'desc';
  return { top: { count: size, order }, rest: blank(text, match.index, match.index + match[0].length) };
}

/** The way of putting values together that the text names. */
export function readAggregate(text: string): Aggregate | null {
  if (/\b(?:average|mean|avg|on average)\b/i.test(text)) return 'mean';
  if (/\b(?:median|typical)\b/i.test(text)) return 'median';
  if (/\b(?:how many|number of|count(?:s| of)?|no\. of|frequency|frequencies)\b/i.test(text)) {
    return /\b(?:distinct|unique|different)\b/i.test(text) ? 'distinct' : 'count';
  }
  if (/\b(?:distinct|unique)\b/i.test(text)) return 'distinct';
  if (/\b(?:max|maximum)\b/i.test(text)) return 'max';
  if (/\b(?:min|minimum)\b/i.test(text)) return 'min';
  if (/\b(?:total|sum|how much|altogether|overall|cumulated)\b/i.test(text)) return 'sum';
  return null;
}

function readCompute(text: string, style: StyleReading): AnalysisPlan['compute'] {
  if (
    /\b(?:year[- ]over[- ]year|yoy|month[- ]over[- ]month|mom|quarter[- ]over[- ]quarter|(?:growth|change)s? (?:by|per|each|every) (?:year|month|quarter)|(?:yearly|annual|monthly|quarterly) (?:growth|change)|(?:against|than|to|from) the (?:year|month|quarter|period) before|previous (?:year|month|quarter))\b/i.test(
      text,
    )
  )
    return 'change';
  if (/\b(?:grow(?:n|s|th|ing)?|grew|increased?|gained|fell|shrank|declined?|decreased?|changed?)\b/i.test(text))
    return 'growth';
  if (style.asShare || /\b(?:percentages?|percent|shares?|proportions?|fraction)\b|%/i.test(text)) return 'share';
  return 'value';
}

function isBlank(text: string, place: { readonly start: number; readonly end: number }): boolean {
  return text.slice(place.start, place.end).trim() === '';
}

function withoutMentions(text: string, mentions: readonly Mention[]): string {
  return mentions.reduce((rest, mention) => blank(rest, mention.start, mention.end), text);
}

/** Puts the words of mentions back, for patterns that need them. */
function withMentions(text: string, question: string, mentions: readonly Mention[]): string {
  return mentions.reduce(
    (rest, { start, end }) => rest.slice(0, start) + question.slice(start, end) + rest.slice(end),
    text,
  );
}
