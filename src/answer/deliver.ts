import { AppError } from '../errors.ts';
import type { Blobs, OutgoingMessage, OutboxEntry, PlatformClient, PostKind, PostReceipt, Store } from '../ports.ts';
import { threadKeyOf } from '../types.ts';
import type { Artifact, JsonValue, Reply, Task, ThreadRef } from '../types.ts';

/**
 * Posts exactly once: the post is written to the outbox before it is tried, every platform message it became is noted as soon
 * as it is there, and a later attempt goes on where the earlier one stopped. The signal is the delivery's own: a stopped task
 * still gets its reply.
 */
export interface Delivery {
  /** Posts a short text or the progress message; resolves to the platform's message id. */
  postText(task: Task, postId: string, message: Exclude<OutgoingMessage, { kind: 'reply' }>): Promise<string>;
  /** Writes the reply down. From here on the task's answer is settled, whatever happens to this process. */
  settle(task: Task, reply: Reply): Promise<void>;
  /** Posts the settled reply; resolves false when none is settled. Names in a notice whatever the platform did not take. */
  deliverReply(task: Task): Promise<boolean>;
}

export function createDelivery(deps: {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
  readonly timeoutMs: number;
}): Delivery {
  const { store, blobs } = deps;
  /** Two callers of one post in this process (a queue note, then the worker) share one attempt. */
  const underWay = new Map<string, Promise<string>>();

  const send = async (task: Task, entry: OutboxEntry, message: OutgoingMessage): Promise<PostReceipt> => {
    const receipt = await deps.clientOf(task.thread).post(task.thread, message, {
      postId: entry.postId,
      alreadyPosted: entry.parts,
      onPosted: (part) => store.addPostedPart(entry.postId, part),
      signal: AbortSignal.timeout(deps.timeoutMs),
    });
    await store.markSent(entry.postId);
    return receipt;
  };

  const put = (task: Task, postId: string, kind: PostKind, body: JsonValue): Promise<OutboxEntry> =>
    store.putPost({ postId, taskId: task.id, threadKey: threadKeyOf(task.thread), kind, body });

  const postText: Delivery['postText'] = (task, postId, message) => {
    const attempt = underWay.get(postId) ?? postOnce(task, postId, message).finally(() => underWay.delete(postId));
    underWay.set(postId, attempt);
    return attempt;
  };

  const postOnce: Delivery['postText'] = async (task, postId, message) => {
    const entry = await put(task, postId, message.kind, message as unknown as JsonValue);
    const parts = entry.sent ? entry.parts : (await send(task, entry, message)).parts;
    const [first] = parts;
    if (first === undefined)
      throw new AppError('platform-failed', 'The message could not be posted.', {
        detail: `post ${postId} has no part`,
      });
    return first.messageId;
  };

  return {
    postText,
    settle: async (task, reply) => {
      await put(task, replyIdOf(task), 'reply', reply as unknown as JsonValue);
    },
    deliverReply: async (task) => {
      const entry = (await store.posts(task.id)).find(({ postId }) => postId === replyIdOf(task));
      if (entry === undefined) return false;
      if (entry.sent) return true;
      const reply = entry.body as unknown as Reply;
      const files = reply.artifacts.map(({ file }: Artifact) => ({ file, open: () => blobs.get(file.sha256) }));
      const receipt = await send(task, entry, { kind: 'reply', reply, files });
      if (receipt.notPosted.length > 0) {
        const lines = receipt.notPosted.map(({ name, reason }) => `• \`${name}\`: ${reason}`);
        await postText(task, `${task.id}-left-out`, { kind: 'notice', text: `Not posted:\n${lines.join('\n')}` });
      }
      return true;
    },
  };
}

function replyIdOf(task: Task): string {
  return `${task.id}-reply`;
}
