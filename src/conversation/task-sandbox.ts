import { AppError } from '../errors.ts';
import type { RunOptions, SandboxSession } from '../ports/sandbox.ts';
import type { Execution, ThreadKey } from '../types.ts';
import type { Sessions } from './sessions.ts';

/** What the driver says first, on stderr, when the Python process had ended between two cells. */
export const endedBetweenCells = /^\[(since the last cell [^\n\]]+)\]\n/;

/** The sandbox of a thread as one task uses it. One that is lost is replaced, once for each run, and what ran in it runs again. */
export interface TaskSandbox {
  open(signal: AbortSignal): Promise<SandboxSession>;
  /** `lostWords` is the notice for a run that was lost and then run again. A second loss is returned as it is. */
  run(code: string, options: RunOptions, lostWords: string): Promise<SandboxRun>;
  /** The session of the last `open` or `run`. */
  readonly current: SandboxSession | null;
}

export interface SandboxRun {
  readonly session: SandboxSession;
  readonly execution: Execution;
  /** When the execution that counts began, in ms since 1970. */
  readonly startedAtMs: number;
  /** A first run was lost with its sandbox. */
  readonly isSecond: boolean;
}

export function createTaskSandbox(threadKey: ThreadKey, sessions: Sessions, notices: Set<string>): TaskSandbox {
  let current: SandboxSession | null = null;

  const open: TaskSandbox['open'] = async (signal) => {
    const opened = await sessions.open(threadKey, signal).catch((error: unknown) => {
      // A container may end while the thread's files go in; the next one is rebuilt from the same.
      if (signal.aborted || !isLoss(error)) throw error;
      return sessions.open(threadKey, signal);
    });
    for (const notice of opened.notices) notices.add(notice);
    current = opened.session;
    return opened.session;
  };

  const runOnce = async (code: string, options: RunOptions, isSecond: boolean): Promise<SandboxRun> => {
    const session = await open(options.signal);
    const startedAtMs = Date.now();
    const execution = await session.run(code, options);
    if (execution.status === 'lost') await sessions.drop(threadKey);
    const [, ended] = endedBetweenCells.exec(execution.stderr) ?? [];
    if (ended !== undefined) notices.add(`${ended.charAt(0).toUpperCase()}${ended.slice(1)}.`);
    return { session, execution, startedAtMs, isSecond };
  };

  return {
    open,
    run: async (code, options, lostWords) => {
      const first = await runOnce(code, options, false);
      if (first.execution.status !== 'lost' || options.signal.aborted) return first;
      const second = await runOnce(code, options, true);
      notices.add(lostWords);
      return second;
    },
    get current() {
      return current;
    },
  };
}

function isLoss(error: unknown): boolean {
  return error instanceof AppError && error.code === 'sandbox-failed' && error.retryable;
}
