import { fileCard } from '../src/conversation/file-cards.ts';
import type { SandboxSession } from '../src/ports/sandbox.ts';
import type { FileCard } from '../src/types.ts';
import type { Stage } from './attack.ts';

/** What the bot came to know of a file, and what it cost. */
export interface Looked {
  readonly card: FileCard;
  readonly seconds: number;
  readonly botGrowthBytes: number;
  /** Whether a cell after it works, where the sandbox ended in a new one. */
  readonly goesOn: boolean;
}

export async function put(
  session: SandboxSession,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const source = async function* (): AsyncIterable<Uint8Array> {
    yield bytes;
  };
  await session.write(name, source(), signal);
}

/** As the bot does with an attachment: the bytes go into the sandbox, and a card comes out. */
export async function lookAt(stage: Stage, session: SandboxSession, name: string, bytes: Uint8Array): Promise<Looked> {
  const before = stage.host.botMemoryBytes();
  const startedAt = performance.now();
  await put(session, name, bytes, stage.signal);
  const card = await fileCard(session, name, bytes.length, stage.signal);
  const seconds = (performance.now() - startedAt) / 1000;
  const botGrowthBytes = stage.host.botMemoryBytes() - before;
  // Under gVisor memory that runs out ends the whole sandbox; then the bot goes on in a new one.
  const next = session.alive ? session : await stage.borrowed();
  const after = await stage.run(next, "print('on')");
  return { card, seconds, botGrowthBytes, goesOn: after.stdout === 'on\n' };
}

/** Everything a person could read in it, as one text. */
export function words(card: FileCard): string {
  return [card.error ?? '', ...card.warnings.map(({ message }) => message)].join(' ').trim();
}
