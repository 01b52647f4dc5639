import { execFileSync } from 'node:child_process';
import { provideJupyterImage } from '../test/fakes/jupyter-image.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { receive, send, startRawContainer } from './raw-container.ts';
import { acquire, numbersOf, openSandboxes, runWell, timed } from './sandboxes.ts';

const runs = 300;
const warmUps = 30;

/** As many bytes as the frames of `1+1` and of its answer. */
const questionBytes = 150;
const answerBytes = 400;

const echo = `
import os
while (data := os.read(0, 65536)):
    os.write(1, b"x" * ${answerBytes})
`;

const jupyter = `
import time
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
samples = []
for index in range(${runs + warmUps}):
    started = time.perf_counter()
    client.execute_interactive("1+1", output_hook=lambda message: None)
    samples.append((time.perf_counter() - started) * 1000)
print(*samples[${warmUps}:])
client.stop_channels()
manager.shutdown_kernel(now=True)
`;

/** A cell's round trip, beside the peer that notebooks use and beside the floor: the same stream with nothing behind it. */
export async function roundTrip(): Promise<readonly Figure[]> {
  const samples = await cellMs();
  const floor = await echoMs();
  const peer = await ipykernelMs();
  const name = 'cell round trip 1+1';
  return [
    figure({
      name,
      unit: 'ms',
      samples,
      besideName: 'bare echo over the same stream',
      besideSamples: floor,
      targets: [
        { of: 'p50', atMost: 1 },
        { of: 'ratio', atMost: 8 },
      ],
    }),
    figure({
      name,
      unit: 'ms',
      samples,
      besideName: 'ipykernel by jupyter_client',
      besideSamples: peer,
      targets: [{ of: 'ratio', atMost: 0.25 }],
    }),
  ];
}

async function cellMs(): Promise<number[]> {
  await using provider = openSandboxes({});
  await using session = await acquire(provider);
  const samples = await timed(runs + warmUps, () => runWell(session, '1+1'));
  return samples.slice(warmUps);
}

async function echoMs(): Promise<number[]> {
  await using container = await startRawContainer('runc', echo);
  const question = new Uint8Array(questionBytes);
  const samples = await timed(runs + warmUps, async () => {
    await send(container, question);
    await receive(container, answerBytes);
  });
  return samples.slice(warmUps);
}

async function ipykernelMs(): Promise<number[]> {
  const image = await provideJupyterImage();
  const stdout = execFileSync(
    'docker',
    `run --rm --network none --memory 1g --tmpfs /tmp --env HOME=/tmp --entrypoint python3 ${image} -c`
      .split(' ')
      .concat(jupyter),
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return numbersOf(stdout);
}
