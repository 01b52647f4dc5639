import type { Progress, ProgressStep } from '../../src/types.ts';
import { breakMentions } from '../escape.ts';
import { oneLine, shorten } from '../format.ts';
import { section } from './blocks.ts';
import { stopButton } from './buttons.ts';
import type { Json } from '../json.ts';
import type { RenderedPart } from './rendered-part.ts';
import { escapeWithin } from './text.ts';

/** Marks progress messages, so that the history leaves them out. Slack keeps the id of `section` blocks. */
export const progressBlockId = 'plotline-progress';

const stepSigns: Readonly<Record<ProgressStep['state'], string>> = {
  running: '⏳',
  done: '✅',
  failed: '⚠️',
};

const idleText = 'Working on it…';

/** Their lines together stay below the 3,000 characters of a `section`. */
const shownSteps = 15;
const shownStepCharacters = 150;

/** One message with a line for each step, and *Stop* while there is something to stop. */
export function renderProgress(progress: Progress): RenderedPart {
  const note = escapeWithin(breakMentions(oneLine(progress.note)), 500);
  const steps = progress.steps.map(({ title, state }) => ({
    sign: stepSigns[state],
    title: escapeWithin(breakMentions(oneLine(title)), shownStepCharacters) || 'Working on it',
  }));
  const hidden = steps.length - shownSteps;
  const lines = [
    ...(hidden > 0 ? [`_${hidden} earlier steps_`] : []),
    ...steps.slice(-shownSteps).map(({ sign, title }) => `${sign} ${title}`),
  ];
  const shown = { ...section(note || lines.join('\n') || idleText), block_id: progressBlockId };
  return {
    text: note || (steps.at(-1)?.title ?? idleText),
    blocks: [shown, ...(progress.running ? stopButton(progress.taskId) : [])],
    plainBlocks: null,
  };
}

const taskStatus = { running: 'in_progress', done: 'complete', failed: 'error' } as const;

/**
 * What is new since `previous` (`null`: nothing was sent yet), as chunks of a native stream: the plan's title, then one
 * `task_update` for each step that is new or changed. Empty where nothing is.
 */
export function progressChunks(progress: Progress, previous: Progress | null): readonly Json[] {
  const title = planTitle(progress);
  const plan = previous !== null && planTitle(previous) === title ? [] : [{ type: 'plan_update', title }];
  const tasks = progress.steps.flatMap((step, index) => {
    const before = previous?.steps[index];
    if (before !== undefined && before.title === step.title && before.state === step.state) return [];
    return [{ type: 'task_update', id: `step-${index + 1}`, title: stepTitle(step), status: taskStatus[step.state] }];
  });
  return [...plan, ...tasks];
}

function planTitle({ note, steps, running }: Progress): string {
  const said = shorten(breakMentions(oneLine(note)), shownStepCharacters);
  if (said !== '') return said;
  if (running) return idleText;
  return steps.at(-1)?.state === 'failed' ? 'Stopped' : 'Done';
}

function stepTitle({ title }: ProgressStep): string {
  return shorten(breakMentions(oneLine(title)), shownStepCharacters) || 'Working on it';
}
