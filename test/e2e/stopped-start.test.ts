import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import type { FakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { freePort } from '../fakes/free-port.ts';

let discord: FakeDiscord;
let dataDir: string;
beforeAll(async () => {
  discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
  dataDir = mkdtempSync(join(tmpdir(), 'plotline-stopped-'));
});
afterAll(async () => {
  await discord[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

it.each([0, 100, 300, 600])(
  'a stop %d ms into the start ends it in order',
  async (afterMs) => {
    const bot = startBotProcess({
      DATA_DIR: dataDir,
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.api,
      HTTP_PORT: String(await freePort()),
      SANDBOX_POOL_SIZE: '1',
    });
    await bot.logged('serving pages');
    await sleep(afterMs);
    const askedAtMs = performance.now();
    expect(await bot.kill('SIGTERM')).toBe(0);
    expect(performance.now() - askedAtMs).toBeLessThan(15_000);
  },
  60_000,
);
