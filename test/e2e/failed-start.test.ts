import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import { freePort } from '../fakes/free-port.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';

/** How a process that cannot start ends, for whoever supervises it. */
describe('a start that fails', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-failed-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const endOf = async (env: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> => {
    await using bot = startBotProcess({ DATA_DIR: dataDir, DISCORD_TOKEN: 'token', ...env });
    return { code: await bot.ended, said: bot.log() };
  };

  it('is worth repeating where the database does not answer', async () => {
    const port = await freePort();
    const { code, said } = await endOf({ DATABASE_URL: `postgres://bot:hidden@127.0.0.1:${port}/plotline` });
    expect(code).toBe(69);
    expect(said).toContain(`The database plotline on 127.0.0.1:${port} cannot be used: `);
    expect(said).not.toMatch(/hidden|\n\s+at /);
  }, 20_000);

  it('is not where a setting is not in its form, which is shown whole', async () => {
    const { code, said } = await endOf({ REDIS_URL: 'http://bot:hidden@x', DATABASE_URL: 'mysql://bot:hidden@x/y' });
    expect(code).toBe(78);
    expect(said).toContain('REDIS_URL: must be redis://[user:password@]host:port/number');
    expect(said).toContain('DATABASE_URL: must be postgres://user:password@host:port/database');
    expect(said).not.toContain('hidden');
  }, 20_000);

  it('is not where a setting is wrong, and no connection keeps the process', async () => {
    const { code, said } = await endOf({
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      SANDBOX_HOSTS: 'tcp://127.0.0.1:2376',
      SANDBOX_TLS_DIR: join(dataDir, 'missing'),
    });
    expect(code).toBe(78);
    expect(said).toContain('SANDBOX_TLS_DIR: ');
    expect(said).not.toMatch(/\n\s+at /);
  }, 20_000);

  it.skipIf(skipsRedis).each([
    ['no password', (url: string) => url],
    ['a wrong one', (url: string) => url.replace('redis://', 'redis://:hidden@')],
  ])(
    'is not where Redis refuses %s',
    async (_, urlWith) => {
      await using redis = await startRedis({ password: 'the right one' });
      const { code, said } = await endOf({ REDIS_URL: urlWith(redis.url) });
      expect(code).toBe(78);
      expect(said).toContain('refuses us. Check the user and the password in REDIS_URL');
      expect(said).not.toMatch(/hidden|\n\s+at /);
    },
    20_000,
  );
});
