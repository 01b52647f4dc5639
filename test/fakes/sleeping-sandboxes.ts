import { setTimeout as delay } from 'node:timers/promises';
import type { ReadySandboxes } from '../../sandbox/fleet.ts';
import { createFakeSandbox } from './fake-sandbox.ts';

/** Sandboxes that cost nothing but time: every cell sleeps so long, then runs as in `createFakeSandbox`. */
export function createSleepingSandboxes(sleepMs: number): ReadySandboxes {
  const fake = createFakeSandbox();
  return {
    acquire: async (...given) => {
      const session = await fake.acquire(...given);
      const { run } = session;
      return Object.assign(session, {
        run: async (...cell: Parameters<typeof run>) => {
          await delay(sleepMs, undefined, { signal: cell[1].signal }).catch(() => undefined);
          return run(...cell);
        },
      });
    },
    sweep: () => fake.sweep(),
    warm: () => Promise.resolve(),
    check: () => Promise.resolve(),
    engines: () => [],
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}
