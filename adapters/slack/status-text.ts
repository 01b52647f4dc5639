import { breakMentions } from '../escape.ts';
import { formatCount, oneLine, shorten } from '../format.ts';
import { limitLines, moneyText } from '../usage-lines.ts';
import type { HomeOverview, HomeThread } from './home-view.ts';
import { escapeText, escapeWithin } from './text.ts';

/** The answers to `/plotline …`, as `mrkdwn` of at most 3,000 characters. */

export interface StatusOverview extends HomeOverview {
  /** Tasks of the whole workspace. */
  readonly everyone: { readonly running: number; readonly waiting: number };
}

const listedThreads = 8;

/** `/plotline status`: what of this person's runs or waits, and how busy the bot is. */
export function statusText({ threads, everyone, model }: StatusOverview): string {
  const open = threads.filter(({ state }) => state === 'running' || state === 'waiting');
  const listed = open.slice(0, listedThreads).map(threadLine);
  const more = open.length - listed.length;
  return [
    open.length === 0 ? 'Nothing of yours is running or waiting.' : '*Yours:*',
    ...listed,
    ...(more > 0 ? [`and ${more} more`] : []),
    `Everyone's: ${formatCount(everyone.running)} running, ${formatCount(everyone.waiting)} waiting.`,
    modelText(model),
  ].join('\n');
}

/** `/plotline usage`: what this person used. */
export function usageText({ usage, limits, model }: HomeOverview): string {
  return ['*Your usage*', ...usageLines(usage), ...limitLines(limits), modelText(model)].join('\n');
}

/** `/plotline help`: how to ask, and what else there is. */
export function helpText({ followUps }: HomeOverview): string {
  return [
    '*How to ask:* attach a spreadsheet to a message, mention me and write your question. The answer comes in the thread.',
    followUpText(followUps),
    '*In the thread*, mention me with `stop`, `show code`, `notebook`, `details` or `forget`; most of them are buttons under an answer as well.',
    '*On any message with a file:* the shortcut _Analyze this file_.',
    '*Commands:* `/plotline status`, `/plotline usage`, `/plotline stop`, `/plotline forget`, `/plotline help`.',
    privacyText,
  ].join('\n');
}

export const privacyText =
  'I keep the files, code and results of a thread so that it can go on later. Python runs in a container that has no network ' +
  'and serves one thread only. _Forget my threads_ in my Home tab deletes what I keep of yours.';

export function followUpText(followUps: HomeOverview['followUps']): string {
  return followUps === 'thread'
    ? 'To go on, just write in the thread; no mention is needed there.'
    : 'To go on, mention me again in the thread; I know its files and what was said.';
}

export function modelText(model: string): string {
  return `Model: ${escapeWithin(breakMentions(oneLine(model)), 200) || 'unknown'}`;
}

export function usageLines({
  questions,
  inputTokens,
  outputTokens,
  sandboxMs,
  sinceMs,
  money,
}: HomeOverview['usage']): readonly string[] {
  const since = dateOf(sinceMs).toISOString().slice(0, 10);
  return [
    `Since ${since}: ${formatCount(questions)} ${questions === 1 ? 'question' : 'questions'}`,
    `${formatCount(inputTokens)} tokens read, ${formatCount(outputTokens)} tokens written`,
    `${formatSeconds(sandboxMs)} of Python`,
    ...(money.length === 0 ? [] : [moneyText(money)]),
  ];
}

/** What no `Date` can hold (beyond ±8.64e15 ms) counts as 1970: a view must not fail over it. */
export function dateOf(atMs: number): Date {
  return new Date(Math.abs(atMs) <= 8.64e15 ? atMs : 0);
}

function formatSeconds(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return seconds < 120 ? `${seconds} s` : `${formatCount(Math.round(seconds / 60))} min`;
}

/** The question without anything that is markup in `mrkdwn`. */
function threadLine({ question, state, link }: HomeThread): string {
  const words = shorten(breakMentions(oneLine(question)), 100).replace(/[*_~`]/g, '$&\u200b');
  const address = link !== null && /^https:\/\/[^\s<>|]{1,500}$/.test(link) ? ` <${escapeText(link)}|Open>` : '';
  return `• ${state}: ${escapeWithin(words, 160) || '(a file without words)'}${address}`;
}
