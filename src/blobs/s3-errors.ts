import { S3ServiceException } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';

/** What no second attempt mends: who we are, what we may do, which bucket that is. */
const refusals: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidBucketName',
  'InvalidToken',
  'NoSuchBucket',
  'PermanentRedirect',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);

/** The server said no, and will again: a matter of the settings. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && refusals.has(error.name);
}

/** There is no such object, or none of that length any more. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && ['NoSuchKey', 'NotFound', 'InvalidRange'].includes(error.name);
}

/** A failure of the server or of the way there, for the person in the thread; `doing` is for the log. */
export function storageFailure(doing: string, error: unknown): AppError {
  const detail = `S3: ${doing} failed: ${sayS3Error(error)}`;
  return isRefusal(error)
    ? new AppError(
        'internal',
        'My storage for files does not let me in. Please tell whoever runs me to look at the log.',
        {
          cause: error,
          detail,
        },
      )
    : new AppError(
        'internal',
        'My storage for files cannot be reached at the moment. Please ask again in a few minutes.',
        {
          cause: error,
          retryable: true,
          detail,
        },
      );
}

/** For logs and settings: the server's code and words, never a key. */
export function sayS3Error(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { httpStatusCode, attempts } = error instanceof S3ServiceException ? error.$metadata : {};
  const status = httpStatusCode === undefined ? '' : `, HTTP ${httpStatusCode}`;
  const tries = attempts === undefined ? '' : `, ${attempts} attempts`;
  return `${error.name}${status}${tries}: ${error.message}`;
}
