import { AppError } from '../errors.ts';
import type { Blobs, SandboxSession, Store, ThreadFile } from '../ports.ts';
import type { Cell, Execution, ThreadKey } from '../types.ts';
import { toCellRecord } from './cell-record.ts';

type Fill = (
  session: SandboxSession,
  threadKey: ThreadKey,
  /** `name sha256` of the attachments the session holds; what is written is added. */
  written: Set<string>,
  signal: AbortSignal,
) => Promise<readonly string[]>;

/** How a thread's state comes into a session. Each resolves to notices: one sentence for each thing that did not come back. */
export interface Rebuild {
  /** Attachments that the session does not hold yet. One that does not fit is named, once, and does not keep the others out. */
  readonly writeAttachments: Fill;
  /** Attachments, replayed cells, files of cells that cannot be replayed. Leaves a dead session where a cell ends the container. */
  readonly everything: Fill;
  /** Attachments and the files that cells made, without running anything. */
  readonly filesOnly: Fill;
  /** What the person is told beside `filesOnly`. */
  readonly nothingReplayed: string;
}

export function createRebuild(deps: {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly cellTimeoutMs: number;
}): Rebuild {
  const { store, blobs } = deps;

  const write = async (session: SandboxSession, file: ThreadFile, signal: AbortSignal): Promise<string | null> => {
    try {
      await session.write(file.name, blobs.get(file.sha256), signal);
      return null;
    } catch (error) {
      if (signal.aborted || !session.alive || !(error instanceof AppError) || error.retryable) throw error;
      return `\`${file.name}\` is missing in the sandbox: ${error.userMessage}`;
    }
  };

  const writeAttachments: Fill = async (session, threadKey, written, signal) => {
    const notices: string[] = [];
    for (const file of await store.files(threadKey)) {
      const identity = `${file.name} ${file.sha256}`;
      if (file.origin !== 'attachment' || written.has(identity)) continue;
      const notice = await write(session, file, signal);
      if (notice !== null) notices.push(notice);
      written.add(identity);
    }
    return notices;
  };

  const replay = async (
    session: SandboxSession,
    cells: readonly Cell[],
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const notices: string[] = [];
    for (const cell of cells.filter(isReplayable)) {
      const replayed = await session.run(cell.source, { timeoutMs: deps.cellTimeoutMs, signal, onOutput: () => {} });
      signal.throwIfAborted();
      if (!session.alive) break;
      const difference = differenceOf(cell, replayed);
      if (difference !== null) notices.push(difference);
    }
    return notices;
  };

  /** Files that cells made and that are not there: a cell that was killed is not run again, but what it had written stays. */
  const writeOutputs = async (
    session: SandboxSession,
    threadKey: ThreadKey,
    cells: readonly Cell[],
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    // Files of an attempt whose cells were dropped are not part of the thread.
    const tasks = new Set(cells.map(({ taskId }) => taskId));
    const outputs = (await store.files(threadKey)).filter((file) => file.origin === 'output' && tasks.has(file.taskId));
    if (outputs.length === 0) return [];
    const present = new Set((await session.list('')).map(({ path }) => path));
    const notices: string[] = [];
    for (const file of outputs.filter(({ name }) => !present.has(name))) {
      const notice = await write(session, file, signal);
      if (notice !== null) notices.push(notice);
    }
    return notices;
  };

  return {
    writeAttachments,

    everything: async (session, threadKey, written, signal) => {
      const missing = await writeAttachments(session, threadKey, written, signal);
      const cells = await store.cells(threadKey);
      const changed = await replay(session, cells, signal);
      const lost = session.alive ? await writeOutputs(session, threadKey, cells, signal) : [];
      return [...missing, ...changed, ...lost];
    },

    filesOnly: async (session, threadKey, written, signal) => [
      ...(await writeAttachments(session, threadKey, written, signal)),
      ...(await writeOutputs(session, threadKey, await store.cells(threadKey), signal)),
    ],

    nothingReplayed:
      'This thread was rebuilt in a fresh sandbox that ended while the earlier steps were run again; its files are there, its variables are not.',
  };
}

/** A cell that was killed has no end state to come back to; one that raised has: everything up to its error. */
function isReplayable(cell: Cell): boolean {
  return cell.execution.status === 'ok' || cell.execution.status === 'error';
}

function differenceOf(cell: Cell, replayed: Execution): string | null {
  const step = `step ${cell.index + 1} (“${cell.title}”)`;
  if (replayed.status !== cell.execution.status) {
    const reason = replayed.error === null ? '' : `: ${replayed.error.name}`;
    return `This thread was rebuilt in a fresh sandbox; ${step} did not run there as it did before${reason}.`;
  }
  if (toCellRecord(replayed).stdout !== cell.execution.stdout) {
    return `This thread was rebuilt in a fresh sandbox; ${step} printed something else than before.`;
  }
  return null;
}
