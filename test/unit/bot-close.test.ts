import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ReadySandboxes } from '../../sandbox/fleet.ts';
import { createBot } from '../../src/bot.ts';
import type { Bot } from '../../src/bot.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { freePort } from '../fakes/free-port.ts';
import { createRecordingPlatform } from '../fakes/recording-platform.ts';
import { createSleepingSandboxes } from '../fakes/sleeping-sandboxes.ts';

const said: string[] = [];
const log = createLogger('warn', (line) => said.push(line));
let dataDir: string;
let port: number;
let bot: Bot;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'plotline-close-'));
  port = await freePort();
  const config = readConfig({ DATA_DIR: dataDir, HTTP_PORT: String(port) });
  bot = await createBot(config, new Map([['recording', createRecordingPlatform()]]), log, { role: 'gateway' });
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Whether nobody listens on the port. */
async function isFree(): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

it('a role without a database and a bucket says that its processes must share a folder', async () => {
  await bot.close({ graceMs: 0 });
  const words = 'threads (DATABASE_URL is not set) and files (BLOB_URL is not set) are kept in DATA_DIR';
  expect(said.join('')).toContain(words);
});

it('a bot that is closed while it starts leaves no page open', async () => {
  const starting = bot.start();
  await bot.close({ graceMs: 0 });
  await starting;
  expect(await isFree()).toBe(true);
});

it('closing again is the same end', async () => {
  await bot.start();
  expect(await isFree()).toBe(false);
  await Promise.all([bot.close({ graceMs: 0 }), bot.close({ graceMs: 0 })]);
  await bot[Symbol.asyncDispose]();
  expect(await isFree()).toBe(true);
});

it('what was opened for a bot that cannot be made is closed, in the opposite order', async () => {
  await bot.close({ graceMs: 0 });
  const closed: string[] = [];
  const sandboxes: ReadySandboxes = {
    ...createSleepingSandboxes(0),
    [Symbol.asyncDispose]: async () => void closed.push('sandboxes'),
  };
  let store: Store | null = null;
  // The last thing that is made: its address is refused only when it is looked at.
  const config = { ...readConfig({ DATA_DIR: dataDir }), redisUrl: 'no address' };
  const platformsOf = async (given: Store) => {
    store = given;
    return new Map([['recording', createRecordingPlatform()]]);
  };
  await expect(createBot(config, platformsOf, log, { sandboxes })).rejects.toThrow('Invalid URL');
  expect(closed).toEqual(['sandboxes']);
  await expect((store as Store | null)?.ping(AbortSignal.timeout(1000))).rejects.toThrow('The store is closed');
});
