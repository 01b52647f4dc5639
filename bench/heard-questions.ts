import { createDelivery } from '../src/answer/deliver.ts';
import { noAudit } from '../src/audit/no-audit.ts';
import { createConversation } from '../src/conversation/conversation.ts';
import { createTaskLimits } from '../src/conversation/limits.ts';
import { createLogger } from '../src/log.ts';
import type { GatewayHandlers, PlatformClient } from '../src/ports/platforms.ts';
import type { Store } from '../src/ports/store.ts';
import { createInProcessDispatcher } from '../src/queue/in-process-dispatcher.ts';
import { createMemoryBlobs } from '../test/fakes/memory-blobs.ts';

/** The core as a gateway meets it. Nothing takes up the questions: only their way in is measured. */
export function hearingOnly(
  store: Store,
  client: PlatformClient,
): AsyncDisposable & { readonly handlers: GatewayHandlers } {
  const log = createLogger('silent');
  const blobs = createMemoryBlobs();
  const clientOf = (): PlatformClient => client;
  const delivery = createDelivery({ store, blobs, audit: noAudit, clientOf, timeoutMs: 5000, linkTo: null, log });
  const dispatcher = createInProcessDispatcher({ log });
  const handlers = createConversation({
    store,
    blobs,
    dispatcher,
    delivery,
    audit: noAudit,
    clientOf,
    taskLimits: createTaskLimits({ store, limits: [], prices: null, now: Date.now }),
    isShared: false,
    endSession: () => Promise.resolve(),
    log,
  });
  return { handlers, [Symbol.asyncDispose]: () => dispatcher.close({ graceMs: 0 }) };
}

/** Takes every post and every edit, at once. */
export const silentClient = {
  post: async () => ({ parts: [], notPosted: [] }),
  edit: async () => {},
} as unknown as PlatformClient;
