import type { GatewayHandlers, PersonOverview } from '../ports/platforms.ts';
import type { InboxEntry } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { ConversationDeps } from './conversation.ts';

type Lookups = Pick<GatewayHandlers, 'knowsThread' | 'findTask' | 'onOverview'>;

const shownThreads = 20;

/** Tasks looked at for them: a thread may hold many. */
const recentTasks = 200;

/** What gateways ask of the store to show it, or to tell what an event is about. */
export function createLookups({ store, taskLimits }: ConversationDeps): Lookups {
  return {
    knowsThread: (thread) => store.knowsThread(threadKeyOf(thread)),
    findTask: (taskId) => store.task(taskId),
    onOverview: async (who) => {
      const sinceMs = monthBegan(new Date());
      const [tasks, usage, money, limits, everyone] = await Promise.all([
        store.tasksOf(who, recentTasks),
        store.usageOf(who, sinceMs),
        store.moneyOf(who, sinceMs),
        store.limitUses({ ...who, channelId: null }, taskLimits.limits, taskLimits.now()),
        store.load(who.platform, who.workspaceId),
      ]);
      return { threads: newestPerThread(tasks), usage: { ...usage, sinceMs, money }, limits, everyone };
    },
  };
}

/** `tasks` are newest first. */
function newestPerThread(tasks: readonly InboxEntry[]): PersonOverview['threads'] {
  const newest = new Map<string, InboxEntry>();
  for (const entry of tasks) {
    const threadKey = threadKeyOf(entry.task.thread);
    if (!newest.has(threadKey)) newest.set(threadKey, entry);
  }
  return [...newest.values()].slice(0, shownThreads).map(({ task, state }) => ({
    thread: task.thread,
    question: task.text,
    messageId: task.messageId,
    askedAtMs: task.receivedAtMs,
    state,
  }));
}

function monthBegan(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
}
