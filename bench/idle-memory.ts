import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { processesOf, proportionalMegabytes } from './host-processes.ts';
import { acquire, openSandboxes, runWell } from './sandboxes.ts';

const sessionCount = 5;
const readings = 10;
const megabytesPerSession = 110;

const typicalCell = `
import matplotlib.pyplot as plt, numpy as np, pandas as pd
frame = pd.DataFrame({"month": range(2000), "revenue": np.arange(2000) * 1.5})
fig, ax = plt.subplots()
ax.plot(frame["month"], frame["revenue"])
ax.set(title="Revenue", xlabel="Month", ylabel="EUR")
`;

/** The same libraries in a Python process of its own, which says its memory and goes. */
const plainPython = `
import subprocess, sys
program = """
import matplotlib.pyplot, numpy, pandas, re
print(int(re.search(r"Pss:\\\\s+(\\\\d+)", open("/proc/self/smaps_rollup").read())[1]) / 1024)
"""
print(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
`;

/**
 * Memory of sessions that drew a chart and are suspended: the shares of all processes in their containers. Code that several
 * containers map is on the machine once, so each counts its part. Beside it, plain Python with the same libraries imported.
 */
export async function idleMemory(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({ maxContainers: sessionCount });
  const sessions = await Promise.all(Array.from({ length: sessionCount }, () => acquire(provider)));
  const besideSamples: number[] = [];
  for (const session of sessions) {
    await runWell(session, typicalCell);
    const { stdout } = await runWell(session, plainPython);
    besideSamples.push(Number(stdout));
  }
  for (const session of sessions) await session.suspend();
  const samples: number[] = [];
  for (let reading = 0; reading < readings; reading += 1) {
    for (const { id } of sessions) samples.push(proportionalMegabytes(processesOf(id)));
  }
  const living = sessions.flatMap(({ id }) => processesOf(id)).length;
  await provider[Symbol.asyncDispose]();
  const left = sessions.flatMap(({ id }) => processesOf(id)).length;
  return [
    figure({
      name: 'memory of an idle session',
      unit: 'MB',
      samples,
      besideName: 'plain Python with the libraries imported',
      besideSamples,
      targets: [{ of: 'p50', atMost: megabytesPerSession }],
    }),
    figure({
      name: `processes of ${sessionCount} sessions once disposed`,
      unit: 'processes',
      samples: [left],
      besideName: 'while they lived',
      besideSamples: [living],
      targets: [{ of: 'p50', atMost: 0 }],
    }),
  ];
}
