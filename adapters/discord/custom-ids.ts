/**
 * What a button carries: all that is needed to answer its click, so that it works after a restart and in another process.
 * At most 100 characters: a task id has up to 83.
 */
export const buttonActions = [
  'show-code',
  'notebook',
  'rerun',
  /** Again, with the text that the question has now. */
  'rerun-edited',
  /** Takes the message away that the button is on. */
  'dismiss',
  'stop',
  'delete',
  /** Its target is the number of the file's card in the thread, from 0. */
  'details',
  'good',
  'bad',
] as const;

export type ButtonAction = (typeof buttonActions)[number];

export function buttonId(action: ButtonAction, target: string): string {
  return `${action}:${target}`;
}

/** `null` for what no button of ours carries. */
export function readButtonId(customId: string): { readonly action: ButtonAction; readonly target: string } | null {
  const [name = '', ...rest] = customId.split(':');
  const action = buttonActions.find((known) => known === name);
  return action === undefined ? null : { action, target: rest.join(':') };
}
