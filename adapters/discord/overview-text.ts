import type { PersonOverview } from '../../src/ports/platforms.ts';
import { breakMentions, defangLinks } from '../escape.ts';
import { formatCount, oneLine, shorten } from '../format.ts';
import { limitLines, moneyText } from '../usage-lines.ts';
import { discordLimits } from './limits.ts';

const shownThreads = 10;
const questionCharacters = 80;
/** Room for the line about older ones. */
const budget = discordLimits.contentCharacters - 40;

const states = { waiting: 'waiting', running: 'running', done: 'answered', cancelled: 'stopped' } as const;

/** `/plotline status`: the person's newest threads with links, and how busy the bot is here. */
export function statusText({ threads, everyone }: PersonOverview): string {
  const now = `Here I am working on ${counted(everyone.running, 'question')}; ${everyone.waiting} more ${everyone.waiting === 1 ? 'waits' : 'wait'}.`;
  if (threads.length === 0) return `${now}\nYou have asked nothing here that I still have.`;
  const lines = threads.slice(0, shownThreads).map(({ thread, question, state, askedAtMs }) => {
    const link = `https://discord.com/channels/${thread.workspaceId}/${thread.threadId}`;
    const words = defangLinks(breakMentions(shorten(oneLine(question), questionCharacters))).replace(/[*_`~|[\]]/g, '');
    return `- ${states[state]} <t:${Math.floor(askedAtMs / 1000)}:R>: ${words || 'a file'} (${link})`;
  });
  const head = [now, 'Your newest threads:'].join('\n');
  const fitting = lines.filter((_line, index) => lengthOf(head, lines.slice(0, index + 1)) <= budget);
  const older = threads.length - fitting.length;
  return [head, ...fitting, ...(older > 0 ? [`-# and ${counted(older, 'older one')}`] : [])].join('\n');
}

function lengthOf(head: string, lines: readonly string[]): number {
  return [head, ...lines].join('\n').length;
}

/** `/plotline usage`: this month, by UTC. */
export function usageText({ usage, limits }: PersonOverview): string {
  const since = new Date(usage.sinceMs).toISOString().slice(0, 10);
  if (usage.questions === 0) return [`You have asked nothing here since ${since}.`, ...limitLines(limits)].join('\n');
  const seconds = formatCount(Math.round(usage.sandboxMs / 1000));
  return [
    `Since ${since} you asked ${counted(usage.questions, 'question')} here. They took:`,
    `- ${formatCount(usage.inputTokens)} tokens read (${formatCount(usage.cachedInputTokens)} of them from the cache), ${formatCount(usage.outputTokens)} written`,
    `- ${seconds} s of computing in the sandbox`,
    ...(usage.money.length === 0 ? [] : [`- ${moneyText(usage.money)}`]),
    ...limitLines(limits),
  ].join('\n');
}

/** `/plotline help`. */
export function helpText(botUserId: string, hasMessageContent: boolean): string {
  return [
    `Attach a spreadsheet, mention <@${botUserId}> and ask: I look at the file, run Python in a throwaway container without network, and answer with numbers, charts and files.`,
    '- `/analyze` takes a file and a question; *Apps → Analyze this file* on a message takes the files of that message.',
    hasMessageContent
      ? '- In my thread just write on; the files stay.'
      : '- In my thread mention me, or reply to me with ping on; the files stay. Other messages there I cannot read.',
    '- In a direct message no mention is needed.',
    '- `stop` ends what runs, `code` shows the code, `notebook` gives all of it as a Jupyter notebook, `details` what I found in the files.',
    '- Edit your question and I answer the new text; delete it and my answer goes too.',
    '- `/plotline status`, `stop`, `usage`, `forget`: what runs, end it, what it took, have it forgotten.',
  ].join('\n');
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
