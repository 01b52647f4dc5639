import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId, labelNames, parseOwner } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { createLogger } from '../../src/log.ts';
import { until } from '../fakes/core.ts';
import { startChatServer } from '../fakes/chat-server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const engine = createEngine({
  endpoint: null,
  image: process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest',
  runtime: 'auto',
});
const isReady = await engine.check().then(
  () => true,
  (error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(`\nSKIPPED: signals at the demo. ${String(error)}\n\n`);
    return false;
  },
);

interface Program {
  readonly pid: number;
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (name) => child.kill(name),
    ended: once(child, 'close').then(() => child.exitCode ?? child.signalCode ?? ''),
  };
}

describe('npm run demo, without a conversation', () => {
  const nowhere = { DOCKER_HOST: 'unix:///nonexistent/docker.sock', OPENAI_BASE_URL: 'not an address' };

  it('says how it is used, without Docker and whatever the settings are', async () => {
    const program = run(['demo', '--help'], nowhere);
    expect(await program.ended).toBe(0);
    expect(program.output()).toMatch(/--file FILE --ask QUESTION/);
  });

  it('refuses a command and a file that are not there, in words', async () => {
    const unknown = run(['dance'], nowhere);
    expect(await unknown.ended).toBe(1);
    expect(unknown.output()).toMatch(/no command “dance”/);
    const missing = run(['demo', '--file', 'no-such.csv', '--ask', 'x'], nowhere);
    expect(await missing.ended).toBe(1);
    expect(missing.output()).toMatch(/no-such\.csv: there is no such file/);
  });
});

describe.skipIf(!isReady)('npm run demo, stopped', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'plotline-signals-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const containersOf = async (pid: number): Promise<number> =>
    (await engine.list()).filter(({ labels }) => parseOwner(labels[labelNames.owner] ?? '')?.pid === pid).length;

  it('Ctrl-C in the middle of a cell ends it within seconds, without its containers and its folder', async () => {
    await using model = await startChatServer([{ title: 'Think', code: 'import time\ntime.sleep(50)' }]);
    const program = run(['demo', '--ask', 'What is the answer?', '--out', join(folder, 'out')], {
      TMPDIR: folder,
      OPENAI_API_KEY: 'sk-scripted',
      OPENAI_BASE_URL: model.baseUrl,
      LLM_API: 'chat',
      SANDBOX_POOL_SIZE: '1',
    });
    const isUnderWay = async (): Promise<boolean> => model.requests.length > 0 && (await containersOf(program.pid)) > 0;
    await until('the cell', isUnderWay, 30_000);
    const stoppedAt = performance.now();
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(performance.now() - stoppedAt).toBeLessThan(15_000);
    expect(readdirSync(folder).filter((name) => name.startsWith('plotline-demo-'))).toEqual([]);
    await until('the containers to go', async () => (await containersOf(program.pid)) === 0, 15_000);
  }, 90_000);

  it('a second Ctrl-C ends it at once, and leaves no folder either', async () => {
    await using model = await startChatServer([{ title: 'Think', code: 'import time\ntime.sleep(50)' }]);
    const program = run(['demo', '--ask', 'What is the answer?', '--out', join(folder, 'out2')], {
      TMPDIR: folder,
      OPENAI_API_KEY: 'sk-scripted',
      OPENAI_BASE_URL: model.baseUrl,
      LLM_API: 'chat',
    });
    await until('the cell', () => model.requests.length > 0, 30_000);
    program.signal('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 50));
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(readdirSync(folder).filter((name) => name.startsWith('plotline-demo-'))).toEqual([]);
    // One that was created and not yet started has nobody who ends it: the next process sweeps it up.
    await using next = createDockerSandbox({
      endpoint: null,
      image: 'plotline-sandbox:latest',
      runtime: 'auto',
      ownerId: createOwnerId(),
      limits: { memoryBytes: 512 * 1024 ** 2, workspaceBytes: 128 * 1024 ** 2, cpus: 1, processes: 64 },
      poolSize: 0,
      maxContainers: 1,
      log: createLogger('silent'),
    });
    const isSwept = async (): Promise<boolean> => {
      await next.sweep();
      return (await containersOf(program.pid)) === 0;
    };
    await until('the containers to go', isSwept, 30_000);
  }, 90_000);
});
