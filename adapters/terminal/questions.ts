import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import mime from 'mime';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Attachment, ThreadRef } from '../../src/types.ts';
import type { Transcript } from './transcript.ts';

const person = { id: 'local', displayName: 'You' };

/** The person's side of the one thread that a terminal has, whether typed or given as arguments. */
export interface Questions {
  /** Resolves when the question is accepted; `replied` when its final reply was shown. `paths` are absolute. */
  ask(handlers: GatewayHandlers, text: string, paths: readonly string[]): Promise<{ readonly replied: Promise<void> }>;
  /** Stops what runs and waits; resolves to how many questions that were. */
  stop(handlers: GatewayHandlers): Promise<number>;
  /** The code of the newest answer. */
  code(handlers: GatewayHandlers): ReturnType<GatewayHandlers['onShowCode']>;
  /** Everything known about the files. */
  details(handlers: GatewayHandlers): ReturnType<GatewayHandlers['onShowDetails']>;
  /** How many have no reply yet. */
  open(): number;
  onReply(taskId: string): void;
}

export function createQuestions(transcript: Transcript): Questions {
  const thread: ThreadRef = {
    platform: 'terminal',
    workspaceId: 'local',
    channelId: 'terminal',
    threadId: randomUUID(),
  };
  const open = new Map<string, () => void>();
  let count = 0;

  return {
    ask: async (handlers, text, paths) => {
      count += 1;
      const messageId = `${thread.threadId}-${count}`;
      const taskId = `terminal-${messageId}`;
      const attachments = paths.map((path, index) => attachmentOf(path, `${messageId}-${index + 1}`));
      const files = attachments.map(({ name, mimeType, sizeBytes }, index) => ({
        kind: 'file' as const,
        name,
        mimeType,
        size: sizeBytes,
        path: transcript.relativePath(paths[index] ?? ''),
        altText: '',
      }));
      await transcript.put({ messageId, from: 'person', kind: 'message', text, files, attachments, code: [] });
      const { promise, resolve } = Promise.withResolvers<void>();
      open.set(taskId, resolve);
      try {
        await handlers.onTask({ id: taskId, thread, messageId, person, text, attachments, receivedAtMs: Date.now() });
      } catch (error) {
        open.delete(taskId);
        throw error;
      }
      return { replied: promise };
    },

    stop: (handlers) => handlers.onCancel(thread, person.id),
    code: (handlers) => handlers.onShowCode(thread, null),
    details: (handlers) => handlers.onShowDetails(thread, null),
    open: () => open.size,

    onReply: (taskId) => {
      open.get(taskId)?.();
      open.delete(taskId);
    },
  };
}

function attachmentOf(path: string, id: string): Attachment {
  const found = statSync(path, { throwIfNoEntry: false });
  return {
    id,
    name: basename(path),
    mimeType: mime.getType(path) ?? 'application/octet-stream',
    sizeBytes: found?.isFile() === true ? found.size : null,
    source: { path },
  };
}
