import { AppError } from '../errors.ts';

const bytesPerMegabyte = 1024 * 1024;

export function tooLarge(maxBytes: number): AppError {
  const limit = Number((maxBytes / bytesPerMegabyte).toPrecision(3));
  return new AppError(
    'file-too-large',
    `The file is larger than ${limit} MB, the most I may keep. Send a part of it, or only the columns you need.`,
  );
}

export function unavailable(detail: string, cause?: unknown): AppError {
  return new AppError('file-unavailable', 'A file of this thread is no longer in my storage. Please attach it again.', {
    cause,
    detail,
  });
}

/** A full disk in words; every other error as it is. */
export function orDiskFull(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  if (!isFull) return error;
  return new AppError('internal', 'My disk is full, so I could not keep this file. Please tell whoever runs me.', {
    cause: error,
  });
}
