import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startBotProcess } from '../fakes/bot-process.ts';
import { startChatServer } from '../fakes/chat-server.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';
import { talkWith } from '../fakes/discord/talk.ts';
import { freePort } from '../fakes/free-port.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'plotline-links-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** Half of it would still be more than Discord takes: hexadecimal digits of noise. */
const makeBigFile = [
  'import hashlib, os',
  'noise = os.urandom(11 * 1024 * 1024).hex()',
  'open("big.csv", "w").write("noise\\n" + noise + "\\n")',
  'print(hashlib.sha256(open("big.csv", "rb").read()).hexdigest())',
].join('\n');

it('a file that is too big for Discord is a link to the process itself, until its thread is forgotten', async () => {
  await using model = await startChatServer([{ title: 'Write it', code: makeBigFile }, { answer: 'Here it is.' }]);
  const discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
  try {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    await using bot = startBotProcess({
      DATA_DIR: dataDir,
      LOG_LEVEL: 'debug',
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.api,
      OPENAI_API_KEY: 'sk-scripted',
      OPENAI_BASE_URL: model.baseUrl,
      LLM_API: 'chat',
      SANDBOX_POOL_SIZE: '0',
      HTTP_PORT: String(port),
      PUBLIC_URL: publicUrl,
      SECRETS_KEY: 'ab'.repeat(32),
    });
    await bot.logged('"listening"');
    const talk = talkWith(discord);
    const question = discord.say({ text: `${discord.botMention} write the big file` });
    const link = await talk.until(
      'the link',
      () => /http:\/\/127\.0\.0\.1:\d+\/files\/[\w.-]+\/big\.csv/.exec(talk.said(question.id))?.[0],
    );
    expect(link.startsWith(`${publicUrl}/files/`)).toBe(true);
    const file = await fetch(link);
    expect([file.status, file.headers.get('content-disposition')]).toEqual([
      200,
      expect.stringMatching(/^attachment; filename="big\.csv"/),
    ]);
    const sha256 = createHash('sha256')
      .update(new Uint8Array(await file.arrayBuffer()))
      .digest('hex');
    expect(JSON.stringify(model.requests)).toContain(sha256);
    expect((await fetch(link.replace(/[0-9a-f](?=\/big)/, 'g'))).status).toBe(404);

    discord.say({ text: `${discord.botMention} forget`, channelId: question.id });
    await talk.until('the thread to be forgotten', () => /forgotten/i.test(talk.said(question.id)));
    const after = await fetch(link);
    expect([after.status, await after.text()]).toEqual([404, expect.stringContaining('not kept any more')]);
    const [, token = ''] = /\/files\/([\w.-]+)\//.exec(link) ?? [];
    expect(bot.log()).not.toContain(token);
    expect(bot.log()).not.toContain('ab'.repeat(32));
  } finally {
    await discord[Symbol.asyncDispose]();
  }
}, 120_000);
