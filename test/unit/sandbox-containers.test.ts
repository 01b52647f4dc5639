import { beforeEach, describe, expect, it } from 'vitest';
import { type Containers, createContainers } from '../../sandbox/containers.ts';
import type { Engine } from '../../sandbox/engine.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { sandboxLimits } from '../fakes/core.ts';

const never = new AbortController().signal;

describe('an engine that starts nothing', () => {
  let containers: Containers;
  /** What `check` chooses. */
  let runtime: string | null;
  let asked: (string | null)[];
  let leaves: string | null;
  let removed: string[];

  beforeEach(() => {
    runtime = 'runsc';
    asked = [];
    leaves = null;
    removed = [];
    const engine: Pick<Engine, 'check' | 'launch' | 'remove'> = {
      check: async () => ({ version: '1', runtime, protection: null as never }),
      launch: async (settings, onLeft) => {
        asked.push(settings.runtime);
        if (leaves !== null) onLeft(leaves, new Error('busy'));
        throw new AppError('sandbox-failed', 'Docker could not start a sandbox.', { retryable: true });
      },
      remove: async (id) => {
        removed.push(id);
      },
    };
    containers = createContainers({
      engine: engine as Engine,
      image: 'plotline-sandbox:latest',
      seccomp: '{}',
      ownerId: 'owner',
      log: createLogger('silent'),
    });
  });

  const start = async (): Promise<void> => {
    await expect(containers.start(sandboxLimits, never, () => {})).rejects.toMatchObject({ code: 'sandbox-failed' });
  };

  it('has what it could not remove taken up by the sweep, once', async () => {
    leaves = 'stuck';
    await start();
    expect(await containers.retryRemovals()).toBe(1);
    expect(removed).toEqual(['stuck']);
    expect(await containers.retryRemovals()).toBe(0);
  });

  it('is asked again for its runtimes, so that one that is gone does not fail every start', async () => {
    await start();
    runtime = null;
    await start();
    expect(asked).toEqual(['runsc', null]);
  });
});
