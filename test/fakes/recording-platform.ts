import { createHash } from 'node:crypto';
import type { GatewayHandlers, OutgoingMessage, PlatformClient, PlatformGateway } from '../../src/ports/platforms.ts';
import type { Reply, StoredFile, Task, ThreadRef } from '../../src/types.ts';

export interface RecordedPost {
  readonly threadId: string;
  readonly postId: string;
  readonly message: OutgoingMessage;
  /** Bytes of a reply's files, in the order of its artifacts. */
  readonly files: readonly { readonly file: StoredFile; readonly bytes: Buffer }[];
}

export interface IncomingFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the platform claims; defaults to the truth. */
  readonly claimedBytes?: number;
}

/** A platform in this process: people's messages are function calls, and every post is kept. */
export interface RecordingPlatform {
  readonly gateway: PlatformGateway;
  readonly client: PlatformClient;
  readonly posts: RecordedPost[];
  /** Names of attachments whose bytes were asked for. */
  readonly downloads: string[];
  /** Posts a question; resolves once it is accepted, to its task id. */
  say(threadId: string, text: string, files?: readonly IncomingFile[]): Promise<string>;
  /** Posts a question and waits for its reply. */
  ask(
    threadId: string,
    text: string,
    files?: readonly IncomingFile[],
  ): Promise<RecordedPost & { readonly reply: Reply }>;
  replies(threadId: string): readonly Reply[];
  stop(threadId: string): Promise<number>;
  forget(threadId: string): Promise<number>;
  /** Called when the first byte of a reply's first chart was read for posting. */
  onChartBytes: (() => void) | null;
}

export function createRecordingPlatform(): RecordingPlatform {
  const posts: RecordedPost[] = [];
  const downloads: string[] = [];
  const uploads = new Map<string, Uint8Array>();
  const waiting = new Map<string, (post: RecordedPost) => void>();
  let handlers: GatewayHandlers | null = null;
  let counter = 0;

  const threadOf = (threadId: string): ThreadRef => ({
    platform: 'recording',
    workspaceId: 'w',
    channelId: 'c',
    threadId,
  });
  const connected = (): GatewayHandlers => {
    if (handlers === null) throw new Error('the bot has not started this platform');
    return handlers;
  };

  const client: PlatformClient = {
    limits: { messageCharacters: 12_000, fileBytes: 100 * 1024 * 1024, filesPerMessage: 10, editIntervalMs: 5 },
    admit: (task) => Promise.resolve({ kind: 'admitted', task }),
    remove: () => Promise.resolve(),
    post: async (thread, message, context) => {
      const files: { file: StoredFile; bytes: Buffer }[] = [];
      if (message.kind === 'reply') {
        for (const { file, open } of message.files) {
          const chunks: Uint8Array[] = [];
          for await (const chunk of open()) {
            if (chunks.length === 0 && file.mimeType === 'image/png') platform.onChartBytes?.();
            chunks.push(chunk);
          }
          files.push({ file, bytes: Buffer.concat(chunks) });
        }
      }
      const post = { threadId: thread.threadId, postId: context.postId, message, files };
      posts.push(post);
      const part = { partId: 'text-1', messageId: `m${posts.length}` };
      await context.onPosted(part);
      if (message.kind === 'reply') waiting.get(message.reply.taskId)?.(post);
      return { parts: [part], notPosted: [] };
    },
    edit: () => Promise.resolve(),
    upload: () => Promise.resolve({ parts: [], notPosted: [] }),
    status: () => Promise.resolve(),
    async *download(attachment) {
      downloads.push(attachment.name);
      const bytes = uploads.get(attachment.id);
      if (bytes === undefined) throw new Error(`no such upload: ${attachment.id}`);
      yield bytes;
    },
    history: () => Promise.resolve([]),
  };

  const platform: RecordingPlatform = {
    gateway: {
      name: 'recording',
      isConnected: () => handlers !== null,
      start: (given) => {
        handlers = given;
        return Promise.resolve();
      },
      stop: () => Promise.resolve(),
    },
    client,
    posts,
    downloads,
    onChartBytes: null,
    say: async (threadId, text, files = []) => {
      const task = toTask(threadOf(threadId), (counter += 1), text, files, uploads);
      await connected().onTask(task);
      return task.id;
    },
    ask: async (threadId, text, files = []) => {
      const task = toTask(threadOf(threadId), (counter += 1), text, files, uploads);
      const answered = new Promise<RecordedPost>((resolve) => waiting.set(task.id, resolve));
      await connected().onTask(task);
      const post = await answered;
      if (post.message.kind !== 'reply') throw new Error('not a reply');
      return { ...post, reply: post.message.reply };
    },
    replies: (threadId) =>
      posts.flatMap((post) =>
        post.threadId === threadId && post.message.kind === 'reply' ? [post.message.reply] : [],
      ),
    stop: (threadId) => connected().onCancel(threadOf(threadId), 'person'),
    forget: (threadId) => connected().onForget({ thread: threadOf(threadId), by: 'person' }),
  };
  return platform;
}

function toTask(
  thread: ThreadRef,
  number: number,
  text: string,
  files: readonly IncomingFile[],
  uploads: Map<string, Uint8Array>,
): Task {
  const attachments = files.map(({ name, bytes, claimedBytes }, index) => {
    const id = `${number}-${index}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`;
    uploads.set(id, bytes);
    return { id, name, mimeType: 'application/octet-stream', sizeBytes: claimedBytes ?? bytes.length, source: { id } };
  });
  return {
    id: `recording-${thread.threadId}-${number}`,
    thread,
    messageId: `q${number}`,
    person: { id: 'person', displayName: 'Ada' },
    text,
    attachments,
    receivedAtMs: Date.now(),
  };
}
