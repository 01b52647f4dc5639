import type { Reading } from './parse-analysis.ts';
import type { RunPlan } from './plan.ts';
import { tokenise } from './words.ts';
import type { Token } from './words.ts';

/** Words that stand where a column or a value is expected, and that nothing in the file answers to. */

interface Lost {
  readonly text: string;
  /** What it would have done: split the answer into groups, be ranked, be one more value or column. */
  readonly part: 'group' | 'ranked' | 'value' | 'other';
}

const groupBefore =
  /\b(?:by|per|across|(?:for|of|in) (?:each|every|all)|pro|je|nach)\s+(?:(?:the|each|every|a|an|all|der|dem)\s+)*$/i;
const rankBefore = /\b(?:top|bottom|best|worst|first|last|highest|lowest|largest|smallest|biggest)\s+\d+\s+$/i;
const verbBehind = /^\s+(?:has|have|had|is|are|was|were|with|by)\b/i;
/** Behind `and`, only a word that ends its part of the question is taken for a column: "and send it" is none. */
const partEnds = /^\s*(?:$|[,.;:?!]|(?:and|by|per|as|in|for|over|with|from|since|between|sorted|without)\b)/i;

/** Further orders and manners behind `and` or a comma; adjectives before the group they belong to. */
const orders =
  /^(?:nicely|clearly|neatly|properly|quickly|briefly|carefully|explain|comment|interpret|discuss|highlight|send|post|share)$/i;
const adjectives = /^(?:different|distinct|various|separate|individual|single|respective)$/i;
const sortBefore = /\b(?:sort|order|rank)(?:ed|ing)?\b[^,.;]*\bby\s+$/i;

/** `null` where the only grouping that was asked for is unknown; else the plan, with a line for every word it left out. */
export function withLeftOut(plan: RunPlan | null, reading: Reading): RunPlan | null {
  if (plan === null || !('assumptions' in plan)) return plan;
  const lost = lostWords(reading);
  if (lost.some(({ part }) => part === 'group') && !hasGroups(plan)) return null;
  return { ...plan, assumptions: [...plan.assumptions, ...new Set(lost.map((word) => sentence(word, plan)))] };
}

function hasGroups(plan: RunPlan): boolean {
  if (plan.kind === 'analysis') return plan.dimensions.length > 0;
  return plan.kind === 'columns' ? plan.by !== null : true;
}

function sentence({ text, part }: Lost, plan: RunPlan): string {
  if (part === 'ranked' && plan.kind === 'rows') return `I found no column for “${text}”, so I ranked the rows.`;
  return `I found no ${part === 'value' ? 'value' : 'column'} for “${text}” and left it out.`;
}

function lostWords(reading: Reading): readonly Lost[] {
  const { question, unknownPlaces } = reading;
  const tokens = tokenise(question);
  const isUnknown = (token: Token): boolean => unknownPlaces.some(({ start }) => start === token.start);
  const parts = new Map<number, Lost['part']>();
  for (const { text, start, end } of unknownPlaces) {
    const [before, after] = [question.slice(0, start), question.slice(end)];
    if (sortBefore.test(before) || (adjectives.test(text) && !partEnds.test(after))) continue;
    if (groupBefore.test(before)) parts.set(start, 'group');
    else if (rankBefore.test(before) || (/\bwhich\s+$/i.test(before) && verbBehind.test(after)))
      parts.set(start, 'ranked');
    else if (/(?:\band|&|,)\s+(?:the\s+)?$/i.test(before) && partEnds.test(after) && !orders.test(text)) {
      const partner = tokens.findLast((token) => token.end <= start && !/^(?:and|the)$/.test(token.norm));
      if (partner === undefined) continue;
      if (isUnknown(partner)) {
        if (parts.has(partner.start)) parts.set(start, 'other');
      } else if (isValue(partner, reading)) parts.set(start, 'value');
      else if (reading.mentions.some((mention) => mention.start <= partner.start && partner.end <= mention.end))
        parts.set(start, 'other');
    }
  }
  return unknownPlaces.flatMap(({ text, start }) => {
    const part = parts.get(start);
    return part === undefined ? [] : [{ text, part }];
  });
}

function isValue(token: Token, reading: Reading): boolean {
  return reading.filters.some(
    (filter) =>
      filter.kind === 'values' &&
      filter.values.some((value) =>
        tokenise(value).some(({ norm, stem }) => norm === token.norm || stem === token.stem),
      ),
  );
}
