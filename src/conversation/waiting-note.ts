import type { ProgressReporter } from '../answer/progress.ts';
import type { OnPlace } from '../ports/sandbox.ts';
import type { Sessions } from './sessions.ts';

/** The same sessions; who waits for one sees why in the progress message, until the wait is over. */
export function withWaitingNotes(sessions: Sessions, progress: ProgressReporter): Sessions {
  const noting = async <T>(open: (onPlace: OnPlace) => Promise<T>): Promise<T> => {
    let isNoted = false;
    try {
      return await open((before) => {
        isNoted = true;
        progress.note(waitingNote(before));
      });
    } finally {
      if (isNoted) progress.note('');
    }
  };
  return {
    ...sessions,
    open: (threadKey, signal) => noting((onPlace) => sessions.open(threadKey, signal, onPlace)),
    apart: (signal) => noting((onPlace) => sessions.apart(signal, onPlace)),
  };
}

/** `before` as of `OnPlace`. */
export function waitingNote(before: number | null): string {
  if (before === null) return 'Docker is restarting; I go on as soon as it is back.';
  if (before === 0) return 'All sandboxes are busy; your question is next.';
  return before === 1
    ? 'All sandboxes are busy; 1 question is before yours.'
    : `All sandboxes are busy; ${before} questions are before yours.`;
}
