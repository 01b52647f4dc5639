import { outputsOf } from '../answer/notebook/outputs.ts';
import type { OutputRoom } from '../answer/notebook/outputs.ts';
import { plainLine } from '../answer/notebook/markdown.ts';
import type { NotebookContent } from '../answer/notebook/notebook.ts';
import { importsOf, usesPlotline } from '../answer/notebook/portable-code.ts';
import { setUpCode } from '../answer/notebook/set-up-code.ts';
import type { SetUp } from '../answer/notebook/set-up-code.ts';
import { AppError } from '../errors.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { SandboxSession } from '../ports/sandbox.ts';
import type { Cell, Execution } from '../types.ts';
import { rerunStep, unreachedStep } from './notebook-steps.ts';
import type { RerunStep } from './notebook-steps.ts';
import { writeFile } from './rebuild.ts';
import { replayCells } from './replay.ts';
import type { Sessions } from './sessions.ts';

export interface RerunDeps {
  readonly blobs: Blobs;
  readonly sessions: Sessions;
  readonly cellTimeoutMs: number;
}

/** What came of running a whole thread again. */
export interface Rerun {
  readonly setUp: NotebookContent['setUp'];
  /** One for each cell, in order. */
  readonly steps: readonly RerunStep[];
  /** What a reader must know beside the cells; Markdown sentences. */
  readonly remarks: readonly string[];
  /** False where the container was lost on the way. */
  readonly isWhole: boolean;
  readonly imageDigest: string;
  readonly python: string;
  /** `pandas 2.2.3`: those the code needs. */
  readonly packages: readonly string[];
}

/** What `plotline.notebook.describe()` says of the image. */
interface ImageFacts {
  readonly python: string;
  /** Import name -> name and version. */
  readonly packages: Readonly<Record<string, string>>;
  readonly table_options: SetUp['tableOptions'];
  readonly archive: string;
}

const factsMime = 'application/vnd.plotline.notebook+json';
const askFacts = 'import plotline.notebook\nplotline.notebook.describe()\ndel plotline';

/**
 * Runs the notebook's set-up and the thread's cells, in that order, in a fresh container that holds `files` and nothing else (the set-up writes `texts`); once more from the beginning
 * where that is lost on the way. A second one that is lost leaves the rest of the cells without a re-run, which their steps say.
 * Outputs take `outputBytes` in all. Rejects with an `AppError` where there is no container to be had.
 */
export async function rerunThread(
  cells: readonly Cell[],
  files: SetUp['files'],
  texts: SetUp['texts'],
  outputBytes: number,
  deps: RerunDeps,
  signal: AbortSignal,
): Promise<Rerun> {
  const once = (): Promise<Rerun> => rerunOnce(cells, files, texts, { bytes: outputBytes }, deps, signal);
  try {
    const first = await once();
    if (first.isWhole) return first;
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError && error.code === 'sandbox-failed')) throw error;
  }
  return once();
}

async function rerunOnce(
  cells: readonly Cell[],
  files: SetUp['files'],
  texts: SetUp['texts'],
  room: OutputRoom,
  deps: RerunDeps,
  signal: AbortSignal,
): Promise<Rerun> {
  await using apart = await deps.sessions.apart(signal);
  const { session } = apart;
  const remarks: string[] = [];
  for (const file of files) {
    const missing = await writeFile(session, file, deps.blobs, signal);
    if (missing !== null) remarks.push(missing);
  }
  const run = async (code: string): Promise<Execution> => {
    const execution = await session.run(code, { timeoutMs: deps.cellTimeoutMs, signal, onOutput: () => {} });
    signal.throwIfAborted();
    return execution;
  };

  // Asked before any code of the thread ran there, which could make it say anything.
  const facts = factsOf(await run(askFacts));
  const sources = cells.map(({ source }) => source);
  const usesLoader = usesPlotline(sources);
  const imported = importsOf(sources, Object.keys(facts.packages));
  const code = setUpCode({
    files,
    texts,
    archive: usesLoader ? facts.archive : null,
    tableOptions: usesLoader || imported.includes('pandas') ? facts.table_options : {},
    hasSeeds: cells.some(({ seed }) => seed !== null),
  });
  const setUp = await run(code);
  const outputs = await outputsOf(setUp, [], room);
  const steps = await rerunCells(session, cells, room, deps, signal);

  if (steps.some(({ resultsOfRerun }) => resultsOfRerun)) {
    remarks.push('Of older cells only what they printed was kept; their charts and tables are those of the re-run.');
  }
  const needed = new Set([...(usesLoader ? ['numpy', 'pandas'] : []), ...imported]);
  return {
    setUp: {
      code,
      outputs,
      difference: setUp.error === null ? null : `did not work: ${plainLine(setUp.error.message)}`,
    },
    steps,
    remarks,
    isWhole: session.alive,
    imageDigest: session.imageDigest,
    python: facts.python,
    packages: [...needed].flatMap((name) => facts.packages[name] ?? []),
  };
}

async function rerunCells(
  session: SandboxSession,
  cells: readonly Cell[],
  room: OutputRoom,
  { blobs, cellTimeoutMs }: RerunDeps,
  signal: AbortSignal,
): Promise<readonly RerunStep[]> {
  const steps: RerunStep[] = [];
  for await (const replayed of replayCells(session, cells, {
    blobs,
    cellTimeoutMs,
    followsKills: false,
    signal,
  })) {
    steps.push(await rerunStep(replayed, room, blobs));
  }
  for (const cell of cells.slice(steps.length)) steps.push(await unreachedStep(cell, room, blobs));
  return steps;
}

function factsOf({ results, status, error }: Execution): ImageFacts {
  const facts = results.map((bundle) => bundle[factsMime]).find((found) => found !== undefined);
  if (facts !== undefined) return facts as unknown as ImageFacts;
  throw new AppError('sandbox-failed', 'The fresh sandbox for the notebook did not work; asking again may help.', {
    retryable: status === 'lost',
    detail: `plotline.notebook.describe() gave ${status}: ${error?.message ?? 'no facts'}`,
  });
}
