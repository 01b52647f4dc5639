import { collectArtifacts } from '../answer/collect.ts';
import type { CollectLimits } from '../answer/collect.ts';
import { selectArtifacts } from '../answer/select.ts';
import type { CellOutcome } from '../answer/select.ts';
import type { Blobs, Store } from '../ports.ts';
import { threadKeyOf } from '../types.ts';
import type { Artifact, Execution, ShownCell, Task } from '../types.ts';
import { toCellRecord } from './cell-record.ts';
import type { Sessions } from './sessions.ts';

/** Runs the cells of one task in its thread's session and keeps what they leave. */
export interface TaskCells {
  run(
    title: string,
    code: string,
    signal: AbortSignal,
    onOutput: (stream: 'stdout' | 'stderr', text: string) => void,
  ): Promise<Execution>;
  /** What goes out with the reply. */
  artifacts(): Promise<readonly Artifact[]>;
  readonly shown: readonly ShownCell[];
  /** What was reset, rebuilt or could not be kept, in words. */
  readonly notices: readonly string[];
  readonly sandboxMs: number;
}

export function createTaskCells(
  task: Task,
  deps: {
    readonly sessions: Sessions;
    readonly store: Store;
    readonly blobs: Blobs;
    readonly cellTimeoutMs: number;
    readonly collect: CollectLimits;
  },
): TaskCells {
  const threadKey = threadKeyOf(task.thread);
  const outcomes: CellOutcome[] = [];
  const shown: ShownCell[] = [];
  const notices: string[] = [];
  let sandboxMs = 0;

  const run: TaskCells['run'] = async (title, code, signal, onOutput) => {
    const { session, notices: rebuilt } = await deps.sessions.open(threadKey, signal);
    notices.push(...rebuilt);
    const execution = await session.run(code, { timeoutMs: deps.cellTimeoutMs, signal, onOutput });
    sandboxMs += execution.durationMs;
    const index = (await deps.store.cells(threadKey)).length;
    await deps.store.addCell(threadKey, {
      taskId: task.id,
      index,
      title,
      source: code,
      execution: toCellRecord(execution),
    });
    shown.push({ title, source: code, status: execution.status, durationMs: execution.durationMs });
    if (execution.status === 'lost') {
      await deps.sessions.drop(threadKey);
      outcomes.push({ status: 'lost', artifacts: [] });
      return execution;
    }
    // The task's signal may already be aborted by a stop; what the cell made is kept all the same.
    const kept = await collectArtifacts(
      title,
      execution,
      session,
      deps.blobs,
      deps.collect,
      AbortSignal.timeout(60_000),
    );
    notices.push(...kept.notices);
    outcomes.push({ status: execution.status, artifacts: kept.artifacts });
    await keepOutputs(kept.artifacts);
    return execution;
  };

  /** Files a cell wrote belong to the thread; an attachment that was overwritten stays as it came, a replay changes it again. */
  const keepOutputs = async (artifacts: CellOutcome['artifacts']): Promise<void> => {
    const files = await deps.store.files(threadKey);
    const attachments = new Set(files.filter(({ origin }) => origin === 'attachment').map(({ name }) => name));
    for (const { artifact, path } of artifacts) {
      if (path === null || path.includes('/') || attachments.has(path)) continue;
      await deps.store.putFile(threadKey, { ...artifact.file, taskId: task.id, origin: 'output', attachmentId: null });
    }
  };

  const existingPaths = async (): Promise<ReadonlySet<string> | null> => {
    if (!outcomes.some(({ artifacts }) => artifacts.some(({ path }) => path !== null))) return new Set();
    const { session } = await deps.sessions.open(threadKey, AbortSignal.timeout(60_000));
    return new Set((await session.list('')).map(({ path }) => path));
  };

  return {
    run,
    // A container that went away meanwhile cannot say what still exists; then everything that was kept goes out.
    artifacts: async () => selectArtifacts(outcomes, await existingPaths().catch(() => null)),
    shown,
    notices,
    get sandboxMs() {
      return sandboxMs;
    },
  };
}
