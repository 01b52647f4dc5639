import type { Filter, Grain, ColumnRef } from './plan.ts';
import { blank } from './words.ts';

/** Times in a question: grains to group by (`by month`, `weekly`) and stretches to keep (`in 2023`, `Q1 2024`, `since May`). */

const grainWords: readonly (readonly [RegExp, Grain])[] = [
  [
    /\b(?:by|per|pro|je|nach|each|every|for each|over the|across|on each)\s+(?:the\s+)?(?:day of (?:the )?week|weekdays?)\b|\bwhich (?:week)?day of the week\b|\bwhich weekdays?\b|\bday of (?:the )?week\b|\bweekday\b/i,
    'weekday',
  ],
  [
    /\b(?:by|per|pro|je|nach|each|every|for each|over the|over|across)\s+(?:the\s+)?(?:calendar\s+)?(?:months?|monat(?:en)?)\b|\bmonth(?:ly| by month|-by-month)\b|\bmonatlich\w*|\b(?:which|what|best|worst|top)\s+months?\b|\band months?\b/i,
    'month',
  ],
  [
    /\b(?:by|per|pro|je|nach|each|every|for each|over the|over|across)\s+(?:the\s+)?(?:quarters?|quartal(?:en)?)\b|\bquarterly\b|\b(?:which|what|best|worst)\s+quarters?\b|\band quarters?\b/i,
    'quarter',
  ],
  [
    /\b(?:by|per|pro|je|nach|each|every|for each|over the|over|across)\s+(?:the\s+)?(?:calendar\s+)?(?:years?|jahr(?:en)?)\b|\b(?:yearly|annual(?:ly)?)\b|\byear by year\b|\b(?:which|what|best|worst)\s+years?\b|\band years?\b/i,
    'year',
  ],
  [
    /\b(?:by|per|pro|je|nach|each|every|for each|over the|over|across)\s+(?:the\s+)?(?:weeks?|wochen?)\b|\bweekly\b|\b(?:which|what|best|worst)\s+weeks?\b/i,
    'week',
  ],
  [
    /\b(?:by|per|pro|je|nach|each|every|for each|over the|over|across)\s+(?:the\s+)?(?:days?|dates?|tag(?:en)?)\b|\bdaily\b|\b(?:which|what|best|worst)\s+days?\b/i,
    'day',
  ],
  [
    /\b(?:by|per|pro|je|nach|each|every|for each)\s+(?:the\s+)?(?:hours?|stunden?)\b|\bhourly\b|\b(?:which|what)\s+hours?\b/i,
    'hour',
  ],
];

export interface TimeReading {
  readonly grain: Grain | null;
  /** `over time`, `trend`, `development`: by time, at the grain that suits the file. */
  readonly overTime: boolean;
  readonly rest: string;
}

export function readGrain(text: string): TimeReading {
  for (const [pattern, grain] of grainWords) {
    const match = pattern.exec(text);
    if (match !== null)
      return { grain, overTime: false, rest: blank(text, match.index, match.index + match[0].length) };
  }
  const over =
    /\b(?:over|across|through) (?:the )?(?:time|period|last \w+ years)\b|\btrends?\b|\btimeline\b|\b(?:development|develop(?:s|ed)?|evolution|evolved?|history)\b|\btime series\b/i.exec(
      text,
    );
  if (over === null) return { grain: null, overTime: false, rest: text };
  return { grain: null, overTime: true, rest: blank(text, over.index, over.index + over[0].length) };
}

const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
export const monthPattern =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';

export function monthNumber(word: string): number {
  return months.findIndex((month) => month.startsWith(word.slice(0, 3).toLowerCase())) + 1;
}

export interface PeriodReading {
  readonly filters: readonly Filter[];
  readonly rest: string;
}

const year = '((?:19|20)\\d\\d)';
const moment = `(?:(${monthPattern})\\s+)?${year}(?:-(\\d\\d)(?:-(\\d\\d))?)?`;

interface Stretch {
  readonly from: string;
  readonly before: string;
}

/** Stretches of time that the text keeps. `column` says when; without one, nothing is read. */
export function readPeriods(text: string, column: ColumnRef | null): PeriodReading {
  if (column === null || (column.role !== 'date' && column.role !== 'year')) return { filters: [], rest: text };
  const make = (from: string | null, before: string | null, words: string): Filter => {
    if (column.role === 'date') return { kind: 'dates', column, from, before, words: words.trim() };
    const first = from === null ? null : Number(from.slice(0, 4));
    const last = before === null ? null : Number(before.slice(0, 4)) - (before.endsWith('-01-01') ? 1 : 0);
    if (first === null) return { kind: 'compare', column, operator: '<=', value: last ?? 0 };
    if (last === null) return { kind: 'compare', column, operator: '>=', value: first };
    return first === last
      ? { kind: 'compare', column, operator: '==', value: first }
      : { kind: 'range', column, from: first, to: last };
  };
  const cut = (match: RegExpExecArray): string => blank(text, match.index, match.index + match[0].length);

  const between = new RegExp(
    `\\b(?:between|from|in|for|during)?\\s*\\b${moment}\\s*(?:and|to|until|till|through|-|–|\\bto\\b)\\s*${moment}\\b`,
    'i',
  ).exec(text);
  if (between !== null) {
    const from = stretchOf(between.slice(1, 5));
    const to = stretchOf(between.slice(5, 9));
    if (from.from <= to.from) return { filters: [make(from.from, to.before, between[0])], rest: cut(between) };
  }
  const quarter = new RegExp(
    `\\b(?:in |for |only |during )?(?:the )?(?:q([1-4])|(first|second|third|fourth) quarter)(?:\\s+of)?\\s*${year}\\b`,
    'i',
  ).exec(text);
  if (quarter !== null) {
    const number =
      quarter[1] === undefined
        ? ['first', 'second', 'third', 'fourth'].indexOf(quarter[2]?.toLowerCase() ?? '') + 1
        : Number(quarter[1]);
    const from = monthStart(Number(quarter[3]), number * 3 - 2);
    return { filters: [make(from, monthStart(Number(quarter[3]), number * 3 + 1), quarter[0])], rest: cut(quarter) };
  }
  const open = new RegExp(
    `\\b(since|after|from|before|until|till|up to|through|starting(?: in| from)?)\\s+${moment}\\b(?:\\s+(on(?:wards)?))?`,
    'i',
  ).exec(text);
  if (open !== null) {
    const stretch = stretchOf(open.slice(2, 6));
    const word = open[1]?.toLowerCase() ?? '';
    const filter =
      word === 'after'
        ? make(stretch.before, null, open[0])
        : word === 'before'
          ? make(null, stretch.from, open[0])
          : /^(?:until|till|up to|through)$/.test(word)
            ? make(null, stretch.before, open[0])
            : make(stretch.from, null, open[0]);
    return { filters: [filter], rest: cut(open) };
  }
  const single = new RegExp(
    `\\b(?:(?:in|for|during|of|only|just|year)\\s+)*(?:the year\\s+)?${moment}\\b(?!\\s*%)`,
    'i',
  ).exec(text);
  if (single !== null) {
    const stretch = stretchOf(single.slice(1, 5));
    return { filters: [make(stretch.from, stretch.before, single[0])], rest: cut(single) };
  }
  const month = new RegExp(`\\b(?:in|for|during|only|just)\\s+(${monthPattern})\\b`, 'i').exec(text);
  if (month?.[1] !== undefined && column.role === 'date') {
    return { filters: [{ kind: 'month', column, month: monthNumber(month[1]) }], rest: cut(month) };
  }
  return { filters: [], rest: text };
}

function stretchOf(parts: readonly (string | undefined)[]): Stretch {
  const [monthWord, yearText, monthDigits, dayDigits] = parts;
  const inYear = Number(yearText);
  const month = monthWord !== undefined ? monthNumber(monthWord) : Number(monthDigits ?? 0);
  if (month < 1 || month > 12) return { from: `${inYear}-01-01`, before: `${inYear + 1}-01-01` };
  if (dayDigits === undefined) return { from: monthStart(inYear, month), before: monthStart(inYear, month + 1) };
  const day = new Date(Date.UTC(inYear, month - 1, Number(dayDigits)));
  const next = new Date(day.getTime() + 86_400_000);
  return { from: day.toISOString().slice(0, 10), before: next.toISOString().slice(0, 10) };
}

function monthStart(inYear: number, month: number): string {
  return new Date(Date.UTC(inYear, month - 1, 1)).toISOString().slice(0, 10);
}
