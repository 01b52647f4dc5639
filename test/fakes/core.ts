import { createDelivery } from '../../src/answer/deliver.ts';
import { noAudit } from '../../src/audit/no-audit.ts';
import { createConversation } from '../../src/conversation/conversation.ts';
import { createTaskLimits } from '../../src/conversation/limits.ts';
import { createSessions } from '../../src/conversation/sessions.ts';
import type { Sessions } from '../../src/conversation/sessions.ts';
import { createThreadSweep } from '../../src/conversation/sweep.ts';
import { createWorker } from '../../src/conversation/worker.ts';
import { createLogger } from '../../src/log.ts';
import type { Audit } from '../../src/ports/audit.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import type { Dispatcher } from '../../src/ports/dispatcher.ts';
import type { Model } from '../../src/ports/model.ts';
import type { GatewayHandlers, PlatformClient } from '../../src/ports/platforms.ts';
import type { SandboxProvider } from '../../src/ports/sandbox.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Limit, Prices } from '../../src/ports/usage.ts';
import { createInProcessDispatcher } from '../../src/queue/in-process-dispatcher.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Attachment, Task, ThreadRef } from '../../src/types.ts';

export const sandboxLimits = { memoryBytes: 1e9, workspaceBytes: 1e8, cpus: 1, processes: 64 };

export interface Core {
  readonly handlers: GatewayHandlers;
  readonly dispatcher: Dispatcher;
  readonly sessions: Sessions;
  /** As a starting process does: takes up what is unfinished. */
  start(): Promise<void>;
  /** The same with so many tasks at once; `start` takes four. */
  startWith(concurrency: number): Promise<void>;
}

/** The conversation and its worker as the composition root wires them, on ports that the test gives. */
export function createCore(ports: {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly client: PlatformClient;
  readonly provider: SandboxProvider;
  readonly model: Model;
  readonly attachmentBytes?: number;
  readonly cellTimeoutMs?: number;
  readonly fileBytes?: number;
  readonly limits?: readonly Limit[];
  readonly prices?: Prices;
  readonly now?: () => number;
  readonly audit?: Audit;
}): Core {
  const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const { store, blobs, client, provider, model, cellTimeoutMs = 1000, fileBytes = 100_000, audit = noAudit } = ports;
  const clientOf = (): PlatformClient => client;
  const dispatcher = createInProcessDispatcher({ log });
  const delivery = createDelivery({ store, blobs, audit, clientOf, timeoutMs: 5000, linkTo: null, log });
  const sessions = createSessions({
    provider,
    store,
    blobs,
    limits: sandboxLimits,
    cellTimeoutMs,
    suspendAfterMs: 10_000,
    idleMs: 60_000,
    maxSessions: 2,
    log,
  });
  const { limits = [], prices = null, now = Date.now } = ports;
  const taskLimits = createTaskLimits({ store, limits, prices, now });
  const worker = createWorker({
    store,
    blobs,
    sessions,
    delivery,
    audit,
    clientOf,
    taskLimits,
    model,
    instructions: 'Answer.',
    limits: { maxSteps: 5, maxTokens: 100_000, maxWallMs: 60_000 },
    cellTimeoutMs,
    attachmentBytes: ports.attachmentBytes ?? 10_000,
    collect: { fileBytes, filesBytes: 2 * fileBytes },
    about: { version: '1.2.3', imageName: 'fake-image:latest' },
    telemetry: silentTelemetry,
    log,
  });
  const startWith = async (concurrency: number): Promise<void> => {
    dispatcher.process(worker, { concurrency });
    await createThreadSweep({ store, dispatcher, isServed: () => true, log })();
  };
  return {
    handlers: createConversation({
      store,
      blobs,
      dispatcher,
      delivery,
      audit,
      clientOf,
      taskLimits,
      isShared: false,
      endSession: (threadKey) => sessions.drop(threadKey),
      log,
    }),
    dispatcher,
    sessions,
    start: () => startWith(4),
    startWith,
  };
}

/** For tests that look elsewhere. */
export const silentTelemetry: Telemetry = {
  task: async (_entry, work) => void (await work()),
  step: (_name, work) => work(),
  cell: (work) => work(),
};

export const testThread: ThreadRef = { platform: 'test', workspaceId: 'w', channelId: 'c', threadId: 'q0' };
export const testThreadKey = threadKeyOf(testThread);

export function taskOf(id: string, given: Partial<Task> = {}): Task {
  return {
    id,
    thread: testThread,
    messageId: id,
    person: { id: 'p', displayName: 'Ada' },
    text: `question ${id}`,
    attachments: [],
    receivedAtMs: 0,
    ...given,
  };
}

export function attachmentOf(id: string, name: string, sizeBytes: number | null = null): Attachment {
  return { id, name, mimeType: 'text/csv', sizeBytes, source: null };
}

/** Resolves once the condition holds; looks again after everything that can happen at once has happened. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
