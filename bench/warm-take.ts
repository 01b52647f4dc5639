import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, benchImage, openSandboxes, timed } from './sandboxes.ts';

const runs = 50;
const besideRuns = 5;

/** From asking for a session to having one, while the pool holds it; beside it, what a thread without a pool would pay. */
export async function warmTake(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({ poolSize: 2, maxContainers: 4 });
  await provider.warm();
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const startedAt = performance.now();
    const session = await acquire(provider);
    samples.push(performance.now() - startedAt);
    await session[Symbol.asyncDispose]();
    // Until the pool is whole again; a sample of an empty pool would be one of a boot.
    while (provider.room().warm < 2) await sleep(50);
  }
  const docker = promisify(execFile);
  const besideSamples = await timed(besideRuns, () =>
    docker(
      'docker',
      `run --rm --network none --entrypoint python3 ${benchImage} -c`
        .split(' ')
        .concat('import numpy, pandas, matplotlib.pyplot'),
    ),
  );
  return [
    figure({
      name: 'take a warm session',
      unit: 'ms',
      samples,
      besideName: 'docker run and imports',
      besideSamples,
      targets: [
        { of: 'p50', atMost: 5 },
        { of: 'p95', atMost: 20 },
      ],
    }),
  ];
}
