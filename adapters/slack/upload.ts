import { Readable } from 'node:stream';
import { request } from 'undici';
import type { OutgoingFile } from '../../src/ports.ts';
import { AppError } from '../../src/errors.ts';
import { formatBytes } from '../format.ts';
import { cancelled, fileRefusal, slackError } from './errors.ts';
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

/** Sends the bytes, streamed; nobody sees the file before `shareFiles`. Never rejects: each outcome is a value. */
export async function uploadBytes(web: SlackWeb, file: OutgoingFile, signal: AbortSignal): Promise<UploadedFile> {
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
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
    return { state: 'uploaded', fileId, file };
  } catch (error) {
    const reason =
      error instanceof AppError && error.code === 'file-unavailable' ? error.userMessage : fileRefusal(error);
    if (reason !== null) return { state: 'refused', reason, file };
    return { state: 'failed', error: signal.aborted ? cancelled(signal, 'upload') : slackError(error, 'upload'), file };
  }
}

/** Posts uploaded files as one message of the thread. Resolves to the file objects of Slack's answer. */
export async function shareFiles(
  web: SlackWeb,
  share: {
    readonly channelId: string;
    readonly threadTs: string;
    readonly comment: string;
    readonly files: readonly { readonly fileId: string; readonly title: string }[];
  },
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const answer = await web.call(
    'files.completeUploadExternal',
    {
      channel_id: share.channelId,
      thread_ts: share.threadTs,
      ...(share.comment === '' ? {} : { initial_comment: share.comment }),
      files: share.files.map(({ fileId, title }) => ({ id: fileId, title })),
    },
    signal,
  );
  return asArray(answer['files']).map(asObject);
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
