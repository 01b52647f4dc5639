import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Task } from '../../src/types.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { FromBot, SentMessage, ToBot } from './bot-child.ts';

export interface PostedMessage {
  readonly threadId: string;
  readonly postId: string;
  readonly message: SentMessage;
  readonly atMs: number;
}

/** How long an event waits for its acknowledgement before it is sent again. */
const redeliveryMs = 500;

/**
 * The platform of `bot-child.ts` processes, which outlives them. It brings an event to every process that hears, and again until
 * one accepted it; the next event of a thread comes after that. It keeps what was posted. A part of a post that is
 * repeated is found again, as the port demands of adapters; any other repetition is a second message.
 */
export function createParentPlatform() {
  const posts: PostedMessage[] = [];
  /** Events on their way, the first of each thread being delivered. */
  const queues = new Map<string, Task[]>();
  const accepted: { readonly task: Task; readonly atMs: number }[] = [];
  const hearing = new Set<ChildProcess>();
  const connected = new Set<ChildProcess>();

  const send = (bot: ChildProcess, message: ToBot): void => {
    if (bot.connected) bot.send(message, () => {});
  };
  const deliver = (queue: readonly Task[]): void => {
    const [task] = queue;
    if (task !== undefined) for (const bot of hearing) send(bot, { kind: 'task', task });
  };
  const redelivery = setInterval(() => queues.forEach(deliver), redeliveryMs);

  const takeAcknowledgement = (taskId: string): void => {
    for (const queue of queues.values()) {
      if (queue[0]?.id !== taskId) continue;
      const [task] = queue.splice(0, 1);
      if (task !== undefined) accepted.push({ task, atMs: Date.now() });
      deliver(queue);
    }
  };

  const answer = (bot: ChildProcess, message: FromBot): void => {
    switch (message.kind) {
      case 'accepted':
        return takeAcknowledgement(message.taskId);
      case 'post': {
        const { call, thread, postId, isRepeat, alreadyPosted } = message;
        const isKnown = alreadyPosted.length > 0 || (isRepeat && posts.some((post) => post.postId === postId));
        if (!isKnown) posts.push({ threadId: thread.threadId, postId, message: message.message, atMs: Date.now() });
        return send(bot, { kind: 'part', call, part: { partId: 'text-1', messageId: postId } });
      }
      case 'listening':
      case 'noted':
      case 'cpu':
        return undefined;
    }
  };

  const replies = (): readonly PostedMessage[] => posts.filter(({ message }) => message.kind === 'reply');
  return {
    send: (task: Task): void => {
      const key = threadKeyOf(task.thread);
      const queue = queues.get(key) ?? [];
      queues.set(key, queue);
      queue.push(task);
      if (queue.length === 1) deliver(queue);
    },
    /** Resolves to whether the process came to listen before it ended. One that does not `hear` gets no events. */
    connect: async (bot: ChildProcess, { hears }: { readonly hears: boolean }): Promise<boolean> => {
      connected.add(bot);
      bot.on('message', (message) => answer(bot, message as FromBot));
      const ended = once(bot, 'exit').then(() => {
        connected.delete(bot);
        hearing.delete(bot);
        return false;
      });
      // To listen is the first thing that it says.
      const listens = await Promise.race([ended, once(bot, 'message').then(() => true)]);
      if (listens && hears) {
        hearing.add(bot);
        queues.forEach(deliver);
      }
      return listens;
    },
    /** Processor time of a process so far, in ms, and its resident memory. */
    costOf: async (bot: ChildProcess): Promise<{ readonly cpuMs: number; readonly memoryBytes: number }> => {
      const { promise, resolve } = Promise.withResolvers<{ readonly cpuMs: number; readonly memoryBytes: number }>();
      const take = (message: unknown): void => {
        const cost = message as FromBot;
        if (cost.kind !== 'cpu') return;
        bot.off('message', take);
        resolve(cost);
      };
      bot.on('message', take);
      send(bot, { kind: 'cpu' });
      return promise;
    },
    /** Processes that still run end, and their containers with them. */
    disconnect: (): void => {
      clearInterval(redelivery);
      for (const bot of connected) if (bot.connected) bot.disconnect();
    },
    posts: (): readonly PostedMessage[] => posts,
    replies,
    repliedThreads: () => new Set(replies().map(({ threadId }) => threadId)),
    /** In the order in which they were accepted. */
    accepted: (): readonly { readonly task: Task; readonly atMs: number }[] => accepted,
  };
}

export type ParentPlatform = ReturnType<typeof createParentPlatform>;
