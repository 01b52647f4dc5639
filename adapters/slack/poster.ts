import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { OutgoingFile, PostContext, PostedPart, PostReceipt } from '../../src/ports.ts';
import type { ThreadRef } from '../../src/types.ts';
import { fileRefusal, isAmbiguous, slackCodeOf } from './errors.ts';
import { asObject, asText } from './json.ts';
import type { Json } from './json.ts';
import type { SlackMessage } from './message.ts';
import type { RenderedPart } from './render.ts';
import { escapeText } from './text.ts';
import { partsOf, postEventType, readThread } from './thread.ts';
import { shareFiles, shareTs, sizeOf, uploadBytes } from './upload.ts';
import type { UploadedFile } from './upload.ts';
import type { SlackWeb } from './web.ts';

/** Files that become one message. */
export interface FileGroup {
  readonly files: readonly { readonly outgoing: OutgoingFile; readonly title: string }[];
  readonly comment: string;
}

/**
 * Posts texts and files of one outbox entry, each part once. A part whose answer was lost is looked up in the thread, by the
 * mark that text messages carry and by the files of an upload, before it is tried again.
 */
export interface Poster {
  post(
    web: SlackWeb,
    thread: ThreadRef,
    content: { readonly texts: readonly RenderedPart[]; readonly groups: readonly FileGroup[] },
    context: PostContext,
  ): Promise<PostReceipt>;
}

/** Codes after which the same words are posted without blocks. */
const blockFailures = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'unsupported_block_type',
]);

/** Only in a thread this young, and younger than this process, can no earlier attempt have posted anything. */
const freshThreadMs = 15_000;

export function createPoster(deps: {
  readonly log: Logger;
  /** How long Slack may take to show what it accepted before its answer was lost. */
  readonly settleMs: number;
}): Poster {
  const { log } = deps;
  const startedAtMs = Date.now();
  /** Posts of this process whose last attempt failed: the thread may hold parts that nobody noted. */
  const unsettled = new Set<string>();

  const post: Poster['post'] = async (web, thread, content, context) => {
    const parts = new Map(context.alreadyPosted.map((part) => [part.partId, part]));
    const isRetry = parts.size > 0 || unsettled.has(context.postId);
    unsettled.add(context.postId);

    const groups = content.groups
      .map((group, index) => ({ ...group, partId: `files-${index + 1}` }))
      .filter(({ partId }) => !parts.has(partId));
    const uploads = groups.map((group) =>
      Promise.all(group.files.map(({ outgoing }) => uploadBytes(web, outgoing, context.signal))),
    );

    const note = async (part: PostedPart): Promise<void> => {
      parts.set(part.partId, part);
      await context.onPosted(part);
    };
    const earlier = isRetry || mayHoldEarlierParts(thread) ? await readBack(web, thread, context, isRetry) : [];
    for (const part of partsOf(earlier, context.postId)) if (!parts.has(part.partId)) await note(part);

    for (const [index, text] of content.texts.entries()) {
      const partId = `text-${index + 1}`;
      if (!parts.has(partId)) await note(await postText(web, thread, partId, text, context));
    }

    const notPosted: { name: string; reason: string }[] = [];
    for (const [index, group] of groups.entries()) {
      const found = findShared(earlier, group, [...parts.values()]);
      if (found !== null) {
        await note({ partId: group.partId, messageId: found });
        continue;
      }
      const sent = (await uploads[index]) ?? [];
      const shared = await share(web, thread, group, sent, context);
      notPosted.push(...shared.notPosted);
      if (shared.messageId !== null) await note({ partId: group.partId, messageId: shared.messageId });
    }
    unsettled.delete(context.postId);
    return { parts: [...parts.values()], notPosted };
  };

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

  const postText = async (
    web: SlackWeb,
    thread: ThreadRef,
    partId: string,
    part: RenderedPart,
    context: PostContext,
  ): Promise<PostedPart> => {
    const metadata = { event_type: postEventType, event_payload: { post_id: context.postId, part_id: partId } };
    const send = async (content: Json): Promise<PostedPart> => {
      const answer = await web.call(
        'chat.postMessage',
        {
          channel: thread.channelId,
          thread_ts: thread.threadId,
          unfurl_links: false,
          unfurl_media: false,
          metadata,
          ...content,
        },
        context.signal,
      );
      return { partId, messageId: asText(answer['ts']) ?? '' };
    };
    try {
      return await send({ text: part.text, blocks: part.blocks });
    } catch (error) {
      if (blockFailures.has(slackCodeOf(error) ?? '')) return await send({ text: wholeText(part) });
      if (!isAmbiguous(error)) throw error;
      log.warn({ postId: context.postId, partId, error: String(error) }, 'the answer to a post was lost');
      await delay(deps.settleMs, undefined, { signal: context.signal });
      const messages = await readThread(web, thread, { signal: context.signal });
      const posted = partsOf(messages, context.postId).find((other) => other.partId === partId);
      return posted ?? (await send({ text: part.text, blocks: part.blocks }));
    }
  };

  const share = async (
    web: SlackWeb,
    thread: ThreadRef,
    group: FileGroup,
    sent: readonly UploadedFile[],
    context: PostContext,
  ): Promise<{ readonly messageId: string | null; readonly notPosted: PostReceipt['notPosted'] }> => {
    const failed = sent.find((upload) => upload.state === 'failed');
    if (failed !== undefined) throw failed.error;
    const notPosted = sent.flatMap((upload) =>
      upload.state === 'refused' ? [{ name: upload.file.file.name, reason: upload.reason }] : [],
    );
    const files = sent.flatMap((upload, index) =>
      upload.state === 'uploaded' ? [{ fileId: upload.fileId, title: group.files[index]?.title ?? '' }] : [],
    );
    const [first] = files;
    if (first === undefined) return { messageId: null, notPosted };
    const target = { channelId: thread.channelId, threadTs: thread.threadId, comment: group.comment, files };
    try {
      const answer = await shareFiles(web, target, context.signal);
      const ts = answer.map((file) => shareTs(file, thread.channelId)).find((found) => found !== null);
      return { messageId: ts ?? (await awaitShare(web, thread, first.fileId, context.signal)), notPosted };
    } catch (error) {
      const reason = fileRefusal(error);
      if (reason !== null) {
        return { messageId: null, notPosted: sent.map(({ file }) => ({ name: file.file.name, reason })) };
      }
      if (!isAmbiguous(error)) throw error;
      log.warn({ postId: context.postId, error: String(error) }, 'the answer to an upload was lost');
      await delay(deps.settleMs, undefined, { signal: context.signal });
      const ts = await findShare(web, thread, first.fileId, context.signal);
      if (ts !== null) return { messageId: ts, notPosted };
      await shareFiles(web, target, context.signal);
      return { messageId: await awaitShare(web, thread, first.fileId, context.signal), notPosted };
    }
  };

  const findShare = async (
    web: SlackWeb,
    thread: ThreadRef,
    fileId: string,
    signal: AbortSignal,
  ): Promise<string | null> =>
    shareTs(asObject((await web.call('files.info', { file: fileId }, signal))['file']), thread.channelId);

  /** Slack completes uploads later than it answers. A share that does not show up in time is trusted, by its file's id. */
  const awaitShare = async (web: SlackWeb, thread: ThreadRef, fileId: string, signal: AbortSignal): Promise<string> => {
    for (const waitMs of [200, 400, 800, 1600, 3200]) {
      await delay(waitMs, undefined, { signal });
      try {
        const ts = await findShare(web, thread, fileId, signal);
        if (ts !== null) return ts;
      } catch (error) {
        log.warn({ fileId, error: String(error) }, 'a shared file could not be looked up');
        break;
      }
    }
    log.warn({ fileId, channel: thread.channelId }, 'Slack accepted a file but does not show it yet');
    return fileId;
  };

  return { post };
}

/**
 * An upload of an earlier process: uploads carry no mark, so it is a message behind the post's own text, with exactly these
 * names and sizes.
 */
function findShared(messages: readonly SlackMessage[], group: FileGroup, parts: readonly PostedPart[]): string | null {
  const textTs = parts.filter(({ partId }) => partId.startsWith('text-')).map(({ messageId }) => Number(messageId));
  if (textTs.length === 0) return null;
  const after = Math.max(...textTs);
  const wanted = fingerprint(group.files.map(({ outgoing }) => [outgoing.file.name, outgoing.file.sizeBytes]));
  const taken = new Set(parts.map(({ messageId }) => messageId));
  const match = messages.find(
    ({ ts, botId, files }) =>
      botId !== null &&
      Number(ts) > after &&
      !taken.has(ts) &&
      fingerprint(files.map((file) => [asText(file['name']), sizeOf(file)])) === wanted,
  );
  return match?.ts ?? null;
}

/** The text that its blocks say in full. Slack splits it by itself where it is long, and loses nothing. */
function wholeText(part: RenderedPart): string {
  const markdown = (part.plainBlocks ?? part.blocks).flatMap((block) =>
    block['type'] === 'markdown' ? (asText(block['text']) ?? []) : [],
  );
  return markdown.length === 0 ? part.text : escapeText(markdown.join('\n'));
}

function fingerprint(files: readonly (readonly [string | null, number | null])[]): string {
  return JSON.stringify(files.map((file) => JSON.stringify(file)).toSorted());
}
