import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { OutgoingMessage } from '../ports/platforms.ts';
import type { Progress, ProgressStep } from '../types.ts';

/**
 * Keeps one progress message up to date: at most one edit in flight, none closer together than the platform's interval,
 * the newest state wins. A failed edit is only logged: progress is a courtesy, the reply is the promise.
 */
export interface ProgressReporter {
  note(text: string): void;
  stepStarted(title: string): void;
  /** `title`: what came of the step, in place of what it was going to do. */
  stepFinished(ok: boolean, title?: string): void;
  hasSteps(): boolean;
  /**
   * Sends the last state and resolves when no edit is under way any more; what is reported later is ignored. The step under way
   * ends as `ok` says. `note` is shown where there are no steps.
   */
  finish(ok: boolean, note: string): Promise<void>;
}

export function createProgressReporter(deps: {
  readonly taskId: string;
  readonly personId: string;
  readonly editIntervalMs: number;
  readonly edit: (message: OutgoingMessage) => Promise<void>;
  readonly log: Logger;
}): ProgressReporter {
  const { taskId, personId } = deps;
  let progress: Progress = { taskId, personId, running: true, steps: [], note: '' };
  let dirty = false;
  let finished = false;
  let running: Promise<void> | null = null;
  let wakeEarly = (): void => {};

  const send = async (): Promise<void> => {
    while (dirty) {
      dirty = false;
      let waitMs = deps.editIntervalMs;
      try {
        await deps.edit({ kind: 'progress', progress });
      } catch (error) {
        deps.log.warn({ taskId, error: String(error) }, 'progress could not be shown');
        waitMs = Math.max(waitMs, error instanceof AppError ? (error.retryAfterMs ?? 0) : 0);
      }
      if (!finished) await pause(waitMs);
    }
    running = null;
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeEarly = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const changed = (next: Partial<Progress>): void => {
    if (finished) return;
    progress = { ...progress, ...next };
    dirty = true;
    running ??= send();
  };

  const withLast = (state: ProgressStep['state'], title?: string): readonly ProgressStep[] =>
    progress.steps.map((step, index) =>
      index === progress.steps.length - 1 && step.state === 'running' ? { title: title ?? step.title, state } : step,
    );

  return {
    note: (text) => changed({ note: text }),
    stepStarted: (title) => changed({ note: '', steps: [...withLast('done'), { title, state: 'running' }] }),
    stepFinished: (ok, title) => changed({ steps: withLast(ok ? 'done' : 'failed', title) }),
    hasSteps: () => progress.steps.length > 0,
    finish: async (ok, note) => {
      const last = { note: progress.steps.length === 0 ? note : '', steps: withLast(ok ? 'done' : 'failed') };
      changed({ ...last, running: false });
      finished = true;
      wakeEarly();
      await running;
    },
  };
}
