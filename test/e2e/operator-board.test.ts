import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createBullDispatcher } from '../../src/queue/bull-dispatcher.ts';
import { startBotProcess } from '../fakes/bot-process.ts';
import type { BotProcess } from '../fakes/bot-process.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { freePort } from '../fakes/free-port.ts';
import { findBrowser } from '../fakes/offline-browser.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';

const password = 'for-operators-only';
const browserFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-logging=stderr',
  '--virtual-time-budget=8000',
  '--dump-dom',
];
const thread = 'discord/guild/channel/a-thread-that-waits';

describe.skipIf(skipsRedis)('the pages of a process in one role', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-board-'));
  let redis: RedisServer;
  let discord: FakeDiscord;
  let gateway: BotProcess;
  let base: string;

  beforeAll(async () => {
    redis = await startRedis();
    discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const env = {
      DATA_DIR: dataDir,
      REDIS_URL: redis.url,
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.api,
      HTTP_PORT: String(port),
      OPERATOR_PASSWORD: password,
    };
    gateway = startBotProcess(env, ['--role', 'gateway']);
    await gateway.logged('"listening"');
    const dispatcher = createBullDispatcher({ redisUrl: redis.url, log: createLogger('silent') });
    await dispatcher.wake(thread, { personId: 'ada', isFollowUp: false });
    await dispatcher.close({ graceMs: 0 });
  }, 60_000);
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await discord?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const ask = (path: string, given: string | null): Promise<Response> =>
    fetch(`${base}${path}`, {
      headers: given === null ? {} : { authorization: `Basic ${Buffer.from(`anyone:${given}`).toString('base64')}` },
    });

  it('the board asks for the password, and has the queue behind it', async () => {
    for (const path of ['/board', '/board/', '/board/api/queues']) {
      for (const given of [null, 'wrong', `${password} `]) {
        const response = await ask(path, given);
        expect([path, given, response.status]).toEqual([path, given, 401]);
      }
    }
    const queues = await ask('/board/api/queues?activeQueue=wakes&status=latest', password);
    expect([queues.status, queues.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await queues.text()).toContain(thread);
    expect(gateway.log()).not.toContain(password);
  });

  const browser = findBrowser();
  it.skipIf(browser === null && process.env['CI'] === undefined)(
    "a browser opens the board under the server's rules for contents",
    async () => {
      await using site = await withPassword(ask);
      // The bot's Discord lives in this process, which must not wait for the browser.
      const { stdout, stderr } = await promisify(execFile)(
        browser ?? 'chromium',
        [...browserFlags, `--user-data-dir=${join(dataDir, 'profile')}`, `${site.base}/board/queue/wakes`],
        { timeout: 40_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
      );
      expect(site.failed).toEqual([]);
      // The board's page asks another server for letters, and must not get them.
      const refused = stderr.split('\n').filter((line) => line.includes('Content Security Policy'));
      expect(refused.filter((line) => !line.includes("stylesheet 'https://fonts.googleapis.com/"))).toEqual([]);
      expect(stdout).toContain('Threads that wait for a worker');
      expect(stdout).toContain(thread);
    },
    60_000,
  );

  it('a gateway is ready without a sandbox, and says what the queue holds', async () => {
    const ready = await fetch(`${base}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { ready: true, draining: false, checks: { store: 'ok', blobs: 'ok', queue: 'ok', platforms: 'ok' } },
    ]);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toContain('plotline_queue_depth{state="waiting"} 1');
    expect(metrics).not.toMatch(/^plotline_sandboxes/m);
  });
});

/** The board for a browser whose person has typed the password: as an address it would be no place that scripts may ask. */
async function withPassword(
  ask: (path: string, given: string) => Promise<Response>,
): Promise<AsyncDisposable & { readonly base: string; readonly failed: readonly string[] }> {
  const failed: string[] = [];
  const server = createServer((request, response) => {
    const answer = async (path: string): Promise<void> => {
      const found = await ask(path, password);
      if (!found.ok) failed.push(`${path}: ${found.status}`);
      const kept = ['content-type', 'content-security-policy'].map((name) => [name, found.headers.get(name) ?? '']);
      response.writeHead(found.status, Object.fromEntries(kept)).end(Buffer.from(await found.arrayBuffer()));
    };
    void answer(request.url ?? '/');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failed,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
