import type { Delivery } from '../answer/deliver.ts';
import { createProgressReporter } from '../answer/progress.ts';
import type { ProgressReporter } from '../answer/progress.ts';
import type { Logger } from '../log.ts';
import type { OutboxEntry, OutgoingMessage, PlatformClient } from '../ports.ts';
import type { Reply, Task } from '../types.ts';

const editTimeoutMs = 15_000;
const statusTimeoutMs = 10_000;

const workingNote = 'Working on it …';

/** The signs of work on one task: its progress message and the platform's "is working" sign. Neither holds up the work. */
export interface Signs {
  readonly progress: ProgressReporter;
  /** Ends both and waits for them; never rejects. `null`: the task was interrupted and will be taken up again. */
  finish(outcome: Reply['outcome'] | null): Promise<void>;
}

/** `postedBefore`: the progress message is there already and says something older. */
export function startSigns(
  task: Task,
  postedBefore: boolean,
  client: PlatformClient,
  deps: { readonly delivery: Delivery; readonly log: Logger },
): Signs {
  const initial = { taskId: task.id, personId: task.person.id, running: true, steps: [], note: workingNote };
  const messageId = deps.delivery
    .postText(task, progressIdOf(task), { kind: 'progress', progress: initial })
    .catch((error: unknown) => {
      deps.log.warn({ taskId: task.id, error: String(error) }, 'progress could not be posted');
      return null;
    });
  const setStatus = (text: string | null): Promise<void> =>
    client.status(task.thread, text, AbortSignal.timeout(statusTimeoutMs)).catch(() => undefined);
  const statusSet = setStatus('is working on it …');
  const progress = createProgressReporter({
    taskId: task.id,
    personId: task.person.id,
    editIntervalMs: client.limits.editIntervalMs,
    edit: async (message) => {
      const posted = await messageId;
      if (posted !== null) await client.edit(task.thread, posted, message, AbortSignal.timeout(editTimeoutMs));
    },
    log: deps.log,
  });
  if (postedBefore) progress.note(workingNote);
  return {
    progress,
    finish: async (outcome) => {
      const isGood = outcome === 'answered' || outcome === 'partial';
      await progress.finish(isGood, endNote(outcome));
      await statusSet;
      await setStatus(null);
    },
  };
}

/** Ends the progress message of a task that is answered without being worked on here. Never rejects. */
export async function closeSigns(
  task: Task,
  outcome: Reply['outcome'],
  progressPost: OutboxEntry | null,
  client: PlatformClient,
  log: Logger,
): Promise<void> {
  const messageId = progressPost?.parts[0]?.messageId;
  if (messageId === undefined) return;
  const message: OutgoingMessage = {
    kind: 'progress',
    progress: { taskId: task.id, personId: task.person.id, running: false, steps: [], note: endNote(outcome) },
  };
  await client
    .edit(task.thread, messageId, message, AbortSignal.timeout(editTimeoutMs))
    .catch((error: unknown) => log.warn({ taskId: task.id, error: String(error) }, 'progress could not be ended'));
}

export function progressIdOf(task: Task): string {
  return `${task.id}-progress`;
}

function endNote(outcome: Reply['outcome'] | null): string {
  return outcome === null ? 'Interrupted; I will go on with it.' : endNotes[outcome];
}

const endNotes: Readonly<Record<Reply['outcome'], string>> = {
  answered: 'Done.',
  partial: 'Done.',
  failed: 'Ended without an answer.',
  cancelled: 'Stopped.',
};
