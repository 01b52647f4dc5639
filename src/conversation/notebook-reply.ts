import type { CollectLimits } from '../answer/collect.ts';
import { fileNameFor } from '../answer/file-names.ts';
import { fitArtifacts } from '../answer/fit.ts';
import { codeSpan } from '../answer/notebook/markdown.ts';
import { renderNotebook } from '../answer/notebook/notebook.ts';
import type { SetUp } from '../answer/notebook/set-up-code.ts';
import type { ProgressReporter } from '../answer/progress.ts';
import type { Logger } from '../log.ts';
import type { Blobs, Bytes } from '../ports/blobs.ts';
import type { PlatformClient } from '../ports/platforms.ts';
import type { Store, ThreadFile } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Artifact, Cell, Reply, Task } from '../types.ts';
import { notebookQuestions } from './notebook-questions.ts';
import { rerunThread } from './notebook-rerun.ts';
import type { Rerun, RerunDeps } from './notebook-rerun.ts';
import { wholeOf } from './notebook-steps.ts';
import { isSavedBesideCells } from './rebuild.ts';
import { isReplayable } from './replay.ts';

/** Outputs of one notebook, in bytes: larger files open slowly everywhere. */
const maxOutputBytes = 24 * 1024 * 1024;

/** Saved output that the set-up cell brings along, in bytes: code of a size that editors still open well. */
const maxTextBytes = 1024 * 1024;

/** Of the largest file that can be posted, what outputs may take; the rest is for code, texts and the loader. */
const outputShare = 0.75;

export interface NotebookDeps extends RerunDeps {
  readonly store: Store;
  readonly collect: CollectLimits;
  /** For the notebook's first cell: `0.1.0`, `plotline-sandbox:latest`. */
  readonly about: { readonly version: string; readonly imageName: string };
  readonly log: Logger;
}

/**
 * The thread as a notebook that was run again from top to bottom in a fresh container, apart from the thread's own, and says what
 * came of it. No model is asked and no turn is kept. Rejects with an `AppError` where no container is to be had.
 */
export async function notebookReply(
  task: Task,
  client: PlatformClient,
  progress: ProgressReporter,
  deps: NotebookDeps,
  signal: AbortSignal,
): Promise<Reply> {
  const threadKey = threadKeyOf(task.thread);
  const cells = await deps.store.cells(threadKey);
  if (cells.length === 0) return replyOf(task, nothingRan, [], []);
  progress.stepStarted('Running the thread again in a fresh sandbox');
  const threadFiles = await deps.store.files(threadKey);
  const files = neededFiles(task, cells, threadFiles);
  const saved = await savedTexts(cells, threadFiles, deps.blobs);
  const fileBytes = Math.min(client.limits.fileBytes, deps.collect.fileBytes);
  const outputBytes = Math.floor(Math.min(maxOutputBytes, outputShare * fileBytes));
  const rerun = await rerunThread(cells, files, saved.texts, outputBytes, deps, signal);
  progress.stepFinished(true);

  const remarks = [...rerun.remarks, ...saved.remarks];
  const questions = await notebookQuestions(task, rerun.steps, deps.store);
  const title = questions.find(({ steps }) => steps.length > 0)?.text ?? '';
  const notebook = renderNotebook({
    title,
    reranAtMs: Date.now(),
    remarks,
    files,
    environment: {
      imageName: deps.about.imageName,
      imageDigest: rerun.imageDigest,
      plotlineVersion: deps.about.version,
      python: rerun.python,
      packages: rerun.packages,
    },
    setUp: rerun.setUp,
    questions,
  });
  const bytes = once(`${JSON.stringify(notebook, null, 1)}\n`);
  const stored = await deps.blobs.put(bytes, { maxBytes: Number.MAX_SAFE_INTEGER });
  const name = fileNameFor(files[0]?.name.replace(/\.[^.]*$/, '') ?? title, 'ipynb');
  const artifact: Artifact = {
    kind: 'file',
    title: name,
    file: { ...stored, name, mimeType: 'application/x-ipynb+json' },
    altText: '',
    table: null,
    chart: null,
  };
  deps.log.info({ taskId: task.id, cells: cells.length, sizeBytes: stored.sizeBytes }, 'notebook made');
  const fitting = fitArtifacts([artifact], client.limits);
  return replyOf(task, doneText(name, rerun, files), fitting.artifacts, [...remarks, ...fitting.notices]);
}

const nothingRan =
  'There is nothing to put into a notebook yet: no Python ran in this thread. Ask something about a file first, then write `notebook`.';

/** The thread's attachments as they came, and files of killed cells that later code names: no cell makes those again. */
function neededFiles(
  task: Task,
  cells: readonly Cell[],
  files: readonly ThreadFile[],
): readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[] {
  // What came with this very request has been in no cell's hands.
  const attachments = files.filter(({ origin, taskId }) => origin === 'attachment' && taskId !== task.id);
  const names = new Set(attachments.map(({ name }) => name));
  const left = cells
    .filter((cell) => !isReplayable(cell))
    .flatMap(({ index, execution }) =>
      execution.files
        .filter(({ path }) => !path.includes('/') && !names.has(path))
        .filter(({ path }) => cells.slice(index + 1).some(({ source }) => source.includes(path)))
        .map(({ path, sizeBytes, sha256 }) => ({ name: path, sizeBytes, sha256 })),
    );
  const needed = [...attachments, ...left].map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 }));
  // Two killed cells may have written the same file: the later version stayed.
  return [...new Map(needed.map((file) => [file.name, file])).values()];
}

/** Output that was kept for the model and that some cell names. */
async function savedTexts(
  cells: readonly Cell[],
  files: readonly ThreadFile[],
  blobs: Blobs,
): Promise<{ readonly texts: SetUp['texts']; readonly remarks: readonly string[] }> {
  const texts: { readonly name: string; readonly text: string }[] = [];
  const remarks: string[] = [];
  let room = maxTextBytes;
  for (const { name, sha256, sizeBytes } of files.filter(isSavedBesideCells)) {
    if (!cells.some(({ source }) => source.includes(name))) continue;
    const bytes = sizeBytes > room ? null : await wholeOf(blobs.get(sha256)).catch(() => null);
    if (bytes === null) {
      remarks.push(`${codeSpan(name)}, long output that a cell reads, is too long for a notebook or no longer kept.`);
      continue;
    }
    room -= sizeBytes;
    texts.push({ name, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) });
  }
  return { texts, remarks };
}

function doneText(name: string, { steps, setUp }: Rerun, files: readonly { readonly name: string }[]): string {
  const run = steps.filter(({ isRun }) => isRun);
  const different = [setUp, ...run].filter(({ difference }) => difference !== null).length;
  if (run.length === 0) {
    return `Here is this thread as a notebook, ${codeSpan(name)}. No step of it came to its end, so there was nothing to run again.`;
  }
  const counted = run.length === 1 ? 'Its one cell' : `Its ${run.length} cells`;
  const outcome =
    different === 0
      ? 're-ran in a fresh sandbox, identical'
      : `re-ran in a fresh sandbox; ${different === 1 ? '1 gave' : `${different} gave`} something else, named at its top`;
  const where =
    files.length === 0
      ? 'It needs no files.'
      : `Put ${files.length <= 3 ? files.map((file) => codeSpan(file.name)).join(', ') : `the thread's ${files.length} files`} beside it to run it.`;
  return `Here is this thread as a notebook, ${codeSpan(name)}. ${counted} ${outcome}. ${where}`;
}

function replyOf(task: Task, text: string, artifacts: readonly Artifact[], notices: readonly string[]): Reply {
  return { taskId: task.id, outcome: 'answered', text, artifacts, notices, code: [] };
}

async function* once(text: string): Bytes {
  yield new TextEncoder().encode(text);
}
