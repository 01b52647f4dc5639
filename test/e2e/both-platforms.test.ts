import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { localSlackProgram, startLocalSlack } from '../fakes/local-slack.ts';

const csv = Buffer.from('Month,Revenue (EUR)\n2024-01-01,120\n2024-02-01,90\n2024-03-01,150\n');

/** As in `slack-adapter.test.ts`: without the fake this is skipped, in CI it fails. */
const isMissing = localSlackProgram() === null && process.env['CI'] === undefined;

describe.skipIf(isMissing)('Slack and Discord in one process', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-both-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it('both are answered, each where it asked', async () => {
    await using slack = await startLocalSlack();
    await using discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
    await using bot = startBotProcess({
      DATA_DIR: dataDir,
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_API_URL: slack.apiUrl,
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.api,
      SANDBOX_POOL_SIZE: '0',
      SANDBOX_IDLE_SECONDS: '1',
    });
    await bot.logged('"platforms":["slack","discord"]');
    const thread = await slack.upload({
      text: `<@${slack.botUserId}> total revenue`,
      files: [{ name: 'sales.csv', bytes: csv, mimeType: 'text/csv' }],
    });
    const question = discord.say({
      text: `${discord.botMention} mean revenue`,
      files: [{ name: 'sales.csv', bytes: csv, contentType: 'text/csv' }],
    });
    const inSlack = async (): Promise<string> =>
      JSON.stringify((await slack.thread(thread)).filter(({ ts }) => ts !== thread));
    const inDiscord = (): string =>
      JSON.stringify(discord.messages(question.id).map(({ content, components }) => [content, components]));
    await expect.poll(inSlack, { timeout: 60_000 }).toContain('360');
    await expect.poll(inDiscord, { timeout: 60_000 }).toContain('120');
    expect(inDiscord()).not.toContain('360');
    expect(await bot.kill('SIGTERM')).toBe(0);
  }, 150_000);
});
