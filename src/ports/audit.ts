import type { ExecutionStatus, Reply, Task, ThreadKey } from '../types.ts';

/**
 * One thing that happened, by ids alone. What it is about is hashed by whoever keeps it: no name, no question, no code and no content
 * may reach a disk from here, for these lines stay when the rest is forgotten.
 */
export type AuditEntry =
  | { readonly event: 'task-accepted'; readonly task: Task }
  /** `attempt` counts from 1. */
  | { readonly event: 'task-started'; readonly task: Task; readonly attempt: number }
  /** The person may not ask here. */
  | { readonly event: 'refused'; readonly task: Task }
  | {
      readonly event: 'cell-run';
      readonly task: Task;
      readonly code: string;
      readonly status: ExecutionStatus;
      readonly ms: number;
    }
  | { readonly event: 'file-in' | 'file-out'; readonly task: Task; readonly sha256: string; readonly bytes: number }
  | { readonly event: 'task-ended'; readonly task: Task; readonly outcome: Reply['outcome'] | 'dropped' }
  | { readonly event: 'question-edited' | 'question-deleted'; readonly task: Task }
  | { readonly event: 'stop-asked'; readonly threadKey: ThreadKey; readonly personId: string; readonly tasks: number }
  /** `personId`: whose wish it was; `null`: it was past its age, or its only question was deleted. */
  | {
      readonly event: 'forgot';
      readonly threadKey: ThreadKey;
      readonly personId: string | null;
      readonly reason: ForgetReason;
    };

export type ForgetReason = 'person' | 'deletion' | 'age' | 'unfinished';

/** Who ran what when. */
export interface Audit {
  /** The line is with the operating system when this returns; never throws and holds nobody up: what cannot be written is logged. */
  record(entry: AuditEntry): void;
}
