import type { Logger } from '../../src/log.ts';
import type { PostContext, PostedPart, PostReceipt } from '../../src/ports.ts';
import type { ThreadRef } from '../../src/types.ts';
import { prepareImages } from './images.ts';
import type { Json } from './json.ts';
import { imageFileIds, marked, markOf, partsOf, withImageMarks } from './marks.ts';
import type { SlackMessage } from './message.ts';
import { filesThere, findUnmarked, groupsOf, imagePartId, imagePlaces, nameOf, nextGroup } from './post-plan.ts';
import type { FileGroup, PlannedFile, PostContent } from './post-plan.ts';
import { layoutsOf, postText } from './post-text.ts';
import { commentText, uploadComment } from './render.ts';
import type { RenderedPart } from './render.ts';
import { withoutMarkdown } from './rich-text.ts';
import { shareFiles } from './share.ts';
import type { ShareOutcome } from './share.ts';
import { readThread } from './thread.ts';
import { uploadBytes } from './upload.ts';
import type { ShareTarget } from './upload.ts';
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

/** So long a workspace that left out the blocks beside files, or refused all of them, is not asked again. */
const blocksRefusedMs = 3_600_000;

const neverShownReason = 'Slack accepted it and did not show it in this thread; ask me for it again';

export function createPoster(deps: {
  readonly log: Logger;
  /** How long Slack may take to show what it accepted before its answer was lost. */
  readonly settleMs: number;
}): Poster {
  const { log } = deps;
  const startedAtMs = Date.now();
  /** Posts of this process whose last attempt failed: the thread may hold parts that nobody noted. */
  const unsettled = new Set<string>();
  const refusesBlocksUntilMs = new Map<string, number>();

  const mayHoldEarlierParts = (thread: ThreadRef): boolean => {
    const threadMs = Number(thread.threadId) * 1000;
    return !(threadMs > startedAtMs && Date.now() - threadMs < freshThreadMs);
  };

  const readBack = async (
    web: SlackWeb,
    thread: ThreadRef,
    context: PostContext,
    isRetry: boolean,
  ): Promise<readonly SlackMessage[]> => {
    const oldestTs = context.alreadyPosted.map(({ messageId }) => messageId).find((id) => /^\d+\.\d+$/.test(id));
    try {
      return await readThread(web, thread, { ...(oldestTs === undefined ? {} : { oldestTs }), signal: context.signal });
    } catch (error) {
      if (isRetry || context.signal.aborted) throw error;
      log.warn({ postId: context.postId, error: String(error) }, 'the thread could not be read before posting');
      return [];
    }
  };

  const post: Poster['post'] = async (web, thread, content, context) => {
    const { postId, signal } = context;
    const parts = new Map(context.alreadyPosted.map((part) => [part.partId, part]));
    const isRetry = parts.size > 0 || unsettled.has(postId);
    unsettled.add(postId);
    const note = async (part: PostedPart): Promise<void> => {
      if (parts.has(part.partId)) return;
      parts.set(part.partId, part);
      await context.onPosted(part);
    };

    const earlier = isRetry || mayHoldEarlierParts(thread) ? await readBack(web, thread, context, isRetry) : [];
    const found = partsOf(earlier, postId).filter(({ partId }) => !partId.startsWith('image-'));
    for (const part of found) await note(part);
    for (const part of findUnmarked(content, postId, parts, earlier)) await note(part);

    const there = filesThere(content, postId, parts, earlier);
    const places = imagePlaces(content);
    const open = content.files.filter((file) => !there.has(file));
    const asImages = open.filter((file) => {
      const place = file.isImage ? places.get(nameOf(file)) : undefined;
      return place !== undefined && !parts.has(place);
    });

    const notPosted: { name: string; reason: string }[] = [];
    const leaveOut = (files: readonly PlannedFile[], reason: string): void => {
      for (const file of files) notPosted.push({ name: nameOf(file), reason });
    };
    /** The ids of those that Slack took. */
    const upload = async (files: readonly PlannedFile[]): Promise<Map<PlannedFile, string>> => {
      const results = await Promise.all(
        files.map(async (file) => ({ file, result: await uploadBytes(web, file.outgoing, signal) })),
      );
      const ids = new Map<PlannedFile, string>();
      for (const { file, result } of results) {
        if (result.state === 'failed') throw result.error;
        if (result.state === 'refused') leaveOut([file], result.reason);
        else ids.set(file, result.fileId);
      }
      return ids;
    };

    const fileIds = await upload(open);
    const imageIds = asImages.flatMap((file) => {
      const fileId = fileIds.get(file);
      return fileId === undefined ? [] : [{ file, fileId, title: file.title }];
    });
    const ready = await prepareImages(web, imageIds, { log, signal });
    // All images have their place, ready or not: where the texts are cut is the same on every attempt.
    const placed = new Map(
      [...places.keys()].map((name) => [name, imageIds.find(({ file }) => nameOf(file) === name)?.fileId ?? name]),
    );
    const texts = content.render(placed);
    const partIdOfImage = (fileId: string): string | null => {
      const image = imageIds.find((other) => other.fileId === fileId);
      return image === undefined ? null : imagePartId(content, image.file);
    };
    const layoutsAt = (index: number): readonly (readonly Json[])[] => {
      const part = texts[index];
      if (part === undefined) return [];
      return layoutsOf(part, (fileId) => ready.has(fileId)).map((blocks) =>
        withImageMarks(blocks, postId, partIdOfImage),
      );
    };

    /** Images that no message shows, by their ids. A completed file cannot be shared any more: they are sent anew, as files. */
    const shown = new Set<string>();
    const unshown = (): readonly PlannedFile[] =>
      imageIds.filter(({ fileId }) => !shown.has(fileId)).map(({ file }) => file);
    const sendText = async (part: RenderedPart, index: number): Promise<void> => {
      const partId = `text-${index + 1}`;
      const started = (await content.start?.({ postId, partId, signal })) ?? null;
      if (started !== null) return await note({ partId, messageId: started });
      const sent = await postText({ web, thread, postId, partId, signal }, part, layoutsAt(index), deps);
      for (const fileId of sent.images) shown.add(fileId);
      await note(sent.part);
    };

    const lastIndex = texts.length - 1;
    for (const [index, text] of texts.entries()) {
      if (index !== lastIndex && !parts.has(`text-${index + 1}`)) await sendText(text, index);
    }

    let plain = open.filter((file) => fileIds.has(file) && !asImages.includes(file));
    const notReady = imageIds.filter(({ fileId }) => !ready.has(fileId)).map(({ file }) => file);
    if (notReady.length > 0) {
      const again = await upload(notReady);
      for (const [file, fileId] of again) fileIds.set(file, fileId);
      plain = content.files.filter((file) => plain.includes(file) || again.has(file));
    }

    const refusesBlocks = (): boolean => Date.now() < (refusesBlocksUntilMs.get(thread.workspaceId) ?? 0);
    const rememberRefusal = (): void => {
      refusesBlocksUntilMs.set(thread.workspaceId, Date.now() + blocksRefusedMs);
    };
    const share = async ({ files, partId }: FileGroup, words: ShareTarget['words']): Promise<ShareOutcome> => {
      const target = (): readonly { readonly fileId: string; readonly title: string }[] =>
        files.map((file) => ({ fileId: fileIds.get(file) ?? '', title: file.title }));
      const outcome = await shareFiles(web, thread, target(), words, { postId, partId, signal }, deps);
      if (outcome.kind !== 'never-shown') return outcome;
      const again = await upload(files);
      for (const [file, fileId] of again) fileIds.set(file, fileId);
      if (again.size < files.length) return outcome;
      return await shareFiles(web, thread, target(), words, { postId, partId, signal }, deps);
    };

    /** The last text and the first files in one message. Resolves to false where the text has to go alone. */
    const shareWithText = async (group: FileGroup): Promise<'both' | 'files' | 'none'> => {
      const textId = `text-${lastIndex + 1}`;
      const mark = markOf(postId, [textId, group.partId]);
      const charts = group.files.filter(({ isImage }) => isImage);
      let withoutImages = false;
      for (const layout of layoutsAt(lastIndex)) {
        const blocks = withoutMarkdown(layout);
        const shows = imageFileIds(layout);
        // Rather two messages than a table as running text.
        if (blocks === null) return 'none';
        if (withoutImages && shows.length > 0) continue;
        const outcome = await share(group, {
          blocks: marked([...blocks, ...(charts.length === 0 ? [] : [section(aboveFiles(charts))])], mark),
        });
        if (outcome.kind === 'words-refused') {
          // Where the images are not to blame, plainer blocks with them may do; a second refusal is theirs.
          withoutImages = withoutImages || shows.length > 0;
          continue;
        }
        if (outcome.kind === 'files-refused') leaveOut(group.files, outcome.reason);
        if (outcome.kind === 'never-shown') leaveOut(group.files, neverShownReason);
        if (outcome.kind !== 'shared') return 'files';
        await note({ partId: group.partId, messageId: outcome.messageId });
        if (!outcome.hasBlocks) {
          rememberRefusal();
          return 'files';
        }
        for (const fileId of shows) shown.add(fileId);
        await note({ partId: textId, messageId: outcome.messageId });
        return 'both';
      }
      rememberRefusal();
      return 'none';
    };

    /** Slack left out what was to stand above the files. */
    const sayLater = async (ts: string, comment: string): Promise<void> => {
      if (comment === '') return;
      try {
        await web.call('chat.update', { channel: thread.channelId, ts, text: comment }, signal);
      } catch (error) {
        log.warn({ postId, ts, error: String(error) }, 'the words above files could not be added');
      }
    };

    const shareAlone = async (group: FileGroup): Promise<void> => {
      const isFirst = group.partId === 'files-1';
      const comment = content.comment === null ? aboveFiles(group.files) : isFirst ? commentText(content.comment) : '';
      const words = { blocks: marked(comment === '' ? [] : [section(comment)], markOf(postId, [group.partId])) };
      for (const said of refusesBlocks() ? [{ comment }] : [words, { comment }]) {
        const outcome = await share(group, said);
        if (outcome.kind === 'words-refused') continue;
        if (outcome.kind === 'files-refused') leaveOut(group.files, outcome.reason);
        if (outcome.kind === 'never-shown') leaveOut(group.files, neverShownReason);
        if (outcome.kind !== 'shared') return;
        await note({ partId: group.partId, messageId: outcome.messageId });
        if (said === words && !outcome.hasBlocks) {
          rememberRefusal();
          await sayLater(outcome.messageId, comment);
        }
        return;
      }
    };

    const last = texts[lastIndex];
    let rest = plain;
    if (last !== undefined && !parts.has(`text-${lastIndex + 1}`)) {
      const [group] = groupsOf(plain, nextGroup(parts));
      const done = group !== undefined && !refusesBlocks() ? await shareWithText(group) : 'none';
      if (done !== 'none') rest = plain.filter((file) => group?.files.includes(file) !== true);
      if (done !== 'both') await sendText(last, lastIndex);
    }
    for (const group of groupsOf(rest, nextGroup(parts))) await shareAlone(group);
    const lost = unshown().filter((file) => !plain.includes(file));
    if (lost.length > 0) {
      const again = await upload(lost);
      for (const [file, fileId] of again) fileIds.set(file, fileId);
      for (const group of groupsOf(
        lost.filter((file) => again.has(file)),
        nextGroup(parts),
      ))
        await shareAlone(group);
    }
    unsettled.delete(postId);
    return { parts: [...parts.values()], notPosted };
  };

  return { post };
}

/** What stands above the files: their titles, and what charts show, for their alt texts get lost on the way. */
function aboveFiles(files: readonly PlannedFile[]): string {
  return uploadComment(files.flatMap(({ artifact }) => artifact ?? []));
}

function section(text: string): Json {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}
