import type { InboxEntry } from './store.ts';
import type { Execution, Reply } from '../types.ts';

/**
 * What the core tells of its work, as plain data, for logs, metrics and traces. Nothing here changes what happens: results and
 * rejections pass as they are. No texts, no code, no contents.
 */
export interface Telemetry {
  /**
   * One run of a task by a worker; all that `work` does, and everything it calls, belongs to the task. Resolves to how the task
   * ended; `null`, or a rejection: it did not, and is taken up again (or its question is gone).
   */
  task(entry: InboxEntry, work: () => Promise<Reply['outcome'] | null>): Promise<void>;
  /** A part of the task under way that takes time. */
  step<T>(name: 'files' | 'cards' | 'settle', work: () => Promise<T>): Promise<T>;
  /** A cell of the task under way, with all the waiting for its sandbox. */
  cell(work: () => Promise<Execution>): Promise<Execution>;
}
