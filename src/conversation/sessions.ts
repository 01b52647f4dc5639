import type { Logger } from '../log.ts';
import type { Blobs, SandboxLimits, SandboxProvider, SandboxSession, Store } from '../ports.ts';
import type { Cell, Execution, ThreadKey } from '../types.ts';
import { toCellRecord } from './cell-record.ts';

/**
 * The live sandboxes of threads: a cache. The truth is in the store (attachments, executed cells), from which a session is
 * rebuilt whenever a thread has none. Only the worker that runs a thread's task asks for its session.
 */
export interface Sessions extends AsyncDisposable {
  /**
   * The thread's live session, or a fresh one in which its cells were run again; either way with every attachment of the thread
   * written. `notices` say in words what could not be rebuilt; empty when the thread was alive or came back whole.
   */
  open(threadKey: ThreadKey, signal: AbortSignal): Promise<OpenSession>;
  /** The task is over: the idle clock starts. */
  release(threadKey: ThreadKey): void;
  /** Throws the thread's container away; the next `open` rebuilds it. */
  drop(threadKey: ThreadKey): Promise<void>;
}

export interface OpenSession {
  readonly session: SandboxSession;
  readonly notices: readonly string[];
}

interface Live {
  readonly session: SandboxSession;
  /** `name sha256` of the attachments it holds. */
  readonly written: Set<string>;
  busy: boolean;
  usedAtMs: number;
  idleTimer: NodeJS.Timeout | null;
}

export function createSessions(deps: {
  readonly provider: SandboxProvider;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly limits: SandboxLimits;
  readonly cellTimeoutMs: number;
  readonly idleMs: number;
  /** Live sessions at most; at the limit the one that was idle longest makes room. */
  readonly maxSessions: number;
  readonly log: Logger;
}): Sessions {
  const live = new Map<ThreadKey, Live>();
  /** Callers that wait for a place, in order. */
  const waiters = new Set<() => void>();
  let opening = 0;

  const drop = async (threadKey: ThreadKey): Promise<void> => {
    const entry = live.get(threadKey);
    if (entry === undefined) return;
    live.delete(threadKey);
    if (entry.idleTimer !== null) clearTimeout(entry.idleTimer);
    await entry.session[Symbol.asyncDispose]();
    wakeWaiter();
  };

  const wakeWaiter = (): void => {
    const [waiter] = waiters;
    waiter?.();
  };

  const dropInBackground = (threadKey: ThreadKey): void => {
    drop(threadKey).catch((error: unknown) =>
      deps.log.warn({ threadKey, error: String(error) }, 'a session could not be removed'),
    );
  };

  /** Takes a place among the live sessions: a free one, else that of the longest idle thread, else the next one released. */
  const takePlace = async (signal: AbortSignal): Promise<void> => {
    while (live.size + opening >= deps.maxSessions) {
      const [oldest] = [...live].filter(([, entry]) => !entry.busy).toSorted(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
      if (oldest === undefined) await nextRelease(signal);
      else await drop(oldest[0]);
    }
    opening += 1;
  };

  const nextRelease = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        waiters.delete(done);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        waiters.delete(done);
        reject(signal.reason as Error);
      };
      signal.throwIfAborted();
      waiters.add(done);
      signal.addEventListener('abort', stop, { once: true });
    });

  const open: Sessions['open'] = async (threadKey, signal) => {
    const existing = live.get(threadKey);
    if (existing?.session.alive === true) {
      existing.busy = true;
      if (existing.idleTimer !== null) clearTimeout(existing.idleTimer);
      await writeAttachments(existing.session, threadKey, existing.written, signal);
      return { session: existing.session, notices: [] };
    }
    if (existing !== undefined) await drop(threadKey);
    await takePlace(signal);
    try {
      return await openFresh(threadKey, signal);
    } finally {
      opening -= 1;
    }
  };

  const openFresh: Sessions['open'] = async (threadKey, signal) => {
    const session = await deps.provider.acquire(deps.limits, signal);
    try {
      const written = new Set<string>();
      await writeAttachments(session, threadKey, written, signal);
      const notices = await replay(session, threadKey, signal);
      live.set(threadKey, { session, written, busy: true, usedAtMs: Date.now(), idleTimer: null });
      return { session, notices };
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  };

  const writeAttachments = async (
    session: SandboxSession,
    threadKey: ThreadKey,
    written: Set<string>,
    signal: AbortSignal,
  ): Promise<void> => {
    for (const file of await deps.store.files(threadKey)) {
      const identity = `${file.name} ${file.sha256}`;
      if (file.origin !== 'attachment' || written.has(identity)) continue;
      await session.write(file.name, deps.blobs.get(file.sha256), signal);
      written.add(identity);
    }
  };

  const replay = async (
    session: SandboxSession,
    threadKey: ThreadKey,
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const notices: string[] = [];
    for (const cell of (await deps.store.cells(threadKey)).filter(isReplayable)) {
      const replayed = await session.run(cell.source, { timeoutMs: deps.cellTimeoutMs, signal, onOutput: () => {} });
      signal.throwIfAborted();
      const difference = differenceOf(cell, replayed);
      if (difference !== null) notices.push(difference);
      if (replayed.status === 'lost') break;
    }
    await writeMissingOutputs(session, threadKey, signal);
    return notices;
  };

  const writeMissingOutputs = async (
    session: SandboxSession,
    threadKey: ThreadKey,
    signal: AbortSignal,
  ): Promise<void> => {
    const outputs = (await deps.store.files(threadKey)).filter(({ origin }) => origin === 'output');
    if (outputs.length === 0) return;
    const present = new Set((await session.list('')).map(({ path }) => path));
    for (const file of outputs) {
      if (!present.has(file.name)) await session.write(file.name, deps.blobs.get(file.sha256), signal);
    }
  };

  return {
    open,
    drop,
    release: (threadKey) => {
      const entry = live.get(threadKey);
      if (entry === undefined) return;
      entry.busy = false;
      entry.usedAtMs = Date.now();
      entry.idleTimer = setTimeout(() => dropInBackground(threadKey), deps.idleMs);
      entry.idleTimer.unref();
      wakeWaiter();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled([...live.keys()].map(drop));
    },
  };
}

/** A cell that was killed has no end state to come back to; one that raised has: everything up to its error. */
function isReplayable(cell: Cell): boolean {
  return cell.execution.status === 'ok' || cell.execution.status === 'error';
}

function differenceOf(cell: Cell, replayed: Execution): string | null {
  const step = `step ${cell.index + 1} (“${cell.title}”)`;
  if (replayed.status !== cell.execution.status) {
    const reason = replayed.error === null ? '' : `: ${replayed.error.name}`;
    return `This thread was rebuilt in a fresh sandbox; ${step} did not run there as it did before${reason}.`;
  }
  if (toCellRecord(replayed).stdout !== cell.execution.stdout) {
    return `This thread was rebuilt in a fresh sandbox; ${step} printed something else than before.`;
  }
  return null;
}
