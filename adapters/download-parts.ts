import { AppError } from '../src/errors.ts';
import type { Attachment } from '../src/types.ts';
import { formatBytes } from './format.ts';

/** What downloads have in common, whatever platform keeps the files. `service` is its name for people, e.g. `Slack`. */

const usualWaitSeconds = 30;

/** Throws `file-too-large` where the platform says so beforehand. */
export function checkStatedSize({ sizeBytes }: Attachment, maxBytes: number): void {
  if (sizeBytes !== null && sizeBytes > maxBytes) throw fileTooLarge(sizeBytes, maxBytes);
}

/**
 * The bytes of a response, at most `maxBytes` of them, whatever was said of its length. Rejects with `file-too-large`, or with what
 * `toError` makes of a connection that breaks.
 */
export async function* bytesOf(
  response: Response,
  maxBytes: number,
  toError: (error: unknown) => AppError,
): AsyncGenerator<Uint8Array> {
  const lengthBytes = Number(response.headers.get('content-length') ?? '0');
  if (lengthBytes > maxBytes) {
    await response.body?.cancel();
    throw fileTooLarge(lengthBytes, maxBytes);
  }
  let receivedBytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      receivedBytes += chunk.byteLength;
      if (receivedBytes > maxBytes) throw fileTooLarge(null, maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw toError(error);
  }
}

/** `sentence` says why and what to do instead. */
export function fileUnavailable(sentence: string): AppError {
  const capital = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return new AppError('file-unavailable', `I could not get this file. ${capital}`);
}

/** `sizeBytes`: `null` where only the limit is known to be passed. */
export function fileTooLarge(sizeBytes: number | null, maxBytes: number): AppError {
  const size = sizeBytes === null ? 'it has more' : `it has ${formatBytes(sizeBytes)}`;
  return new AppError(
    'file-too-large',
    `This file is too large: ${size}, and I take at most ${formatBytes(maxBytes)}. Send a smaller part of it.`,
  );
}

/** Retryable, after what the answer (HTTP 429) says; a date in its place, which the standard allows too, counts as 30 s. */
export function downloadsLimited(service: string, { headers }: Pick<Response, 'headers'>): AppError {
  const stated = Number(headers.get('retry-after') ?? Number.NaN);
  const seconds = Number.isFinite(stated) ? stated : usualWaitSeconds;
  return new AppError('platform-rate-limited', `${service} asks me to wait ${seconds} s before I fetch more.`, {
    retryable: true,
    retryAfterMs: seconds * 1000,
  });
}

export function downloadFailed(service: string, detail: string, cause: unknown): AppError {
  return new AppError('platform-failed', `${service} broke off while I fetched the file; asking again may work.`, {
    cause,
    retryable: true,
    detail: `download: ${detail}`,
  });
}
