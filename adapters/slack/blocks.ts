import { breakMentions } from '../escape.ts';
import { oneLine, shorten } from '../format.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';

/** The pieces that several messages and views are made of. None of them reads markup out of text that is not ours. */

/** Text that Slack shows as it stands, on one line, cut to its limit and never empty. */
export function plainTextObject(text: string, maxCharacters: number, otherwise: string): Json {
  return { type: 'plain_text', text: inertLine(text, maxCharacters) || otherwise, emoji: false };
}

/** One line that pings nobody, within the limit; empty where nothing is left. */
export function inertLine(text: string, maxCharacters: number): string {
  return shorten(breakMentions(oneLine(text)), maxCharacters);
}

/** Small grey text under a block, without markup. */
export function plainContext(text: string): Json {
  return { type: 'context', elements: [plainTextObject(text, slackLimits.sectionCharacters, '…')] };
}

/** `mrkdwn` of our own words; whatever else is in it was escaped before. */
export function section(mrkdwn: string): Json {
  return { type: 'section', text: { type: 'mrkdwn', text: mrkdwn, verbatim: true } };
}

export function header(text: string): Json {
  return { type: 'header', text: plainTextObject(text, 150, '…') };
}
