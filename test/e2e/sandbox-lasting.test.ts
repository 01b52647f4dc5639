import Docker from 'dockerode';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId, labelNames } from '../../sandbox/owner.ts';
import { createDockerSandbox, type DockerSandbox, type DockerSandboxSettings } from '../../sandbox/provider.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import type { Execution } from '../../src/types.ts';
import { startEngineProxy } from '../fakes/engine-proxy.ts';

/** What lasts beyond a cell: suspended sessions, an engine that goes away and comes back, containers of a killed bot. */

const megabyte = 1024 * 1024;
const never = new AbortController().signal;
const limits = { memoryBytes: 512 * megabyte, workspaceBytes: 128 * megabyte, cpus: 1, processes: 128 };
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const enginePath = '/var/run/docker.sock';
const docker = new Docker();
const ownerId = createOwnerId();

const engine = createEngine({ endpoint: null, image, runtime: 'runc' });
const isThere = await engine.check().then(
  () => true,
  (error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(
      `\nSKIPPED: what lasts in the sandbox. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
    );
    return false;
  },
);
const { Runtimes: registered = {} } = isThere ? ((await docker.info()) as { readonly Runtimes?: object }) : {};
const runtimes = (['runc', 'runsc'] as const).filter((name) => name in registered);

function openProvider(change: Partial<DockerSandboxSettings> = {}): DockerSandbox {
  return createDockerSandbox({
    endpoint: null,
    image,
    runtime: 'runc',
    ownerId,
    limits,
    poolSize: 0,
    maxContainers: 4,
    log: createLogger(process.env['LOG_LEVEL'] ?? 'silent'),
    ...change,
  });
}

function run(session: SandboxSession, code: string): Promise<Execution> {
  return session.run(code, { timeoutMs: 30_000, signal: never, onOutput: () => {} });
}

async function stateOf(id: string): Promise<string> {
  try {
    return (await docker.getContainer(id).inspect()).State.Status;
  } catch {
    return 'gone';
  }
}

async function existing(): Promise<readonly string[]> {
  const found = await engine.list();
  return found.filter(({ labels }) => labels[labelNames.owner] === ownerId).map(({ id }) => id);
}

describe.skipIf(!isThere)('what lasts in the sandbox', () => {
  it.each(runtimes)(
    '%s: a suspended session stands still with all its threads, wakes with its variables, and goes',
    async (runtime) => {
      await using provider = openProvider({ runtime });
      const session = await provider.acquire(limits, never);
      expect(session.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
      await run(
        session,
        'import threading, time\nticks = 0\ndef tick():\n    global ticks\n    while True:\n        ticks += 1\n        time.sleep(0.01)\nthreading.Thread(target=tick, daemon=True).start()',
      );
      const ticks = async (): Promise<number> => Number((await run(session, 'print(ticks)')).stdout);
      const before = await ticks();
      await session.suspend();
      expect(await stateOf(session.id)).toBe('paused');
      await sleep(3000);
      const after = await ticks();
      expect(after).toBeGreaterThan(0);
      // 300 ticks in that time, had it gone on.
      expect(after - before).toBeLessThan(150);
      expect(await stateOf(session.id)).toBe('running');
      await session.suspend();
      await session[Symbol.asyncDispose]();
      await expect.poll(() => stateOf(session.id), { timeout: 8000 }).toBe('gone');
    },
    60_000,
  );

  it.each(runtimes)(
    '%s: a suspended sandbox of a killed bot is swept by the next one',
    async (runtime) => {
      const bot = fork(new URL('../fakes/sandbox-owner.ts', import.meta.url), [image, runtime, 'suspended'], {
        silent: true,
      });
      const [line] = (await once(bot, 'message')) as [{ readonly sessionId: string }];
      await using provider = openProvider();
      await provider.sweep();
      expect(await stateOf(line.sessionId)).toBe('paused');
      bot.kill('SIGKILL');
      await once(bot, 'exit');
      await provider.sweep();
      await expect.poll(() => stateOf(line.sessionId), { timeout: 8000 }).toBe('gone');
    },
    60_000,
  );

  it.skipIf(!existsSync(enginePath))(
    'an engine that goes away takes its sessions along; callers wait for it, the pool fills up again',
    async () => {
      await using proxy = await startEngineProxy(enginePath);
      await using provider = openProvider({
        endpoint: { kind: 'unix', path: proxy.path },
        poolSize: 1,
      });
      await provider.warm();
      const session = await provider.acquire(limits, never);
      const cell = run(session, 'import time\ntime.sleep(20)');
      await expect.poll(() => provider.room().warm, { timeout: 20_000 }).toBe(1);
      const before = await existing();
      expect(before).toHaveLength(2);

      await proxy.cut();
      expect((await cell).status).toBe('lost');
      const places: (number | null)[] = [];
      const next = provider.acquire(limits, never, (place) => places.push(place));
      await expect.poll(() => places, { timeout: 10_000 }).toContain(null);
      const leaving = new AbortController();
      const left = provider.acquire(limits, leaving.signal).catch((error: unknown) => error);
      await sleep(200);
      leaving.abort();
      expect(await left).toMatchObject({ code: 'cancelled' });
      await sleep(2000);
      await proxy.restore();

      const fresh = await next;
      expect((await run(fresh, '1')).status).toBe('ok');
      // Their owner's stream ended, so they ended; what the engine could not be told while it was away is made good by the sweep.
      await provider.sweep();
      await expect
        .poll(async () => (await existing()).filter((id) => before.includes(id)), { timeout: 10_000 })
        .toEqual([]);
      await expect.poll(() => provider.room().warm, { timeout: 45_000 }).toBe(1);
    },
    120_000,
  );
});
