import { Readable } from 'node:stream';
import { request } from 'undici';
import type { OutgoingFile } from '../../src/ports/platforms.ts';
import { AppError } from '../../src/errors.ts';
import { formatBytes } from '../format.ts';
import { cancelled, fileRefusal, isAmbiguous, slackError } from './errors.ts';
import { asArray, asNumber, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';
import type { SlackWeb } from './web.ts';

/**
 * Slack's three steps of an upload, taken one by one instead of by the SDK's `uploadV2`, which reads every file into memory
 * and does not tell a file's id before the message is posted. With the ids known, a lost answer can be looked up.
 */
export type UploadedFile =
  | { readonly state: 'uploaded'; readonly fileId: string; readonly file: OutgoingFile }
  | { readonly state: 'refused'; readonly reason: string; readonly file: OutgoingFile }
  | { readonly state: 'failed'; readonly error: unknown; readonly file: OutgoingFile };

/** Why Slack would not take the file, known before a byte is sent; `null` when it may. */
export function refusedBeforehand(file: OutgoingFile['file']): string | null {
  if (file.sizeBytes === 0) return 'it is empty, and Slack takes no empty files';
  if (file.sizeBytes > slackLimits.fileBytes) {
    return `it has ${formatBytes(file.sizeBytes)}, and Slack takes at most ${formatBytes(slackLimits.fileBytes)} a file`;
  }
  return null;
}

/**
 * Sends the bytes, streamed; nobody sees the file before `completeUpload`. What may pass is tried twice. Never rejects: each
 * outcome is a value.
 */
export async function uploadBytes(web: SlackWeb, file: OutgoingFile, signal: AbortSignal): Promise<UploadedFile> {
  const first = await uploadOnce(web, file, signal);
  const mayPass = first.state === 'failed' && isAmbiguous(first.error) && !signal.aborted;
  return mayPass ? await uploadOnce(web, file, signal) : first;
}

async function uploadOnce(web: SlackWeb, file: OutgoingFile, signal: AbortSignal): Promise<UploadedFile> {
  try {
    const { name, sizeBytes } = file.file;
    const target = await web.call('files.getUploadURLExternal', { filename: name, length: sizeBytes }, signal);
    const url = asText(target['upload_url']);
    const fileId = asText(target['file_id']);
    if (url === null || fileId === null) throw new Error('the upload URL is missing');
    // The URL itself is the permission: no token goes with it.
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
      body: Readable.from(file.open(), { objectMode: false }),
      signal,
    });
    const said = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
    // A proxy's or a sign-in page comes with status 200 as well; Slack says `OK - <bytes>`.
    if (/^\s*<(?:!doctype|html)/i.test(said)) throw new Error('a web page came in place of an answer');
    return { state: 'uploaded', fileId, file };
  } catch (error) {
    const reason =
      error instanceof AppError && error.code === 'file-unavailable' ? error.userMessage : fileRefusal(error);
    if (reason !== null) return { state: 'refused', reason, file };
    return { state: 'failed', error: signal.aborted ? cancelled(signal, 'upload') : slackError(error, 'upload'), file };
  }
}

/** Where uploaded files are shown, and the words of their message. */
export interface ShareTarget {
  readonly channelId: string;
  readonly threadTs: string;
  /** Slack ignores blocks beside a comment; both can be missing. */
  readonly words: { readonly blocks: readonly Json[] } | { readonly comment: string };
}

/**
 * Completes uploads: as one message of a thread, or without a target, where only the bot sees them. Resolves to the file objects
 * of Slack's answer, which often do not know yet where they are shown.
 */
export async function completeUpload(
  web: SlackWeb,
  files: readonly { readonly fileId: string; readonly title: string }[],
  target: ShareTarget | null,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const answer = await web.call(
    'files.completeUploadExternal',
    {
      ...(target === null ? {} : targetArguments(target)),
      files: files.map(({ fileId, title }) => ({ id: fileId, title })),
    },
    signal,
  );
  return asArray(answer['files']).map(asObject);
}

function targetArguments({ channelId, threadTs, words }: ShareTarget): Json {
  const said =
    'blocks' in words ? { blocks: words.blocks } : words.comment === '' ? {} : { initial_comment: words.comment };
  return { channel_id: channelId, thread_ts: threadTs, ...said };
}

/** The message that shows the file in the channel; `null` while Slack is still working on it. */
export function shareTs(file: Json, channelId: string): string | null {
  const shares = asObject(file['shares']);
  const entries = ['public', 'private'].flatMap((kind) => asArray(asObject(shares[kind])[channelId]));
  return asText(asObject(entries[0])['ts']);
}

export function sizeOf(file: Json): number | null {
  return asNumber(file['size']);
}
