import { AppError } from '../errors.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { SandboxSession } from '../ports/sandbox.ts';
import type { Store, ThreadFile } from '../ports/store.ts';
import type { Cell, ThreadKey } from '../types.ts';
import { differenceWords } from './replay-comparison.ts';
import { replayCells, stoppedCells } from './replay.ts';
import type { ReplayedCell } from './replay.ts';

/** Steps that are described in a sentence of their own; further ones are only counted. */
const describedSteps = 3;

const words = new Intl.ListFormat('en-GB');

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

  const writeFiles = async (
    session: SandboxSession,
    files: readonly ThreadFile[],
    written: Set<string>,
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const notices: string[] = [];
    for (const file of files) {
      const identity = `${file.name} ${file.sha256}`;
      if (written.has(identity)) continue;
      const notice = await writeFile(session, file, blobs, signal);
      if (notice !== null) notices.push(notice);
      written.add(identity);
    }
    return notices;
  };

  const writeAttachments: Fill = async (session, threadKey, written, signal) =>
    writeFiles(session, (await store.files(threadKey)).filter(isAttachment), written, signal);

  /** Each task's cells find the attachments that were there when they ran: code may have listed the folder. */
  const replay = async (
    ...[session, threadKey, written, signal]: Parameters<Fill>
  ): Promise<{ readonly notices: readonly string[]; readonly made: ReadonlySet<string> }> => {
    const cells = await store.cells(threadKey);
    const files = (await store.files(threadKey)).filter((file) => isAttachment(file) || isSavedBesideCells(file));
    const order = new Map((await store.tasks(threadKey)).map(({ task }, index) => [task.id, index]));
    const placeOf = ({ taskId }: { readonly taskId: string }): number => order.get(taskId) ?? -1;
    const notices: string[] = [];
    const different: ReplayedCell[] = [];
    const made = new Set<string>();
    const options = { blobs, cellTimeoutMs: deps.cellTimeoutMs, followsKills: true, signal };
    for (const [taskId, ofTask] of Map.groupBy(cells, (cell) => cell.taskId)) {
      const known = files.filter((file) => placeOf(file) <= placeOf({ taskId }));
      notices.push(...(await writeFiles(session, known, written, signal)));
      for await (const replayed of replayCells(session, ofTask, options)) {
        if (replayed.differences.length > 0) different.push(replayed);
        for (const { path } of replayed.replayed?.files ?? []) made.add(path);
      }
      if (!session.alive) return { notices: [], made };
    }
    return { notices: [...notices, ...differenceNotices(different), ...stoppedNotices(stoppedCells(cells))], made };
  };

  /** Files that cells made and that are not there, but for those in `removed`: they were there, and a later cell removed them. */
  const writeOutputs = async (
    session: SandboxSession,
    threadKey: ThreadKey,
    removed: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    // Files of an attempt whose cells were dropped are not part of the thread: no cell of it names them.
    const recorded = (await store.cells(threadKey)).flatMap(({ execution }) => execution.files);
    const named = new Set(recorded.map(({ path, sha256 }) => `${path} ${sha256}`));
    const outputs = (await store.files(threadKey)).filter(
      (file) => file.origin === 'output' && (named.has(`${file.name} ${file.sha256}`) || isSavedBesideCells(file)),
    );
    if (outputs.length === 0) return [];
    const present = new Set((await session.list('')).map(({ path }) => path));
    const notices: string[] = [];
    for (const file of outputs.filter(({ name }) => !present.has(name) && !removed.has(name))) {
      const notice = await writeFile(session, file, blobs, signal);
      if (notice !== null) notices.push(notice);
    }
    return notices;
  };

  return {
    writeAttachments,

    everything: async (session, threadKey, written, signal) => {
      const { notices, made } = await replay(session, threadKey, written, signal);
      if (!session.alive) return notices;
      const missing = await writeAttachments(session, threadKey, written, signal);
      return [...notices, ...missing, ...(await writeOutputs(session, threadKey, made, signal))];
    },

    filesOnly: async (session, threadKey, written, signal) => [
      ...(await writeAttachments(session, threadKey, written, signal)),
      ...(await writeOutputs(session, threadKey, new Set(), signal)),
    ],

    nothingReplayed:
      'This thread was rebuilt in a fresh sandbox that ended while the earlier steps were run again; its files are there, its variables are not.',
  };
}

/** Resolves to the notice where it does not fit or is no longer kept; rejects where the session is gone. */
export async function writeFile(
  session: SandboxSession,
  { name, sha256 }: Pick<ThreadFile, 'name' | 'sha256'>,
  blobs: Blobs,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    await session.write(name, blobs.get(sha256), signal);
    return null;
  } catch (error) {
    if (signal.aborted || !session.alive || !(error instanceof AppError) || error.retryable) throw error;
    return `\`${name}\` is missing in the sandbox: ${error.userMessage}`;
  }
}

function isAttachment({ origin }: ThreadFile): boolean {
  return origin === 'attachment';
}

/** Long output that was kept for the model to read: no cell makes it again. */
export function isSavedBesideCells({ origin, name }: ThreadFile): boolean {
  return origin === 'output' && name.startsWith('.');
}

function stoppedNotices(stopped: readonly Cell[]): readonly string[] {
  const [first] = stopped;
  if (first === undefined) return [];
  if (stopped.length === 1) {
    const step = `Step ${first.index + 1} (“${first.title}”)`;
    return [`${step} was stopped before its end and was not run again; what it had set is gone.`];
  }
  const steps = words.format(stopped.map(({ index }) => String(index + 1)));
  return [`Steps ${steps} were stopped before their end and were not run again; what they had set is gone.`];
}

function differenceNotices(different: readonly ReplayedCell[]): readonly string[] {
  const sentences = different.slice(0, describedSteps).map(({ cell, differences }) => {
    const step = `step ${cell.index + 1} (“${cell.title}”)`;
    return `This thread was rebuilt in a fresh sandbox; ${step} ${differenceWords(differences)}.`;
  });
  const others = different.slice(describedSteps).map(({ cell }) => String(cell.index + 1));
  if (others.length === 0) return sentences;
  const steps = others.length === 1 ? `step ${others[0]} differs` : `steps ${words.format(others)} differ`;
  return [...sentences, `Also ${steps} from the first run.`];
}
