import type { ProgressReporter } from '../answer/progress.ts';
import { AppError, toAppError } from '../errors.ts';
import type { Admission, PlatformClient } from '../ports/platforms.ts';
import type { InboxEntry, OutboxEntry } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Reply, Task, ThreadKey, ThreadRef } from '../types.ts';
import { answerTask } from './answer-task.ts';
import type { AnswerDeps } from './answer-task.ts';
import { failedReply, refusedReply, stoppedReply } from './plain-replies.ts';
import { closeSigns, removePosts, startSigns } from './signs.ts';
import type { Signs } from './signs.ts';

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
  if (isSettled) return await deliverSettled(entry, progressPost, client, deps);
  deps.audit.record({ event: 'task-started', task, attempt: attempts });
  if (attempts > 1) await forgetAttempt(task, deps);
  if (attempts > maxAttempts) {
    const isStill = await deps.delivery.settle(task, gaveUp(task, deps));
    return isStill ? await deliverSettled(entry, progressPost, client, deps) : undefined;
  }
  const admission = await admit(entry, client, deps, signal);
  if (admission === null) return;
  if (admission.kind === 'refused') {
    deps.audit.record({ event: 'refused', task });
    if (!(await deps.delivery.settle(task, refusedReply(task, admission.text)))) return;
    const note = progressPost?.parts.map(({ messageId }) => messageId) ?? [];
    await removePosts(task, note, client, deps.log);
    return await deliverSettled(entry, null, client, deps);
  }
  await answerAndDeliver({ ...entry, task: admission.task }, progressPost !== null, client, deps, signal);
}

async function deliverSettled(
  { task, attempts }: InboxEntry,
  progressPost: OutboxEntry | null,
  client: PlatformClient,
  deps: WorkerDeps,
): Promise<void> {
  const { outcome } = await deps.delivery.deliverReply(task, attempts);
  await closeSigns(task, outcome, progressPost, client, deps.log);
  await finish(task, outcome, deps);
}

/** A platform that cannot be asked now is no attempt at the answer. `null`: interrupted; a wake comes with every interruption. */
async function admit(
  { task }: InboxEntry,
  client: PlatformClient,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<Admission | null> {
  try {
    const admission = await client.admit(task, signal);
    if (admission.kind === 'refused' || admission.task === task) return admission;
    await deps.store.completeTask(admission.task);
    // With what came meanwhile: the other event of the message, an edit.
    const stored = (await deps.store.task(task.id))?.task ?? admission.task;
    // Of an attachment that is known by its id alone, the platform has just said the rest.
    const whole = new Map(admission.task.attachments.map((attachment) => [attachment.id, attachment]));
    const attachments = stored.attachments.map((attachment) => whole.get(attachment.id) ?? attachment);
    return { kind: 'admitted', task: { ...stored, attachments } };
  } catch (error) {
    const failure = toAppError(error);
    if (!failure.retryable && !signal.aborted && failure.code !== 'internal') {
      return { kind: 'refused', text: failure.userMessage };
    }
    if (failure.retryable || signal.aborted) await deps.store.giveBack(task.id);
    if (isStop(signal)) return null;
    throw failure;
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
    if (reply === null || !(await deps.delivery.settle(task, reply))) {
      ended = dropAnswer(task, signs, deps);
      return;
    }
    // Begun before the reply is posted: where posts appear at once, the last step is then ticked off above the answer.
    ended = signs.finish(reply.outcome);
    ({ outcome } = await deps.delivery.deliverReply(task, attempts));
  } finally {
    await (ended ?? signs.finish(null));
  }
  await finish(task, outcome, deps);
}

/** The question was edited, and is taken up anew, or forgotten: then nothing of it may come back. */
async function dropAnswer(task: Task, signs: Signs, deps: WorkerDeps): Promise<void> {
  const threadKey = threadKeyOf(task.thread);
  deps.audit.record({ event: 'task-ended', task, outcome: 'dropped' });
  await deps.sessions.drop(threadKey);
  await deps.store.dropCells(threadKey, task.id);
  if ((await deps.store.task(task.id)) !== null) return await signs.finish(null);
  await signs.remove();
  await deps.store.forgetTask(task.id);
  if (!(await deps.store.knowsThread(threadKey))) await deps.blobs.remove(await deps.store.forgetThread(threadKey));
}

/**
 * Every end of a task as a reply, except the end of this process, which leaves the task to the next one. `null`: it was
 * interrupted without being stopped: its question was edited or forgotten, or a stop was meant for the task before it.
 */
async function replyOf(
  task: Task,
  client: PlatformClient,
  progress: ProgressReporter,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<Reply | null> {
  try {
    signal.throwIfAborted();
    const reply = await answerTask(task, client, progress, deps, signal);
    if (reply.outcome !== 'cancelled') return reply;
    throwUnlessStopped(signal);
    return (await isStopped(task, deps)) ? reply : null;
  } catch (error) {
    if (signal.aborted) {
      throwUnlessStopped(signal);
      return (await isStopped(task, deps)) ? stoppedReply(task, 'Stopped.') : null;
    }
    const failure = toAppError(error);
    deps.log.error(
      { taskId: task.id, code: failure.code, error: failure.message, cause: String(failure.cause) },
      'task failed',
    );
    return failedReply(task, failure.userMessage);
  }
}

/** A stop settles the reply before it interrupts. */
async function isStopped(task: Task, deps: WorkerDeps): Promise<boolean> {
  return (await deps.store.posts(task.id)).some(({ kind }) => kind === 'reply');
}

function throwUnlessStopped(signal: AbortSignal): void {
  if (!isStop(signal)) throw signal.reason;
}

/** Interrupted for what a person did, not for the end of this process. */
function isStop({ reason }: AbortSignal): boolean {
  return reason instanceof AppError && reason.code === 'cancelled';
}

async function finish(task: Task, outcome: Reply['outcome'], deps: WorkerDeps): Promise<void> {
  await deps.store.finish(task.id, outcome === 'cancelled' ? 'cancelled' : 'done');
  deps.audit.record({ event: 'task-ended', task, outcome });
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
