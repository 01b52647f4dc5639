import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ParentPlatform } from './parent-platform.ts';

/** One process of many: a gateway or a worker of `bot-child.ts`, or both in one. */
export interface Machine {
  readonly role: 'all' | 'gateway' | 'worker';
  readonly process: ChildProcess;
  /** What it wrote to its standard error, for a failure. */
  log(): string;
  /** Resolves to its exit code, `null` for one that was killed. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

/** Starts one and waits until it listens. Rejects with its log where it ends before. */
export async function startMachine(
  role: Machine['role'],
  platform: ParentPlatform,
  env: Readonly<Record<string, string>>,
): Promise<Machine> {
  const child = fork(new URL('bot-child.ts', import.meta.url), ['--role', role], {
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn', ...env },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-20_000);
  });
  const machine: Machine = {
    role,
    process: child,
    log: () => log,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill(signal);
        await ended;
      }
      return child.exitCode;
    },
  };
  if (!(await platform.connect(child, { hears: role !== 'worker' }))) {
    throw new Error(`a ${role} ended before it listened:\n${log}`);
  }
  return machine;
}
