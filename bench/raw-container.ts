import Docker from 'dockerode';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { containerOptions } from '../sandbox/container.ts';
import { demultiplex } from '../sandbox/demux.ts';
import { benchImage, benchLimits } from './sandboxes.ts';
import type { Runtime } from './sandboxes.ts';

/** A container with the sandbox's own walls around a small program instead of the driver: what the stream itself costs. */
export interface RawContainer extends AsyncDisposable {
  readonly stdin: Duplex;
  readonly stdout: AsyncIterator<Uint8Array>;
}

export async function startRawContainer(runtime: Runtime, program: string): Promise<RawContainer> {
  const docker = new Docker();
  const options = containerOptions({
    image: benchImage,
    runtime,
    limits: benchLimits,
    seccomp: readFileSync(new URL('../sandbox/seccomp.json', import.meta.url), 'utf8'),
    labels: {},
  });
  const container = await docker.createContainer({ ...options, Entrypoint: ['python3', '-c', program] });
  const stream = (await container.attach({
    stream: true,
    stdin: true,
    stdout: true,
    stderr: true,
    hijack: true,
  })) as Duplex;
  stream.on('error', () => {});
  await container.start();
  return {
    stdin: stream,
    stdout: demultiplex(stream, () => {})[Symbol.asyncIterator](),
    async [Symbol.asyncDispose]() {
      stream.destroy();
      await container.remove({ force: true }).catch(() => {});
    },
  };
}

/** Writes and waits until the stream takes more. */
export async function send(container: RawContainer, bytes: Uint8Array): Promise<void> {
  if (!container.stdin.write(bytes)) await new Promise((resolve) => container.stdin.once('drain', resolve));
}

/** Reads `count` bytes away. */
export async function receive(container: RawContainer, count: number): Promise<void> {
  let left = count;
  while (left > 0) {
    const next = await container.stdout.next();
    if (next.done === true) throw new Error('the container ended');
    left -= next.value.length;
  }
}
