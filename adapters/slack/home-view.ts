import type { LimitUse, Money } from '../../src/ports/usage.ts';
import { header, inertLine, plainContext, section } from './blocks.ts';
import type { Json } from '../json.ts';
import { limitLines } from '../usage-lines.ts';
import { slackLimits } from './limits.ts';
import { escapeText, escapeWithin } from './text.ts';
import { dateOf, followUpText, modelText, privacyText, usageLines } from './status-text.ts';

export const forgetActionId = 'plotline-forget';

/** What one person is shown about their own use. */
export interface HomeOverview {
  /** Newest first. `link`: Slack's permalink. */
  readonly threads: readonly HomeThread[];
  /** Since `sinceMs`, in ms since 1970. */
  readonly usage: {
    readonly questions: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly sandboxMs: number;
    readonly sinceMs: number;
    readonly money: readonly Money[];
  };
  /** As they stand now. */
  readonly limits: readonly LimitUse[];
  readonly model: string;
  /** What continues a conversation in its thread: a mention, or any message of who asked. */
  readonly followUps: 'mention' | 'thread';
}

export interface HomeThread {
  readonly question: string;
  readonly link: string | null;
  readonly askedAtMs: number;
  readonly state: 'waiting' | 'running' | 'done' | 'cancelled';
}

/** Two blocks each; Slack takes 100 in a view. */
const shownThreads = 20;
const questionCharacters = 300;

/** The App Home of one person. */
export function homeView(overview: HomeOverview): Json {
  const { threads } = overview;
  const more = threads.length - shownThreads;
  return {
    type: 'home',
    blocks: [
      header('What I do'),
      section(
        'Attach a spreadsheet to a message, mention me and ask. I say what is wrong with the file, run Python on it in a ' +
          'container without a network, and answer in the thread with charts, tables and files.',
      ),
      section(followUpText(overview.followUps)),
      { type: 'divider' },
      header('Your threads'),
      ...(threads.length === 0 ? [section('None yet.')] : threads.slice(0, shownThreads).flatMap(threadBlocks)),
      ...(more > 0 ? [plainContext(`${more} older ones are not listed.`)] : []),
      { type: 'divider' },
      header('Your usage'),
      section([...usageLines(overview.usage), ...limitLines(overview.limits), modelText(overview.model)].join('\n')),
      { type: 'divider' },
      header('Privacy'),
      section(privacyText),
      { type: 'actions', elements: [forgetButton] },
    ],
  };
}

/** For somebody who may not use the bot. `refusal` is plain text. */
export function refusedView(refusal: string): Json {
  return { type: 'home', blocks: [header('What I do'), section(escapeWithin(refusal, slackLimits.sectionCharacters))] };
}

const forgetButton: Json = {
  type: 'button',
  action_id: forgetActionId,
  style: 'danger',
  text: { type: 'plain_text', text: 'Forget my threads' },
  confirm: {
    title: { type: 'plain_text', text: 'Forget your threads?' },
    text: {
      type: 'plain_text',
      text: 'I delete what I keep of the threads that you began: files, code, results and the conversation. The messages in Slack stay. This cannot be undone.',
    },
    confirm: { type: 'plain_text', text: 'Forget them' },
    deny: { type: 'plain_text', text: 'Keep them' },
    style: 'danger',
  },
};

const stateWords: Readonly<Record<HomeThread['state'], string>> = {
  waiting: 'waiting',
  running: 'running',
  done: 'answered',
  cancelled: 'cancelled',
};

/** The question is somebody's text and shown without markup; the link has words of ours, so that it cannot name another place. */
function threadBlocks({ question, link, askedAtMs, state }: HomeThread): readonly Json[] {
  const text = inertLine(question, questionCharacters) || '(a file without words)';
  const address =
    link !== null && /^https:\/\/[^\s<>|]{1,2000}$/.test(link) ? ` · <${escapeText(link)}|Open thread>` : '';
  return [
    { type: 'section', text: { type: 'plain_text', text, emoji: false } },
    {
      type: 'context',
      elements: [{ type: 'mrkdwn', text: `${stateWords[state]} · ${dateToken(askedAtMs)}${address}`, verbatim: true }],
    },
  ];
}

/** Shown in the reader's own time zone. */
function dateToken(atMs: number): string {
  const date = dateOf(Math.max(0, atMs));
  const otherwise = date.toISOString().slice(0, 16).replace('T', ' ');
  return `<!date^${Math.floor(date.getTime() / 1000)}^{date_short_pretty} {time}|${otherwise} UTC>`;
}
