import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { PostedPart } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { isAmbiguous, isBlockRefusal, isImageRefusal } from './errors.ts';
import { asText } from '../json.ts';
import type { Json } from '../json.ts';
import { imageFileIds, partsOf, postEventType } from './marks.ts';
import type { RenderedPart } from './render.ts';
import { escapeText } from './text.ts';
import { readThread } from './thread.ts';
import type { SlackWeb } from './web.ts';

/** Where a message goes, as which part of which post. */
export interface PartTarget {
  readonly web: SlackWeb;
  readonly thread: ThreadRef;
  readonly postId: string;
  readonly partId: string;
  readonly signal: AbortSignal;
}

/**
 * Posts one text part, in the first of its layouts that Slack takes, and in the end without blocks. An answer that was lost is
 * looked up in the thread by the part's mark before it is posted again. `images`: the files that the message shows.
 */
export async function postText(
  target: PartTarget,
  part: RenderedPart,
  layouts: readonly (readonly Json[])[],
  deps: { readonly log: Logger; readonly settleMs: number },
): Promise<{ readonly part: PostedPart; readonly images: readonly string[] }> {
  let withoutImages = false;
  for (const blocks of layouts) {
    const images = imageFileIds(blocks);
    if (withoutImages && images.length > 0) continue;
    try {
      return { part: await sendOnce(target, { text: part.text, blocks }, deps), images };
    } catch (error) {
      if (!isBlockRefusal(error)) throw error;
      withoutImages ||= isImageRefusal(error);
      deps.log.warn({ postId: target.postId, partId: target.partId, error: String(error) }, 'Slack refused a layout');
    }
  }
  return { part: await sendOnce(target, { text: wholeText(part) }, deps), images: [] };
}

/** From the richest to the plainest, none twice. `isReady` tells which images can be shown at all. */
export function layoutsOf(part: RenderedPart, isReady: (fileId: string) => boolean): readonly (readonly Json[])[] {
  const all = [withImages(part.blocks, isReady), withImages(part.blocks, () => false), part.plainBlocks ?? []];
  const texts = all.map((blocks) => JSON.stringify(blocks));
  return all.filter((blocks, index) => blocks.length > 0 && texts.indexOf(texts[index] ?? '') === index);
}

function withImages(blocks: readonly Json[], isShown: (fileId: string) => boolean): readonly Json[] {
  return blocks.filter((block) => imageFileIds([block]).every(isShown));
}

async function sendOnce(
  { web, thread, postId, partId, signal }: PartTarget,
  content: Json,
  { log, settleMs }: { readonly log: Logger; readonly settleMs: number },
): Promise<PostedPart> {
  const send = async (): Promise<PostedPart> => {
    const answer = await web.call(
      'chat.postMessage',
      {
        channel: thread.channelId,
        thread_ts: thread.threadId,
        unfurl_links: false,
        unfurl_media: false,
        metadata: { event_type: postEventType, event_payload: { post_id: postId, part_id: partId } },
        ...content,
      },
      signal,
    );
    return { partId, messageId: asText(answer['ts']) ?? '' };
  };
  try {
    return await send();
  } catch (error) {
    if (!isAmbiguous(error)) throw error;
    log.warn({ postId, partId, error: String(error) }, 'the answer to a post was lost');
    await delay(settleMs, undefined, { signal });
    const posted = partsOf(await readThread(web, thread, { signal }), postId).find((other) => other.partId === partId);
    return posted ?? (await send());
  }
}

/** The text that its blocks say in full. Slack splits it by itself where it is long, and loses nothing. */
function wholeText(part: RenderedPart): string {
  const blocks = part.plainBlocks ?? part.blocks;
  const markdown = blocks.flatMap((block) => (block['type'] === 'markdown' ? (asText(block['text']) ?? []) : []));
  return markdown.length === 0 ? part.text : escapeText(markdown.join('\n'));
}
