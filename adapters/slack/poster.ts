import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { PostContext, PostedPart, PostReceipt } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { partsOf } from './marks.ts';
import type { SlackMessage } from './message.ts';
import { createFilePosts } from './post-files.ts';
import { filesThere, findUnmarked, groupsOf, imagePlaces, nameOf, nextGroup } from './post-plan.ts';
import type { PlannedFile, PostContent } from './post-plan.ts';
import { createPostRun } from './post-run.ts';
import type { PostRun } from './post-run.ts';
import { readThread } from './thread.ts';
import type { SlackWeb } from './web.ts';

/**
 * Posts one outbox entry, each part once, in as few messages as Slack allows: all bytes first, then the texts, the last of them in
 * one message with the files, charts as images inside the text. A part whose answer was lost is looked up in the thread, by the
 * mark it carries, before it is tried again.
 */
export interface Poster {
  post(web: SlackWeb, thread: ThreadRef, content: PostContent, context: PostContext): Promise<PostReceipt>;
}

/** In units of `settleMs`, 1 s. As long as a share takes to show up in all but rare cases. */
const lateShareWaits = [1, 2, 4];

/** Of posts that were given up, the oldest are forgotten; whoever repeats one so old says so itself. */
const maxUnsettled = 5000;

const notTakenReason = 'Slack did not take it in several attempts; ask me for it again';

export function createPoster(deps: {
  readonly log: Logger;
  /** How long Slack may take to show what it accepted before its answer was lost. */
  readonly settleMs: number;
}): Poster {
  const { log } = deps;
  const filePosts = createFilePosts(deps);
  /** Posts of this process whose last attempt failed: the thread may hold parts that nobody noted. */
  const unsettled = new Set<string>();

  const unsettle = (postId: string): void => {
    unsettled.add(postId);
    const [oldest] = unsettled;
    if (unsettled.size > maxUnsettled && oldest !== undefined) unsettled.delete(oldest);
  };

  const readBack = async (
    web: SlackWeb,
    thread: ThreadRef,
    context: PostContext,
    mustSucceed: boolean,
  ): Promise<readonly SlackMessage[]> => {
    const oldestTs = context.alreadyPosted.map(({ messageId }) => messageId).find((id) => /^\d+\.\d+$/.test(id));
    try {
      return await readThread(web, thread, { ...(oldestTs === undefined ? {} : { oldestTs }), signal: context.signal });
    } catch (error) {
      if (mustSucceed || context.signal.aborted) throw error;
      log.warn({ postId: context.postId, error: String(error) }, 'the thread could not be read before posting');
      return [];
    }
  };

  const post: Poster['post'] = async (web, thread, content, context) => {
    const { postId, signal } = context;
    const parts = new Map(context.alreadyPosted.map((part) => [part.partId, part]));
    const isRetry = parts.size > 0 || unsettled.has(postId);
    unsettle(postId);
    const places = imagePlaces(content);
    const run = createPostRun(
      { web, thread, postId, content, signal },
      { parts, places, onPosted: (part) => context.onPosted(part) },
      deps,
    );

    const mustRead = isRetry || content.isExact || content.isOnlySought;
    let earlier = isRetry || context.isRepeat ? await readBack(web, thread, context, mustRead) : [];
    // A process that is gone may have shared files a moment ago, and shares show up late.
    if (context.isRepeat && content.isExact && content.files.length > 0) {
      for (const wait of lateShareWaits) {
        if (isWhole(content, postId, parts, earlier)) break;
        await delay(wait * deps.settleMs, undefined, { signal });
        earlier = await readBack(web, thread, context, mustRead);
      }
    }
    for (const part of partsOf(earlier, postId)) if (!part.partId.startsWith('image-')) await run.note(part);
    const begun = parts.has('text-1') ? null : (content.stream?.find(earlier, postId) ?? null);
    if (begun !== null) await run.note({ partId: 'text-1', messageId: begun });
    for (const part of findUnmarked(content, postId, parts, earlier)) await run.note(part);
    if (content.isOnlySought) {
      unsettled.delete(postId);
      return { parts: [...parts.values()], notPosted: [] };
    }
    const there = filesThere(content, postId, parts, earlier);

    const missing = content.files.filter((file) => !there.has(file));
    if (content.leavesFilesOut) run.leaveOut(missing, notTakenReason);
    const taken = content.leavesFilesOut ? [] : await run.upload(missing);
    const images = taken.filter((file) => {
      const place = file.isImage ? places.get(nameOf(file)) : undefined;
      return place !== undefined && !parts.has(place);
    });
    await run.prepare(images);
    await postAll(
      run,
      taken.filter((file) => !images.includes(file)),
    );
    unsettled.delete(postId);
    return { parts: [...parts.values()], notPosted: run.notPosted };
  };

  /** The texts but the last, then the last with files beside it, then what is left. */
  const postAll = async (run: PostRun, uploaded: readonly PlannedFile[]): Promise<void> => {
    const lastIndex = run.texts() - 1;
    for (let index = 0; index < lastIndex; index += 1) await run.sendText(index);
    let files = uploaded;
    const isLastOpen = lastIndex >= 0 && !run.parts.has(`text-${lastIndex + 1}`);
    if (isLastOpen) {
      files = inOrder(run.content, [...files, ...(await run.uploadUnready())]);
      const [group] = groupsOf(files, nextGroup(run.parts));
      const done = group === undefined ? 'none' : await filePosts.withText(run, lastIndex, group);
      if (done !== 'none') files = files.filter((file) => group?.files.includes(file) !== true);
      if (done !== 'both') await run.sendText(lastIndex);
    }
    files = [...files, ...(await run.uploadUnshown())];
    for (const group of groupsOf(inOrder(run.content, files), nextGroup(run.parts))) await filePosts.alone(run, group);
  };

  return { post };
}

function inOrder(content: PostContent, files: readonly PlannedFile[]): readonly PlannedFile[] {
  return content.files.filter((file) => files.includes(file));
}

/** Whether the thread shows all files of the post: then there is nothing to wait for. */
function isWhole(
  content: PostContent,
  postId: string,
  noted: ReadonlyMap<string, PostedPart>,
  messages: readonly SlackMessage[],
): boolean {
  const parts = new Map(noted);
  for (const part of [...partsOf(messages, postId), ...findUnmarked(content, postId, noted, messages)]) {
    if (!parts.has(part.partId)) parts.set(part.partId, part);
  }
  return filesThere(content, postId, parts, messages).size === content.files.length;
}
