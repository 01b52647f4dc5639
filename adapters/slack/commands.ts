import { createHash } from 'node:crypto';
import { toAppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, OutgoingFile, PlatformClient, PostContext } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import type { Command } from '../command-words.ts';
import { codeBlock } from '../escape.ts';
import { codeFileName, codeText } from '../shown-code.ts';
import type { Rest } from './acknowledge.ts';

export interface Commands {
  /**
   * `id` is the message's: it is carried out and answered once. Resolves once it is carried out, to its answer; rejects where
   * that failed and is worth trying again.
   */
  run(command: Command, thread: ThreadRef, id: string, personId: string): Promise<Rest>;
}

/** Code up to this length is shown in the thread, longer code as a file. */
const shownCodeCharacters = 3000;
const postTimeoutMs = 60_000;
const rememberedCommands = 1000;

export function createCommands(deps: {
  readonly client: PlatformClient;
  readonly handlers: GatewayHandlers;
  /** In Markdown. */
  readonly help: string;
  readonly log: Logger;
}): Commands {
  const { client, handlers, log } = deps;
  /** Slack may deliver an event again; the newest ids are enough to notice. */
  const seen = new Set<string>();

  const say = (thread: ThreadRef, postId: string, text: string): Promise<unknown> =>
    client.post(thread, { kind: 'notice', text }, postContext(postId));

  const carryOut = async (
    command: Command,
    thread: ThreadRef,
    id: string,
    personId: string,
  ): Promise<() => Promise<unknown>> => {
    switch (command) {
      case 'stop': {
        const stopped = await handlers.onCancel(thread, personId);
        const text =
          stopped > 0
            ? 'Stopping.'
            : 'Nothing is running in this thread. To stop a question, write `stop` in the thread of that question.';
        return () => say(thread, `${id}-stop`, text);
      }
      case 'forget': {
        // Everybody in the thread would lose it.
        const count = await handlers.onForget({ thread, begunBy: personId });
        const text =
          count > 0
            ? 'Forgotten: I keep nothing of this thread. What is posted here stays in Slack.'
            : 'I forget a thread only for the person who asked first in it, and I keep none here that you began.';
        return () => say(thread, `${id}-forget`, text);
      }
      case 'help':
        return () => say(thread, `${id}-help`, deps.help);
      case 'show-code':
        break;
    }
    return () => showCode({ client, handlers }, thread, `${id}-code`);
  };

  return {
    run: async (command, thread, id, personId) => {
      if (seen.has(id)) return null;
      if (seen.size >= rememberedCommands) seen.clear();
      seen.add(id);
      try {
        const answer = await carryOut(command, thread, id, personId);
        return async () => {
          try {
            await answer();
          } catch (error) {
            log.error({ command, error: toAppError(error).message }, 'a command could not be answered');
          }
        };
      } catch (error) {
        seen.delete(id);
        throw error;
      }
    },
  };
}

function postContext(postId: string): PostContext {
  return {
    postId,
    alreadyPosted: [],
    // Another process may have answered the same event.
    isRepeat: true,
    onPosted: async () => {},
    signal: AbortSignal.timeout(postTimeoutMs),
  };
}

async function showCode(
  { client, handlers }: { readonly client: PlatformClient; readonly handlers: GatewayHandlers },
  thread: ThreadRef,
  postId: string,
): Promise<void> {
  const cells = await handlers.onShowCode(thread, null);
  const code = codeText(cells);
  if (cells.length === 0) {
    await client.post(thread, { kind: 'notice', text: 'No code ran in this thread yet.' }, postContext(postId));
  } else if (code.length <= shownCodeCharacters) {
    await client.post(thread, { kind: 'notice', text: codeBlock(code.trimEnd(), 'python') }, postContext(postId));
  } else {
    await postCodeFile(client, thread, code, postId);
  }
}

/** Code that is too long to be shown, as a file in the thread. */
export async function postCodeFile(
  client: PlatformClient,
  thread: ThreadRef,
  code: string,
  postId: string,
): Promise<void> {
  await client.upload(thread, [codeFile(code)], 'The code, as it ran.', postContext(postId));
}

function codeFile(code: string): OutgoingFile {
  const bytes = new TextEncoder().encode(code);
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
