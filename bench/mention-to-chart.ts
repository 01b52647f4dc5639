import { setTimeout as sleep } from 'node:timers/promises';
import { createOwnerId } from '../sandbox/owner.ts';
import { createDockerSandbox } from '../sandbox/provider.ts';
import { createLogger } from '../src/log.ts';
import type { Model, ModelEvent, ModelRequest } from '../src/ports/model.ts';
import { startTestBot } from '../test/fakes/test-bot.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';

const runs = 50;
const targetMs = 400;
const megabyte = 1024 * 1024;

const csv = Buffer.from(
  `Month,Revenue (EUR)\n${Array.from({ length: 24 }, (_, row) => `${2023 + Math.floor(row / 12)}-${String((row % 12) + 1).padStart(2, '0')}-01,${1000 + ((row * 737) % 900)}`).join('\n')}\n`,
);

const chartCode = `
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot(frame["Month"], frame["Revenue (EUR)"], marker="o")
ax.set(title="Revenue by month", xlabel="Month", ylabel="Revenue (EUR)")
`;

/**
 * From the mention's event to the first byte of the chart on its way to the platform: store, blobs, a warm container of its own
 * for each thread, the file in, its card, the loop with a model that answers at once, the chart out. Beside it the same chart in
 * plain Python with the libraries already imported: read, draw, save as PNG.
 */
export async function mentionToChart(): Promise<Figure> {
  const besideSamples = await barePythonMs();
  const samples: number[] = [];
  await using bot = await startTestBot(
    { SANDBOX_RUNTIME: 'runc', SANDBOX_POOL_SIZE: '2', SANDBOX_MAX: '8' },
    instantModel(),
  );
  for (let run = 0; run <= runs; run += 1) {
    // The pool refills in the background; a user who comes this soon again would wait for it.
    await sleep(2000);
    let elapsedMs = Number.NaN;
    const startedAt = performance.now();
    bot.platform.onChartBytes = () => {
      elapsedMs = performance.now() - startedAt;
    };
    await bot.platform.ask(`bench-${run}`, 'Revenue by month as a line chart', [{ name: 'sales.csv', bytes: csv }]);
    // The first run pays for loading code in this process.
    if (run > 0) samples.push(elapsedMs);
  }
  return figure({
    name: 'mention to chart bytes, warm sandbox, instant model',
    unit: 'ms',
    samples,
    besideName: 'same chart in plain Python',
    besideSamples,
    targets: [{ of: 'p50', atMost: targetMs }],
  });
}

async function barePythonMs(): Promise<readonly number[]> {
  const limits = { memoryBytes: 1024 * megabyte, workspaceBytes: 512 * megabyte, cpus: 2, processes: 128 };
  await using provider = createDockerSandbox({
    endpoint: null,
    image: 'plotline-sandbox:latest',
    runtime: 'runc',
    ownerId: createOwnerId(),
    limits,
    poolSize: 0,
    maxContainers: 1,
    log: createLogger('silent'),
  });
  const signal = AbortSignal.timeout(120_000);
  await using session = await provider.acquire(limits, signal);
  await session.write('sales.csv', onePiece(csv), signal);
  const code = `
import time, io, pandas as pd
samples = []
for _ in range(${runs}):
    started = time.perf_counter()
    frame = pd.read_csv("sales.csv", parse_dates=["Month"])
${chartCode.replaceAll(/^/gm, '    ')}
    fig.savefig(io.BytesIO(), format="png")
    plt.close(fig)
    samples.append((time.perf_counter() - started) * 1000)
print(*samples)
`;
  const execution = await session.run(code, { timeoutMs: 60_000, signal, onOutput: () => {} });
  if (execution.status !== 'ok') throw new Error(execution.error?.traceback);
  return execution.stdout.trim().split(' ').map(Number);
}

async function* onePiece(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function instantModel(): Model {
  const code = `import plotline\nframe = plotline.load("sales.csv")\n${chartCode}`;
  return {
    name: 'instant',
    builtIn: false,
    async *stream({ messages }: ModelRequest): AsyncGenerator<ModelEvent> {
      const answered = messages.at(-1)?.role === 'tool';
      const call = {
        id: 'call-1',
        name: 'run_python',
        argumentsText: JSON.stringify({ title: 'Draw the chart', code }),
      };
      const text = answered ? 'Here is revenue by month.' : '';
      if (answered) yield { type: 'text-delta', text };
      else yield { type: 'tool-call', call };
      yield {
        type: 'finish',
        reason: answered ? 'stop' : 'tool-calls',
        message: { role: 'assistant', text, toolCalls: answered ? [] : [call], providerItems: null },
        usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 },
        error: null,
      };
    },
  };
}
