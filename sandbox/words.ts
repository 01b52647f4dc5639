import type { ExecutionError } from '../src/types.ts';
import type { LossReason } from './connection.ts';

/** What is said when a sandbox dies. Read by the model as a tool result and by a person in the thread. */

const consequence =
  'Its Python variables and the files it had made are gone. The next question gets a new sandbox with the files of this thread, and the earlier code is run again there.';

const reasons: Readonly<Record<LossReason, string>> = {
  gone: 'The sandbox was shut down while in use.',
  protocol: 'The sandbox stopped answering properly and was removed.',
  unresponsive: 'The sandbox stopped answering and was removed.',
  disposed: 'The sandbox was already closed.',
  expired: 'The sandbox reached its longest life of one day and was removed.',
};

export function lossSentence(reason: LossReason): string {
  return `${reasons[reason]} ${consequence}`;
}

export function lostError(reason: LossReason): ExecutionError {
  return { name: 'SandboxLost', message: lossSentence(reason), traceback: '' };
}

/** The whole container ran out of memory, not only the cell: the driver reports the latter itself and lives on. */
export function containerMemoryError(memoryBytes: number): ExecutionError {
  return {
    name: 'OutOfMemory',
    message: `The memory limit of ${megabytes(memoryBytes)} MB (Python and files in /mnt/data together) was hit and the whole sandbox ended. ${consequence} Use less at once: read only the columns that are needed, smaller types, or the file in chunks.`,
    traceback: '',
  };
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / (1024 * 1024));
}
