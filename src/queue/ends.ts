import { AppError } from '../errors.ts';

/** Why a dispatcher aborts a handler's signal. */

export function stoppedByPerson(): AppError {
  return new AppError('cancelled', 'Stopped.');
}

export function processEnds(): AppError {
  return new AppError('restarting', 'I am being restarted and will go on afterwards.', { retryable: true });
}

export function leaseLost(): AppError {
  return new AppError('internal', 'I was interrupted and will go on in a moment.', {
    retryable: true,
    detail: 'the lease of the thread is lost: another process may run it',
  });
}

/** Waits before a failed thread is woken again, when its error names none: doubled at each failure in a row. */
export const firstBackoffMs = 1000;
export const maxBackoffMs = 60_000;

/** After the grace of `close`, how long a handler may take to see its aborted signal before it is left behind. */
export const abortedGraceMs = 5000;
