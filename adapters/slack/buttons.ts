import type { Reply } from '../../src/types.ts';
import { detailsActionId } from './details-view.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';

/**
 * The buttons under messages. Their value is the task's id or the file's name and nothing else: what they show or do comes from
 * the store, so a forged click can do no more than a forged mention.
 */
export const showCodeActionId = 'plotline-show-code';
export const notebookActionId = 'plotline-notebook';
export const rerunActionId = 'plotline-rerun';
export const stopActionId = 'plotline-stop';
/** Its values are `good <task id>` and `bad <task id>`. */
export const feedbackActionId = 'plotline-feedback';

/** Of the longest feedback value, before the task's id. */
const feedbackWord = 'good ';

/** Under the last part of a reply; none where the task's id is too long for a button. */
export function replyButtons(reply: Reply): readonly Json[] {
  const { taskId, outcome, code } = reply;
  if (!fitsButton(taskId)) return [];
  const ran = code.length > 0 && outcome !== 'cancelled';
  const buttons = [
    ...(ran ? [button('Show code', showCodeActionId, taskId), button('Notebook', notebookActionId, taskId)] : []),
    button('Re-run', rerunActionId, taskId),
  ];
  return [{ type: 'actions', elements: buttons }];
}

/** Thumbs up and down, as Slack draws them, under what is an answer. */
export function feedbackButtons(reply: Reply): readonly Json[] {
  const { taskId, outcome } = reply;
  const isAnswer = outcome === 'answered' || outcome === 'partial';
  if (!isAnswer || !fitsButton(feedbackWord + taskId)) return [];
  const choice = (text: string, label: string, value: string): Json => ({
    text: { type: 'plain_text', text },
    accessibility_label: label,
    value: `${value} ${taskId}`,
  });
  const element = {
    type: 'feedback_buttons',
    action_id: feedbackActionId,
    positive_button: choice('Good answer', 'This answer was good', 'good'),
    negative_button: choice('Bad answer', 'This answer was bad', 'bad'),
  };
  return [{ type: 'context_actions', elements: [element] }];
}

/** Under a progress message while its task waits or runs. */
export function stopButton(taskId: string): readonly Json[] {
  if (!fitsButton(taskId)) return [];
  return [{ type: 'actions', elements: [button('Stop', stopActionId, taskId)] }];
}

/** Under a file card. */
export function detailsButton(file: string): readonly Json[] {
  if (!fitsButton(file)) return [];
  return [{ type: 'actions', elements: [button('Details', detailsActionId, file)] }];
}

function button(text: string, actionId: string, value: string): Json {
  return { type: 'button', action_id: actionId, value, text: { type: 'plain_text', text } };
}

function fitsButton(value: string): boolean {
  return value !== '' && value.length <= slackLimits.buttonValueCharacters;
}
