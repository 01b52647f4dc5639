import type { Delivery } from '../answer/deliver.ts';
import type { Logger } from '../log.ts';
import type { Dispatcher, GatewayHandlers, Store } from '../ports.ts';
import { threadKeyOf } from '../types.ts';
import type { Reply, Task } from '../types.ts';

/** The inbound use cases, for any number of gateways: a mention, a stop, a look at the code. */
export function createConversation(deps: {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly delivery: Delivery;
  readonly log: Logger;
}): GatewayHandlers {
  const { store, dispatcher, delivery, log } = deps;

  const questionsBefore = async (task: Task): Promise<number> => {
    const threadKey = threadKeyOf(task.thread);
    const entries = await store.tasks(threadKey);
    const inThread = entries.filter((entry) => entry.task.id !== task.id && isUnfinished(entry.state)).length;
    return inThread + (await dispatcher.place(threadKey));
  };

  /** Wakes the thread and says the place in the queue, if there is one. */
  const queue = async (task: Task): Promise<void> => {
    await dispatcher.wake(threadKeyOf(task.thread));
    try {
      const before = await questionsBefore(task);
      if (before > 0) {
        const note = `Waiting: ${before} ${before === 1 ? 'question' : 'questions'} before yours.`;
        const progress = { taskId: task.id, steps: [], note };
        await delivery.postText(task, progressIdOf(task), { kind: 'progress', progress });
      }
    } catch (error) {
      log.warn({ taskId: task.id, error: String(error) }, 'the place in the queue could not be said');
    }
  };

  return {
    onTask: async (task) => {
      if (!(await store.accept(task))) return;
      log.info({ taskId: task.id, attachments: task.attachments.length }, 'task accepted');
      // Not awaited: the platform wants its acknowledgement now. If the process dies here, the next start wakes the thread.
      queue(task).catch((error: unknown) => log.error({ taskId: task.id, error: String(error) }, 'thread not woken'));
    },

    onCancel: async (thread, personId) => {
      const threadKey = threadKeyOf(thread);
      const running = (await store.tasks(threadKey)).filter(({ state }) => state === 'running').length;
      const waiting = await store.cancelWaiting(threadKey);
      log.info({ threadKey, personId, waiting: waiting.length, running }, 'stop asked for');
      await dispatcher.cancel(threadKey);
      for (const task of waiting) {
        await delivery.settle(task, stoppedReply(task, 'Stopped before it was started.'));
        await delivery.deliverReply(task);
      }
      return waiting.length + running;
    },

    onShowCode: async (thread, taskId) => {
      const cells = await store.cells(threadKeyOf(thread));
      const wanted = taskId ?? cells.at(-1)?.taskId;
      return cells.filter((cell) => cell.taskId === wanted);
    },
  };
}

export function progressIdOf(task: Task): string {
  return `${task.id}-progress`;
}

export function stoppedReply(task: Task, text: string): Reply {
  return { taskId: task.id, outcome: 'cancelled', text, artifacts: [], notices: [], code: [] };
}

function isUnfinished(state: string): boolean {
  return state === 'waiting' || state === 'running';
}
