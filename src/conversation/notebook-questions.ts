import type { NotebookQuestion, NotebookStep } from '../answer/notebook/notebook.ts';
import type { OutgoingMessage } from '../ports/platforms.ts';
import type { OutboxEntry, Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Reply, Task } from '../types.ts';
import { isDetailsRequest } from './details-request.ts';
import { isNotebookRequest } from './notebook-request.ts';

/** The questions of the thread up to `task`, each with what was posted for it and its steps. Requests for notebooks and for details are none. */
export async function notebookQuestions(
  task: Task,
  steps: readonly NotebookStep[],
  store: Store,
): Promise<readonly NotebookQuestion[]> {
  const entries = await store.tasks(threadKeyOf(task.thread));
  const own = entries.findIndex((entry) => entry.task.id === task.id);
  const questions: NotebookQuestion[] = [];
  for (const { task: asked } of own === -1 ? entries : entries.slice(0, own)) {
    if (isNotebookRequest(asked) || isDetailsRequest(asked)) continue;
    const posts = await store.posts(asked.id);
    const reply = replyIn(posts);
    questions.push({
      text: asked.text,
      personName: asked.person.displayName,
      askedAtMs: asked.receivedAtMs,
      cards: posts.flatMap(cardText),
      steps: steps.filter(({ cell }) => cell.taskId === asked.id),
      answer: reply?.text ?? '',
      notices: reply?.notices ?? [],
    });
  }
  return questions;
}

function replyIn(posts: readonly OutboxEntry[]): Reply | null {
  const entry = posts.find(({ kind }) => kind === 'reply');
  return entry === undefined ? null : (entry.body as unknown as Reply);
}

function cardText({ kind, body }: OutboxEntry): readonly string[] {
  const message = body as unknown as OutgoingMessage;
  return kind === 'card' && message.kind === 'card' ? [message.text] : [];
}
