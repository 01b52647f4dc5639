import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { PostContext, PostReceipt } from '../../src/ports.ts';
import type { ThreadRef } from '../../src/types.ts';
import { partsOf } from './marks.ts';
import type { SlackMessage } from './message.ts';
import { createFilePosts } from './post-files.ts';
import { askedTs, filesThere, findUnmarked, groupsOf, imagePlaces, nameOf, nextGroup } from './post-plan.ts';
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

/** Only in a thread this young, and younger than this process, can no earlier attempt have posted anything. */
const freshThreadMs = 15_000;

/** In units of `settleMs`, 1 s. */
const lateShareWaits = 10;

export function createPoster(deps: {
  readonly log: Logger;
  /** How long Slack may take to show what it accepted before its answer was lost. */
  readonly settleMs: number;
}): Poster {
  const { log } = deps;
  const filePosts = createFilePosts(deps);
  const startedAtMs = Date.now();
  /** Posts of this process whose last attempt failed: the thread may hold parts that nobody noted. */
  const unsettled = new Set<string>();

  const mayHoldEarlierParts = (thread: ThreadRef): boolean => {
    const threadMs = Number(thread.threadId) * 1000;
    return !(threadMs > startedAtMs && Date.now() - threadMs < freshThreadMs);
  };

  /**
   * A share that a process before this one had accepted may show up after it died. For questions from before this process, files
   * wait until then; at most 10 s, and only in the first 10 s.
   */
  const awaitLateShares = async (thread: ThreadRef, content: PostContent, { postId, signal }: PostContext) => {
    const askedMs = (askedTs(postId) || Number(thread.threadId)) * 1000;
    const leftMs = startedAtMs + lateShareWaits * deps.settleMs - Date.now();
    const mayBeLate = content.isExact && content.files.length > 0 && !(askedMs > startedAtMs);
    if (mayBeLate && leftMs > 0) await delay(leftMs, undefined, { signal });
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
    unsettled.add(postId);
    const places = imagePlaces(content);
    const run = createPostRun(
      { web, thread, postId, content, signal },
      { parts, places, onPosted: (part) => context.onPosted(part) },
      deps,
    );

    if (!isRetry) await awaitLateShares(thread, content, context);
    const mayBeThere = isRetry || mayHoldEarlierParts(thread);
    const earlier = mayBeThere
      ? await readBack(web, thread, context, isRetry || content.isExact || content.isOnlySought)
      : [];
    for (const part of partsOf(earlier, postId)) if (!part.partId.startsWith('image-')) await run.note(part);
    const begun = parts.has('text-1') ? null : (content.stream?.find(earlier, postId) ?? null);
    if (begun !== null) await run.note({ partId: 'text-1', messageId: begun });
    for (const part of findUnmarked(content, postId, parts, earlier)) await run.note(part);
    if (content.isOnlySought) {
      unsettled.delete(postId);
      return { parts: [...parts.values()], notPosted: [] };
    }
    const there = filesThere(content, postId, parts, earlier);

    const taken = await run.upload(content.files.filter((file) => !there.has(file)));
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
