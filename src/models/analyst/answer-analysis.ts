import { isTime } from './named-columns.ts';
import { shortLabel } from './cards.ts';
import type { Facts } from './facts.ts';
import { formatNumber, listed, percent, plainText, plural, signedPercent, withUnit } from './format.ts';
import { aggregateLabel, isLevel } from './measures.ts';
import type { AnalysisPlan } from './plan.ts';
import { dimensionName } from './python-names.ts';
import { barsShown, chartTypeOf } from './python-chart.ts';

/** Headline and bullets for measures by dimensions. Every figure is one that the cell printed, or a difference of two. */
export interface Said {
  readonly headline: string;
  readonly bullets: readonly string[];
}

type Pair = readonly [string, number];

export function sayAnalysis(plan: AnalysisPlan, facts: Facts): Said {
  if (plan.dimensions.length === 0) return sayWhole(plan, facts);
  if (plan.compute === 'growth') return sayGrowth(plan, facts);
  return plan.dimensions.length === 2 ? sayTwoWay(plan, facts) : sayOneWay(plan, facts);
}

function unitOf(plan: AnalysisPlan): string | null {
  if (plan.compute !== 'value') return '%';
  const first = plan.measures[0];
  return plan.aggregate === 'count' || plan.aggregate === 'distinct' ? null : (first?.unit ?? null);
}

function nounOf(plan: AnalysisPlan): string {
  const first = plan.measures[0];
  return first === undefined ? 'Rows' : shortLabel(aggregateLabel(first, plan.aggregate));
}

function lower(text: string): string {
  return /^\p{Lu}\p{Ll}/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** The kept values are the groups themselves, which the sentence names anyway. */
function isDimension(plan: AnalysisPlan, filter: AnalysisPlan['filters'][number]): boolean {
  return (
    filter.kind === 'values' &&
    !filter.exclude &&
    filter.columns.length === 1 &&
    plan.dimensions.some(({ column }) => column.name === filter.columns[0]?.name)
  );
}

/** The words of the filters: ` for Germany and France in 2023`. */
function keptWords(plan: AnalysisPlan): string {
  const parts = plan.filters.flatMap((filter): readonly string[] => {
    if (isDimension(plan, filter)) return [];
    switch (filter.kind) {
      case 'values':
        return [`${filter.exclude ? 'without' : 'for'} ${listed(filter.values.map(plainText))}`];
      case 'dates':
        return [
          /^(?:between|from|since|after|before|until|up to|through|starting)\b/i.test(filter.words)
            ? filter.words
            : `in ${filter.words.replace(/^(?:(?:in|for|during|only|just|of|year)\s+)+/i, '')}`,
        ];
      case 'compare':
        if (filter.column.role === 'year')
          return [
            filter.operator === '=='
              ? `in ${filter.value}`
              : `with ${plainText(filter.column.name)} ${filter.operator} ${filter.value}`,
          ];
        return [
          `with ${plainText(shortLabel(filter.column.name))} ${filter.operator === '==' ? '=' : filter.operator} ${formatNumber(filter.value)}`,
        ];
      case 'range':
        return [
          `${filter.column.role === 'year' ? 'from' : `with ${plainText(shortLabel(filter.column.name))}`} ${filter.from} to ${filter.to}`,
        ];
      case 'month':
        return [
          `in ${new Intl.DateTimeFormat('en-US', { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, filter.month - 1, 1))}`,
        ];
      default:
        return filter satisfies never;
    }
  });
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}

function sayWhole(plan: AnalysisPlan, facts: Facts): Said {
  const values = facts.object('values')?.numbers() ?? [];
  const unit = (at: number): string | null =>
    plan.aggregate === 'count' || plan.aggregate === 'distinct' ? null : (plan.measures[at]?.unit ?? null);
  const one = (facts.number('newest_rows') ?? facts.number('used')) === 1;
  const total = (at: number): string =>
    (plan.measures[at]?.aggregate ?? plan.aggregate) === 'sum' && !one ? 'Total ' : '';
  const parts = values.map(
    ([label, value], at) =>
      `${total(at) === '' ? plainText(shortLabel(label)) : `${total(at)}${plainText(lower(shortLabel(label)))}`}${keptWords(plan)}${newestWords(facts)}: **${withUnit(value, unit(at))}**`,
  );
  const spread = one
    ? []
    : values.flatMap(([label], at) => {
        const range = facts.object('spread')?.object(label);
        const [min, mean, max] = [range?.number('min'), range?.number('mean'), range?.number('max')];
        if (
          min === null ||
          min === undefined ||
          mean === null ||
          mean === undefined ||
          max === null ||
          max === undefined
        )
          return [];
        return [
          `${values.length > 1 ? `${plainText(shortLabel(label))} per row` : 'Per row'}: ${withUnit(min, unit(at))} to ${withUnit(max, unit(at))}, on average ${withUnit(mean, unit(at))}.`,
        ];
      });
  return { headline: parts.join('; ') + '.', bullets: spread };
}

function sayOneWay(plan: AnalysisPlan, facts: Facts): Said {
  const dimension = plan.dimensions[0];
  const unit = unitOf(plan);
  const [best, least] = [facts.pairs('top')[0], facts.pairs('low')[0]];
  const noun = nounOf(plan);
  if (dimension === undefined || best === undefined || least === undefined)
    return {
      headline:
        plan.compute === 'change'
          ? `${noun}${keptWords(plan)} has only one ${lower(shortLabel(dimension === undefined ? '' : dimensionName(dimension)))} in the file, so there is no growth to compute.`
          : `There is nothing to show for ${lower(noun)}${keptWords(plan)}.`,
      bullets: [],
    };
  const what = lower(shortLabel(dimensionName(dimension)));
  const name = ([text]: Pair): string => plainText(text);
  const value = ([, number]: Pair): string =>
    plan.compute === 'share'
      ? percent(number)
      : plan.compute === 'change'
        ? signedPercent(number)
        : withUnit(number, unit);
  const groups = facts.number('groups') ?? 0;
  const high = leaders(facts, 'top', name);
  const low = leaders(facts, 'low', name);
  const preposition = isTime(dimension) ? 'in' : 'for';
  const has = (found: Leaders, verb: string): string => (found.several ? verb.replace(/^has /, 'share ') : verb);
  const bullets: string[] = [];
  let headline: string;
  const focus = facts.pairs('focus');
  const first = facts.pairs('first')[0];
  const last = facts.pairs('last')[0];
  if (focus.length > 0) {
    headline = `${listed(focus.map((pair) => `**${name(pair)}** has **${value(pair)}**`))} of ${lower(noun)}.`;
    bullets.push(`The largest share is ${name(best)} with ${value(best)}.`);
  } else if (groups > 1 && plan.compute === 'value' && best[1] === least[1] && high.count === groups) {
    headline = `${noun}${keptWords(plan)}${newestWords(facts)} is the same ${preposition} ${groups === 2 ? 'both' : `all ${groups}`} ${pluralOf(what)}: **${value(best)}**${groups <= 5 ? ` (${high.plain})` : ''}.`;
  } else if (plan.compute === 'share') {
    headline = `${high.bold} ${has(high, 'has the largest share')} of ${lower(noun)}${keptWords(plan)}: **${value(best)}**${high.each}.`;
  } else if (plan.top?.order === 'asc') {
    headline = `${low.bold} ${has(low, 'has the lowest')} ${lower(noun)}${keptWords(plan)}: **${value(least)}**${low.each}.`;
  } else if (plan.compute === 'change') {
    headline = `${noun}${keptWords(plan)} grew most in **${name(best)}** (**${value(best)}**); its weakest ${what} was **${name(least)}** (**${value(least)}**).`;
  } else if (plan.top?.order === 'desc') {
    headline = `${high.bold} ${has(high, 'has the highest')} ${lower(noun)}${keptWords(plan)}${newestWords(facts)}: **${value(best)}**${high.each}.`;
  } else if (groups === 1) {
    headline = plan.filters.some((filter) => isDimension(plan, filter))
      ? `${noun} for **${name(best)}**${keptWords(plan)}: **${value(best)}**.`
      : `${noun}${keptWords(plan)}: **${value(best)}** (${name(best)}, the only ${what}).`;
  } else {
    headline = `${noun}${keptWords(plan)}${newestWords(facts)} is highest ${preposition} ${high.bold} (**${value(best)}**${high.each}) and lowest ${preposition} ${low.bold} (**${value(least)}**${low.each}).`;
  }
  if (
    first !== undefined &&
    last !== undefined &&
    plan.compute === 'value' &&
    plan.top === null &&
    first[0] !== last[0] &&
    dimension.grain !== 'weekday' &&
    dimension.grain !== 'hour' &&
    dimension.column.order === null &&
    first[1] > 0 &&
    last[1] >= 0
  ) {
    bullets.push(
      `From ${name(first)} (${value(first)}) to ${name(last)} (${value(last)}): ${signedPercent(100 * (last[1] / first[1] - 1))}.`,
    );
  }
  const ranked = plan.top?.order === 'asc' ? facts.pairs('low') : facts.pairs('top');
  if (!isTime(dimension) && ranked.length > 2)
    bullets.push(
      `${plan.top?.order === 'asc' ? 'Lowest' : 'Top'} ${Math.min(ranked.length, 5)}: ${ranked
        .slice(0, 5)
        .map((pair) => `${name(pair)} ${value(pair)}`)
        .join(', ')}.`,
    );
  const total = facts.number('total');
  const adds =
    plan.compute === 'value' &&
    (plan.aggregate === 'sum' || plan.aggregate === 'count') &&
    !(isTime(dimension) && plan.measures.some(isLevel));
  if (adds && total !== null)
    bullets.push(`Total over ${plural(facts.number('groups') ?? 0, what, pluralOf(what))}: ${withUnit(total, unit)}.`);
  return { headline, bullets: [...bullets, ...cutText(plan, facts)] };
}

interface Leaders {
  /** Groups that have the extreme value, among them those that are not named. */
  readonly count: number;
  readonly several: boolean;
  readonly plain: string;
  readonly bold: string;
  /** ` each` where several share the value. */
  readonly each: string;
}

/** All groups with the highest or the lowest value, in the order of the cell; it prints a few and how many there are. */
function leaders(facts: Facts, side: 'top' | 'low', name: (pair: Pair) => string): Leaders {
  const pairs = facts.pairs(side);
  const equal = pairs.filter(([, value]) => value === pairs[0]?.[1]).map(name);
  const count = Math.max(equal.length, facts.number(`tied_${side}`) ?? 0);
  const more = count > equal.length ? [`${count - equal.length} more`] : [];
  return {
    count,
    several: count > 1,
    plain: listed([...equal, ...more]),
    bold: listed([...equal.map((text) => `**${text}**`), ...more]),
    each: count > 1 ? ' each' : '',
  };
}

function pluralOf(noun: string): string {
  if (/[^aeiou]y$/i.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /[a-z]$/i.test(noun) && !noun.endsWith('s') ? `${noun}s` : noun;
}

function newestWords(facts: Facts): string {
  const newest = facts.text('newest');
  return newest === null ? '' : ` in ${newest}`;
}

/** What the chart leaves out. */
function cutText(plan: AnalysisPlan, facts: Facts): readonly string[] {
  const groups = facts.number('groups') ?? 0;
  const drawn = facts.number('drawn');
  if (plan.show === 'table')
    return plan.top !== null && groups > (facts.number('shown') ?? groups)
      ? [`The table shows ${facts.number('shown') ?? 0} of ${groups}.`]
      : [];
  if (drawn !== null && drawn < groups && plan.top === null)
    return [`The chart shows ${drawn === barsShown && plan.top === null ? `the first ${drawn}` : drawn} of ${groups}.`];
  if (chartTypeOf(plan) === 'pie' && groups > 8)
    return [`The chart shows the 7 largest of ${groups}; the others are together in “Other”.`];
  return [];
}

function sayGrowth(plan: AnalysisPlan, facts: Facts): Said {
  const [from = '', to = ''] = facts.texts('periods');
  const top = facts.pairs('top');
  const best = top[0];
  const noun = lower(nounOf(plan));
  if (from === to)
    return { headline: `The file holds only ${from} for ${noun}, so there is no growth to compute.`, bullets: [] };
  if (best === undefined)
    return {
      headline: `No group has ${noun} both in ${from} and in ${to}, so there is no growth to compute.`,
      bullets: [],
    };
  const least = facts.pairs('low')[0];
  const leftOut = facts.texts('left_out');
  const ascending = plan.top?.order === 'asc';
  const headline = `**${plainText(best[0])}** ${ascending ? 'grew least' : 'grew most'}: ${noun} **${signedPercent(best[1])}** from ${from} to ${to}.`;
  const bullets = [
    `Next: ${top
      .slice(1, 5)
      .map(([name, value]) => `${plainText(name)} ${signedPercent(value)}`)
      .join(', ')}.`,
  ];
  if (top.length < 2) bullets.pop();
  if (least !== undefined && !ascending && (facts.number('groups') ?? 0) > 5)
    bullets.push(`Least: ${plainText(least[0])} ${signedPercent(least[1])}.`);
  if (leftOut.length > 0)
    bullets.push(
      `Left out, because a value for ${from} or ${to} is missing: ${leftOut.slice(0, 10).map(plainText).join(', ')}${leftOut.length > 10 ? `, … ${leftOut.length} in all` : ''}.`,
    );
  return { headline, bullets: [...bullets, ...cutText(plan, facts)] };
}

function sayTwoWay(plan: AnalysisPlan, facts: Facts): Said {
  const [one, two] = plan.dimensions;
  const best = facts.rows('best')[0] === undefined ? facts.texts('best') : [];
  const least = facts.texts('least');
  const unit = unitOf(plan);
  if (one === undefined || two === undefined || best.length < 3)
    return { headline: `There is nothing to show for ${lower(nounOf(plan))}.`, bullets: [] };
  const ranked = facts.pairs('ranked');
  const first = ranked[0];
  const [series, shown] = [facts.number('series') ?? 0, facts.number('shown') ?? 0];
  const what = lower(shortLabel(dimensionName(two)));
  const figure = (value: number): string => (plan.compute === 'share' ? percent(value) : withUnit(value, unit));
  const equal = least.length === 3 && best[2] === least[2] && (best[0] !== least[0] || best[1] !== least[1]);
  const headline = equal
    ? `${nounOf(plan)}${keptWords(plan)} is the same everywhere: **${figure(Number(best[2]))}**.`
    : `${nounOf(plan)}${keptWords(plan)} is highest for **${plainText(best[1] ?? '')}** in **${plainText(best[0] ?? '')}**: **${figure(Number(best[2]))}**.`;
  const bullets: string[] = [];
  if (first !== undefined && ranked.length > 1)
    bullets.push(
      `${plan.top?.order === 'asc' ? 'Lowest' : 'Leading'} ${what}: ${ranked
        .slice(0, 5)
        .map(([name, value]) => `${plainText(name)} ${figure(value)}`)
        .join(', ')}.`,
    );
  if (least.length === 3 && !equal)
    bullets.push(
      `Lowest value: ${plainText(least[1] ?? '')} in ${plainText(least[0] ?? '')} with ${figure(Number(least[2]))}.`,
    );
  if (series > shown) bullets.push(`Shown: ${shown} of ${series} by ${what}.`);
  return { headline, bullets };
}
