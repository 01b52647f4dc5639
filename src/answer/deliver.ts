import { AppError, toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Audit } from '../ports/audit.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { OutgoingFile, OutgoingMessage, PlatformClient, PostReceipt } from '../ports/platforms.ts';
import type { InboxEntry, OutboxEntry, PostKind, Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { JsonValue, Reply, StoredFile, Task, ThreadRef } from '../types.ts';

/** From this attempt on, files that keep failing in a way that might pass are left out, so that the text goes out. */
const attemptsWithFiles = 5;

/** A fault of our own is not tried more often than this: it would hold up the thread for ever. */
const attemptsAtFaults = 10;

/**
 * Posts exactly once: the post is written to the outbox before it is tried, every platform message it became is noted as soon
 * as it is there, and a later attempt goes on where the earlier one stopped. The signal is the delivery's own: a stopped task
 * still gets its reply.
 */
export interface Delivery {
  /** Posts a short text or the progress message; resolves to the platform's message id. */
  postText(task: Task, postId: string, message: TextMessage): Promise<string>;
  /**
   * Writes the reply down, unless one is settled. From here on the task's answer is certain, whatever happens to this process.
   * False where the question was edited or forgotten meanwhile: then it is no answer any more, and nothing is written. `by`: the start
   * of the task whose answer it is; it is refused, retryable, where there was another since. `null`: a person's stop.
   */
  settle(task: Task, reply: Reply, by: InboxEntry | null): Promise<boolean>;
  /**
   * Posts the settled reply; resolves to it. What the platform does not take is named in a notice; where it takes no files at
   * all, the text goes out alone. Rejects, retryable, where a later attempt may work, and where another worker has the task. A reply that the platform refuses for good
   * is logged and counts as delivered: there is nobody left to tell.
   */
  deliverReply(taken: InboxEntry): Promise<Reply>;
}

/** Where a file of the task's reply can be fetched, and for how many days. */
export type LinkTo = (taskId: string, file: StoredFile) => { readonly url: string; readonly days: number };

export type TextMessage = Exclude<OutgoingMessage, { kind: 'reply' | 'refusal' }>;

export function createDelivery(deps: {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly audit: Audit;
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
  readonly timeoutMs: number;
  /** For what a platform does not take; `null`: there are no links. */
  readonly linkTo: LinkTo | null;
  readonly log: Logger;
}): Delivery {
  const { store, blobs, log } = deps;
  /** Two callers of one post in this process (a queue note, then the worker) share one attempt. */
  const underWay = new Map<string, Promise<string>>();

  /** One attempt; parts that are noted already are not posted again. `sent` is told the messages it posts. */
  const send = async (
    task: Task,
    entry: OutboxEntry,
    message: OutgoingMessage,
    isRepeat: boolean,
    sent: string[],
    mayGoOn: () => Promise<void> = () => Promise.resolve(),
  ): Promise<PostReceipt> => {
    const signal = AbortSignal.timeout(deps.timeoutMs);
    try {
      return await deps.clientOf(task.thread).post(task.thread, message, {
        postId: entry.postId,
        alreadyPosted: entry.parts,
        isRepeat,
        onPosted: async (part) => {
          sent.push(part.messageId);
          await store.addPostedPart(entry.postId, part);
          await mayGoOn();
        },
        signal,
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new AppError('platform-failed', `posting took longer than ${deps.timeoutMs / 1000} s`, {
        cause: error,
        retryable: true,
        detail: `post ${entry.postId} timed out`,
      });
    }
  };

  const entryOf = (task: Task, postId: string, kind: PostKind, body: JsonValue) => ({
    postId,
    taskId: task.id,
    threadKey: threadKeyOf(task.thread),
    kind,
    body,
  });

  /** `null`: never written, or its question was deleted or forgotten since. */
  const findPost = async (task: Task, postId: string): Promise<OutboxEntry | null> =>
    (await store.posts(task.id)).find((post) => post.postId === postId) ?? null;

  const settledReply = async (task: Task): Promise<OutboxEntry> => {
    const entry = await findPost(task, replyIdOf(task));
    if (entry !== null) return entry;
    throw new AppError('internal', 'An answer got lost.', { detail: `no reply of task ${task.id} is settled` });
  };

  const postText: Delivery['postText'] = (task, postId, message) => {
    const attempt = underWay.get(postId) ?? postOnce(task, postId, message).finally(() => underWay.delete(postId));
    underWay.set(postId, attempt);
    return attempt;
  };

  const postOnce: Delivery['postText'] = async (task, postId, message) => {
    const isRepeat = (await findPost(task, postId)) !== null;
    const entry = await store.putPost(entryOf(task, postId, message.kind, message as unknown as JsonValue));
    const sent: string[] = [];
    const parts = entry.sent ? entry.parts : await sendText(task, entry, message, isRepeat, sent);
    const [first] = parts;
    if (first === undefined) {
      throw new AppError('platform-failed', 'The message could not be posted.', { detail: `post ${postId} is empty` });
    }
    if (!entry.sent && !(await store.markSent(postId))) await takeBack(task, sent);
    return first.messageId;
  };

  const sendText = async (
    task: Task,
    entry: OutboxEntry,
    message: OutgoingMessage,
    isRepeat: boolean,
    sent: string[],
  ): Promise<PostReceipt['parts']> => {
    try {
      return (await send(task, entry, message, isRepeat, sent)).parts;
    } catch (error) {
      if ((await findPost(task, entry.postId)) === null) await takeBack(task, sent);
      throw error;
    }
  };

  /** A worker that stood still while its task went to another one must not post beside it. */
  const mustHold = async (taken: InboxEntry): Promise<void> => {
    if (await store.holds(taken)) return;
    throw new AppError('internal', 'I was interrupted and will go on in a moment.', {
      retryable: true,
      detail: `task ${taken.task.id} was started by another worker while its reply was posted`,
    });
  };

  const sendReply = async (
    taken: InboxEntry,
    entry: OutboxEntry,
    reply: Reply,
    sent: string[],
  ): Promise<PostReceipt> => {
    const { task, attempts: attempt } = taken;
    const mayGoOn = (): Promise<void> => mustHold(taken);
    await mayGoOn();
    if (reply.outcome === 'refused') {
      const refusal = { kind: 'refusal', personId: task.person.id, text: reply.text } as const;
      return await send(task, entry, refusal, attempt > 1, sent, mayGoOn);
    }
    const outgoing = (file: StoredFile): OutgoingFile => ({ file, open: () => blobs.get(file.sha256) });
    const files = reply.artifacts.map(({ file, picture }) => {
      return { ...outgoing(file), ...(picture === undefined ? {} : { picture: outgoing(picture) }) };
    });
    try {
      return await send(task, entry, { kind: 'reply', reply, files }, attempt > 1, sent, mayGoOn);
    } catch (error) {
      const failure = toAppError(error);
      const mayPass = failure.retryable || failure.code === 'internal';
      const isWorthWaiting = failure.code === 'platform-rate-limited' || (mayPass && attempt < attemptsWithFiles);
      if (isWorthWaiting || files.length === 0) throw failure;
      log.warn({ taskId: task.id, attempt, error: failure.message }, 'a reply goes out without its files');
      const textOnly = { kind: 'reply', reply, files: [] } as const;
      const receipt = await send(task, await settledReply(task), textOnly, true, sent, mayGoOn);
      if (receipt.notPosted.length > 0) return receipt;
      const names = files.map(({ file }) => ({ name: file.name, reason: failure.userMessage }));
      return { parts: receipt.parts, notPosted: names };
    }
  };

  const postReply = async (...post: Parameters<typeof sendReply>): Promise<void> => {
    const [{ task }, , reply, sent] = post;
    const receipt = await sendReply(...post);
    const left = new Set(receipt.notPosted.map(({ name }) => name));
    for (const { file } of reply.artifacts) {
      if (!left.has(file.name))
        deps.audit.record({ event: 'file-out', task, sha256: file.sha256, bytes: file.sizeBytes });
    }
    await nameLeftOut(task, reply, receipt.notPosted, sent);
  };

  const nameLeftOut = async (
    task: Task,
    reply: Reply,
    notPosted: PostReceipt['notPosted'],
    sent: string[],
  ): Promise<void> => {
    if (notPosted.length === 0) return;
    const postId = `${task.id}-left-out`;
    const lines = notPosted.map(({ name, reason }) => `• \`${name}\`: ${withLink(reason, task, reply, name)}`);
    const text = `Not posted:\n${lines.join('\n')}`;
    // Links differ from attempt to attempt, and a message that may be there is known by its words.
    const before = (await findPost(task, postId))?.body as TextMessage | undefined;
    sent.push(await postText(task, postId, before ?? { kind: 'notice', text }));
  };

  const withLink = (reason: string, task: Task, { artifacts }: Reply, name: string): string => {
    const file = artifacts.find((artifact) => artifact.file.name === name)?.file;
    if (deps.linkTo === null || file === undefined || file.sizeBytes === 0) return reason;
    const { url, days } = deps.linkTo(task.id, file);
    return `${reason.replace(/\.$/, '')}. Download it within ${days} days: ${url}`;
  };

  /** The question went while something was being posted for it: whoever removed it did not know of these messages yet. */
  const takeBack = async (task: Task, messageIds: readonly string[]): Promise<void> => {
    log.info({ taskId: task.id, messages: messageIds.length }, 'posts are taken back: their question is gone');
    await store.forgetTask(task.id);
    if (messageIds.length === 0) return;
    try {
      await deps.clientOf(task.thread).remove(task.thread, messageIds, AbortSignal.timeout(deps.timeoutMs));
    } catch (error) {
      log.warn({ taskId: task.id, error: String(error) }, 'posts could not be removed');
    }
  };

  return {
    postText,

    settle: async (task, reply, by) => {
      const writer = by === null ? store : store.heldBy(by);
      const entry = await writer.settle(task, entryOf(task, replyIdOf(task), 'reply', reply as unknown as JsonValue));
      if (entry === null) return false;
      // A stop is settled when it is asked for; the worker that was stopped knows what was done by then.
      const bothStops = [reply, entry.body as unknown as Reply].every(({ outcome }) => outcome === 'cancelled');
      if (bothStops && reply.code.length > 0) {
        await store.updatePost(entry.postId, reply as unknown as JsonValue);
      }
      return true;
    },

    deliverReply: async (taken) => {
      const { task, attempts: attempt } = taken;
      const entry = await settledReply(task);
      const reply = entry.body as unknown as Reply;
      if (entry.sent) return reply;
      const sent: string[] = [];
      const failure = await postReply(taken, entry, reply, sent).then(() => null, toAppError);
      if (failure !== null && isWorthRepeating(failure, attempt) && (await findPost(task, entry.postId)) !== null) {
        throw failure;
      }
      // Last, so that a crash before it repeats the attempt, which posts only what is not noted yet.
      if (!(await store.markSent(entry.postId))) await takeBack(task, sent);
      else if (failure !== null) {
        log.error(
          { taskId: task.id, code: failure.code, error: failure.message, cause: String(failure.cause) },
          'a reply cannot be delivered',
        );
      }
      return reply;
    },
  };
}

function isWorthRepeating({ retryable, code }: AppError, attempt: number): boolean {
  return retryable || (code === 'internal' && attempt < attemptsAtFaults);
}

function replyIdOf(task: Task): string {
  return `${task.id}-reply`;
}
