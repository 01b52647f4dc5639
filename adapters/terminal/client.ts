import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { AppError } from '../../src/errors.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import type {
  OutgoingFile,
  OutgoingMessage,
  PlatformClient,
  PostContext,
  PostReceipt,
} from '../../src/ports/platforms.ts';
import type { Artifact, Attachment, Progress, Reply } from '../../src/types.ts';
import { formatBytes } from '../format.ts';
import { unreadableReason } from './arguments.ts';
import { inlineImage } from './images.ts';
import { renderArtifact, renderMarkdown, renderProgress } from './render.ts';
import type { Screen } from './screen.ts';
import { createStyle } from './style.ts';
import type { Style, TerminalFeatures } from './style.ts';
import type { Transcript, TranscriptEntry, TranscriptFile } from './transcript.ts';

const plain = createStyle(false);

/** Posts by printing and by writing the transcript. A message is its post: the message id is the post id. */
export function createTerminalClient(deps: {
  readonly screen: Screen;
  readonly transcript: Transcript;
  readonly style: Style;
  readonly features: TerminalFeatures;
  /** A task's final reply was shown and written down. */
  readonly onReply: (reply: Reply) => void;
}): PlatformClient {
  const { screen, transcript, style, features } = deps;
  const running = new Map<string, Progress>();
  const replied = new Set<string>();
  const linesPrinted = new Set<string>();

  const showProgress = (messageId: string, progress: Progress): void => {
    if (replied.has(progress.taskId)) return;
    running.set(messageId, progress);
    if (features.isTty) return showRunning();
    // Elsewhere a line is printed once: when its step has ended, or when there is something new to say.
    for (const [index, line] of renderProgress(progress, screen.width, style, null).entries()) {
      const isNews = progress.note !== '' || /^[✓✗]/.test(line);
      const seen = `${messageId} ${index} ${line}`;
      if (isNews && !linesPrinted.has(seen)) screen.print(line);
      if (isNews) linesPrinted.add(seen);
    }
  };

  const showRunning = (): void => {
    const lines = (frame: number): readonly string[] =>
      [...running.values()].flatMap((progress) => renderProgress(progress, screen.width, style, frame));
    screen.showLive(running.size > 0 ? lines : null);
  };

  const endProgress = (taskId: string): void => {
    replied.add(taskId);
    for (const [messageId, progress] of running) {
      if (progress.taskId !== taskId) continue;
      running.delete(messageId);
      showRunning();
      if (features.isTty && progress.steps.length > 0)
        screen.print(renderProgress(progress, screen.width, style, null).join('\n'));
    }
  };

  const saveAll = async (
    files: readonly OutgoingFile[],
    artifacts: readonly Artifact[],
    signal: AbortSignal,
  ): Promise<{ readonly saved: readonly Saved[]; readonly notPosted: PostReceipt['notPosted'] }> => {
    const saved: Saved[] = [];
    const notPosted: { readonly name: string; readonly reason: string }[] = [];
    for (const [index, outgoing] of files.entries()) {
      try {
        saved.push({ outgoing, artifact: artifacts[index] ?? null, path: await transcript.save(outgoing, signal) });
      } catch (error) {
        if (signal.aborted) throw error;
        const reason =
          error instanceof AppError
            ? error.userMessage
            : `it could not be written: ${error instanceof Error ? error.message : String(error)}`;
        notPosted.push({ name: outgoing.file.name, reason });
      }
    }
    return { saved, notPosted };
  };

  const postReply = async (
    reply: Reply,
    files: readonly OutgoingFile[],
    context: PostContext,
  ): Promise<PostReceipt['notPosted']> => {
    const { saved, notPosted } = await saveAll(files, reply.artifacts, context.signal);
    const text = [reply.text, ...reply.notices].join('\n\n');
    const code = reply.code.map(({ title, source, status }) => ({ title, source, status }));
    await transcript.put({
      ...botEntry(context.postId, 'reply', text),
      files: saved.map(asTranscriptFile(transcript)),
      code,
    });
    endProgress(reply.taskId);
    screen.print(`\n${renderMarkdown(reply.text, style)}`);
    for (const { artifact, path, outgoing } of saved) {
      if (artifact === null) continue;
      screen.print(`\n${renderArtifact(artifact, path, screen.width, style)}`);
      const canInline = artifact.kind === 'chart' && (features.kitty || features.iterm);
      const image = canInline ? inlineImage(await readFile(path), outgoing.file.mimeType, features) : null;
      if (image !== null) screen.print(image);
    }
    for (const notice of reply.notices) screen.print(`${style.yellow('!')} ${renderMarkdown(notice, style)}`);
    screen.print('');
    deps.onReply(reply);
    return notPosted;
  };

  const show = async (messageId: string, message: Exclude<OutgoingMessage, { kind: 'reply' }>): Promise<void> => {
    if (message.kind === 'progress') {
      showProgress(messageId, message.progress);
      const text = renderProgress(message.progress, 200, plain, null).join('\n');
      return transcript.put(botEntry(messageId, 'progress', text));
    }
    const known = transcript.entries().find((entry) => entry.messageId === messageId);
    if (known?.text !== message.text) screen.print(renderMarkdown(message.text, style));
    return transcript.put(botEntry(messageId, message.kind === 'card' ? 'card' : 'message', message.text));
  };

  const posted = async (context: PostContext, notPosted: PostReceipt['notPosted']): Promise<PostReceipt> => {
    const part = { partId: 'text-1', messageId: context.postId };
    if (context.alreadyPosted.length === 0) await context.onPosted(part);
    return { parts: [part], notPosted };
  };

  /** A second attempt of the same post, here or after a restart, shows nothing again. */
  const wasPosted = (context: PostContext): boolean =>
    context.alreadyPosted.length > 0 || transcript.entries().some(({ messageId }) => messageId === context.postId);

  return {
    limits: { messageCharacters: 1_000_000, fileBytes: 1024 ** 3, filesPerMessage: 1000, editIntervalMs: 100 },

    admit: (task) => Promise.resolve({ kind: 'admitted', task }),
    // What was printed stays printed.
    remove: () => Promise.resolve(),
    post: async (_thread, message, context) => {
      context.signal.throwIfAborted();
      if (wasPosted(context)) return posted(context, []);
      if (message.kind === 'reply') return posted(context, await postReply(message.reply, message.files, context));
      await show(context.postId, message);
      return posted(context, []);
    },

    edit: async (_thread, messageId, message, signal) => {
      signal.throwIfAborted();
      if (message.kind === 'reply') throw new AppError('platform-failed', 'A reply cannot be changed.');
      await show(messageId, message);
    },

    upload: async (_thread, files, text, context) => {
      if (wasPosted(context)) return posted(context, []);
      const { saved, notPosted } = await saveAll(files, [], context.signal);
      await transcript.put({
        ...botEntry(context.postId, 'message', text),
        files: saved.map(asTranscriptFile(transcript)),
      });
      screen.print([renderMarkdown(text, style), ...saved.map(({ path }) => `📄 ${path}`)].join('\n'));
      return posted(context, notPosted);
    },

    // The progress lines already say that the bot is working.
    status: () => Promise.resolve(),

    download: (attachment, { maxBytes, signal }) => readAttachment(attachment, maxBytes, signal),

    history: (_thread, { limit }) =>
      Promise.resolve(
        transcript
          .entries()
          .filter(({ kind }) => kind !== 'progress')
          .slice(-limit),
      ),
  };
}

interface Saved {
  readonly outgoing: OutgoingFile;
  readonly artifact: Artifact | null;
  readonly path: string;
}

function botEntry(messageId: string, kind: TranscriptEntry['kind'], text: string): TranscriptEntry {
  return { messageId, from: 'bot', kind, text, files: [], attachments: [], code: [] };
}

function asTranscriptFile(transcript: Transcript): (saved: Saved) => TranscriptFile {
  return ({ outgoing, artifact, path }) => ({
    kind: artifact?.kind ?? 'file',
    name: outgoing.file.name,
    mimeType: outgoing.file.mimeType,
    size: outgoing.file.sizeBytes,
    path: transcript.relativePath(path),
    altText: artifact?.altText ?? '',
  });
}

/** The path of an attachment that this adapter made. */
export function pathOf(attachment: Attachment): string | null {
  const { source } = attachment;
  const path = typeof source === 'object' && source !== null && 'path' in source ? source.path : null;
  return typeof path === 'string' ? path : null;
}

async function* readAttachment(attachment: Attachment, maxBytes: number, signal: AbortSignal): Bytes {
  const path = pathOf(attachment) ?? '';
  const found = await stat(path).catch((error: unknown) => {
    throw new AppError('file-unavailable', `${unreadableReason(error)}: ${path}`, { cause: error });
  });
  if (!found.isFile()) throw new AppError('file-unavailable', `this is a folder or a device, not a file: ${path}`);
  let sizeBytes = 0;
  const stream = createReadStream(path, { signal });
  try {
    for await (const chunk of stream) {
      sizeBytes += (chunk as Uint8Array).byteLength;
      if (sizeBytes > maxBytes) {
        throw new AppError(
          'file-too-large',
          `The file is larger than ${formatBytes(maxBytes)}, the most I take. Send a smaller part of it.`,
        );
      }
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (error instanceof AppError || signal.aborted) throw error;
    throw new AppError('file-unavailable', `${unreadableReason(error)}: ${path}`, { cause: error });
  }
}
