import { createProgressReporter } from '../answer/progress.ts';
import type { ProgressReporter } from '../answer/progress.ts';
import { AppError, toAppError } from '../errors.ts';
import type { InboxEntry, PlatformClient } from '../ports.ts';
import { threadKeyOf } from '../types.ts';
import type { Reply, Task, ThreadKey, ThreadRef } from '../types.ts';
import { answerTask } from './answer-task.ts';
import type { AnswerDeps } from './answer-task.ts';
import { progressIdOf, stoppedReply } from './conversation.ts';

export interface WorkerDeps extends AnswerDeps {
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
}

/**
 * The handler for the dispatcher: answers the thread's waiting tasks in order. A task whose reply is already settled is only
 * delivered; one that an earlier worker died on is answered anew, under the same posts.
 */
export function createWorker(deps: WorkerDeps): (threadKey: ThreadKey, signal: AbortSignal) => Promise<void> {
  return async (threadKey, signal) => {
    while (!signal.aborted) {
      const entry = await deps.store.takeNext(threadKey);
      if (entry === null) return;
      try {
        await handle(entry, deps, signal);
      } finally {
        deps.sessions.release(threadKey);
      }
    }
  };
}

async function handle({ task, attempts }: InboxEntry, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const client = deps.clientOf(task.thread);
  const isSettled = (await deps.store.posts(task.id)).some(({ kind }) => kind === 'reply');
  let outcome: Reply['outcome'] | null = null;
  let settled = Promise.resolve();
  if (!isSettled) {
    if (attempts > 1) await forgetAttempt(task, deps);
    const signs = startSigns(task, client, deps);
    try {
      const reply = await replyOf(task, client, signs.progress, deps, signal);
      outcome = reply.outcome;
      await deps.delivery.settle(task, reply);
    } finally {
      settled = signs.finish();
    }
  }
  await Promise.all([deps.delivery.deliverReply(task), settled]);
  await deps.store.finish(task.id, outcome === 'cancelled' ? 'cancelled' : 'done');
}

/** Every end of a task as a reply, except the end of this process, which leaves the task to the next one. */
async function replyOf(
  task: Task,
  client: PlatformClient,
  progress: ProgressReporter,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<Reply> {
  try {
    const reply = await answerTask(task, client, progress, deps, signal);
    if (reply.outcome === 'cancelled') throwUnlessStopped(signal);
    return reply;
  } catch (error) {
    if (signal.aborted) {
      throwUnlessStopped(signal);
      return stoppedReply(task, 'Stopped.');
    }
    const failure = toAppError(error);
    deps.log.error(
      { taskId: task.id, code: failure.code, error: failure.message, cause: String(failure.cause) },
      'task failed',
    );
    return { taskId: task.id, outcome: 'failed', text: failure.userMessage, artifacts: [], notices: [], code: [] };
  }
}

function throwUnlessStopped(signal: AbortSignal): void {
  const reason: unknown = signal.reason;
  if (!(reason instanceof AppError && reason.code === 'cancelled')) throw reason;
}

/** What a killed attempt executed is run again by this one; its container, if it lives, holds half-done state. */
async function forgetAttempt(task: Task, deps: WorkerDeps): Promise<void> {
  const threadKey = threadKeyOf(task.thread);
  await deps.sessions.drop(threadKey);
  await deps.store.dropCells(threadKey, task.id);
}

/** The progress message and the platform's "is working" sign. Neither holds up the work; `finish` waits for both. */
function startSigns(
  task: Task,
  client: PlatformClient,
  deps: WorkerDeps,
): { readonly progress: ProgressReporter; finish(): Promise<void> } {
  const initial = { taskId: task.id, steps: [], note: 'Working on it …' };
  const messageId = deps.delivery
    .postText(task, progressIdOf(task), { kind: 'progress', progress: initial })
    .catch((error: unknown) => {
      deps.log.warn({ taskId: task.id, error: String(error) }, 'progress could not be posted');
      return null;
    });
  const setStatus = (text: string | null): Promise<void> =>
    client.status(task.thread, text, AbortSignal.timeout(10_000)).catch(() => undefined);
  const statusSet = setStatus('is working on it …');
  const progress = createProgressReporter({
    taskId: task.id,
    editIntervalMs: client.limits.editIntervalMs,
    edit: async (message) => {
      const posted = await messageId;
      if (posted !== null) await client.edit(task.thread, posted, message, AbortSignal.timeout(15_000));
    },
    log: deps.log,
  });
  return {
    progress,
    finish: async () => {
      await progress.finish();
      await statusSet;
      await setStatus(null);
    },
  };
}
