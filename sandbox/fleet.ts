import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, toAppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { OnPlace, SandboxProvider, SandboxSession } from '../src/ports/sandbox.ts';
import { outageMs, outagePollMs, roomPollMs } from './limits.ts';
import type { DockerSandbox } from './provider.ts';
import { abortable } from './turns.ts';

/** One engine of several. */
export interface FleetHost {
  /** For the log. */
  readonly name: string;
  readonly sandbox: DockerSandbox;
  /** Containers that this engine alone may hold. */
  readonly maxContainers: number;
}

/** Sandboxes that can say at a start what is missing. */
export interface ReadySandboxes extends SandboxProvider {
  /** Whether a sandbox could be had now: asks the engines that serve. Rejects where none of them can. */
  check(): Promise<unknown>;
  /** What each engine holds. `inUse`: containers given out, starting, or on their way out. */
  engines(): readonly EngineState[];
  /** Checks every engine and fills its pool. Rejects where none can serve; one among several that cannot is a warning. */
  warm(): Promise<unknown>;
}

export interface EngineState {
  readonly name: string;
  readonly warm: number;
  readonly inUse: number;
  readonly max: number;
  /** False while it is set aside. */
  readonly isServing: boolean;
}

/** How often a caller is refused by all engines before it is told. */
const maxTurns = 3;

interface Member extends FleetHost {
  /** Sessions given out. Those that ended stay until the next count. */
  sessions: readonly SandboxSession[];
  /** Sessions on their way to a caller. */
  pending: number;
  /** Why it is asked for nothing at the moment; null: it serves. */
  aside: AppError | null;
  probing: Promise<void> | null;
  /** A row of questions to it is under way: one is enough, however often it goes and comes. */
  isAskedAgain: boolean;
  hasServed: boolean;
}

interface Waiter {
  /** Null: no engine serves. */
  readonly enter: (member: Member | null) => void;
  readonly onPlace: OnPlace | undefined;
  /** The place it heard last. */
  told: number | null;
}

/**
 * Several engines as one. A new session goes to an engine that has a warm container, among these to the one with most free room; where
 * all are full, callers wait in order. An engine that fails to give one is set aside and another asked; what ran there is lost as any
 * container may be, and rebuilt by the core. The engines share nothing.
 */
export function createFleet(deps: {
  readonly hosts: readonly FleetHost[];
  /** An engine that was set aside is asked again after this long. */
  readonly asideMs: number;
  readonly log: Logger;
}): ReadySandboxes {
  const { hosts, asideMs, log } = deps;
  const members = hosts.map((host): Member => ({
    ...host,
    sessions: [],
    pending: 0,
    aside: null,
    probing: null,
    isAskedAgain: false,
    hasServed: false,
  }));
  const waiting: Waiter[] = [];
  const closing = new AbortController();
  let polling: NodeJS.Timeout | null = null;

  const serving = (): readonly Member[] => members.filter(({ aside }) => aside === null);

  const freeRoom = (member: Member): number => {
    member.sessions = member.sessions.filter(({ alive }) => alive);
    return member.maxContainers - member.sessions.length - member.pending;
  };

  const roomiest = (): Member | null => {
    const [best] = serving()
      .map((member) => ({ member, free: freeRoom(member), isWarm: member.sandbox.room().warm > 0 }))
      .filter(({ free }) => free > 0)
      .toSorted((a, b) => Number(b.isWarm) - Number(a.isWarm) || b.free - a.free);
    return best?.member ?? null;
  };

  /** Gives room to those who wait, in their order, and tells the others their place. */
  const serve = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const member = roomiest();
      if (member === null && serving().length > 0) break;
      waiting.shift();
      if (member !== null) member.pending += 1;
      next.enter(member);
    }
    waiting.forEach((waiter, before) => {
      if (waiter.told !== before) waiter.onPlace?.(before);
      waiter.told = before;
    });
    // Nothing tells of a session's end: it may be disposed, or die.
    if (waiting.length > 0) {
      polling ??= setTimeout(() => {
        polling = null;
        serve();
      }, roomPollMs).unref();
    }
  };

  /** An engine with room for one session, which counts as pending there; null where none serves. */
  const place = async (signal: AbortSignal, onPlace: OnPlace | undefined): Promise<Member | null> => {
    const { promise, resolve } = Promise.withResolvers<Member | null>();
    const waiter: Waiter = { enter: resolve, onPlace, told: null };
    waiting.push(waiter);
    serve();
    try {
      return await abortable(promise, signal);
    } catch (error) {
      const index = waiting.indexOf(waiter);
      if (index !== -1) waiting.splice(index, 1);
      else void promise.then(leave);
      throw error;
    }
  };

  const leave = (member: Member | null): void => {
    if (member !== null) member.pending -= 1;
    serve();
  };

  const setAside = (member: Member, error: AppError): void => {
    const isNew = member.aside === null;
    member.aside = error;
    if (!isNew || closing.signal.aborted) return;
    log.warn(
      { host: member.name, error: error.message },
      `this Docker host is set aside, its threads go on at another; it is asked again every ${asideMs / 1000} s. ${error.userMessage}`,
    );
    if (!member.isAskedAgain) void askAgain(member);
  };

  const askAgain = async (member: Member): Promise<void> => {
    member.isAskedAgain = true;
    while (member.aside !== null && !closing.signal.aborted) {
      await sleep(asideMs, null, { signal: closing.signal, ref: false }).catch(() => {});
      if (member.aside !== null && !closing.signal.aborted) await probe(member);
    }
    member.isAskedAgain = false;
  };

  /** One question to an engine that is set aside, however many ask it. Never rejects. */
  const probe = (member: Member): Promise<void> => {
    member.probing ??= (async () => {
      try {
        await member.sandbox.warm();
        member.aside = null;
        member.hasServed = true;
        log.info({ host: member.name }, 'this Docker host is back');
        serve();
      } catch (error) {
        member.aside = toAppError(error);
      } finally {
        member.probing = null;
      }
    })();
    return member.probing;
  };

  /** With every engine set aside: asks them all, for a while where one of them has served before. True when one is back. */
  const revive = async (signal: AbortSignal, onPlace: OnPlace | undefined): Promise<boolean> => {
    const untilMs = Date.now() + (members.some(({ hasServed }) => hasServed) ? outageMs : 0);
    for (;;) {
      await abortable(Promise.all(members.map(probe)), signal);
      if (serving().length > 0) return true;
      if (Date.now() >= untilMs) return false;
      onPlace?.(null);
      await abortable(sleep(outagePollMs, null, { ref: false }), signal);
    }
  };

  return {
    async acquire(limits, signal, onPlace) {
      const until = AbortSignal.any([signal, closing.signal]);
      let failure: AppError | null = null;
      let refusals = 0;
      for (;;) {
        const member = await place(until, onPlace);
        if (member === null) {
          // Who was refused by an engine that answers hears why; nobody waits for a broken one.
          if (failure !== null && failure.code !== 'docker-unavailable') throw failure;
          if (await revive(until, onPlace)) continue;
          throw failure ?? members[0]?.aside ?? new AppError('docker-unavailable', 'No Docker host is configured.');
        }
        try {
          const session = await member.sandbox.acquire(limits, until, onPlace);
          member.sessions = [...member.sessions, session];
          member.hasServed = true;
          return session;
        } catch (error) {
          failure = toAppError(error);
          if (failure.code === 'cancelled') throw failure;
          setAside(member, failure);
          refusals += 1;
          // An engine may answer every question and still start nothing.
          if (refusals >= maxTurns * members.length) throw failure;
        } finally {
          leave(member);
        }
      }
    },
    async check() {
      const asked = serving().map(({ sandbox }) => sandbox.check());
      if (asked.length === 0 && members[0]?.aside) throw members[0].aside;
      await Promise.any(asked).catch(() => asked[0]);
    },
    engines: () => members.map((member) => engineState(member, member.aside === null)),
    async warm() {
      const checked = await Promise.allSettled(members.map(({ sandbox }) => sandbox.warm()));
      checked.forEach((result, index) => {
        const member = members[index];
        if (member === undefined) return;
        if (result.status === 'rejected') setAside(member, toAppError(result.reason));
        else member.hasServed = true;
      });
      const [first] = members;
      if (serving().length === 0 && first?.aside) throw first.aside;
    },
    async sweep() {
      const swept = await Promise.all(
        serving().map(async (member) => {
          try {
            return await member.sandbox.sweep();
          } catch (error) {
            setAside(member, toAppError(error));
            return 0;
          }
        }),
      );
      return swept.reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      if (polling !== null) clearTimeout(polling);
      await Promise.all(members.map(({ sandbox }) => sandbox[Symbol.asyncDispose]()));
    },
  };
}

export function engineState(host: FleetHost, isServing: boolean): EngineState {
  const { name, sandbox, maxContainers: max } = host;
  const { free, warm } = sandbox.room();
  return { name, warm, inUse: max - free - warm, max, isServing };
}
