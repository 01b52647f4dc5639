import type { OutgoingMessage, PlatformClient, PostedPart } from '../../src/ports/platforms.ts';
import type { Attachment, Reply, ThreadRef } from '../../src/types.ts';

export interface PlatformMessage {
  readonly threadId: string;
  readonly postId: string;
  readonly partId: string;
  content: OutgoingMessage;
  isRemoved: boolean;
}

/** What a test may change about the platform while it runs. */
export interface Faults {
  /** Called before each part goes out; what it throws or awaits is what the platform does. */
  beforePart: (postId: string, partId: string, message: OutgoingMessage) => Promise<void> | void;
  edit: () => Promise<void> | void;
  remove: () => Promise<void> | void;
  admit: PlatformClient['admit'];
  history: PlatformClient['history'];
  download: (attachment: Attachment) => string;
}

export interface StrictPlatform {
  readonly client: PlatformClient;
  /** Everything a person sees, in order. */
  readonly messages: readonly PlatformMessage[];
  readonly faults: Faults;
  replies(taskId: string): readonly Reply[];
}

/**
 * A platform that takes each part it is given as a new message, unless its caller died before the part was noted: then the
 * adapter finds it again, as the port demands. So a caller that forgets what it noted posts twice, and a test sees it.
 */
export function createStrictPlatform(): StrictPlatform {
  const messages: PlatformMessage[] = [];
  const noted = new Set<PlatformMessage>();
  const faults: Faults = {
    beforePart: () => {},
    edit: () => {},
    remove: () => {},
    admit: (task) => Promise.resolve({ kind: 'admitted', task }),
    history: () => Promise.resolve([]),
    download: ({ id }) => `bytes of ${id}`,
  };

  const client: PlatformClient = {
    limits: { messageCharacters: 12_000, fileBytes: 1_000_000, filesPerMessage: 10, editIntervalMs: 1 },
    admit: (task, signal) => faults.admit(task, signal),
    remove: async (_thread, messageIds) => {
      await faults.remove();
      for (const id of messageIds) {
        const found = messages[Number(id.slice(1))];
        if (found !== undefined) found.isRemoved = true;
      }
    },
    post: async (thread: ThreadRef, message, context) => {
      const parts: PostedPart[] = [...context.alreadyPosted];
      const files = message.kind === 'reply' ? message.files : [];
      for (const partId of ['text-1', ...(files.length > 0 ? ['files-1'] : [])]) {
        if (parts.some((part) => part.partId === partId)) continue;
        await faults.beforePart(context.postId, partId, message);
        const isLost = (other: PlatformMessage): boolean =>
          other.postId === context.postId && other.partId === partId && !noted.has(other);
        const found = messages.find(isLost);
        const sent = found ?? {
          threadId: thread.threadId,
          postId: context.postId,
          partId,
          content: message,
          isRemoved: false,
        };
        if (found === undefined) messages.push(sent);
        const part = { partId, messageId: `m${messages.indexOf(sent)}` };
        await context.onPosted(part);
        noted.add(sent);
        parts.push(part);
      }
      return { parts, notPosted: [] };
    },
    edit: async (_thread, messageId, message) => {
      await faults.edit();
      const found = messages[Number(messageId.slice(1))];
      if (found === undefined) throw new Error(`there is no message ${messageId}`);
      found.content = message;
    },
    upload: () => Promise.resolve({ parts: [], notPosted: [] }),
    status: () => Promise.resolve(),
    async *download(attachment) {
      yield Buffer.from(faults.download(attachment));
    },
    history: (thread, options) => faults.history(thread, options),
  };

  return {
    client,
    messages,
    faults,
    replies: (taskId) =>
      messages.flatMap(({ content, partId }) =>
        content.kind === 'reply' && content.reply.taskId === taskId && partId === 'text-1' ? [content.reply] : [],
      ),
  };
}
