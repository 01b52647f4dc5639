import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface BotProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves once a log line holds the text; rejects when the process ends before. */
  logged(text: string): Promise<void>;
  /** Its exit code, once it has ended by itself or was ended. */
  readonly ended: Promise<number | null>;
  /** All that it logged so far. */
  log(): string;
  /** As the operating system or an operator would: resolves when it is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

/** `npm start` as a process of its own, without the set-up before it; `args` are what stands behind `--`. */
export function startBotProcess(env: Readonly<Record<string, string>>, args: readonly string[] = []): BotProcess {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'start', ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const listeners = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    for (const listener of listeners) listener();
  });
  const exited = once(child, 'exit');
  const kill = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    logged: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!log.includes(text)) return;
          listeners.delete(check);
          resolve();
        };
        listeners.add(check);
        check();
        exited.then(() => reject(new Error(`the bot ended before it logged “${text}”:\n${log}`)), reject);
      }),
    ended: exited.then(() => child.exitCode),
    log: () => log,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill('SIGTERM');
    },
  };
}
