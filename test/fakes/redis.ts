import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { freePort } from './free-port.ts';

/** A Redis server of the test's own, on the loopback interface, in a folder that goes with it. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  /** kill -9: what it had answered is in its file. */
  kill(): Promise<void>;
  /** Again at the same address, with its data or without. */
  start(options?: { readonly empty?: boolean }): Promise<void>;
  /** Answers nobody until `resume`; connections stay. */
  pause(): void;
  resume(): void;
}

/** Whether the tests can have one. Where `CI` is set a missing one fails them. */
export const hasRedis = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'redis-server')));

if (!hasRedis && process.env['CI'] === undefined) {
  process.stderr.write(
    'redis-server is not installed: tests of the shared queue are skipped (npm run setup installs it)\n',
  );
}

export const skipsRedis = !hasRedis && process.env['CI'] === undefined;

/** `password`: it lets nobody in without; its `url` does not hold it. */
export async function startRedis({ password = '' } = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'plotline-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;

  const start: RedisServer['start'] = async ({ empty = false } = {}) => {
    if (empty) rmSync(join(dir, 'appendonlydir'), { recursive: true, force: true });
    const settings = {
      port,
      bind: '127.0.0.1',
      dir,
      save: '',
      appendonly: 'yes',
      appendfsync: 'no',
      requirepass: password,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    child = spawn('redis-server', args, { stdio: 'ignore' });
    child.on('error', () => {});
    await answers(port);
  };

  const kill = async (): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await ended;
  };

  await start();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    kill,
    start,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await pings(port))) {
    if (Date.now() > deadline) throw new Error('redis-server did not answer within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.on('data', (data) => end(/^(\+PONG|-NOAUTH)/.test(data.toString())));
    socket.on('error', () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}
