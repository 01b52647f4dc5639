import type { Logger } from '../log.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { OnPlace, SandboxLimits, SandboxProvider, SandboxSession } from '../ports/sandbox.ts';
import type { Store } from '../ports/store.ts';
import type { ThreadKey } from '../types.ts';
import { createPlaces } from './places.ts';
import { createRebuild } from './rebuild.ts';

/**
 * The live sandboxes of threads: a cache. The truth is in the store (attachments, executed cells), from which a session is
 * rebuilt whenever a thread has none. Only the worker that runs a thread's task asks for its session.
 */
export interface Sessions extends AsyncDisposable {
  /**
   * The thread's live session, or a fresh one in which its cells were run again; either way with every attachment of the thread
   * written. `notices` say in words what could not be rebuilt; empty when the thread was alive or came back whole. `onPlace` is
   * told where the thread has to wait for others, or for Docker.
   */
  open(threadKey: ThreadKey, signal: AbortSignal, onPlace?: OnPlace): Promise<OpenSession>;
  /** A fresh container beside the threads' own, with nothing in it; it counts as a live session until it is disposed. */
  apart(signal: AbortSignal, onPlace?: OnPlace): Promise<AsyncDisposable & Pick<OpenSession, 'session'>>;
  /**
   * Before a task: `starts` counts those of the thread's tasks, this one included, in all processes. A session that did not serve the one
   * before is thrown away: what others executed since is not in it.
   */
  claim(threadKey: ThreadKey, starts: number): Promise<void>;
  /** The task is over: the idle clocks start, first the one that suspends the session, then the one that removes it. */
  release(threadKey: ThreadKey): void;
  /** Throws the thread's container away; the next `open` rebuilds it. */
  drop(threadKey: ThreadKey): Promise<void>;
  /** Throws away idle sessions of threads that were forgotten, or went on in another worker. */
  sweep(): Promise<void>;
}

export interface OpenSession {
  readonly session: SandboxSession;
  readonly notices: readonly string[];
}

interface Live {
  readonly session: SandboxSession;
  /** `name sha256` of the attachments it holds. */
  readonly written: Set<string>;
  /** In use by a task: never evicted, whatever else happens. */
  busy: boolean;
  usedAtMs: number;
  /** Which start of the thread's tasks it served last. */
  servedStart: number | null;
  readonly idleTimers: NodeJS.Timeout[];
}

export function createSessions(deps: {
  readonly provider: SandboxProvider;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly limits: SandboxLimits;
  readonly cellTimeoutMs: number;
  /** Idle this long, a session stands still: its memory stays, its processor time ends. */
  readonly suspendAfterMs: number;
  /** Idle this long, it is removed. */
  readonly idleMs: number;
  /** Live sessions at most; at the limit the one that was idle longest makes room. */
  readonly maxSessions: number;
  readonly log: Logger;
}): Sessions {
  const live = new Map<ThreadKey, Live>();
  /** The starts of the tasks that run now. */
  const claims = new Map<ThreadKey, number>();
  const rebuild = createRebuild(deps);

  const drop = async (threadKey: ThreadKey): Promise<void> => {
    const entry = live.get(threadKey);
    if (entry === undefined) return;
    live.delete(threadKey);
    stopClock(entry);
    await remove(entry.session);
  };

  /** Gives its place back, also where the container resists: an answer does not hang on that. */
  const remove = async (session: SandboxSession): Promise<void> => {
    try {
      await session[Symbol.asyncDispose]();
    } catch (error) {
      deps.log.warn({ session: session.id, error: String(error) }, 'a session could not be removed');
    } finally {
      places.free();
    }
  };

  /** Throws away the session that was idle longest; false when all are busy. */
  const evictOldest = async (): Promise<boolean> => {
    const [oldest] = [...live].filter(([, { busy }]) => !busy).toSorted(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
    if (oldest === undefined) return false;
    await drop(oldest[0]);
    return true;
  };
  let waitingForRoom = 0;
  const places = createPlaces(deps.maxSessions, evictOldest);

  const open: Sessions['open'] = async (threadKey, signal, onPlace) => {
    const existing = live.get(threadKey);
    if (existing?.session.alive === true) {
      existing.busy = true;
      stopClock(existing);
      return {
        session: existing.session,
        notices: await rebuild.writeAttachments(existing.session, threadKey, existing.written, signal),
      };
    }
    await drop(threadKey);
    await places.take(signal, onPlace);
    try {
      const fresh = await openFresh(threadKey, signal, onPlace);
      live.set(threadKey, { ...fresh, busy: true, usedAtMs: Date.now(), servedStart: null, idleTimers: [] });
      return fresh;
    } catch (error) {
      places.free();
      throw error;
    }
  };

  const openFresh = async (
    threadKey: ThreadKey,
    signal: AbortSignal,
    onPlace: OnPlace | undefined,
  ): Promise<OpenSession & Pick<Live, 'written'>> => {
    // A container may be lost for reasons of its own; one that ends again is brought down by what was run before.
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const whole = await acquireWith(threadKey, signal, onPlace, rebuild.everything);
      if (whole.session.alive) return whole;
      await whole.session[Symbol.asyncDispose]();
    }
    // Without that the thread can at least go on with its files.
    deps.log.warn({ threadKey }, 'two sandboxes ended while their thread was rebuilt; going on with the files alone');
    const files = await acquireWith(threadKey, signal, onPlace, rebuild.filesOnly);
    return { ...files, notices: [...files.notices, rebuild.nothingReplayed] };
  };

  /** Waits for the provider at the cost of idle threads: it may have less room than `maxSessions`, when one of several engines is gone. */
  const acquire = async (signal: AbortSignal, onPlace: OnPlace | undefined): Promise<SandboxSession> => {
    let isWaiting = false;
    try {
      return await deps.provider.acquire(deps.limits, signal, (before) => {
        onPlace?.(before);
        if (before === null || isWaiting) return;
        isWaiting = true;
        waitingForRoom += 1;
        void evictOldest();
      });
    } finally {
      if (isWaiting) waitingForRoom -= 1;
    }
  };

  const acquireWith = async (
    threadKey: ThreadKey,
    signal: AbortSignal,
    onPlace: OnPlace | undefined,
    fill: typeof rebuild.everything,
  ): Promise<OpenSession & Pick<Live, 'written'>> => {
    const session = await acquire(signal, onPlace);
    const written = new Set<string>();
    try {
      return { session, written, notices: await fill(session, threadKey, written, signal) };
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  };

  const apart: Sessions['apart'] = async (signal, onPlace) => {
    await places.take(signal, onPlace);
    try {
      const session = await acquire(signal, onPlace);
      return { session, [Symbol.asyncDispose]: () => remove(session) };
    } catch (error) {
      places.free();
      throw error;
    }
  };

  /** `servedStart` is `null` where no task was answered in it: then nothing can tell whose past it is. */
  const isStale = async (threadKey: ThreadKey, { servedStart }: Live): Promise<boolean> =>
    servedStart !== (await deps.store.starts(threadKey)) || !(await deps.store.knowsThread(threadKey));

  return {
    open,
    apart,
    drop,
    claim: async (threadKey, starts) => {
      claims.set(threadKey, starts);
      if (live.get(threadKey)?.servedStart !== starts - 1) await drop(threadKey);
    },
    sweep: async () => {
      for (const [threadKey, entry] of live) {
        // A task that begins has claimed it, and is not counted in it yet.
        if (entry.busy || claims.has(threadKey) || !(await isStale(threadKey, entry))) continue;
        // A task may have come to it meanwhile.
        if (!entry.busy && !claims.has(threadKey) && live.get(threadKey) === entry) await drop(threadKey);
      }
    },
    release: (threadKey) => {
      const entry = live.get(threadKey);
      const servedStart = claims.get(threadKey) ?? null;
      claims.delete(threadKey);
      if (entry === undefined) return;
      entry.servedStart = servedStart;
      stopClock(entry);
      entry.busy = false;
      entry.usedAtMs = Date.now();
      entry.idleTimers.push(
        setTimeout(() => void entry.session.suspend(), deps.suspendAfterMs).unref(),
        setTimeout(() => void drop(threadKey), deps.idleMs).unref(),
      );
      places.evictable();
      if (waitingForRoom > 0) void evictOldest();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...live.keys()].map(drop));
    },
  };
}

/** No idle clock runs under a later task: a forgotten one would end its session. */
function stopClock(entry: Live): void {
  for (const timer of entry.idleTimers.splice(0)) clearTimeout(timer);
}
