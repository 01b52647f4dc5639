import type { SandboxProvider } from '../../src/ports/sandbox.ts';
import { createFakeSandbox } from './fake-sandbox.ts';

/** The life of a process: it can end between any two things it does. */
export interface Life {
  /** Resolves while the process lives. Once it has ended, nothing that it waits for ever comes. */
  step(): Promise<void>;
  readonly ended: boolean;
}

/** Ends at the given step, counted from 1; `null`: never. */
export function createLife(endsAtStep: number | null): Life {
  let steps = 0;
  let ended = false;
  return {
    step: () => {
      steps += 1;
      if (steps === endsAtStep) ended = true;
      return ended ? new Promise(() => {}) : Promise.resolve();
    },
    get ended() {
      return ended;
    },
  };
}

/**
 * The same port as the process sees it: it may end before a call takes effect, or after it did and before it knows. Calls that
 * give no promise pass through, as do other members.
 */
export function mortal<T extends object>(port: T, life: Life): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || passesThrough.has(name)) return member;
      if (name === 'heldBy') return (...args: unknown[]) => mortal(Reflect.apply(member, target, args) as object, life);
      return async (...args: unknown[]): Promise<unknown> => {
        await life.step();
        const result: unknown = await (member as (...given: unknown[]) => unknown).apply(target, args);
        await life.step();
        return result;
      };
    },
  });
}

/** Containers that a process gets and uses only while it lives. */
export function createMortalSandbox(life: Life): SandboxProvider {
  const sandbox = createFakeSandbox();
  return {
    acquire: async (limits, signal) => {
      await life.step();
      return mortal(await sandbox.acquire(limits, signal), life);
    },
    sweep: () => sandbox.sweep(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Resolves when the process has ended. */
export async function endOf(life: Life): Promise<null> {
  while (!life.ended) await new Promise((resolve) => setTimeout(resolve, 2));
  return null;
}

/** Members that give an iterable at once. */
const passesThrough = new Set<string | symbol>(['get', 'read', 'download', 'stream']);
