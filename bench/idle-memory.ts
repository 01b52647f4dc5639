import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { processesOf, uniqueMegabytes } from './host-processes.ts';
import { acquire, openSandboxes, runWell } from './sandboxes.ts';

const sessionCount = 5;
const readings = 10;

const tableCell = `
import numpy as np, pandas as pd
frame = pd.DataFrame({"month": range(2000), "revenue": np.arange(2000) * 1.5})
frame.describe()
`;

const chartCell = `
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot(frame["month"], frame["revenue"])
ax.set(title="Revenue", xlabel="Month", ylabel="EUR")
`;

/** The same libraries in a Python process of its own, which says its memory and goes. */
const plainPython = `
import subprocess, sys
program = """
import matplotlib.pyplot, numpy, pandas, re
print(int(re.search(r"Pss_Anon:\\\\s+(\\\\d+)", open("/proc/self/smaps_rollup").read())[1]) / 1024)
"""
print(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
`;

/**
 * Memory of suspended sessions, after a table and after a chart, each with its driver and its kernel. Beside it,
 * plain Python in the same container with the same libraries imported.
 */
export async function idleMemory(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({ maxContainers: sessionCount });
  const sessions = await Promise.all(Array.from({ length: sessionCount }, () => acquire(provider)));
  const besideSamples: number[] = [];
  for (const session of sessions) {
    const { stdout } = await runWell(session, plainPython);
    besideSamples.push(Number(stdout));
  }
  const samplesAfter = async (cell: string): Promise<readonly number[]> => {
    for (const session of sessions) await runWell(session, cell);
    for (const session of sessions) await session.suspend();
    return Array.from({ length: readings }, () => sessions.map(({ id }) => uniqueMegabytes(processesOf(id)))).flat();
  };
  const afterTable = await samplesAfter(tableCell);
  const afterChart = await samplesAfter(chartCell);
  const living = sessions.flatMap(({ id }) => processesOf(id)).length;
  await provider[Symbol.asyncDispose]();
  const left = sessions.flatMap(({ id }) => processesOf(id)).length;
  const besideName = 'plain Python with the libraries imported';
  return [
    figure({
      name: 'memory of an idle session',
      unit: 'MB',
      samples: afterTable,
      besideName,
      besideSamples,
      targets: [{ of: 'p50', atMost: 110 }],
    }),
    figure({
      name: 'memory of an idle session that drew a chart',
      unit: 'MB',
      samples: afterChart,
      besideName,
      besideSamples,
      targets: [{ of: 'p50', atMost: 125 }],
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
