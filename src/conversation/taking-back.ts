import type { Logger } from '../log.ts';
import type { PlatformClient } from '../ports/platforms.ts';
import type { PostRemoval } from '../ports/retention.ts';
import type { Store } from '../ports/store.ts';
import type { ThreadRef } from '../types.ts';

const removeTimeoutMs = 15_000;

export interface TakingBackDeps {
  readonly store: Pick<Store, 'endPostRemoval'>;
  readonly clientOf: (thread: ThreadRef) => PlatformClient;
  readonly log: Logger;
}

/** Removes messages of the bot whose question is gone. What fails stays noted, for a later round. Never rejects. */
export async function takeBack({ id, thread, messageIds }: PostRemoval, deps: TakingBackDeps): Promise<void> {
  try {
    await deps.clientOf(thread).remove(thread, messageIds, AbortSignal.timeout(removeTimeoutMs));
    await deps.store.endPostRemoval(id);
  } catch (error) {
    deps.log.warn({ removal: id, error: String(error) }, 'posts could not be removed; they will be tried again');
  }
}
