import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, benchLimits, openSandboxes } from './sandboxes.ts';

const side = z.object({ seconds: z.array(z.number()).nonempty(), memory: z.array(z.number()).nonempty() });
const found = z.record(z.string(), z.object({ ours: side, theirs: side }));

const longestMs = 900_000;
const megabyte = 1024 * 1024;
const program = fileURLToPath(new URL('card_speed.py', import.meta.url));

/** A million rows may take four seconds, a sampled file as long; whatever has up to 20 MB one. */
const slow = /1,000,000|sampled/;

/** The file card of large files: seconds, and the peak of memory over the file's size, beside pandas' plain reading of the same file. */
export async function cardSpeed(): Promise<readonly Figure[]> {
  const limits = { ...benchLimits, memoryBytes: 3072 * megabyte, workspaceBytes: 1024 * megabyte };
  await using provider = openSandboxes({ maxContainers: 1, limits });
  await using session = await acquire(provider, limits);
  const code = `
import subprocess, sys
done = subprocess.run([sys.executable, "-c", ${JSON.stringify(await readFile(program, 'utf8'))}, "."], capture_output=True, text=True)
print(done.stdout.splitlines()[-1] if done.returncode == 0 else done.stderr[-2000:])
`;
  const signal = AbortSignal.timeout(longestMs);
  const execution = await session.run(code, { timeoutMs: longestMs, signal, onOutput: () => {} });
  const files = found.parse(JSON.parse(execution.stdout));
  return Object.entries(files).flatMap(([name, { ours, theirs }]) => [
    figure({
      name: `card: ${name}`,
      unit: 's',
      samples: ours.seconds,
      besideName: 'pandas alone',
      besideSamples: theirs.seconds,
      targets: [slow.test(name) ? { of: 'p50', atMost: 4 } : { of: 'p95', atMost: 1 }],
    }),
    figure({
      name: `its peak of memory, times the file`,
      unit: 'x',
      samples: ours.memory,
      besideName: 'pandas alone',
      besideSamples: theirs.memory,
      targets: [{ of: 'p50', atMost: 5 }],
    }),
  ]);
}
