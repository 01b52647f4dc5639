/** Every failure that crosses a port, in one shape: what to do with it (`retryable`) and what to tell the person. */

export type ErrorCode =
  | 'config'
  | 'docker-unavailable'
  | 'sandbox-image-missing'
  | 'sandbox-failed'
  | 'file-too-large'
  | 'file-unavailable'
  | 'file-rejected'
  | 'model-unreachable'
  | 'model-auth'
  | 'model-rate-limited'
  | 'model-context-overflow'
  | 'model-failed'
  | 'platform-rate-limited'
  | 'platform-failed'
  | 'cancelled'
  /** This process ends in order: what it was at is left to the next one. */
  | 'restarting'
  | 'internal';

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** For the person in the thread: what happened, which limit with its value, what to do next. No internals, no secrets. */
  readonly userMessage: string;
  readonly retryAfterMs: number | null;

  constructor(
    code: ErrorCode,
    userMessage: string,
    options: {
      readonly cause?: unknown;
      readonly retryable?: boolean;
      readonly retryAfterMs?: number;
      /** For the log; defaults to `userMessage`. */
      readonly detail?: string;
    } = {},
  ) {
    super(options.detail ?? userMessage, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.userMessage = userMessage;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** The error as an `AppError`; anything unknown becomes `internal`, whose cause is logged and never shown. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new AppError('cancelled', 'Stopped.', { cause: error });
  }
  return new AppError(
    'internal',
    'Something went wrong on my side, not in your file. It is in the log; asking again may work.',
    { cause: error, detail: error instanceof Error ? error.message : String(error) },
  );
}
