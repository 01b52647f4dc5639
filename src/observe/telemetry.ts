import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from '../log.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { threadKeyOf } from '../types.ts';
import type { Task } from '../types.ts';
import type { Measures } from './measures.ts';
import type { Tracer } from './tracer.ts';

export interface TaskTelemetry extends Telemetry {
  /** All that `work` does is for this task, though it does not run it: it is being accepted. */
  about<T>(task: Task, work: () => T): T;
  /** Something of the task under way became visible in its thread; only the first time counts. */
  progressPosted(): void;
}

interface TaskUnderWay {
  readonly task: Task;
  hasProgress: boolean;
}

/** Lines of the log, measures and spans of tasks. Times are counted from when the platform's event came. */
export function createTelemetry(deps: {
  readonly log: Logger;
  readonly measures: Measures;
  readonly tracer: Tracer;
}): TaskTelemetry {
  const { log, measures, tracer } = deps;
  const current = new AsyncLocalStorage<TaskUnderWay>();

  const about: TaskTelemetry['about'] = (task, work) =>
    log.within({ taskId: task.id, threadKey: threadKeyOf(task.thread) }, () =>
      current.run({ task, hasProgress: false }, work),
    );

  return {
    about,
    progressPosted: () => {
      const underWay = current.getStore();
      if (underWay === undefined || underWay.hasProgress) return;
      underWay.hasProgress = true;
      const { thread, receivedAtMs } = underWay.task;
      measures.firstProgress({ platform: thread.platform, afterMs: Date.now() - receivedAtMs });
    },
    task: ({ task, attempts }, work) =>
      about(task, async () => {
        const { platform } = task.thread;
        const sinceAcceptedMs = (): number => Date.now() - task.receivedAtMs;
        const attributes = { ...idsOf(task), 'plotline.attempt': attempts };
        measures.taskStarted({ platform, waitMs: sinceAcceptedMs(), isRetry: attempts > 1 });
        try {
          await tracer.span('task', { attributes, isRoot: true }, async (span) => {
            const outcome = await work();
            if (outcome === null) measures.taskInterrupted({ platform });
            else measures.taskEnded({ platform, outcome, afterMs: sinceAcceptedMs() });
            span.set({ 'plotline.outcome': outcome ?? 'interrupted' });
            if (outcome === 'failed') span.end(outcome);
          });
        } catch (error) {
          measures.taskInterrupted({ platform });
          throw error;
        }
      }),
    step: (name, work) => tracer.span(name, { attributes: {} }, work),
    cell: (work) =>
      tracer.span('cell', { attributes: {} }, async (span) => {
        const execution = await work();
        const { status, durationMs } = execution;
        measures.cell({ status, durationMs });
        span.set({ 'plotline.cell.status': status, 'plotline.cell.ms': durationMs });
        if (status !== 'ok') span.end(status);
        return execution;
      }),
  };
}

function idsOf(task: Task): Readonly<Record<string, string>> {
  return {
    'plotline.platform': task.thread.platform,
    'plotline.task.id': task.id,
    'plotline.thread.key': threadKeyOf(task.thread),
  };
}
