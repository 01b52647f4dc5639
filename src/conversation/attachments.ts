import { safeFileName, uniqueFileName } from '../answer/file-names.ts';
import { megabytes } from '../answer/size-text.ts';
import { AppError, toAppError } from '../errors.ts';
import type { Audit } from '../ports/audit.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { PlatformClient } from '../ports/platforms.ts';
import type { Store, ThreadFile } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Attachment, Task } from '../types.ts';
import { earlierAttachments } from './earlier-attachments.ts';
import { sleep } from './sleep.ts';

/** Between attempts at one file, and the longest that a platform may ask for. */
const pausesMs = [300, 1000, 3000];
const longestPauseMs = 30_000;

export interface Intake {
  /** Files this task brought, stored, with their names in the working directory. */
  readonly files: readonly ThreadFile[];
  /** One sentence for each attachment that was refused or could not be fetched, and for earlier messages that were not looked at. */
  readonly notices: readonly string[];
}

/**
 * Attachments -> blobs -> the thread's list of files. Sizes are checked before a byte is fetched; what an earlier attempt
 * already fetched is not fetched again. Every attachment ends up in `files` or is named in `notices`, but for files that an
 * earlier question of the thread brought. Rejects with `file-rejected` where the question is left without any of its files.
 */
export async function takeAttachments(
  task: Task,
  deps: {
    readonly client: PlatformClient;
    readonly store: Store;
    readonly blobs: Blobs;
    readonly audit: Audit;
    readonly maxBytes: number;
  },
  signal: AbortSignal,
): Promise<Intake> {
  const threadKey = threadKeyOf(task.thread);
  const known = [...(await deps.store.files(threadKey))];
  const earlier = await earlierAttachments(task, deps, signal);
  const wanted = new Map(
    [...earlier.attachments, ...task.attachments].map((attachment) => [attachment.id, attachment]),
  );
  const files = new Map<string, ThreadFile>();
  const refused: string[] = [];
  let roomBytes = deps.maxBytes;

  for (const attachment of wanted.values()) {
    const fetched = known.find(({ attachmentId }) => attachmentId === attachment.id);
    if (fetched !== undefined) {
      if (fetched.taskId === task.id) files.set(fetched.name, fetched);
      continue;
    }
    if (attachment.sizeBytes !== null && attachment.sizeBytes > roomBytes) {
      refused.push(tooLarge(attachment, deps.maxBytes));
      continue;
    }
    try {
      const stored = await fetchWhole(attachment, roomBytes, deps, signal);
      roomBytes -= stored.sizeBytes;
      const file: ThreadFile = {
        ...stored,
        name: nameInThread(attachment, stored.sha256, known),
        mimeType: attachment.mimeType,
        taskId: task.id,
        origin: 'attachment',
        attachmentId: attachment.id,
      };
      await deps.store.putFile(threadKey, file);
      deps.audit.record({ event: 'file-in', task, sha256: file.sha256, bytes: file.sizeBytes });
      known.push(file);
      files.set(file.name, file);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = toAppError(error);
      refused.push(
        failure.code === 'file-too-large'
          ? tooLarge(attachment, deps.maxBytes)
          : `\`${shownName(attachment)}\`: ${failure.userMessage}`,
      );
    }
  }
  const isAboutRefused = task.attachments.length > 0 || known.length === 0;
  if (files.size === 0 && refused.length > 0 && isAboutRefused) {
    throw new AppError('file-rejected', refused.join('\n'));
  }
  return { files: [...files.values()], notices: [...earlier.problems, ...refused] };
}

/** What a platform says may pass is tried again: the person has no other way to ask for the file than the whole question anew. */
async function fetchWhole(
  attachment: Attachment,
  maxBytes: number,
  { client, blobs }: { readonly client: PlatformClient; readonly blobs: Blobs },
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await blobs.put(client.download(attachment, { maxBytes, signal }), { maxBytes });
    } catch (error) {
      const failure = toAppError(error);
      const pauseMs = pausesMs[attempt];
      if (!failure.retryable || pauseMs === undefined || signal.aborted) throw error;
      await sleep(Math.min(failure.retryAfterMs ?? pauseMs, longestPauseMs), signal);
    }
  }
}

/** The same name with the same bytes is the same file; with other bytes it becomes `name (2)`. */
function nameInThread(attachment: Attachment, sha256: string, known: readonly ThreadFile[]): string {
  const name = safeFileName(attachment.name);
  if (known.some((file) => file.name === name && file.sha256 === sha256)) return name;
  return uniqueFileName(name, new Set(known.map((file) => file.name)));
}

function tooLarge(attachment: Attachment, maxBytes: number): string {
  const size = attachment.sizeBytes === null ? '' : ` is ${megabytes(attachment.sizeBytes)} and`;
  return (
    `\`${shownName(attachment)}\`${size} does not fit: the files of one question may have ${megabytes(maxBytes)} in all. ` +
    'Send a smaller part of it, or only the columns the question needs.'
  );
}

function shownName(attachment: Attachment): string {
  const name = safeFileName(attachment.name).replaceAll('`', "'");
  return name.length > 80 ? `${name.slice(0, 60).toWellFormed()}…${name.slice(-15).toWellFormed()}` : name;
}
