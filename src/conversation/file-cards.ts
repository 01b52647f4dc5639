import type { SandboxSession } from '../ports/sandbox.ts';
import { cardMime } from '../types.ts';
import type { FileCard } from '../types.ts';

/** Longest a card may take. Past it the file is still in the sandbox, only undescribed. */
const cardTimeoutMs = 30_000;

/** The card of one file in the session's working directory, made there. Never rejects for a bad file: the card says it. */
export async function fileCard(
  session: Pick<SandboxSession, 'run'>,
  name: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<FileCard> {
  // A JSON string is a valid Python string: same quotes, same escapes.
  const code = `__import__("plotline").intake.show_card(${JSON.stringify(name)})`;
  const execution = await session.run(code, { timeoutMs: cardTimeoutMs, signal, onOutput: () => {} });
  signal.throwIfAborted();
  const card = execution.results.map((bundle) => bundle[cardMime]).find((value) => value !== undefined);
  if (card !== undefined) return card as unknown as FileCard;
  const limit =
    execution.status === 'timeout'
      ? `reading it took longer than ${cardTimeoutMs / 1000} s`
      : execution.error?.message.replace(/\.$/, '');
  return {
    file: name,
    ok: false,
    error: `This file could not be looked at before answering${limit === undefined ? '' : `: ${limit}`}.`,
    kind: 'other',
    size_bytes: sizeBytes,
    seconds: execution.durationMs / 1000,
    dialect: null,
    tables: [],
    rejected: [],
    rejected_count: 0,
    warnings: [],
  };
}
