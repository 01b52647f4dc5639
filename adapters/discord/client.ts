import { createHash } from 'node:crypto';
import type { REST } from 'discord.js';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type {
  OutgoingFile,
  OutgoingMessage,
  PlatformClient,
  PostContext,
  PostReceipt,
} from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { createMessageCreator } from './create-message.ts';
import { downloadFile } from './download.ts';
import { createEditor } from './editor.ts';
import { hasCode } from './errors.ts';
import { createFileLimits } from './file-limits.ts';
import { threadHistory } from './history.ts';
import { nonceOf, questionOf } from './ids.ts';
import { componentMessage, layOut } from './layout.ts';
import type { MessagePart } from './layout.ts';
import { discordPlatformLimits } from './limits.ts';
import { packFiles } from './pack-files.ts';
import type { PlannedFile } from './pack-files.ts';
import { createPoster } from './poster.ts';
import { renderMessage, renderText } from './render.ts';
import { wholeTextName } from './render-reply.ts';
import type { RenderedPost } from './rendered-post.ts';
import { filesOfReply } from './reply-files.ts';
import { createDiscordApi, createDiscordRest } from './rest.ts';
import { createSelfId } from './self-id.ts';
import { createPlaces } from './thread.ts';
import type { Place } from './thread.ts';
import { createTyping } from './typing.ts';

export type DiscordClientOptions = {
  /** Without a version, e.g. `https://discord.com/api`. */
  readonly apiUrl: string;
  readonly log: Logger;
  readonly admit: PlatformClient['admit'];
  /** Largest file in bytes, the same everywhere; `null`: by the boost level of each server. */
  readonly maxFileBytes?: number | null;
  /** For downloads; the tests put faults in its way. */
  readonly fetch?: typeof globalThis.fetch;
  readonly settleMs?: number;
} & (
  | { readonly token: string }
  /** Shared with a gateway of the same process, so that both know the same rate limits. Made by `createDiscordRest`. */
  | { readonly rest: REST }
);

/** Outbound Discord, without state that a second process would need. */
export function createDiscordClient(options: DiscordClientOptions): PlatformClient {
  const { apiUrl, log, admit } = options;
  const api = createDiscordApi('rest' in options ? options.rest : createDiscordRest(options));
  const places = createPlaces({ api, log });
  const editor = createEditor({ api });
  const typing = createTyping({ api, log });
  const fileLimits = createFileLimits({ api, fixedBytes: options.maxFileBytes ?? null, log });

  const selfId = createSelfId(api);
  const createMessage = createMessageCreator({ api, settleMs: options.settleMs ?? 300, log });
  const poster = createPoster({ api, selfId, createMessage, log });

  const send = async (
    thread: ThreadRef,
    rendered: RenderedPost,
    files: readonly PlannedFile[],
    context: PostContext,
    answersQuestion: boolean,
  ): Promise<PostReceipt> => {
    const { postId, signal } = context;
    const largest = Math.max(0, ...files.map(({ outgoing }) => outgoing.file.sizeBytes));
    const fileBytes = await fileLimits.of(thread.workspaceId, largest, signal);
    const { groups, notPosted } = packFiles(files, { fileBytes });
    const parts = layOut(rendered, groups);
    const question = questionOf(postId);
    const receipt = await places.within(thread, signal, async (place) => {
      const isHere = question !== null && question.channelId === place.channelId;
      const replyTo = answersQuestion && isHere ? question.messageId : place.replyTo;
      return await poster.post(place, parts, { replyTo, fileBytes }, context);
    });
    return { parts: receipt.parts, notPosted: [...notPosted, ...receipt.notPosted] };
  };

  /** Discord shows something to one person only in answer to a command or a button: here it is a short reply, without a thread. */
  const refuse = async (thread: ThreadRef, text: string, context: PostContext): Promise<PostReceipt> => {
    const question = questionOf(context.postId) ?? { channelId: thread.channelId, messageId: thread.threadId };
    const place: Place = { channelId: question.channelId, replyTo: question.messageId };
    const parts = layOut(renderText(text), []);
    return await poster.post(place, parts, { replyTo: question.messageId, fileBytes: 0 }, context);
  };

  /** A locked thread takes no answer: the channel around it is told. */
  const tellLocked = async ({ channelId, threadId }: ThreadRef, { postId, signal }: PostContext): Promise<void> => {
    if (channelId === threadId) return;
    const partId = 'locked';
    const text = `The thread <#${threadId}> is locked, so I cannot answer there. A moderator can unlock it; or ask me here again.`;
    const part: MessagePart = { partId, kind: 'text', text, rows: [], files: [], textPartIds: [] };
    const { body } = componentMessage(part, postId);
    try {
      await createMessage({ channelId, body, files: [], nonce: nonceOf(postId, partId), replyTo: null }, signal);
    } catch (error) {
      log.warn({ channelId, threadId, error: String(error) }, 'nobody could be told that the thread is locked');
    }
  };

  return {
    limits: discordPlatformLimits,
    admit,

    post: async (thread, message, context) => {
      if (message.kind === 'refusal') return await refuse(thread, message.text, context);
      const rendered = renderMessage(message);
      try {
        return await send(thread, rendered, filesOf(message, rendered), context, message.kind === 'reply');
      } catch (error) {
        if (message.kind === 'reply' && hasCode(error, 'lockedThread')) await tellLocked(thread, context);
        throw error;
      }
    },

    edit: async (thread, messageId, message, signal) => {
      if (message.kind === 'reply') {
        throw new AppError('internal', 'A posted answer cannot be edited.', { detail: 'edit called with a reply' });
      }
      await editor.edit(thread, messageId, renderMessage(message), signal);
    },

    remove: (thread, messageIds, signal) => editor.remove(thread, messageIds, signal),

    upload: async (thread, files, text, context) => {
      const planned = files.map((outgoing) => ({ outgoing, artifact: null, isExtra: false }));
      return await send(thread, renderText(text), planned, context, false);
    },

    status: async (thread, text) => {
      if (text === null) typing.end(thread);
      else typing.start(thread);
    },

    download: (attachment, limits) =>
      downloadFile(attachment, { api, apiUrl, fetch: options.fetch ?? globalThis.fetch }, limits),

    history: async (thread, { limit, signal }) =>
      await threadHistory(api, thread, await selfId(signal), { limit, signal }),
  };
}

function filesOf(message: OutgoingMessage, rendered: RenderedPost): readonly PlannedFile[] {
  if (message.kind !== 'reply') return [];
  const files = filesOfReply(message.reply, message.files);
  if (rendered.wholeText === null) return files;
  return [{ outgoing: textFile(wholeTextName, rendered.wholeText), artifact: null, isExtra: false }, ...files];
}

function textFile(name: string, text: string): OutgoingFile {
  const bytes = new TextEncoder().encode(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    file: { name, mimeType: 'text/markdown', sizeBytes: bytes.byteLength, sha256 },
    async *open() {
      yield bytes;
    },
  };
}
