import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, openSandboxes } from './sandboxes.ts';

const side = z.object({ seconds: z.array(z.number()).nonempty(), memory: z.number() });
const found = z.record(z.string(), z.object({ ours: side, theirs: side }));

const longestMs = 600_000;
const program = fileURLToPath(new URL('card_speed.py', import.meta.url));

/** The file card of large files: seconds, and the peak of memory over the file's size, beside `pandas.read_csv` of the same file. */
export async function cardSpeed(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({ maxContainers: 1 });
  await using session = await acquire(provider);
  const code = `
import subprocess, sys
done = subprocess.run([sys.executable, "-c", ${JSON.stringify(await readFile(program, 'utf8'))}, "."], capture_output=True, text=True)
print(done.stdout.splitlines()[-1] if done.returncode == 0 else done.stderr[-2000:])
`;
  const signal = AbortSignal.timeout(longestMs);
  const execution = await session.run(code, { timeoutMs: longestMs, signal, onOutput: () => {} });
  const sizes = found.parse(JSON.parse(execution.stdout));
  return Object.entries(sizes).flatMap(([size, { ours, theirs }]) => [
    figure({
      name: `card of a CSV file of ${size}`,
      unit: 's',
      samples: ours.seconds,
      besideName: 'pandas.read_csv alone',
      besideSamples: theirs.seconds,
      targets: [size === '20 MB' ? { of: 'p95', atMost: 1 } : { of: 'p50', atMost: 4 }],
    }),
    figure({
      name: `peak memory of that card, times ${size}`,
      unit: 'x',
      samples: [ours.memory],
      besideName: 'pandas.read_csv alone',
      besideSamples: [theirs.memory],
      targets: [{ of: 'p50', atMost: 5 }],
    }),
  ]);
}
