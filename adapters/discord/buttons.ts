import type { Progress, Reply } from '../../src/types.ts';
import type { Json } from '../json.ts';
import { componentTypes } from './components.ts';
import { discordLimits } from './limits.ts';

/**
 * Everything a button needs to know is in its custom id, `<action>:<task id>` or `details:<file>`: it works after a restart, in
 * any process, for as long as its message stands.
 */
export type ButtonAction = 'show-code' | 'notebook' | 'rerun' | 'stop' | 'delete' | 'details' | 'good' | 'bad';

const grey = 2;
const red = 4;

const looks: Readonly<Record<ButtonAction, Json>> = {
  'show-code': { style: grey, label: 'Show code' },
  notebook: { style: grey, label: 'Notebook' },
  rerun: { style: grey, label: 'Re-run' },
  stop: { style: red, label: 'Stop' },
  delete: { style: grey, label: 'Delete' },
  details: { style: grey, label: 'Details' },
  good: { style: grey, emoji: { name: '👍' } },
  bad: { style: grey, emoji: { name: '👎' } },
};

export function customId(action: ButtonAction, target: string): string {
  return `${action}:${target}`;
}

export function replyButtons(reply: Reply): readonly Json[] {
  const { taskId } = reply;
  const code: readonly ButtonAction[] = reply.code.length > 0 ? ['show-code', 'notebook'] : [];
  const opinion: readonly ButtonAction[] =
    reply.outcome === 'answered' || reply.outcome === 'partial' ? ['good', 'bad'] : [];
  return [...row([...code, 'rerun', 'delete'], taskId), ...row(opinion, taskId)];
}

export function progressButtons(progress: Progress): readonly Json[] {
  return progress.running ? row(['stop'], progress.taskId) : [];
}

export function cardButtons(file: string): readonly Json[] {
  return file === '' ? [] : row(['details'], file);
}

/** A button whose id Discord would not take is left out: what it does can be asked for in words. */
function row(actions: readonly ButtonAction[], target: string): readonly Json[] {
  const buttons = actions
    .map((action) => ({ type: componentTypes.button, custom_id: customId(action, target), ...looks[action] }))
    .filter(({ custom_id: id }) => id.length <= discordLimits.customIdCharacters);
  return buttons.length === 0 ? [] : [{ type: componentTypes.actionRow, components: buttons }];
}
