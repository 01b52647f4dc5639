import { collectArtifacts } from '../answer/collect.ts';
import { formulaNotices } from '../answer/formulas.ts';
import type { CollectLimits } from '../answer/collect.ts';
import { takeLedger } from '../answer/row-ledger.ts';
import type { LedgerPage } from '../answer/row-ledger.ts';
import { selectArtifacts } from '../answer/select.ts';
import type { CellOutcome } from '../answer/select.ts';
import type { Audit } from '../ports/audit.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { RunOptions } from '../ports/sandbox.ts';
import type { Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Artifact, Execution, ShownCell, Task } from '../types.ts';
import { keepParts, once, toCellRecord } from './cell-record.ts';
import { seedOfNext } from './seeds.ts';
import type { Sessions } from './sessions.ts';
import { createTaskSandbox } from './task-sandbox.ts';

/** Longest time for taking what one cell made out of the sandbox. */
const collectTimeoutMs = 60_000;

/** Tells the model why its cell may have taken long, and that nothing is missing. */
const ranTwice =
  '[the sandbox was lost while this cell ran; a new one was made with the files and variables of before, and the cell ran there from its beginning]\n';

/** Runs the cells of one task in its thread's session and keeps what they leave. */
export interface TaskCells {
  /** Puts a text beside the cells' files, for later cells to read. Its name begins with a dot. */
  save(name: string, text: string, signal: AbortSignal): Promise<void>;
  /** Looks at one file. Not a cell: it is not kept and not run again in a rebuilt sandbox. */
  look(name: string, code: string, options: RunOptions): Promise<Execution>;
  run(
    title: string,
    code: string,
    signal: AbortSignal,
    onOutput: (stream: 'stdout' | 'stderr', text: string) => void,
  ): Promise<Execution>;
  /** What goes out with the reply. */
  artifacts(): Promise<readonly Artifact[]>;
  readonly shown: readonly ShownCell[];
  /** What the cells that worked counted of their rows, in order. */
  readonly ledger: readonly LedgerPage[];
  /** What was reset, rebuilt or could not be kept, in words. */
  readonly notices: ReadonlySet<string>;
}

export function createTaskCells(
  task: Task,
  deps: {
    readonly sessions: Sessions;
    readonly store: Store;
    readonly blobs: Blobs;
    readonly audit: Audit;
    readonly cellTimeoutMs: number;
    readonly collect: CollectLimits;
  },
): TaskCells {
  const threadKey = threadKeyOf(task.thread);
  const outcomes: CellOutcome[] = [];
  const shown: ShownCell[] = [];
  const ledger: LedgerPage[] = [];
  const notices = new Set<string>();
  const sandbox = createTaskSandbox(threadKey, deps.sessions, notices);

  const run: TaskCells['run'] = async (title, code, signal, onOutput) => {
    const last = await deps.store.lastCell(threadKey);
    const seed = seedOfNext(last);
    const options = { timeoutMs: deps.cellTimeoutMs, signal, onOutput };
    const { session, startedAtMs, isSecond, ...ran } = await sandbox.run(
      code,
      seed === null ? options : { ...options, seed },
      `The sandbox was lost while “${title}” ran; I ran it again in a new one.`,
    );
    const { execution, ledger: page } = takeLedger(ran.execution);
    if (page !== null && execution.status === 'ok') ledger.push(page);
    deps.audit.record({
      event: 'cell-run',
      task,
      code,
      status: execution.status,
      ms: execution.durationMs,
    });
    const { record, parts } = await toCellRecord(execution);
    const index = (last?.index ?? -1) + 1;
    const cell = { taskId: task.id, index, title, source: code, seed, startedAtMs, execution: record };
    await deps.store.addCell(threadKey, cell);
    shown.push({ title, source: code, status: execution.status, durationMs: execution.durationMs });
    if (execution.status === 'lost') {
      outcomes.push({ status: 'lost', artifacts: [] });
      return execution;
    }
    // The task's signal may already be aborted by a stop; what the cell made is kept all the same.
    const until = AbortSignal.timeout(collectTimeoutMs);
    const kept = await collectArtifacts(title, execution, session, deps.blobs, deps.collect, until);
    for (const notice of kept.notices) notices.add(notice);
    outcomes.push({ status: execution.status, artifacts: kept.artifacts });
    await keepOutputs(kept.artifacts);
    await keepParts(parts, new Set(kept.artifacts.map(({ artifact }) => artifact.file.sha256)), deps.blobs);
    return isSecond ? { ...execution, stderr: ranTwice + execution.stderr } : execution;
  };

  /** Files a cell wrote belong to the thread; an attachment that was overwritten stays as it came, a replay changes it again. */
  const keepOutputs = async (artifacts: CellOutcome['artifacts']): Promise<void> => {
    const files = await deps.store.files(threadKey);
    const attachments = new Set(files.filter(({ origin }) => origin === 'attachment').map(({ name }) => name));
    for (const { artifact, path } of artifacts) {
      if (path === null || path.includes('/') || attachments.has(path)) continue;
      await deps.store.putFile(threadKey, {
        ...artifact.file,
        taskId: task.id,
        origin: 'output',
        attachmentId: null,
      });
    }
  };

  /** `null` where the container that holds the files is gone; it is not rebuilt only to look. */
  const existingPaths = async (): Promise<ReadonlySet<string> | null> => {
    if (!outcomes.some(({ artifacts }) => artifacts.some(({ path }) => path !== null))) return new Set();
    if (sandbox.current?.alive !== true) return null;
    return new Set((await sandbox.current.list('')).map(({ path }) => path));
  };

  return {
    save: async (name, text, signal) => {
      const bytes = new TextEncoder().encode(text);
      const session = await sandbox.open(signal);
      const stored = await session.write(name, once(bytes), signal);
      await deps.blobs.put(once(bytes), { maxBytes: bytes.length });
      const kept = { taskId: task.id, origin: 'output', attachmentId: null } as const;
      await deps.store.putFile(threadKey, { ...stored, ...kept, name, mimeType: 'text/plain' });
    },
    look: async (name, code, options) => {
      const lostWords = `The sandbox was lost while I looked at \`${name}\`; I looked again in a new one.`;
      return (await sandbox.run(code, options, lostWords)).execution;
    },
    run,
    // A container that went away meanwhile cannot say what still exists; then everything that was kept goes out.
    artifacts: async () => {
      const picked = selectArtifacts(outcomes, await existingPaths().catch(() => null));
      for (const notice of formulaNotices(outcomes, picked)) notices.add(notice);
      return picked;
    },
    shown,
    ledger,
    notices,
  };
}
