import { createHash } from 'node:crypto';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { receive, send, startRawContainer } from './raw-container.ts';
import { acquire, inPieces, openSandboxes, timed } from './sandboxes.ts';
import type { Runtime } from './sandboxes.ts';

const megabytes = 100;
const runs: Readonly<Record<Runtime, number>> = { runc: 50, runsc: 50 };
const pieceBytes = 1024 * 1024;
const fileBytes = megabytes * pieceBytes;

const swallow = `
import os
left = 0
while True:
    left += ${fileBytes}
    while left > 0:
        data = os.read(0, 1 << 20)
        if not data: raise SystemExit
        left -= len(data)
    os.write(1, b"x")
`;

const pour = `
import os
piece = bytes(1 << 20)
while os.read(0, 1):
    for _ in range(${megabytes}):
        view = memoryview(piece)
        while view: view = view[os.write(1, view):]
`;

/**
 * A file of 100 MB into a session and out again, hashed on both sides, and how much this process grew meanwhile; beside it the
 * same stream with nothing behind it.
 */
export async function transfer(runtime: Runtime): Promise<readonly Figure[]> {
  const least = runtime === 'runc' ? 200 : 80;
  const piece = new Uint8Array(pieceBytes).map((_, index) => index % 251);
  const floors = await floorRates(runtime, piece);
  await using provider = openSandboxes({ runtime });
  await using session = await acquire(provider);
  const signal = AbortSignal.timeout(1_200_000);
  const put = () => session.write('big.bin', inPieces(piece, megabytes), signal);
  const get = async () => {
    const hash = createHash('sha256');
    for await (const bytes of session.read('big.bin', { maxBytes: fileBytes, signal })) hash.update(bytes);
  };
  await put();
  await get();
  const memory = watchMemory();
  const inMs = await timed(runs[runtime], put);
  const outMs = await timed(runs[runtime], get);
  const grownMegabytes = memory.stop();
  const row = (name: string, samples: readonly number[], floor: readonly number[]): Figure =>
    figure({
      name: `${name}, ${runtime}`,
      unit: 'MB/s',
      samples: rates(samples),
      besideName: 'the bare stream',
      besideSamples: floor,
      targets: [{ of: 'p50', atLeast: least }],
    });
  return [
    row('100 MB in', inMs, floors.in),
    row('100 MB out', outMs, floors.out),
    figure({
      name: `bot memory grown by it, ${runtime}`,
      unit: 'MB',
      samples: [grownMegabytes],
      besideName: 'the file',
      besideSamples: [megabytes],
      targets: [{ of: 'p50', atMost: 32 }],
    }),
  ];
}

async function floorRates(
  runtime: Runtime,
  piece: Uint8Array,
): Promise<{ in: readonly number[]; out: readonly number[] }> {
  await using sink = await startRawContainer(runtime, swallow);
  const inMs = await timed(12, async () => {
    for (let index = 0; index < megabytes; index += 1) await send(sink, piece);
    await receive(sink, 1);
  });
  await using source = await startRawContainer(runtime, pour);
  const outMs = await timed(12, async () => {
    await send(source, new Uint8Array(1));
    await receive(source, fileBytes);
  });
  return { in: rates(inMs.slice(2)), out: rates(outMs.slice(2)) };
}

function rates(samplesMs: readonly number[]): number[] {
  return samplesMs.map((ms) => megabytes / (ms / 1000));
}

/** The most that this process holds above what it held at the start, in MB. */
function watchMemory(): { stop(): number } {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  return {
    stop: () => {
      clearInterval(timer);
      return (most - before) / (1024 * 1024);
    },
  };
}
