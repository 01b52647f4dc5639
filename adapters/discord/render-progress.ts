import type { Progress, ProgressStep } from '../../src/types.ts';
import { oneLine, shorten } from '../format.ts';
import { progressButtons } from './buttons.ts';
import { discordLine } from './markdown.ts';
import type { RenderedPost } from './rendered-post.ts';

const stepSigns: Readonly<Record<ProgressStep['state'], string>> = {
  running: '⏳',
  done: '✅',
  failed: '⚠️',
};

/** Escaping may double a line: together they stay below a message's 4,000 characters. */
const shownSteps = 15;
const shownStepCharacters = 120;

/** The steps as a list and, while there is something to stop, *Stop* below it. */
export function renderProgress(progress: Progress): RenderedPost {
  const hidden = progress.steps.length - shownSteps;
  const lines = [
    ...(hidden > 0 ? [`-# ${hidden} earlier steps`] : []),
    ...progress.steps.slice(-shownSteps).map(({ title, state }) => {
      const text = discordLine(shorten(oneLine(title), shownStepCharacters));
      return `${stepSigns[state]} ${text || 'Working on it'}`;
    }),
  ];
  const note = discordLine(shorten(oneLine(progress.note), 500));
  const text = note || lines.join('\n') || 'Working on it…';
  return { kind: 'progress', texts: [text], rows: progressButtons(progress), wholeText: null };
}
