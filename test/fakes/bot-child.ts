import { createLogger } from '../../src/log.ts';
import { readConfig } from '../../src/config.ts';
import { createBot } from '../../src/bot.ts';
import { parseStartArguments } from '../../src/start-arguments.ts';
import type {
  OutgoingMessage,
  PlatformClient,
  PlatformGateway,
  PostReceipt,
  PostedPart,
} from '../../src/ports/platforms.ts';
import type { Task, ThreadRef } from '../../src/types.ts';
import { createScriptedModel, pythonCall } from './scripted-model.ts';
import { createSleepingSandboxes } from './sleeping-sandboxes.ts';

/**
 * The whole bot as a process of its own, to be killed by a test. Its platform is the parent process, which outlives it, as a real
 * platform does; its store is a file. Its model runs the code behind `run:` in the question and then answers.
 */

/** What a message is on its way to the parent: files without the way to their bytes. */
export type SentMessage =
  | Exclude<OutgoingMessage, { kind: 'reply' }>
  | { readonly kind: 'reply'; readonly text: string };

export type FromBot =
  | { readonly kind: 'listening' }
  | { readonly kind: 'accepted'; readonly taskId: string }
  | {
      readonly kind: 'post';
      readonly call: number;
      readonly thread: ThreadRef;
      readonly message: SentMessage;
      readonly postId: string;
      readonly alreadyPosted: readonly PostedPart[];
      readonly isRepeat: boolean;
    }
  | { readonly kind: 'noted'; readonly partId: string; readonly postId: string }
  /** The answer to `cpu`: processor time of this process so far, and its resident memory. */
  | { readonly kind: 'cpu'; readonly cpuMs: number; readonly memoryBytes: number };

export type ToBot =
  | { readonly kind: 'task'; readonly task: Task }
  | { readonly kind: 'part'; readonly call: number; readonly part: PostedPart }
  | { readonly kind: 'cpu' };

const tell = (message: FromBot): void => {
  if (process.connected) process.send?.(message);
};

// The test is over, however it ended.
process.once('disconnect', () => process.exit(1));

const calls = new Map<number, (part: PostedPart) => void>();

const client: PlatformClient = {
  limits: { messageCharacters: 12_000, fileBytes: 1_000_000, filesPerMessage: 10, editIntervalMs: 50 },
  admit: (task) => Promise.resolve({ kind: 'admitted', task }),
  remove: () => Promise.resolve(),
  post: async (thread, message, { postId, alreadyPosted, isRepeat, onPosted }): Promise<PostReceipt> => {
    const call = calls.size + 1;
    const { promise, resolve } = Promise.withResolvers<PostedPart>();
    calls.set(call, resolve);
    const sent: SentMessage = message.kind === 'reply' ? { kind: 'reply', text: message.reply.text } : message;
    tell({ kind: 'post', call, thread, message: sent, postId, alreadyPosted, isRepeat });
    const part = await promise;
    await onPosted(part);
    tell({ kind: 'noted', partId: part.partId, postId });
    return { parts: [part], notPosted: [] };
  },
  edit: () => Promise.resolve(),
  upload: () => Promise.resolve({ parts: [], notPosted: [] }),
  status: () => Promise.resolve(),
  async *download() {
    yield Buffer.from('Month,Revenue\n2024-01-01,120\n2024-02-01,90\n');
  },
  history: () => Promise.resolve([]),
};

const gateway: PlatformGateway = {
  name: 'parent',
  isConnected: () => process.connected,
  start: (handlers) => {
    process.on('message', (message: ToBot) => {
      if (message.kind !== 'task') return;
      const { task } = message;
      // What could not be kept is not acknowledged: the platform brings it again.
      handlers.onTask(task).then(
        () => tell({ kind: 'accepted', taskId: task.id }),
        () => undefined,
      );
    });
    tell({ kind: 'listening' });
    return Promise.resolve();
  },
  stop: () => Promise.resolve(),
};

const model = createScriptedModel([], ({ messages }) => {
  const last = messages.at(-1);
  const code = last?.role === 'user' ? /run: (.*)$/m.exec(last.text)?.[1] : undefined;
  return code === undefined ? { text: 'The answer.' } : { calls: [pythonCall(code)] };
});

process.on('message', (message: ToBot) => {
  if (message.kind === 'part') calls.get(message.call)?.(message.part);
  if (message.kind === 'cpu') {
    const { user, system } = process.cpuUsage();
    tell({ kind: 'cpu', cpuMs: (user + system) / 1000, memoryBytes: process.memoryUsage.rss() });
  }
});

const { role } = parseStartArguments(process.argv.slice(2));
const log = createLogger(process.env['LOG_LEVEL'] ?? 'silent');
const sleepMs = process.env['SLEEPING_SANDBOX_MS'];
const bot = await createBot(readConfig(process.env, role), new Map([['parent', { gateway, client }]]), log, {
  role,
  model,
  ...(sleepMs === undefined ? {} : { sandboxes: createSleepingSandboxes(Number(sleepMs)) }),
});
process.once('SIGTERM', () => {
  void bot.close({ graceMs: Number(process.env['GRACE_MS'] ?? 0) }).then(() => process.exit(0));
});
await bot.start();
// A worker hears nothing that would say so.
if (role === 'worker') tell({ kind: 'listening' });
