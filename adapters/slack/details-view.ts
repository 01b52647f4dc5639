import type { FileDetails } from '../../src/ports/platforms.ts';
import { breakMentions } from '../escape.ts';
import { oneLine, shorten } from '../format.ts';
import { section } from './blocks.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';
import { escapeWithin } from './text.ts';

export const detailsActionId = 'plotline-details';

const lineCharacters = 700;

/** All modal text together. Slack documents no sum; views of some hundred kilobytes are refused. */
const viewCharacters = 60_000;

/** The details as a modal. What does not fit is counted at its end, with where all of it is to be had. */
export function detailsView({ file, sections }: FileDetails): Json {
  const texts = sections.flatMap(({ title, lines }) => sectionTexts(title, lines));
  const shown: string[] = [];
  let room = viewCharacters;
  for (const text of texts) {
    if (shown.length >= slackLimits.modalBlocks || text.length > room) break;
    shown.push(text);
    room -= text.length;
  }
  const left = texts.slice(shown.length).reduce((sum, text) => sum + text.split('\n').length, 0);
  const more =
    left === 0 ? [] : [context(`${left} more lines. Mention me in the thread with *details* to get all of it.`)];
  return {
    type: 'modal',
    title: { type: 'plain_text', text: shorten(oneLine(file), slackLimits.modalTitleCharacters) || 'Details' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: texts.length === 0 ? [context('Nothing is known about this file.')] : [...shown.map(section), ...more],
  };
}

/** One section as texts that each fit a block; the title is above the first. */
function sectionTexts(title: string, lines: readonly string[]): readonly string[] {
  const texts: string[] = [];
  let current = `*${line(title).replaceAll('*', '∗')}*`;
  for (const next of lines.map((text) => `• ${line(text)}`)) {
    if (current.length + next.length + 1 > slackLimits.sectionCharacters) {
      texts.push(current);
      current = next;
    } else {
      current = `${current}\n${next}`;
    }
  }
  return [...texts, current];
}

function line(text: string): string {
  // Asterisks and the like would be formatting: a zero-width space behind each keeps them what they are.
  return escapeWithin(breakMentions(oneLine(text)).replace(/[*_~`]/g, '$&\u200b'), lineCharacters);
}

function context(text: string): Json {
  return { type: 'context', elements: [{ type: 'mrkdwn', text }] };
}
