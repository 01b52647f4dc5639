import type { RawFile } from 'discord.js';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { PostContext, PostedPart, PostReceipt } from '../../src/ports/platforms.ts';
import { formatBytes } from '../format.ts';
import type { CreateMessage } from './create-message.ts';
import { earlierParts } from './earlier-parts.ts';
import { hasCode, isFormRefused, isTooLarge } from './errors.ts';
import { nonceOf } from './ids.ts';
import { componentMessage, plainMessage, plainPieces, takeApart } from './layout.ts';
import type { LaidOutMessage, MessagePart } from './layout.ts';
import { discordLimits } from './limits.ts';
import type { PlannedFile } from './pack-files.ts';
import type { DiscordApi } from './rest.ts';
import type { Place } from './thread.ts';

/**
 * Posts the parts of one outbox entry, each once. A repeated request carries the same nonce, by which Discord drops the second of
 * two within some minutes; on every attempt but the first the channel is read and parts are known by the marks they carry.
 */
export interface Poster {
  /** `replyTo`: the message that the first part answers. */
  post(
    place: Place,
    parts: readonly MessagePart[],
    options: { readonly replyTo: string | null; readonly fileBytes: number },
    context: PostContext,
  ): Promise<PostReceipt>;
}

const rememberedPosts = 1000;

export function createPoster(deps: {
  readonly api: DiscordApi;
  readonly selfId: (signal: AbortSignal) => Promise<string>;
  readonly createMessage: CreateMessage;
  readonly log: Logger;
}): Poster {
  const { api, log } = deps;
  /** Posts of this process whose last attempt failed: the channel may hold parts that nobody noted. */
  const unsettled = new Set<string>();
  /** Those that failed for good are never tried again; of the oldest the caller still knows that they were tried. */
  const remember = (postId: string): void => {
    unsettled.add(postId);
    for (const oldest of unsettled) if (unsettled.size > rememberedPosts) unsettled.delete(oldest);
  };

  const post: Poster['post'] = async (place, parts, options, context) => {
    const wasSettled = !unsettled.has(context.postId);
    try {
      return await attempt(place, parts, options, context);
    } catch (error) {
      // A channel that is not there holds no parts: the next attempt, in a thread made for it, is like a first one.
      if (wasSettled && hasCode(error, 'unknownChannel')) unsettled.delete(context.postId);
      throw error;
    }
  };

  const attempt: Poster['post'] = async (place, parts, { replyTo, fileBytes }, context) => {
    const { postId, signal } = context;
    const noted = new Map(context.alreadyPosted.map((part) => [part.partId, part]));
    const notPosted: { name: string; reason: string }[] = [];
    const note = async (part: PostedPart): Promise<void> => {
      noted.set(part.partId, part);
      await context.onPosted(part);
    };

    const isRetry = noted.size > 0 || unsettled.has(postId) || context.isRepeat;
    remember(postId);
    const noteEarlier = async (mayFail: boolean): Promise<void> => {
      for (const part of await readBack(place, parts, context, mayFail)) if (!noted.has(part.partId)) await note(part);
    };
    if (isRetry) await noteEarlier(false);

    let answers = replyTo;
    const send = async (part: MessagePart): Promise<void> => {
      if (noted.has(part.partId)) return;
      const isTextThere = part.textPartIds.some((id) => noted.has(id));
      if (isTextThere && part.files.length === 0) return;
      // Once begun in one way, a part goes on in that way.
      const apart = takeApart(part);
      if (isTextThere || apart.some(({ partId }) => noted.has(partId))) return await sendAll(apart);
      const [firstPiece] = plainPieces(part);
      const { data, files, missing } = await readFiles(part.files);
      notPosted.push(...missing);
      const whole = { ...part, files };
      if (whole.text === '' && files.length === 0) return;
      if (firstPiece !== undefined && noted.has(firstPiece.partId)) return await sendPlain(whole, data);
      try {
        await note(await sendOnce(whole, componentMessage(whole, postId), data));
      } catch (error) {
        const isOversized = isTooLarge(error) && files.length > 0;
        if (!isOversized && !isFormRefused(error)) throw error;
        // Other forms have other nonces: first make sure that this one is not there after a lost answer.
        await noteEarlier(true);
        if (noted.has(part.partId)) return;
        if (isOversized) return await sendTooLarge(whole, error);
        log.warn(
          { postId, partId: part.partId, error: String(error) },
          'Discord refused components; a plain message goes out',
        );
        await sendPlain(whole, data);
      }
    };

    /** One file alone that is too large is named; several, or one with a text, are tried one by one. */
    const sendTooLarge = async (part: MessagePart, error: unknown): Promise<void> => {
      const [file] = part.files;
      if (part.text !== '' || part.files.length > 1 || file === undefined) return await sendAll(takeApart(part));
      const { name, sizeBytes } = file.outgoing.file;
      log.warn({ postId, name, sizeBytes, error: String(error) }, 'Discord refused a file as too large');
      // What a boosted server takes of people may be more than a bot's request may hold.
      const most = Math.min(fileBytes, discordLimits.requestBytes);
      const reason = `it has ${formatBytes(sizeBytes)}, and Discord refused it as too large (at most ${formatBytes(most)} a file here)`;
      notPosted.push({ name, reason });
    };

    const sendAll = async (pieces: readonly MessagePart[]): Promise<void> => {
      for (const piece of pieces) await send(piece);
    };

    const sendPlain = async (part: MessagePart, data: readonly RawFile[]): Promise<void> => {
      for (const piece of plainPieces(part)) {
        if (noted.has(piece.partId)) continue;
        try {
          await note(await sendOnce(piece, plainMessage(piece), piece.files.length > 0 ? data : []));
        } catch (error) {
          if (!isTooLarge(error) || piece.files.length === 0) throw error;
          return await sendTooLarge(part, error);
        }
      }
    };

    const sendOnce = async (
      part: MessagePart,
      message: LaidOutMessage,
      data: readonly RawFile[],
    ): Promise<PostedPart> => {
      const files = data.map((file, index) => ({ ...file, name: message.attachmentNames[index] ?? file.name }));
      const nonce = nonceOf(postId, part.partId);
      const { channelId } = place;
      const messageId = await deps.createMessage(
        { channelId, body: message.body, files, nonce, replyTo: answers },
        signal,
      );
      // In a place without a thread every message says what it belongs to.
      answers = place.replyTo;
      return { partId: part.partId, messageId };
    };

    for (const part of parts) await send(part);
    unsettled.delete(postId);
    return { parts: [...noted.values()], notPosted };
  };

  const readBack = async (
    place: Place,
    parts: readonly MessagePart[],
    context: PostContext,
    mayFail: boolean,
  ): Promise<readonly PostedPart[]> => {
    try {
      const selfId = await deps.selfId(context.signal);
      return await earlierParts(api, place.channelId, selfId, parts, context);
    } catch (error) {
      if (!mayFail || context.signal.aborted || hasCode(error, 'unknownChannel')) throw error;
      log.warn({ postId: context.postId, error: String(error) }, 'the channel could not be read for earlier posts');
      return [];
    }
  };

  return { post };
}

/** discord.js sends bytes, not streams: a message's files are in memory while it goes out, 25 MiB or one larger file of a boosted server. */
async function readFiles(files: readonly PlannedFile[]): Promise<{
  readonly data: readonly RawFile[];
  readonly files: readonly PlannedFile[];
  readonly missing: PostReceipt['notPosted'];
}> {
  const data: RawFile[] = [];
  const read: PlannedFile[] = [];
  const missing: { name: string; reason: string }[] = [];
  for (const file of files) {
    const { name, mimeType } = file.outgoing.file;
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of file.outgoing.open()) chunks.push(chunk);
      data.push({ name, data: Buffer.concat(chunks), contentType: mimeType });
      read.push(file);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'file-unavailable') throw error;
      missing.push({ name, reason: error.userMessage });
    }
  }
  return { data, files: read, missing };
}
