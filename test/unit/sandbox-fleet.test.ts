import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFleet, type ReadySandboxes } from '../../sandbox/fleet.ts';
import type { DockerSandbox } from '../../sandbox/provider.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { sandboxLimits, until } from '../fakes/core.ts';
import { createFakeSandbox, type FakeSandbox } from '../fakes/fake-sandbox.ts';

const never = new AbortController().signal;
const asideMs = 40;

/** An engine that holds what it is told to hold, and is away when told to. */
class FakeHost {
  readonly containers: FakeSandbox = createFakeSandbox();
  warmContainers = 0;
  asked = 0;
  swept = 0;
  disposed = false;
  /** Answers every question, and starts nothing. */
  startsNothing = false;
  /** Keeps `acquire` from coming back. */
  gate: Promise<void> = Promise.resolve();

  set failure(failure: AppError | null) {
    this.containers.failure = failure;
  }

  readonly sandbox: DockerSandbox = {
    acquire: async (limits, signal, onPlace) => {
      this.asked += 1;
      await this.gate;
      if (this.startsNothing) throw away('the engine');
      return this.containers.acquire(limits, signal, onPlace);
    },
    room: () => ({ free: 0, warm: this.warmContainers, waiting: 0 }),
    check: async () => {
      if (this.containers.failure !== null) throw this.containers.failure;
    },
    warm: async () => {
      if (this.containers.failure !== null) throw this.containers.failure;
      return null as never;
    },
    sweep: async () => {
      if (this.containers.failure !== null) throw this.containers.failure;
      return this.swept;
    },
    [Symbol.asyncDispose]: async () => {
      this.disposed = true;
    },
  };
}

const away = (name: string) => new AppError('docker-unavailable', `${name} cannot be reached`, { retryable: true });

describe('several engines', () => {
  let one: FakeHost;
  let two: FakeHost;
  let fleet: ReadySandboxes;
  let lines: string[];

  beforeEach(() => {
    one = new FakeHost();
    two = new FakeHost();
    lines = [];
    fleet = createFleet({
      hosts: [
        { name: 'one', sandbox: one.sandbox, maxContainers: 2 },
        { name: 'two', sandbox: two.sandbox, maxContainers: 3 },
      ],
      asideMs,
      log: createLogger('info', (line) => lines.push(line)),
    });
  });
  afterEach(() => fleet[Symbol.asyncDispose]());

  const acquire = (signal = never, onPlace?: (before: number | null) => void): Promise<SandboxSession> =>
    fleet.acquire(sandboxLimits, signal, onPlace);
  const living = () => [one.containers.living(), two.containers.living()];
  const codeOf = (error: unknown) => (error instanceof AppError ? error.code : error);

  it('a session goes where most room is free, also in a burst, up to what each may hold', async () => {
    await acquire();
    expect(living()).toEqual([0, 1]);
    await Promise.all(Array.from({ length: 4 }, () => acquire()));
    expect(living()).toEqual([2, 3]);
  });

  it('a warm container comes before free room', async () => {
    one.warmContainers = 1;
    await acquire();
    expect(living()).toEqual([1, 0]);
    two.warmContainers = 1;
    await acquire();
    expect(living()).toEqual([1, 1]);
  });

  it('callers wait in order for room anywhere, hear their place, and may leave', async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => acquire()));
    const served: string[] = [];
    const places: Record<string, (number | null)[]> = { a: [], b: [], c: [] };
    const leaving = new AbortController();
    const ask = (name: string, signal = never) =>
      acquire(signal, (before) => places[name]?.push(before)).then(() => served.push(name));
    const a = ask('a');
    const b = ask('b', leaving.signal).catch(codeOf);
    const c = ask('c');
    leaving.abort();
    expect(await b).toBe('cancelled');
    await until('c has moved up', () => places['c']?.length === 2);
    await sessions[0]?.[Symbol.asyncDispose]();
    await a;
    expect(served).toEqual(['a']);
    await sessions[3]?.[Symbol.asyncDispose]();
    await c;
    expect(served).toEqual(['a', 'c']);
    // Each once, however often it was looked for room.
    expect(places).toEqual({ a: [0], b: [1], c: [2, 1, 0] });
  });

  it('an engine that fails is set aside in words and another one serves', async () => {
    two.failure = away('two');
    for (let count = 0; count < 2; count += 1) await acquire();
    expect(living()).toEqual([2, 0]);
    expect(two.asked).toBe(1);
    expect(lines.filter((line) => /set aside.*two cannot be reached/.test(line))).toHaveLength(1);
  });

  it('whatever it fails with: a missing image, a start that is refused', async () => {
    one.failure = new AppError('sandbox-image-missing', 'no image');
    two.failure = new AppError('sandbox-failed', 'disk full', { retryable: true });
    expect(await acquire().catch(codeOf)).toBe('sandbox-image-missing');
    two.failure = null;
    await until('two is back', () => lines.some((line) => line.includes('is back')));
    await acquire();
    expect(living()).toEqual([0, 1]);
  });

  it('is asked again after its pause, and serves again', async () => {
    two.failure = away('two');
    await acquire();
    two.failure = null;
    await until('two is back', () => lines.some((line) => line.includes('is back')));
    await acquire();
    expect(living()).toEqual([1, 1]);
    expect(two.asked).toBe(2);
  });

  it('its sessions are lost and do not count as room taken', async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => acquire()));
    for (const container of two.containers.containers) container.die();
    expect(sessions.filter(({ alive }) => alive)).toHaveLength(2);
    await Promise.all(Array.from({ length: 3 }, () => acquire()));
    expect(living()).toEqual([2, 3]);
  });

  it('without any engine the first reason is told; where one served before, it is waited for', async () => {
    one.failure = away('one');
    two.failure = away('two');
    await expect(acquire()).rejects.toMatchObject({ code: 'docker-unavailable' });
    two.failure = null;
    await acquire();
    two.failure = away('two');
    const places: (number | null)[] = [];
    const waiting = acquire(never, (before) => places.push(before));
    await until('it waits', () => places.includes(null));
    two.failure = null;
    await waiting;
    expect(living()).toEqual([0, 2]);
  });

  it('engines that answer and start nothing are given up with their reason', async () => {
    await acquire();
    [one, two].forEach((host) => (host.startsNothing = true));
    await expect(acquire()).rejects.toMatchObject({ code: 'docker-unavailable' });
    expect(one.asked + two.asked).toBe(1 + 6);
  });

  it('a caller who stops while an engine starts its container leaves no room taken', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    two.gate = promise;
    const stop = new AbortController();
    const stopped = acquire(stop.signal).catch(codeOf);
    stop.abort(new AppError('cancelled', 'Stopped.'));
    resolve();
    expect(await stopped).toBe('cancelled');
    expect(lines).toEqual([]);
    await Promise.all(Array.from({ length: 5 }, () => acquire()));
    expect(living()).toEqual([2, 3]);
  });

  it('a start warns of a missing one, and fails where all are missing', async () => {
    one.failure = away('one');
    await fleet.warm();
    expect(lines.join('')).toContain('one cannot be reached');
    two.failure = away('two');
    await expect(fleet.warm()).rejects.toMatchObject({ userMessage: 'one cannot be reached' });
  });

  it('can give a sandbox while one engine can, and shows what each holds', async () => {
    one.warmContainers = 1;
    one.failure = away('one');
    await expect(fleet.check()).resolves.toBeUndefined();
    await fleet.warm();
    const states = fleet.engines().map(({ name, warm, max, isServing }) => ({ name, warm, max, isServing }));
    expect(states).toEqual([
      { name: 'one', warm: 1, max: 2, isServing: false },
      { name: 'two', warm: 0, max: 3, isServing: true },
    ]);
    two.failure = away('two');
    await expect(fleet.check()).rejects.toMatchObject({ userMessage: 'two cannot be reached' });
    await fleet.warm().catch(() => {});
    await expect(fleet.check()).rejects.toMatchObject({ userMessage: 'one cannot be reached' });
  });

  it('sweeps all that serve, and survives one that fails', async () => {
    one.swept = 2;
    two.swept = 3;
    expect(await fleet.sweep()).toBe(5);
    two.failure = away('two');
    expect(await fleet.sweep()).toBe(2);
    expect(lines.join('')).toContain('two cannot be reached');
  });

  it('disposes all', async () => {
    const waiting = Promise.all(Array.from({ length: 6 }, () => acquire())).catch(codeOf);
    await fleet[Symbol.asyncDispose]();
    expect(await waiting).toBe('cancelled');
    expect([one.disposed, two.disposed]).toEqual([true, true]);
  });
});
