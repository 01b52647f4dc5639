import { setTimeout as delay } from 'node:timers/promises';
import type { RawFile } from 'discord.js';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { PostContext, PostedPart, PostReceipt } from '../../src/ports.ts';
import { asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { earlierParts } from './earlier-parts.ts';
import { hasCode, isAmbiguous, isFormRefused, isTooLarge } from './errors.ts';
import { nonceOf, questionOf, snowflakeMs } from './ids.ts';
import { componentMessage, plainMessage, takeApart } from './layout.ts';
import type { LaidOutMessage, MessagePart } from './layout.ts';
import { contentBudget, discordLimits } from './limits.ts';
import { splitForDiscord } from './markdown.ts';
import type { PlannedFile } from './pack-files.ts';
import type { DiscordApi } from './rest.ts';
import type { Place } from './thread.ts';
import { formatBytes } from '../format.ts';

/**
 * Posts the parts of one outbox entry, each once. A repeated request carries the same nonce, by which Discord drops the second of
 * two within some minutes; later, or after a restart, the channel is read and parts are known by the marks they carry.
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

/** Waits before a request whose answer was lost is sent again. */
const lostAnswerWaitsMs = [300, 1500] as const;

export function createPoster(deps: {
  readonly api: DiscordApi;
  readonly selfId: (signal: AbortSignal) => Promise<string>;
  readonly log: Logger;
}): Poster {
  const { api, log } = deps;
  /** Posts of this process whose last attempt failed: the channel may hold parts that nobody noted. */
  const unsettled = new Set<string>();

  const post: Poster['post'] = async (place, parts, { replyTo, fileBytes }, context) => {
    const { postId, signal } = context;
    const noted = new Map(context.alreadyPosted.map((part) => [part.partId, part]));
    const notPosted: { name: string; reason: string }[] = [];
    const note = async (part: PostedPart): Promise<void> => {
      noted.set(part.partId, part);
      await context.onPosted(part);
    };

    const isRetry = noted.size > 0 || unsettled.has(postId);
    unsettled.add(postId);
    if (isRetry || !isWithinNonceWindow(postId)) {
      for (const part of await readBack(place, parts, context, isRetry)) if (!noted.has(part.partId)) await note(part);
    }

    let answers = replyTo;
    const send = async (part: MessagePart): Promise<void> => {
      if (noted.has(part.partId)) return;
      const isTextThere = part.textPartIds.some((id) => noted.has(id));
      if (isTextThere && part.files.length === 0) return;
      if (isTextThere) return await sendApart(part);
      const { data, files, missing } = await readFiles(part.files);
      notPosted.push(...missing);
      const whole = { ...part, files };
      if (whole.text === '' && files.length === 0) return;
      try {
        await note(await sendOnce(whole, componentMessage(whole, postId), data));
      } catch (error) {
        if (isTooLarge(error) && part.files.length > 0) return await sendTooLarge(whole, error);
        if (!isFormRefused(error)) throw error;
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
      if (part.text !== '' || part.files.length > 1 || file === undefined) return await sendApart(part);
      const { name, sizeBytes } = file.outgoing.file;
      log.warn({ postId, name, sizeBytes, error: String(error) }, 'Discord refused a file as too large');
      const reason = `it has ${formatBytes(sizeBytes)}, and Discord refused it as too large (at most ${formatBytes(fileBytes)} a file here)`;
      notPosted.push({ name, reason });
    };

    const sendApart = async (part: MessagePart): Promise<void> => {
      for (const piece of takeApart(part)) await send(piece);
    };

    const sendPlain = async (part: MessagePart, data: readonly RawFile[]): Promise<void> => {
      const texts = splitForDiscord(part.text, contentBudget);
      for (const [index, text] of texts.slice(0, -1).entries()) {
        const partId = `${part.partId}-${index + 1}`;
        const piece = { ...part, partId, text, rows: [], files: [] };
        if (!noted.has(partId)) await note(await sendOnce(piece, plainMessage(piece), []));
      }
      // The last piece has the part's own id: where it is noted, all are there.
      const last = { ...part, text: texts.at(-1) ?? '' };
      await note(await sendOnce(last, plainMessage(last), data));
    };

    const sendOnce = async (
      part: MessagePart,
      message: LaidOutMessage,
      data: readonly RawFile[],
    ): Promise<PostedPart> => {
      const files = data.map((file, index) => ({ ...file, name: message.attachmentNames[index] ?? file.name }));
      const body = { ...message.body, nonce: nonceOf(postId, part.partId), enforce_nonce: true };
      let messageId: string;
      try {
        messageId = await create(place, answers === null ? body : { ...body, ...reference(answers) }, files);
      } catch (error) {
        if (answers === null || !hasCode(error, 'replyWithoutHistory')) throw error;
        messageId = await create(place, body, files);
      }
      // In a place without a thread every message says what it belongs to.
      answers = place.replyTo;
      return { partId: part.partId, messageId };
    };

    const create = async ({ channelId }: Place, body: Json, files: readonly RawFile[]): Promise<string> => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const answer = await api.call('POST', `/channels/${channelId}/messages`, { body, files, signal });
          return asText(asObject(answer)['id']) ?? '';
        } catch (error) {
          const waitMs = lostAnswerWaitsMs[attempt];
          if (!isAmbiguous(error) || waitMs === undefined) throw error;
          log.warn({ postId, error: String(error) }, 'the answer to a post was lost');
          await delay(waitMs, undefined, { signal });
        }
      }
    };

    for (const part of parts) await send(part);
    unsettled.delete(postId);
    return { parts: [...noted.values()], notPosted };
  };

  const readBack = async (
    place: Place,
    parts: readonly MessagePart[],
    context: PostContext,
    isRetry: boolean,
  ): Promise<readonly PostedPart[]> => {
    try {
      const selfId = await deps.selfId(context.signal);
      return await earlierParts(api, place.channelId, selfId, parts, context);
    } catch (error) {
      if (isRetry || context.signal.aborted || hasCode(error, 'unknownChannel')) throw error;
      log.warn({ postId: context.postId, error: String(error) }, 'the channel could not be read before posting');
      return [];
    }
  };

  return { post };
}

/** No attempt, of any process, can be older than the question: while that is young, the nonce alone keeps the post single. */
function isWithinNonceWindow(postId: string): boolean {
  const askedAtMs = snowflakeMs(questionOf(postId)?.messageId ?? '');
  return askedAtMs !== null && Math.abs(Date.now() - askedAtMs) < discordLimits.nonceWindowMs;
}

function reference(messageId: string): Json {
  return { message_reference: { message_id: messageId, fail_if_not_exists: false } };
}

/** discord.js sends bytes, not streams: a message's files are in memory while it goes out, 25 MiB at most. */
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
