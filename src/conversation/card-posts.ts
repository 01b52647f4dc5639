import { cardText } from '../answer/card-text.ts';
import type { Delivery } from '../answer/deliver.ts';
import type { Logger } from '../log.ts';
import type { ThreadFile } from '../ports/store.ts';
import type { FileCard, Task } from '../types.ts';

/** The cards of one task on their way into the thread, in order, while the work goes on. */
export interface CardPosts {
  /** Posts the card if there is something to say about the file. */
  add(file: ThreadFile, card: FileCard): void;
  /** Resolves when no post is under way, to the texts that could not be posted; never rejects. */
  unposted(): Promise<readonly string[]>;
}

export function createCardPosts(task: Task, deps: { readonly delivery: Delivery; readonly log: Logger }): CardPosts {
  const unposted: string[] = [];
  let last: Promise<void> = Promise.resolve();

  const post = async (postId: string, text: string, file: string): Promise<void> => {
    try {
      await deps.delivery.postText(task, postId, { kind: 'card', text, file });
    } catch (error) {
      // What is wrong with a file is worth a place in the answer, and never worth its failure.
      deps.log.warn({ taskId: task.id, error: String(error) }, 'a card could not be posted');
      unposted.push(text);
    }
  };

  return {
    add: (file, card) => {
      const text = cardText(card);
      if (text === null) return;
      // By the upload and not by its number: a second attempt may get files that the first one could not.
      const postId = `${task.id}-card-${file.attachmentId ?? file.name}`;
      last = last.then(() => post(postId, text, card.file));
    },
    unposted: async () => {
      await last;
      return unposted;
    },
  };
}
