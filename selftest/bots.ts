import { createLogger } from '../src/log.ts';
import type { Model, ModelRequest } from '../src/ports/model.ts';
import type { OutgoingMessage } from '../src/ports/platforms.ts';
import type { SandboxProvider } from '../src/ports/sandbox.ts';
import { createSqliteStore } from '../src/store/sqlite-store.ts';
import { createCore } from '../test/fakes/core.ts';
import { createMemoryBlobs } from '../test/fakes/memory-blobs.ts';
import { createRecordingPlatform } from '../test/fakes/recording-platform.ts';
import type { RecordedPost, RecordingPlatform } from '../test/fakes/recording-platform.ts';
import { startTestBot } from '../test/fakes/test-bot.ts';
import type { TestBot } from '../test/fakes/test-bot.ts';
import type { Stage } from './attack.ts';

/** The whole bot with containers of its own on the attack's runtime. */
export function startBot(stage: Stage, model: Model): Promise<TestBot> {
  const env = {
    SANDBOX_RUNTIME: stage.runtime,
    SANDBOX_IMAGE: stage.image,
    SANDBOX_POOL_SIZE: '0',
    SANDBOX_MAX: '3',
    LOG_LEVEL: 'silent',
  };
  return startTestBot(env, model);
}

/** The conversation and its worker in sandboxes that attacks lend each other: for what looks at words only. */
export async function startConversation(
  stage: Stage,
  model: Model,
): Promise<AsyncDisposable & { readonly platform: RecordingPlatform }> {
  const platform = createRecordingPlatform();
  const store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
  const core = createCore({
    store,
    blobs: createMemoryBlobs(),
    client: platform.client,
    provider: lent(stage),
    model,
    cellTimeoutMs: 20_000,
    fileBytes: 4 * 1024 * 1024,
    attachmentBytes: 1024 * 1024,
  });
  await platform.gateway.start(core.handlers);
  await core.start();
  return {
    platform,
    [Symbol.asyncDispose]: async () => {
      await core.dispatcher.close({ graceMs: 1000 });
      await core.sessions[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** The stage takes its sandboxes back itself. */
function lent(stage: Stage): SandboxProvider {
  const leave = (): Promise<void> => Promise.resolve();
  return {
    acquire: async () => {
      const session = await stage.borrowed();
      return {
        ...session,
        get alive() {
          return session.alive;
        },
        [Symbol.asyncDispose]: leave,
      };
    },
    sweep: () => Promise.resolve(0),
    [Symbol.asyncDispose]: leave,
  };
}

/** What was recorded, as it can be posted again elsewhere. */
export function messagesOf(posts: readonly RecordedPost[]): readonly OutgoingMessage[] {
  return posts.map(({ message, files }) =>
    message.kind !== 'reply'
      ? message
      : { ...message, files: files.map(({ file, bytes }) => ({ file, open: () => once(bytes) })) },
  );
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}

/**
 * Where text of a file got among what the model reads. It may be in tool results, and between the two marker lines of file
 * cards, of which a message has one pair at its end; everything else speaks with the bot's or the person's voice.
 */
export function outOfPlace(requests: readonly ModelRequest[], mark: string): readonly string[] {
  const found = requests.flatMap((request) => {
    const tools = request.tools.map(({ name }) => name).join();
    return [
      ...(request.instructions.includes(mark) ? ['in the instructions'] : []),
      ...(JSON.stringify(request.tools).includes(mark) ? ['in a tool'] : []),
      ...(tools === 'run_python' ? [] : [`other tools: ${tools}`]),
      ...request.messages.flatMap((message) => {
        if (message.role === 'tool') return [];
        if (message.role === 'assistant') return message.text.includes(mark) ? ['in the assistant’s words'] : [];
        const [outside = '', ...blocks] = message.text.split('\n<file_cards>\n');
        const ends = message.text.split('</file_cards>').length - 1;
        if (blocks.length > 1 || ends !== blocks.length)
          return ['the block of file cards was opened or closed by a file'];
        const after = blocks[0]?.split('\n</file_cards>')[1] ?? '';
        return `${outside}${after}`.includes(mark) ? ['beside the file cards'] : [];
      }),
    ];
  });
  return [...new Set(found)];
}
