import { toAppError } from '../errors.ts';
import type { HistoryMessage, PlatformClient } from '../ports/platforms.ts';
import type { Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Attachment, Task } from '../types.ts';

/** Messages looked at: so many that a thread's first message, which often holds the file, is among them. */
const historyMessages = 500;

/** Files taken from earlier messages: the newest ones. */
const maxFiles = 20;

/**
 * Files that people posted in the thread without asking anything: for its first question all of them, later those since the
 * question before. `problems` say what could not be looked at or was left out.
 */
export async function earlierAttachments(
  task: Task,
  deps: { readonly client: PlatformClient; readonly store: Store },
  signal: AbortSignal,
): Promise<{ readonly attachments: readonly Attachment[]; readonly problems: readonly string[] }> {
  // The message that begins a thread has none before it.
  if (task.messageId === task.thread.threadId) return { attachments: [], problems: [] };
  const questions = await deps.store.tasks(threadKeyOf(task.thread));
  const own = questions.findIndex((entry) => entry.task.id === task.id);
  const before = questions.slice(0, Math.max(0, own)).map((entry) => entry.task.messageId);

  let messages: readonly HistoryMessage[];
  try {
    messages = await deps.client.history(task.thread, { limit: historyMessages, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const why = `I could not look for files in the earlier messages of this thread: ${toAppError(error).userMessage}`;
    return { attachments: [], problems: [why] };
  }
  const since = messages.findLastIndex(({ messageId }) => before.includes(messageId)) + 1;
  const question = messages.findIndex(({ messageId }) => messageId === task.messageId);
  const between = messages.slice(since, question === -1 ? undefined : question);
  const found = between.flatMap(({ from, attachments }) => (from === 'person' ? attachments : []));
  const leftOut = found.length - maxFiles;
  return {
    attachments: found.slice(-maxFiles),
    problems:
      leftOut > 0
        ? [
            `Of the ${found.length} files in the earlier messages I took the newest ${maxFiles}; attach the others here.`,
          ]
        : [],
  };
}
