import type { ProgressReporter } from '../answer/progress.ts';
import { AppError, toAppError } from '../errors.ts';
import type { WakeHandler } from '../ports/dispatcher.ts';
import type { Admission, PlatformClient } from '../ports/platforms.ts';
import type { InboxEntry, OutboxEntry } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Reply, Task, ThreadRef } from '../types.ts';
import { answerTask } from './answer-task.ts';
import type { AnswerDeps } from './answer-task.ts';
import { failedReply, refusedReply, stoppedReply } from './plain-replies.ts';
import { deliverRefusal } from './refusals.ts';
import { removeBlobs } from './retention.ts';
import { closeSigns, removePosts, startSigns } from './signs.ts';
import type { Signs } from './signs.ts';
import { wakeFor } from './wake-for.ts';

/** A task that was started this often without coming to an answer is given up: it may be what ends the process. */
const maxAttempts = 3;

export interface WorkerDeps extends AnswerDeps {
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
}

/**
 * The handler for the dispatcher: answers the oldest of the thread's waiting tasks; the next one has a turn of its own. A task whose
 * reply is already settled is only delivered; one that an earlier worker died on is answered anew, under the same posts. Rejects,
 * retryable, where a task could not be brought to its end; it is then the thread's next one again.
 */
export function createWorker(deps: WorkerDeps): WakeHandler {
  return async (threadKey, signal) => {
    try {
      const entry = await deps.store.takeNext(threadKey);
      if (entry === null) return null;
      const held = { ...deps, store: deps.store.heldBy(entry) };
      await deps.sessions.claim(threadKey, await deps.store.starts(threadKey));
      try {
        await deps.telemetry.task(entry, () => handle(entry, held, signal));
      } catch (error) {
        if (isRestart(signal)) await handBack(entry.task, held);
        throw error;
      } finally {
        deps.sessions.release(threadKey);
      }
      const next = await deps.store.nextTask(threadKey);
      return next === null ? null : wakeFor(next, true);
    } catch (error) {
      throw worthRepeating(error);
    }
  };
}

/** Resolves to how the task ended; `null` where it did not: it was interrupted, or its question was edited or forgotten. */
async function handle(entry: InboxEntry, deps: WorkerDeps, signal: AbortSignal): Promise<Reply['outcome'] | null> {
  const { task, attempts } = entry;
  const client = deps.clientOf(task.thread);
  const posts = await deps.store.posts(task.id);
  const progressPost = posts.find(({ kind }) => kind === 'progress') ?? null;
  const settled = posts.find(({ kind }) => kind === 'reply');
  if (settled !== undefined && isRefusal(settled)) {
    await closeSigns(task, 'refused', progressPost, client, deps.log);
    // Whoever accepted it may be posting it, or have died at that.
    return await deliverRefusal({ ...entry, attempts: attempts + 1 }, deps);
  }
  if (settled !== undefined) return await deliverSettled(entry, progressPost, client, deps);
  deps.audit.record({ event: 'task-started', task, attempt: attempts });
  if (attempts > 1) await forgetAttempt(task, deps);
  if (attempts > maxAttempts) {
    const isStill = await deps.delivery.settle(task, gaveUp(task, deps), entry);
    return isStill ? await deliverSettled(entry, progressPost, client, deps) : null;
  }
  const allowed = await admit(entry, client, deps, signal);
  if (allowed === null) return null;
  const admission = await withinLimits(allowed, deps);
  if (admission.kind === 'refused') {
    if (!(await deps.delivery.settle(task, refusedReply(task, admission.text), entry))) return null;
    deps.audit.record({ event: 'refused', task });
    const note = progressPost?.parts.map(({ messageId }) => messageId) ?? [];
    await removePosts(task, note, client, deps.log);
    return await deliverRefusal(entry, deps);
  }
  return await answerAndDeliver({ ...entry, task: admission.task }, progressPost !== null, client, deps, signal);
}

function isRefusal({ body }: OutboxEntry): boolean {
  return (body as unknown as Reply).outcome === 'refused';
}

async function deliverSettled(
  entry: InboxEntry,
  progressPost: OutboxEntry | null,
  client: PlatformClient,
  deps: WorkerDeps,
): Promise<Reply['outcome']> {
  const { task } = entry;
  const reply = await deps.delivery.deliverReply(entry);
  await closeSigns(task, reply.outcome, progressPost, client, deps.log);
  return await finish(task, reply, deps);
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

/** Most tasks have their place since they were accepted; one whose gateway died then, or that has become another since, asks here. */
async function withinLimits(admission: Admission, deps: WorkerDeps): Promise<Admission> {
  const refusal = admission.kind === 'refused' ? null : await deps.taskLimits.claim(admission.task);
  return refusal === null ? admission : { kind: 'refused', text: refusal };
}

async function answerAndDeliver(
  entry: InboxEntry,
  postedBefore: boolean,
  client: PlatformClient,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<Reply['outcome'] | null> {
  const { task } = entry;
  const signs = startSigns(task, postedBefore, client, deps);
  let posted: Reply;
  let ended: Promise<void> | null = null;
  try {
    const reply = await replyOf(task, client, signs.progress, deps, signal);
    if (reply === null || !(await deps.telemetry.step('settle', () => deps.delivery.settle(task, reply, entry)))) {
      ended = dropAnswer(task, signs, deps);
      return null;
    }
    // Begun before the reply is posted: where posts appear at once, the last step is then ticked off above the answer.
    ended = signs.finish(reply.outcome);
    posted = await deps.delivery.deliverReply(entry);
  } finally {
    await (ended ?? signs.finish(null));
  }
  return await finish(task, posted, deps);
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
  if (!(await deps.store.knowsThread(threadKey))) await removeBlobs(await deps.store.forgetThread(threadKey), deps);
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
    return (await isSettled(task, deps)) ? reply : null;
  } catch (error) {
    if (signal.aborted) {
      throwUnlessStopped(signal);
      return (await isSettled(task, deps)) ? stoppedReply(task, 'Stopped.') : null;
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
async function isSettled(task: Task, deps: WorkerDeps): Promise<boolean> {
  return (await deps.store.posts(task.id)).some(({ kind }) => kind === 'reply');
}

function throwUnlessStopped(signal: AbortSignal): void {
  if (!isStop(signal)) throw signal.reason;
}

/** Interrupted for what a person did, not for the end of this process. */
function isStop({ reason }: AbortSignal): boolean {
  return reason instanceof AppError && reason.code === 'cancelled';
}

function isRestart({ reason }: AbortSignal): boolean {
  return reason instanceof AppError && reason.code === 'restarting';
}

async function finish(task: Task, { outcome, artifacts }: Reply, deps: WorkerDeps): Promise<Reply['outcome']> {
  const bytesOut = artifacts.reduce((bytes, { file }) => bytes + file.sizeBytes, 0);
  await deps.store.endUsage(task, { outcome, bytesOut, counts: outcome !== 'refused' });
  await deps.store.finish(task.id, outcome === 'cancelled' ? 'cancelled' : 'done');
  deps.audit.record({ event: 'task-ended', task, outcome });
  return outcome;
}

/** The end of this process is not the task's fault: it waits again as if it had not been begun, unless its answer is certain. */
async function handBack(task: Task, deps: WorkerDeps): Promise<void> {
  if (await isSettled(task, deps)) return;
  await deps.store.dropCells(threadKeyOf(task.thread), task.id);
  await deps.store.giveBack(task.id);
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
