import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { ThreadRef } from '../../src/types.ts';
import { fileRefusal, isAmbiguous, isBlockRefusal, slackCodeOf } from './errors.ts';
import { asObject } from '../json.ts';
import { readOneMessage, readThread } from './thread.ts';
import { completeUpload, shareTs } from './upload.ts';
import type { ShareTarget } from './upload.ts';
import type { SlackWeb } from './web.ts';

export type ShareOutcome =
  /** `hasBlocks`: whether the message says what was to stand beside the files; rejects where that cannot be seen now. */
  | { readonly kind: 'shared'; readonly messageId: string; hasBlocks(): Promise<boolean> }
  /** The words have to be said another way; the files were not shared. */
  | { readonly kind: 'words-refused' }
  /** Why Slack takes none of the files here. */
  | { readonly kind: 'files-refused'; readonly reason: string }
  /** Slack said yes and shows nothing. The files are deleted, so that they cannot turn up later. */
  | { readonly kind: 'never-shown' };

export interface ShareDeps {
  readonly log: Logger;
  /** How long Slack may take to show what it accepted before its answer was lost; the unit of the waits here. */
  readonly settleMs: number;
}

/** In units of `settleMs`, 1 s: a share shows up after the answer, mostly at once, sometimes after many seconds. */
const shareWaits = [0.2, 0.4, 0.8, 1.6, 3, 4, 5];
const lostAnswerWaits = [1, 1, 2];
const readBackWaits = [0, 0.3, 0.6, 1.2];

/**
 * Shows uploaded files as one message of the thread, and proves it: Slack completes uploads after it answers, may answer "ok"
 * and share nothing, or leave the blocks out. Rejects, retryable, where nobody can tell what came of it.
 */
export async function shareFiles(
  web: SlackWeb,
  thread: ThreadRef,
  files: readonly { readonly fileId: string; readonly title: string }[],
  words: ShareTarget['words'],
  { postId, partId, signal }: { readonly postId: string; readonly partId: string; readonly signal: AbortSignal },
  { log, settleMs }: ShareDeps,
): Promise<ShareOutcome> {
  const { channelId, threadId } = thread;
  const [first] = files;
  if (first === undefined) return { kind: 'never-shown' };
  const hasWords = 'blocks' in words;

  const lookUp = async (): Promise<string | null> =>
    shareTs(asObject((await web.call('files.info', { file: first.fileId }, signal))['file']), channelId);

  /** The message's `ts`, `null` where there is none. The thread has the last word: it also tells where `files.info` cannot. */
  const awaitShare = async (waits: readonly number[]): Promise<string | null> => {
    for (const wait of waits) {
      await delay(wait * settleMs, undefined, { signal });
      try {
        const ts = await lookUp();
        if (ts !== null) return ts;
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn({ fileId: first.fileId, error: String(error) }, 'a shared file could not be looked up');
      }
    }
    const messages = await readThread(web, thread, { signal });
    return messages.find(({ files: shown }) => shown.some((file) => file['id'] === first.fileId))?.ts ?? null;
  };

  const shared = (messageId: string): ShareOutcome => ({
    kind: 'shared',
    messageId,
    hasBlocks: async () => hasWords && (await showsBlocks(messageId)),
  });

  const showsBlocks = async (ts: string): Promise<boolean> => {
    let failure: unknown = null;
    for (const wait of readBackWaits) {
      await delay(wait * settleMs, undefined, { signal });
      try {
        const message = await readOneMessage(web, { channelId, threadTs: threadId, ts }, signal);
        if (message !== null) return message.blocks.length > 0;
        failure = null;
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn({ ts, error: String(error) }, 'a shared message could not be read back');
        failure = error;
      }
    }
    if (failure !== null) throw failure;
    // A share whose message is not listed yet: Slack accepted the blocks, and nothing says that it left them out.
    return true;
  };

  /** Slack's answer; `lost` where it may have taken effect all the same. */
  const complete = async (): Promise<{ readonly ts: string | null } | ShareOutcome | { readonly lost: unknown }> => {
    try {
      const answer = await completeUpload(web, files, { channelId, threadTs: threadId, words }, signal);
      return { ts: answer.map((file) => shareTs(file, channelId)).find((ts) => ts !== null) ?? null };
    } catch (error) {
      if (signal.aborted) throw error;
      const reason = fileRefusal(error);
      if (reason !== null) return { kind: 'files-refused', reason };
      if (hasWords && isBlockRefusal(error)) return { kind: 'words-refused' };
      if (!isAmbiguous(error)) throw error;
      log.warn({ postId, partId, error: String(error) }, 'the answer to an upload was lost');
      return { lost: error };
    }
  };

  for (let isSecond = false; ; isSecond = true) {
    const outcome = await complete();
    if ('kind' in outcome) return outcome;
    const told = 'ts' in outcome ? outcome.ts : null;
    const ts = told ?? (await awaitShare('lost' in outcome ? lostAnswerWaits : shareWaits));
    if (ts !== null) return shared(ts);
    if (!('lost' in outcome)) break;
    // Slack's own failure, not a lost answer: the same words would fail again.
    if (hasWords && slackCodeOf(outcome.lost) !== null) return { kind: 'words-refused' };
    if (isSecond) throw outcome.lost;
  }
  log.warn({ postId, partId, channelId }, 'Slack accepted files and does not show them');
  await deleteFiles(web, files, log, signal);
  return { kind: 'never-shown' };
}

async function deleteFiles(
  web: SlackWeb,
  files: readonly { readonly fileId: string }[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const { fileId } of files) {
    try {
      await web.call('files.delete', { file: fileId }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      log.debug({ fileId, error: String(error) }, 'a file that is not shown could not be deleted');
    }
  }
}
