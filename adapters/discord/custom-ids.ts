import type { ButtonAction } from './buttons.ts';

/** What a press can ask for: what the bot's answers offer, and its offer to answer an edited question. */
export type CustomIdAction =
  | ButtonAction
  /** Again, with the text that the question has now. */
  | 'rerun-edited'
  /** Takes the message away that the button is on. */
  | 'dismiss';

const known: Readonly<Record<CustomIdAction, true>> = {
  'show-code': true,
  notebook: true,
  rerun: true,
  'rerun-edited': true,
  dismiss: true,
  stop: true,
  delete: true,
  details: true,
  good: true,
  bad: true,
};

/** `<action>:<target>`, the target being a task id or, for `details`, a file's name. `null` for what no button of ours carries. */
export function readCustomId(customId: string): { readonly action: CustomIdAction; readonly target: string } | null {
  const colon = customId.indexOf(':');
  const action = customId.slice(0, Math.max(0, colon));
  return isKnown(action) ? { action, target: customId.slice(colon + 1) } : null;
}

function isKnown(action: string): action is CustomIdAction {
  return Object.hasOwn(known, action);
}
