import type { ProgressReporter } from '../answer/progress.ts';
import { AppError, toAppError } from '../errors.ts';
import type { InboxEntry, PlatformClient } from '../ports.ts';
import { threadKeyOf } from '../types.ts';
import type { Reply, Task, ThreadKey, ThreadRef } from '../types.ts';
import { answerTask } from './answer-task.ts';
import type { AnswerDeps } from './answer-task.ts';
import { failedReply, stoppedReply } from './plain-replies.ts';
import { closeSigns, startSigns } from './signs.ts';

/** A task that was started this often without coming to an answer is given up: it may be what ends the process. */
const maxAttempts = 3;

export interface WorkerDeps extends AnswerDeps {
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
}

/**
 * The handler for the dispatcher: answers the thread's waiting tasks in order. A task whose reply is already settled is only
 * delivered; one that an earlier worker died on is answered anew, under the same posts. Rejects, retryable, where a task could
 * not be brought to its end; it is then the thread's next one again.
 */
export function createWorker(deps: WorkerDeps): (threadKey: ThreadKey, signal: AbortSignal) => Promise<void> {
  return async (threadKey, signal) => {
    try {
      while (!signal.aborted) {
        const entry = await deps.store.takeNext(threadKey);
        if (entry === null) return;
        try {
          await handle(entry, deps, signal);
        } finally {
          deps.sessions.release(threadKey);
        }
      }
    } catch (error) {
      throw worthRepeating(error);
    }
  };
}

async function handle(entry: InboxEntry, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const { task, attempts } = entry;
  const client = deps.clientOf(task.thread);
  const posts = await deps.store.posts(task.id);
  const progressPost = posts.find(({ kind }) => kind === 'progress') ?? null;
  const isSettled = posts.some(({ kind }) => kind === 'reply');
  if (!isSettled && attempts > 1) await forgetAttempt(task, deps);
  if (!isSettled && attempts <= maxAttempts) {
    await answerAndDeliver(entry, progressPost !== null, client, deps, signal);
  } else {
    if (!isSettled) await deps.delivery.settle(task, gaveUp(task, deps));
    const { outcome } = await deps.delivery.deliverReply(task, attempts);
    await closeSigns(task, outcome, progressPost, client, deps.log);
    await finish(task, outcome, deps);
  }
}

async function answerAndDeliver(
  { task, attempts }: InboxEntry,
  postedBefore: boolean,
  client: PlatformClient,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<void> {
  const signs = startSigns(task, postedBefore, client, deps);
  let outcome: Reply['outcome'] | null = null;
  let ended: Promise<void> | null = null;
  try {
    const reply = await replyOf(task, client, signs.progress, deps, signal);
    await deps.delivery.settle(task, reply);
    // Begun before the reply is posted: where posts appear at once, the last step is then ticked off above the answer.
    ended = signs.finish(reply.outcome);
    ({ outcome } = await deps.delivery.deliverReply(task, attempts));
  } finally {
    await (ended ?? signs.finish(null));
  }
  await finish(task, outcome, deps);
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
    signal.throwIfAborted();
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
    return failedReply(task, failure.userMessage);
  }
}

function throwUnlessStopped(signal: AbortSignal): void {
  const reason: unknown = signal.reason;
  if (!(reason instanceof AppError && reason.code === 'cancelled')) throw reason;
}

async function finish(task: Task, outcome: Reply['outcome'], deps: WorkerDeps): Promise<void> {
  await deps.store.finish(task.id, outcome === 'cancelled' ? 'cancelled' : 'done');
}

/** What a killed attempt executed is run again by this one; its container, if it lives, holds half-done state. */
async function forgetAttempt(task: Task, deps: WorkerDeps): Promise<void> {
  const threadKey = threadKeyOf(task.thread);
  await deps.sessions.drop(threadKey);
  await deps.store.dropCells(threadKey, task.id);
}

function gaveUp(task: Task, deps: WorkerDeps): Reply {
  deps.log.error({ taskId: task.id, attempts: maxAttempts }, 'task given up');
  return failedReply(
    task,
    `I began with this ${maxAttempts} times and was interrupted each time before I had an answer, so I gave up. ` +
      'If it is a large file or a long computation, ask for a smaller part of it; otherwise tell whoever runs me to look at the log.',
  );
}

/**
 * A broken store or a bug must not strand the task until the next start: it is tried again, and given up after some attempts.
 * A platform that is not configured stays so until then.
 */
function worthRepeating(error: unknown): AppError {
  const failure = toAppError(error);
  if (failure.retryable || failure.code === 'config') return failure;
  return new AppError('internal', failure.userMessage, {
    cause: failure.cause ?? failure,
    retryable: true,
    detail: failure.message,
  });
}
