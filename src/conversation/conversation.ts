import { cardDetails } from '../answer/card-details.ts';
import type { Delivery } from '../answer/deliver.ts';
import type { Logger } from '../log.ts';
import type { Audit } from '../ports/audit.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Dispatcher } from '../ports/dispatcher.ts';
import type { GatewayHandlers, PlatformClient } from '../ports/platforms.ts';
import type { InboxEntry, Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Task, ThreadKey, ThreadRef } from '../types.ts';
import { createChanges } from './changes.ts';
import { createLookups } from './lookups.ts';
import type { TaskLimits } from './limits.ts';
import { refusedReply, stoppedReply } from './plain-replies.ts';
import { deliverRefusal } from './refusals.ts';
import { progressIdOf } from './signs.ts';
import { wakeFor, wakeToTidy } from './wake-for.ts';

export interface ConversationDeps {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly dispatcher: Dispatcher;
  readonly delivery: Delivery;
  readonly audit: Audit;
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
  readonly taskLimits: TaskLimits;
  /** Several processes may hear the same event. */
  readonly isShared: boolean;
  /** Ends the thread's live sandbox, if it has one here. */
  readonly endSession: (threadKey: ThreadKey) => Promise<void>;
  readonly log: Logger;
}

/** Of an event that is one process's, after which its name is free again. */
const eventMs = 15 * 60_000;

/** The inbound use cases, for any number of gateways: a mention, a stop, a look at the code or at a file's card. */
export function createConversation(deps: ConversationDeps): GatewayHandlers {
  const { store, dispatcher, delivery, audit, log } = deps;

  const questionsBefore = async (task: Task, inThread: readonly InboxEntry[]): Promise<number> => {
    const threadKey = threadKeyOf(task.thread);
    // One whose reply is settled is only being put away: nobody waits for it.
    const settled = await Promise.all(inThread.filter(isUnfinished).map(({ task: { id } }) => hasReply(id)));
    return settled.filter((isSettled) => !isSettled).length + (await dispatcher.place(threadKey));
  };

  const hasReply = async (taskId: string): Promise<boolean> =>
    (await store.posts(taskId)).some(({ kind }) => kind === 'reply');

  /** At once, and not after what runs in the thread: what it says would be over by then. False: the worker has to say it. */
  const refuse = async (task: Task, text: string): Promise<boolean> => {
    // Read before it is settled: a worker that takes the task from here on delivers alone.
    const entry = await store.task(task.id);
    if (entry === null) return true;
    // One that has it asks the limits itself, and by now there may be room.
    if (entry.state !== 'waiting') return false;
    log.info({ taskId: task.id }, 'task refused: a limit is reached');
    if (!(await delivery.settle(task, refusedReply(task, text), null))) return false;
    audit.record({ event: 'refused', task });
    try {
      await deliverRefusal({ ...entry, attempts: 1 }, deps);
      return true;
    } catch (error) {
      log.warn({ taskId: task.id, error: String(error) }, 'a refusal could not be posted at once');
      return false;
    }
  };

  /** Wakes the thread and says the place in the queue, if there is one. */
  const queue = async (task: Task): Promise<void> => {
    const refusal = await deps.taskLimits.claim(task);
    if (refusal !== null && (await refuse(task, refusal))) return;
    const threadKey = threadKeyOf(task.thread);
    const entries = await store.tasks(threadKey);
    const own = entries.findIndex((entry) => entry.task.id === task.id);
    const earlier = entries.slice(0, Math.max(0, own));
    const wasAsked = earlier.some((entry) => !isUnfinished(entry));
    await dispatcher.wake(threadKey, wakeFor(task, wasAsked));
    if (refusal !== null) return;
    try {
      const before = await questionsBefore(task, earlier);
      if (before > 0) {
        const note = `Waiting: ${before} ${before === 1 ? 'question' : 'questions'} before yours.`;
        const progress = { taskId: task.id, personId: task.person.id, running: true, steps: [], note };
        await delivery.postText(task, progressIdOf(task), { kind: 'progress', progress });
      }
    } catch (error) {
      log.warn({ taskId: task.id, error: String(error) }, 'the place in the queue could not be said');
    }
  };

  const onTask: GatewayHandlers['onTask'] = async (task) => {
    if (!(await store.accept(task))) {
      // The other event of a message that is known: it may be the one that has the files.
      if (task.attachments.length > 0 || task.lookAgain !== true) await store.completeTask(task);
      return;
    }
    audit.record({ event: 'task-accepted', task });
    log.info({ taskId: task.id, attachments: task.attachments.length }, 'task accepted');
    // Not awaited: the platform wants its acknowledgement now. If the process dies here, or its queue is away, the sweep wakes the thread.
    queue(task).catch((error: unknown) => log.error({ taskId: task.id, error: String(error) }, 'thread not woken'));
  };

  return {
    onTask,
    // Longer than the platform brings it, or takes an answer to it.
    isOurs: async (event) => !deps.isShared || (await store.takeTurn(`event/${event}`, eventMs)),
    keepDraft: (draft) => store.putDraft(draft),
    drafts: (platform) => store.drafts(platform),
    dropDraft: (id) => store.removeDraft(id),

    onCancel: async (thread, personId, only) => {
      const threadKey = threadKeyOf(thread);
      const isMeant = ({ task }: InboxEntry): boolean =>
        only === undefined || ('taskId' in only ? task.id === only.taskId : task.person.id === only.askedBy);
      const isToStop = (entry: InboxEntry): boolean => isUnfinished(entry) && isMeant(entry);
      const unfinished = (await store.tasks(threadKey)).filter(isToStop);
      log.info({ threadKey, personId, tasks: unfinished.length }, 'stop asked for');
      audit.record({ event: 'stop-asked', threadKey, personId, tasks: unfinished.length });
      // Settled before anything is aborted, so that no crash can take the stop back. The worker delivers, as it does every reply.
      for (const { task, state } of unfinished) {
        const text = state === 'waiting' ? 'Stopped before it was started.' : 'Stopped.';
        await delivery.settle(task, stoppedReply(task, text), null);
        if (state === 'waiting') await store.endUsage(task, { outcome: 'cancelled', bytesOut: 0, counts: false });
      }
      // Looked at again, for one that waited may run by now; what runs and is not meant is left alone.
      const isRunning = (await store.tasks(threadKey)).some((entry) => entry.state === 'running' && isMeant(entry));
      if (only === undefined || isRunning) await dispatcher.cancel(threadKey);
      const [first] = unfinished;
      if (first !== undefined) await dispatcher.wake(threadKey, wakeToTidy(first.task.person.id));
      return unfinished.length;
    },

    onShowCode: async (thread, taskId) => {
      const threadKey = threadKeyOf(thread);
      const cells = await store.cells(threadKey);
      const open = new Set((await store.tasks(threadKey)).filter(isUnfinished).map(({ task }) => task.id));
      const wanted = taskId ?? cells.findLast((cell) => !open.has(cell.taskId))?.taskId;
      return cells.filter((cell) => cell.taskId === wanted);
    },

    onShowDetails: async (thread, file) => {
      const cards = await store.cards(threadKeyOf(thread));
      return cards.filter((card) => file === null || card.file === file).map(cardDetails);
    },

    ...createChanges(deps, onTask),
    ...createLookups(deps),
    onFeedback: async (taskId, personId, value) => {
      // Who judged a forgotten answer is not to be known either.
      if ((await store.task(taskId)) !== null) await store.putFeedback(taskId, personId, value);
    },
  };
}

function isUnfinished({ state }: InboxEntry): boolean {
  return state === 'waiting' || state === 'running';
}
