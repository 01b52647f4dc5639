import { cardDetails, detailsMarkdown } from '../answer/card-details.ts';
import { codeSpan } from '../answer/notebook/markdown.ts';
import type { Blobs, Bytes } from '../ports/blobs.ts';
import type { PlatformClient } from '../ports/platforms.ts';
import type { Store } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { Artifact, Reply, Task } from '../types.ts';
import { detailsFile } from './details-request.ts';

/** Up to so many characters the details are the message, beyond it they are a file: nobody reads five screens in a thread. */
const shownCharacters = 3500;

const nothingKnown = 'No file was looked at in this thread yet. Attach one and ask something about it first.';

/** All that is known about the thread's files, or about the one that is named. No model is asked and no turn is kept. */
export async function detailsReply(
  task: Task,
  client: Pick<PlatformClient, 'limits'>,
  deps: { readonly store: Store; readonly blobs: Blobs },
): Promise<Reply> {
  const cards = await deps.store.cards(threadKeyOf(task.thread));
  const wanted = detailsFile(task.text) ?? '';
  const found = wanted === '' ? cards : cards.filter(({ file }) => file.toLowerCase() === wanted);
  if (found.length === 0) {
    const names = cards.map(({ file }) => codeSpan(file)).join(', ');
    return replyOf(
      task,
      cards.length === 0 ? nothingKnown : `There is no such file in this thread; it has ${names}.`,
      [],
    );
  }
  const text = found.map((card) => detailsMarkdown(cardDetails(card))).join('\n\n');
  if (text.length <= Math.min(shownCharacters, client.limits.messageCharacters)) return replyOf(task, text, []);
  const name = 'details.md';
  const stored = await deps.blobs.put(once(`${text}\n`), { maxBytes: Number.MAX_SAFE_INTEGER });
  const artifact: Artifact = {
    kind: 'file',
    title: name,
    file: { ...stored, name, mimeType: 'text/markdown' },
    altText: '',
    table: null,
    chart: null,
  };
  const about = found.length === 1 ? codeSpan(found[0]?.file ?? '') : `${found.length} files`;
  return replyOf(task, `Everything I noticed about ${about} is in ${codeSpan(name)}.`, [artifact]);
}

function replyOf(task: Task, text: string, artifacts: readonly Artifact[]): Reply {
  return { taskId: task.id, outcome: 'answered', text, artifacts, notices: [], code: [] };
}

async function* once(text: string): Bytes {
  yield new TextEncoder().encode(text);
}
