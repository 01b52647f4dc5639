import { graceMs } from '../sandbox/limits.ts';
import type { SandboxSession } from '../src/ports/sandbox.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, benchLimits, openSandboxes, runAnyhow, runWell, timed } from './sandboxes.ts';

const runs = 50;
const timeoutMs = 200;
const megabyte = 1024 * 1024;

/** A call into C that no signal ends: a lock that its own thread holds already. It waits without using the processor. */
const deafCall = `
import ctypes
libc = ctypes.CDLL(None)
lock = ctypes.create_string_buffer(128)
libc.pthread_mutex_lock(lock)
libc.pthread_mutex_lock(lock)
`;

/** What a dead kernel costs: until the next cell has run in a new one, less a cell's usual time. */
export async function respawn(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({});
  await using session = await acquire(provider);
  const plain = await timed(runs, () => runWell(session, '1+1'));
  const samples = await timed(runs, async () => {
    const died = await runAnyhow(session, 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)', 10_000);
    if (died.status !== 'error') throw new Error(`a killed kernel gave ${died.status}`);
    await runWell(session, '1+1');
  });
  return [
    figure({
      name: 'kernel killed, new one has run 1+1',
      unit: 'ms',
      samples,
      besideName: '1+1',
      besideSamples: plain,
      targets: [{ of: 'over', atMost: 60 }],
    }),
  ];
}

/** How long after its limit a cell has ended: one that listens, and one that is deep in C and has to be killed. */
export async function interrupts(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({ maxContainers: 5 });
  await using first = await acquire(provider);
  const late = async (session: SandboxSession, code: string) => {
    const [ms = Number.NaN] = await timed(1, async () => {
      const { status } = await runAnyhow(session, code, timeoutMs);
      if (status !== 'timeout') throw new Error(`a cell past its limit gave ${status}`);
    });
    return ms - timeoutMs;
  };
  const busy: number[] = [];
  for (let run = 0; run < runs; run += 1) busy.push(await late(first, 'while True: pass'));
  // Each sits still for the whole grace: several at a time do not disturb each other.
  const others = await Promise.all(Array.from({ length: 4 }, () => acquire(provider)));
  const deaf = await Promise.all(
    [first, ...others].map(async (session) => {
      const samples: number[] = [];
      for (let run = 0; run < runs / 5; run += 1) samples.push(await late(session, deafCall));
      return samples;
    }),
  );
  await Promise.all(others.map((session) => session[Symbol.asyncDispose]()));
  return [
    figure({
      name: 'interrupt of a busy loop, after its limit',
      unit: 'ms',
      samples: busy,
      besideName: 'its limit',
      besideSamples: [timeoutMs],
      targets: [{ of: 'p50', atMost: 300 }],
    }),
    figure({
      name: 'end of a C call that hears no signal, after its limit',
      unit: 'ms',
      samples: deaf.flat(),
      besideName: 'the grace',
      besideSamples: [graceMs],
      targets: [{ of: 'over', atMost: 300 }],
    }),
  ];
}

const greedy = `
import sys
kept = []
while True:
    kept.append(bytearray(${4 * megabyte}))
    print(len(kept), flush=True)
`;

/** From the last sign of life of a cell that eats all memory to the sentence that says so: the kill is between the two. */
export async function outOfMemory(): Promise<readonly Figure[]> {
  const limits = { ...benchLimits, memoryBytes: 320 * megabyte, workspaceBytes: 128 * megabyte };
  await using provider = openSandboxes({ limits });
  await using session = await acquire(provider, limits);
  const samples: number[] = [];
  const whole: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const startedAt = performance.now();
    let lastAt = startedAt;
    const { status } = await runAnyhow(session, greedy, 30_000, () => {
      lastAt = performance.now();
    });
    if (status !== 'out-of-memory') throw new Error(`a greedy cell gave ${status}`);
    samples.push(performance.now() - lastAt);
    whole.push(performance.now() - startedAt);
  }
  return [
    figure({
      name: 'out-of-memory sentence after the last sign of life',
      unit: 'ms',
      samples,
      besideName: 'the whole cell',
      besideSamples: whole,
      targets: [{ of: 'p50', atMost: 1000 }],
    }),
  ];
}
