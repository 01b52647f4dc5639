import type { Logger } from '../../src/log.ts';
import { toAppError } from '../../src/errors.ts';
import type { GatewayHandlers, OutgoingFile, PlatformClient, PostContext } from '../../src/ports.ts';
import type { ThreadRef } from '../../src/types.ts';
import type { Command } from '../command-words.ts';
import { codeBlock } from '../escape.ts';
import { codeFileName, codeOf } from '../shown-code.ts';
import { createHash } from 'node:crypto';

export interface Commands {
  /** `id` is the message's: the answer to it is posted once. */
  run(command: Command, thread: ThreadRef, id: string, personId: string): Promise<void>;
}

/** Code up to this length is shown in the thread, longer code as a file. */
const shownCodeCharacters = 3000;
const postTimeoutMs = 60_000;
const rememberedCommands = 1000;

export function createCommands(deps: {
  readonly client: PlatformClient;
  readonly handlers: GatewayHandlers;
  readonly log: Logger;
}): Commands {
  const { client, handlers, log } = deps;
  /** Slack may deliver an event again; the newest ids are enough to notice. */
  const seen = new Set<string>();

  const contextOf = (postId: string): PostContext => ({
    postId,
    alreadyPosted: [],
    onPosted: async () => {},
    signal: AbortSignal.timeout(postTimeoutMs),
  });

  const stop = async (thread: ThreadRef, id: string, personId: string): Promise<void> => {
    const stopped = await handlers.onCancel(thread, personId);
    const text =
      stopped > 0
        ? 'Stopping.'
        : 'Nothing is running in this thread. To stop a question, write `stop` in the thread of that question.';
    await client.post(thread, { kind: 'notice', text }, contextOf(`${id}-stop`));
  };

  const showCode = async (thread: ThreadRef, id: string): Promise<void> => {
    const cells = await handlers.onShowCode(thread, null);
    const code = codeOf(cells);
    const context = contextOf(`${id}-code`);
    if (cells.length === 0) {
      await client.post(thread, { kind: 'notice', text: 'No code ran in this thread yet.' }, context);
    } else if (code.length <= shownCodeCharacters) {
      await client.post(thread, { kind: 'notice', text: codeBlock(code, 'python') }, context);
    } else {
      await client.upload(thread, [codeFile(code)], 'The code, as it ran.', context);
    }
  };

  return {
    run: async (command, thread, id, personId) => {
      if (seen.has(id)) return;
      if (seen.size >= rememberedCommands) seen.clear();
      seen.add(id);
      try {
        await (command === 'stop' ? stop(thread, id, personId) : showCode(thread, id));
      } catch (error) {
        log.error({ command, error: toAppError(error).message }, 'a command could not be answered');
      }
    },
  };
}

function codeFile(code: string): OutgoingFile {
  const bytes = new TextEncoder().encode(`${code}\n`);
  return {
    file: {
      name: codeFileName,
      mimeType: 'text/x-python',
      sizeBytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
    open: async function* () {
      yield bytes;
    },
  };
}
