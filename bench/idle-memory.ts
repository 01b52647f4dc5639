import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { processesOf, uniqueMegabytes } from './host-processes.ts';
import { acquire, numbersOf, openSandboxes, runPlainPython, runWell } from './sandboxes.ts';

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

/** The same libraries in a Python process of its own, which says its memory, of the same kinds of pages, and goes. */
const plainPython = `
import matplotlib.pyplot, numpy, pandas, re
pages = open("/proc/self/smaps_rollup").read()
print(sum(int(re.search(kind + r":\\s+(\\d+)", pages)[1]) for kind in ("Pss_Anon", "Private_Clean")) / 1024)
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
    besideSamples.push(...numbersOf(await runPlainPython(session, plainPython)));
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
      name: 'additional: the same once it drew a chart',
      unit: 'MB',
      samples: afterChart,
      besideName,
      besideSamples,
      targets: [{ of: 'p50', atMost: 110 }],
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
