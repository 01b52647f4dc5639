import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxSession } from '../src/ports/sandbox.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, inPieces, numbersOf, openSandboxes, runPlainPython, runWell, timed } from './sandboxes.ts';

const chartRuns = 50;
const sessions = 50;

const csv = Buffer.from(
  `Month,Region,Revenue\n${Array.from({ length: 500 }, (_, row) => `2024-${String((row % 12) + 1).padStart(2, '0')}-01,North,${1000 + ((row * 737) % 900)}.5`).join('\n')}\n`,
);

const draw = `
fig, ax = plt.subplots()
ax.plot(range(24), [1000 + (month * 737) % 900 for month in range(24)], marker="o")
ax.set(title="Revenue by month", xlabel="Month", ylabel="Revenue (EUR)")
`;

/** The house's settings in both, so that both draw the same picture; in plain Python nothing else of ours is loaded. */
const plainChart = `
import io, time
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
from plotline.charts.style import apply_house_style
apply_house_style()
for index in range(${chartRuns + 5}):
    started = time.perf_counter()
${draw.replaceAll(/^(?=.)/gm, '    ')}
    fig.savefig(io.BytesIO(), format="png")
    plt.close(fig)
    if index >= 5:
        print((time.perf_counter() - started) * 1000)
`;

/** From the cell's start to its PNG in this process, beside the same code in plain Python in the same container. */
export async function chart(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({});
  await using session = await acquire(provider);
  const code = `import matplotlib.pyplot as plt\n${draw}`;
  await timed(5, () => runWell(session, code));
  const besideSamples = numbersOf(await runPlainPython(session, plainChart));
  const samples = await timed(chartRuns, async () => {
    const { results } = await runWell(session, code);
    if (!results.some((bundle) => bundle['image/png'] instanceof Uint8Array)) throw new Error('no chart came');
  });
  return [
    figure({
      name: 'line chart to PNG bytes in the bot',
      unit: 'ms',
      samples,
      besideName: 'the same in plain Python',
      besideSamples,
      targets: [{ of: 'ratio', atMost: 1.15 }],
    }),
  ];
}

/** Each a fresh process with pandas imported, as a fresh session is. */
const plainRead = `
import io, os, time
import pandas as pd
for index in range(${sessions}):
    child = os.fork()
    if child == 0:
        started = time.perf_counter()
        repr(pd.read_csv("sales.csv").head())
        os.write(1, f"{(time.perf_counter() - started) * 1000}\\n".encode())
        os._exit(0)
    os.waitpid(child, 0)
`;

/** The first look at a file that a fresh session takes. */
export async function firstRead(): Promise<readonly Figure[]> {
  // No pool: what it starts meanwhile would be measured too.
  await using provider = openSandboxes({ maxContainers: 2 });
  const samples: number[] = [];
  let besideSamples: readonly number[] = [];
  for (let run = 0; run <= sessions; run += 1) {
    await using session = await acquire(provider);
    await putFile(session);
    // A warm session has waited as long before anybody takes it.
    await sleep(300);
    if (run === 0) besideSamples = numbersOf(await runPlainPython(session, plainRead));
    else
      samples.push(...(await timed(1, () => runWell(session, 'import pandas as pd\npd.read_csv("sales.csv").head()'))));
  }
  return [
    figure({
      name: 'first read_csv().head() of a fresh session',
      unit: 'ms',
      samples,
      besideName: 'plain pandas, imported',
      besideSamples,
      targets: [{ of: 'over', atMost: 15 }],
    }),
  ];
}

function putFile(session: SandboxSession): Promise<unknown> {
  return session.write('sales.csv', inPieces(csv, 1), AbortSignal.timeout(60_000));
}
