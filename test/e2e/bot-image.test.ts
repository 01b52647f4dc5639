import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { provideBotImage } from '../../scripts/setup/bot-image.mjs';
import { readMachine } from '../../scripts/setup/machine.mjs';
import packageFile from '../../package.json' with { type: 'json' };
import { type FakeDiscord, startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { type SocketProxy, startSocketProxy } from '../fakes/socket-proxy.ts';

const image = 'plotline-bot:test';
/** Debian's base is 77 MB of it, Node 127, the packages 52. */
const maxMegabytes = 280;
const enginePath = '/var/run/docker.sock';
const userId = '10002';

const missing = await createEngine({
  endpoint: { kind: 'unix', path: enginePath },
  image: process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest',
  runtime: 'runc',
})
  .check()
  .then(
    () => null,
    (error: unknown) => String(error),
  );
if (missing !== null && process.env['CI'] !== undefined) throw new Error(missing);
if (missing !== null) process.stderr.write(`\nSKIPPED: every test of the bot's image. ${missing}\n\n`);

const execute = promisify(execFile);
const docker = async (...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await execute('docker', ['-H', `unix://${enginePath}`, ...args]);
  return `${stdout}${stderr}`.trim();
};

/** As compose.yaml runs it. */
const restrictions = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--tmpfs=/tmp:size=256m'];

/** What a shell in the image prints, with everything that the bot may do there and no more; what it may not see is no failure. */
const inside = (script: string): Promise<string> =>
  docker('run', '--rm', ...restrictions, '--network=none', '--entrypoint=sh', image, '-c', `{ ${script}; } 2>&1; true`);

describe.skipIf(missing !== null)("the bot's image", { timeout: 120_000 }, () => {
  // Node and the packages of production come once from the registry; built from what is there it takes 30 s on two cores.
  beforeAll(() => provideBotImage(readMachine(), `unix://${enginePath}`, image), 600_000);

  it(`holds what runs and nothing else, in at most ${maxMegabytes} MB`, async () => {
    const [found] = JSON.parse(await docker('image', 'inspect', image));
    expect(found.Size / 1e6).toBeLessThan(maxMegabytes);
    expect(found.Config).toMatchObject({
      User: `${userId}:${userId}`,
      Entrypoint: ['node', 'src/main.ts'],
      Cmd: ['start'],
    });

    const programs = 'gcc cc g++ c++ clang make ld python3 npm npx yarn corepack curl wget git ssh docker';
    expect(await inside(`for name in ${programs}; do command -v $name; done; ls /var/lib/apt/lists`)).toBe('');
    expect(await inside('node --version')).toMatch(/^v24\./);

    const packages = (await inside('cd node_modules && ls -d * @*/*')).split('\n');
    expect(Object.keys(packageFile.dependencies).filter((name) => !packages.includes(name))).toEqual([]);
    const development = [...Object.keys(packageFile.devDependencies), ...Object.keys(packageFile.optionalDependencies)];
    // Types of packages come along with other packages, without their files.
    const foreign = development.filter((name) => !name.startsWith('@types/') && packages.includes(name));
    // Parts of production that the tests use as well.
    expect(foreign.filter((name) => name !== 'ws')).toEqual([]);
    expect(await inside(String.raw`find node_modules -name '*.node' -o -name '*.ts' -o -name '*.map'`)).toBe('');
  });

  it('holds no secrets, and no trace of where it was built', async () => {
    const files = await inside('cd /app && find . -path ./node_modules -prune -o -type f -print');
    const strange = files
      .split('\n')
      .filter((path) => !/^\.\/(src|adapters|sandbox|scripts)\/|^\.\/(package\.json|LICENSE)$/.test(path));
    expect(strange).toEqual([]);
    expect(files).not.toMatch(/\.env|\.npmrc|\.pem|\.py$|test/m);
    expect(
      await inside('find / -xdev \\( -name .npmrc -o -name .npm -o -name ".env*" \\) -not -path "/proc/*" 2>/dev/null'),
    ).toBe('');
    const [{ Config: config }] = JSON.parse(await docker('image', 'inspect', image));
    const names = config.Env.map((line: string) => line.split('=')[0]);
    expect(names.toSorted()).toEqual(['DATA_DIR', 'NODE_ENV', 'NODE_OPTIONS', 'PATH']);
    expect(await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', image)).not.toMatch(
      /proxy|token|secret|cafile/i,
    );
  });

  it('runs as a user who can change nothing but its data', async () => {
    expect(await inside('id -u; id -g; find / -xdev -writable -not -type l 2>/dev/null')).toBe(
      `${userId}\n${userId}\n/tmp`,
    );
    expect(await inside(`find / -xdev -user ${userId} 2>/dev/null`)).toBe('/data');
    // All of it can be read by that user, whatever the checkout's own modes were.
    expect(await inside('find /app ! -readable')).toBe('');
  });

  it('says what is missing and ends with 78, by which a supervisor knows not to start it again', async () => {
    const ended = await execute('docker', [
      'run',
      '--rm',
      ...restrictions,
      '--network=none',
      '--tmpfs=/data:uid=10002',
      image,
    ]).catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 78, stderr: expect.stringContaining('No platform is configured') });
  });

  it("is healthy by its own server's word, where it has one", async () => {
    let status = 200;
    const asked: string[] = [];
    const server = createServer(({ url }, answer) => {
      asked.push(url ?? '');
      answer.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const check = (env: string): Promise<number> =>
      execute('docker', [
        'run',
        '--rm',
        ...restrictions,
        '--network=host',
        `--env=HTTP_PORT=${env}`,
        '--env=HTTP_HOST=0.0.0.0',
        '--entrypoint=node',
        image,
        'scripts/health-check.mjs',
      ]).then(
        () => 0,
        (error: { readonly code: number }) => error.code,
      );
    try {
      expect(await check(String(port))).toBe(0);
      status = 503;
      expect(await check(String(port))).toBe(1);
      expect(asked).toEqual(['/healthz', '/healthz']);
      expect(await check('')).toBe(0);
    } finally {
      server.close();
    }
    expect(await check(String(port))).toBe(1);
    const [{ Config: config }] = JSON.parse(await docker('image', 'inspect', image));
    expect(config.Healthcheck.Test).toEqual(['CMD', 'node', 'scripts/health-check.mjs']);
  });

  describe('as a container beside a socket proxy', () => {
    const name = `plotline-bot-test-${randomUUID()}`;
    let discord: FakeDiscord;
    let proxy: SocketProxy;
    beforeAll(async () => {
      discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
      proxy = await startSocketProxy(enginePath);
      await docker('volume', 'create', name);
    });
    afterAll(async () => {
      await docker('rm', '--force', name).catch(() => '');
      await docker('volume', 'rm', '--force', name);
      await proxy[Symbol.asyncDispose]();
      await discord[Symbol.asyncDispose]();
    });

    const until = async <T>(what: string, look: () => Promise<T | false> | T | false): Promise<T> => {
      const deadline = Date.now() + 60_000;
      while (Date.now() < deadline) {
        const found = await look();
        if (found !== false) return found;
        await sleep(200);
      }
      throw new Error(`waited 60 s for ${what}. The bot's log:\n${await docker('logs', name)}`);
    };

    it('answers a question, stops on SIGTERM with 0, and needed nothing of the engine that the proxy refuses', async () => {
      const settings = {
        DISCORD_TOKEN: discord.token,
        DISCORD_API_URL: discord.api,
        DOCKER_HOST: `tcp://127.0.0.1:${proxy.port}`,
        SANDBOX_RUNTIME: 'runc',
        SANDBOX_POOL_SIZE: '0',
      };
      const env = Object.entries(settings).map(([key, value]) => `--env=${key}=${value}`);
      // Not --rm: its exit code and its data are looked at afterwards.
      await docker(
        'run',
        '--detach',
        `--name=${name}`,
        ...restrictions,
        '--network=host',
        '--memory=1g',
        '--pids-limit=128',
        `--volume=${name}:/data`,
        ...env,
        image,
      );
      await until('the start', async () => (await docker('logs', name)).includes('listening'));
      const question = discord.say({
        text: `${discord.botMention} Revenue by month as a line chart`,
        files: [
          {
            name: 'sales.csv',
            bytes: Buffer.from('Month,Revenue\n2024-01-01,120\n2024-02-01,90\n'),
            contentType: 'text/csv',
          },
        ],
      });
      await until('the answer', () =>
        discord
          .messages(question.id)
          .some(({ authorId, attachments }) => authorId === discord.state.botId && attachments.length > 0),
      );
      await docker('stop', '--time=50', name);
      const [{ State: state }] = JSON.parse(await docker('container', 'inspect', name));
      expect({ exitCode: state.ExitCode, outOfMemory: state.OOMKilled }).toEqual({ exitCode: 0, outOfMemory: false });
      const log = await docker('logs', name);
      expect(log).toContain('"signal":"SIGTERM"');
      expect(log).not.toContain(discord.token);

      const owners = await docker(
        'run',
        '--rm',
        `--volume=${name}:/data`,
        '--user=0',
        '--entrypoint=sh',
        image,
        '-c',
        "stat -c '%a %u' /data; find /data -mindepth 1 -printf '%U\\n' | sort -u; ls /data",
      );
      const [folder, owner, ...files] = owners.split('\n');
      expect([folder, owner]).toEqual([`700 ${userId}`, userId]);
      expect(files).toEqual(expect.arrayContaining(['blobs', 'plotline.sqlite']));
      expect(proxy.requests.length).toBeGreaterThan(5);
      expect(proxy.requests.filter(({ isAllowed }) => !isAllowed)).toEqual([]);
    });
  });
});
