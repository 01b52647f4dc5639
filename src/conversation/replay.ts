import type { Blobs } from '../ports/blobs.ts';
import type { SandboxSession } from '../ports/sandbox.ts';
import type { Cell, Execution } from '../types.ts';
import { compareExecutions } from './replay-comparison.ts';
import type { Difference } from './replay-comparison.ts';
import { sameFile } from './same-file.ts';
import { endedBetweenCells } from './task-sandbox.ts';

/** Ends the Python process as it stands; the next cell gets a fresh one. */
export const endPython = 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)';

/** A cell of the store and what it gave when it was run again. */
export interface ReplayedCell {
  readonly cell: Cell;
  /** `null`: it was not run, because it was killed and has no end state to come back to. */
  readonly replayed: Execution | null;
  /** Empty: it gave the same, as far as that was recorded. */
  readonly differences: readonly Difference[];
}

/**
 * Runs a thread's cells again in their order, with their seeds and clocks, in a session that holds the thread's attachments.
 * A cell that was killed is not run; with `followsKills`, the files that it had written are put where it stood, and where the
 * thread lost its Python process, it is lost again: later cells find what they found then. Ends early when the session dies: then
 * the last one yielded is the cell that ended it. Rejects when `signal` aborts.
 */
export async function* replayCells(
  session: SandboxSession,
  cells: readonly Cell[],
  deps: {
    readonly blobs: Blobs;
    readonly cellTimeoutMs: number;
    readonly followsKills: boolean;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<ReplayedCell> {
  const { blobs, cellTimeoutMs, signal } = deps;
  const endIfEnded = async (ended: boolean): Promise<void> => {
    if (!ended || !deps.followsKills) return;
    await session.run(endPython, { timeoutMs: cellTimeoutMs, signal, onOutput: () => {} });
    signal.throwIfAborted();
  };
  for (const cell of cells) {
    await endIfEnded(endedBetweenCells.test(cell.execution.stderr));
    if (!isReplayable(cell)) {
      if (deps.followsKills) await writeItsFiles(session, cell, blobs, signal);
      await endIfEnded(cell.execution.stateKept === false);
      yield { cell, replayed: null, differences: [] };
      if (!session.alive) return;
      continue;
    }
    const replayed = await session.run(cell.source, {
      timeoutMs: cellTimeoutMs,
      ...(cell.seed === null ? {} : { seed: cell.seed }),
      ...(isClockKnown(cell) ? { clockMs: cell.startedAtMs } : {}),
      signal,
      onOutput: () => {},
    });
    signal.throwIfAborted();
    const durationMs = cell.execution.durationMs + replayed.durationMs;
    const differences = await compareExecutions(cell, replayed, blobs, (now, before) =>
      sameFile(session, now, before, { blobs, durationMs, signal }),
    );
    yield { cell, replayed, differences };
    if (!session.alive) return;
  }
}

/** A cell that was killed has no end state to come back to; one that raised has: everything up to its error. */
export function isReplayable({ execution: { status, stateKept } }: Cell): boolean {
  return (status === 'ok' || status === 'error') && stateKept === true;
}

/** Cells that were stopped while Python lived on, so that later ones found what they had set: a replay has nothing of it. */
export function stoppedCells(cells: readonly Cell[]): readonly Cell[] {
  const lastLoss = cells.findLastIndex(
    ({ execution }) => execution.stateKept !== true || endedBetweenCells.test(execution.stderr),
  );
  // One that was stopped before it began took no time and set nothing.
  return cells.filter((cell, index) => index >= lastLoss && !isReplayable(cell) && wasStopped(cell));
}

function wasStopped({ execution: { stateKept, durationMs } }: Cell): boolean {
  return stateKept === true && durationMs > 0;
}

/** Cells of before clocks and results were recorded have 0 here. */
export function isClockKnown(cell: Cell): boolean {
  return cell.startedAtMs > 0;
}

/** What is gone or does not fit stays out: the cells that need it say so themselves. */
async function writeItsFiles(session: SandboxSession, cell: Cell, blobs: Blobs, signal: AbortSignal): Promise<void> {
  for (const { path, sha256 } of cell.execution.files) {
    if (path.includes('/')) continue;
    try {
      await session.write(path, blobs.get(sha256), signal);
    } catch (error) {
      if (signal.aborted || !session.alive) throw error;
    }
  }
}
