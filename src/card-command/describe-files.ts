import type { SandboxSession } from '../ports/sandbox.ts';
import { failedLine } from './card-line.ts';
import type { CardLine } from './card-line.ts';
import { describeBatch } from './describe-batch.ts';
import type { BatchDeps } from './describe-batch.ts';
import { batchesOf } from './files.ts';
import type { CardFile, NumberedFile } from './files.ts';

export interface DescribeDeps extends BatchDeps {
  /** A fresh sandbox: the first, and another one only where the last was lost. */
  acquire(): Promise<SandboxSession>;
  /** Each card once, in the order of the files, as soon as its batch is done. */
  onCard(card: CardLine): Promise<void>;
}

/**
 * The cards of all files, made in one sandbox. A file that takes Python with it is looked at once more, alone, and then said in
 * words; the others do not suffer for it. Resolves to whether every file could be read. Rejects where there is no sandbox, where
 * the cells cannot be written, and on an abort.
 */
export async function describeFiles(files: readonly CardFile[], deps: DescribeDeps): Promise<boolean> {
  let session: SandboxSession | null = null;
  let isWhole = true;

  const sandbox = async (): Promise<SandboxSession> => {
    if (session?.alive !== true) {
      await session?.[Symbol.asyncDispose]();
      session = await deps.acquire();
    }
    return session;
  };

  const tell = async (card: CardLine): Promise<void> => {
    isWhole &&= card.ok;
    await deps.onCard(card);
  };

  const describe = async (batch: readonly NumberedFile[]): Promise<void> => {
    const toSend = batch.filter(({ problem }) => problem === null);
    const found = toSend.length === 0 ? null : await describeBatch(await sandbox(), toSend, deps);
    for (const [index, file] of batch.entries()) {
      const card =
        file.problem === null ? found?.cards.get(file) : failedLine(file.given, file.problem, file.sizeBytes, 0);
      if (card !== undefined) {
        await tell(card);
        continue;
      }
      if (found === null) throw new Error('a batch without files to send has cards for all');
      if (toSend.length === 1) await tell(failedLine(file.given, found.why, file.sizeBytes, found.seconds));
      // Nobody can say whose fault the loss of a sandbox was, so it is looked for by halves.
      else if (found.isLost) return describeAll(halves(batch.slice(index)));
      else await describe([file]);
    }
  };

  const describeAll = async (batches: readonly (readonly NumberedFile[])[]): Promise<void> => {
    for (const batch of batches) if (batch.length > 0) await describe(batch);
  };

  try {
    await describeAll(batchesOf(files.map((file, index) => ({ ...file, number: index + 1 }))));
    return isWhole;
  } finally {
    await (session as SandboxSession | null)?.[Symbol.asyncDispose]();
  }
}

function halves<T>(items: readonly T[]): readonly (readonly T[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
