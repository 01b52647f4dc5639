import type { Delivery } from '../answer/deliver.ts';
import { createProgressReporter } from '../answer/progress.ts';
import type { ProgressReporter } from '../answer/progress.ts';
import type { Logger } from '../log.ts';
import type { OutgoingMessage, PlatformClient } from '../ports/platforms.ts';
import type { OutboxEntry } from '../ports/store.ts';
import type { Reply, Task } from '../types.ts';

const editTimeoutMs = 15_000;
const statusTimeoutMs = 10_000;

const workingNote = 'Working on it …';

/** The signs of work on one task: its progress message and the platform's "is working" sign. Neither holds up the work. */
export interface Signs {
  readonly progress: ProgressReporter;
  /**
   * Ends both and waits for them; never rejects. Progress without a step goes away: beside the reply it would say nothing.
   * `null`: the task was interrupted and will be taken up again.
   */
  finish(outcome: Reply['outcome'] | null): Promise<void>;
  /** The same, and takes the progress message away: its question is gone. */
  remove(): Promise<void>;
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
  const end = async (outcome: Reply['outcome'] | null, isToGo: boolean): Promise<void> => {
    const isGood = outcome === 'answered' || outcome === 'partial';
    await progress.finish(isGood, endNote(outcome));
    const posted = isToGo ? await messageId : null;
    if (posted !== null) await removePosts(task, [posted], client, deps.log);
    await statusSet;
    await setStatus(null);
  };
  return {
    progress,
    finish: (outcome) => end(outcome, outcome !== null && !progress.hasSteps()),
    remove: () => end('cancelled', true),
  };
}

/** Takes messages of the bot away; never rejects. */
export async function removePosts(
  task: Task,
  messageIds: readonly string[],
  client: PlatformClient,
  log: Logger,
): Promise<void> {
  if (messageIds.length === 0) return;
  await client
    .remove(task.thread, messageIds, AbortSignal.timeout(editTimeoutMs))
    .catch((error: unknown) => log.warn({ taskId: task.id, error: String(error) }, 'posts could not be removed'));
}

/** Ends the progress message of a task that is answered without being worked on here. Never rejects. */
export async function closeSigns(
  task: Task,
  outcome: Reply['outcome'],
  progressPost: OutboxEntry | null,
  client: PlatformClient,
  log: Logger,
): Promise<void> {
  if (progressPost === null) return;
  const message: OutgoingMessage = {
    kind: 'progress',
    progress: { taskId: task.id, personId: task.person.id, running: false, steps: [], note: endNote(outcome) },
  };
  try {
    const messageId = progressPost.parts[0]?.messageId ?? (await findProgress(task, progressPost, message, client));
    if (messageId !== null) await client.edit(task.thread, messageId, message, AbortSignal.timeout(editTimeoutMs));
  } catch (error) {
    log.warn({ taskId: task.id, error: String(error) }, 'progress could not be ended');
  }
  // A killed process may have left it on.
  await client.status(task.thread, null, AbortSignal.timeout(statusTimeoutMs)).catch(() => undefined);
}

/** A process may have died after it posted its progress and before it noted it. */
async function findProgress(
  task: Task,
  { postId }: OutboxEntry,
  ended: OutgoingMessage,
  client: PlatformClient,
): Promise<string | null> {
  const signal = AbortSignal.timeout(editTimeoutMs);
  const context = { postId, alreadyPosted: [], isRepeat: true, onPosted: () => Promise.resolve(), signal };
  const { parts } = await client.post(task.thread, ended, context);
  return parts[0]?.messageId ?? null;
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
  refused: 'Not answered.',
};
