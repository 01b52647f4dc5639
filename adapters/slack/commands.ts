import type { Logger } from '../../src/log.ts';
import { toAppError } from '../../src/errors.ts';
import type { GatewayHandlers, OutgoingFile, PlatformClient, PostContext } from '../../src/ports.ts';
import type { Cell, ThreadRef } from '../../src/types.ts';
import { codeBlock } from '../escape.ts';
import { oneLine } from '../format.ts';
import { createHash } from 'node:crypto';

/** Words that are an order to the bot instead of a question, when they are all of the message. */
export type Command = 'stop' | 'show-code';

export function commandIn(text: string): Command | null {
  const word = text
    .toLowerCase()
    .replace(/[\s.!?]+/g, ' ')
    .trim();
  if (/^(?:please )?(?:stop|cancel|abort)(?: please)?$/.test(word)) return 'stop';
  if (/^(?:please )?(?:show )?(?:me )?(?:the |your )?code(?: please)?$/.test(word)) return 'show-code';
  return null;
}

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
    const code = cells.map(cellText).join('\n\n');
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

function cellText(cell: Cell): string {
  const { status } = cell.execution;
  const note = status === 'ok' ? '' : ` (${status})`;
  return `# ${cell.index + 1}. ${oneLine(cell.title)}${note}\n${cell.source.trimEnd()}`;
}

function codeFile(code: string): OutgoingFile {
  const bytes = new TextEncoder().encode(`${code}\n`);
  return {
    file: {
      name: 'code.py',
      mimeType: 'text/x-python',
      sizeBytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
    open: async function* () {
      yield bytes;
    },
  };
}
