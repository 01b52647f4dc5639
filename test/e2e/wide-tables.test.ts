import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesOfReply } from '../../adapters/discord/reply-files.ts';
import { createEngine } from '../../sandbox/engine.ts';
import type { OutgoingFile } from '../../src/ports/platforms.ts';
import { readPng } from '../fakes/png.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';

/** A table too wide for a code block, from the real sandbox to what a chat is given; then the thread in another container. */

const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const isAvailable = await createEngine({ endpoint: null, image, runtime: 'auto' })
  .check()
  .then(
    () => true,
    (error: unknown) => {
      if (process.env['CI'] === 'true') throw error;
      process.stderr.write('\nSKIPPED: pictures of wide tables. Docker or the sandbox image is not there.\n\n');
      return false;
    },
  );

const wide = `
import pandas as pd
frame = pd.DataFrame({f"Quarter {i} (都市)": range(i, i + 340) for i in range(9)})
frame`;
const narrow = 'frame.iloc[:3, :2].rename(columns={"Quarter 0 (都市)": "a", "Quarter 1 (都市)": "b"})';

const bytesOf = async (file: OutgoingFile | undefined): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  if (file !== undefined) for await (const chunk of file.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

describe.skipIf(!isAvailable)('a wide table', { timeout: 120_000 }, () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-wide-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('comes with a picture beside its CSV; its thread is rebuilt elsewhere without a word of it', async () => {
    const model = createScriptedModel([
      { calls: [pythonCall(wide)] },
      { text: 'Here it is.' },
      { calls: [pythonCall(narrow)] },
      { text: 'The first ones.' },
    ]);
    {
      await using bot = await startTestBot({ DATA_DIR: dataDir }, model);
      const { message, reply } = await bot.platform.ask('thread', 'show all of it');
      if (message.kind !== 'reply') throw new Error('no reply');
      const [artifact, ...more] = reply.artifacts;
      expect([artifact?.kind, artifact?.file.name, more]).toEqual(['table', expect.stringMatching(/\.csv$/), []]);
      const [picture, file] = filesOfReply(reply, message.files);
      expect(picture?.artifact?.altText).toMatch(/340 rows, 9 columns: Quarter 0 \(都市\), Quarter 1 .* Row 1: /);
      const { width, height, drawnShare } = readPng(await bytesOf(picture?.outgoing));
      expect(width).toBeGreaterThan(1000);
      expect(height).toBeGreaterThan(1000);
      expect(drawnShare).toBeGreaterThan(0.1);
      expect((await bytesOf(file?.outgoing)).toString()).toMatch(/^Quarter 0 \(都市\),(.*\r\n){341}$/);
    }
    await using again = await startTestBot({ DATA_DIR: dataDir }, model);
    // The platform counts from one again: the first message is known by its id, and answered already.
    await again.platform.say('thread', 'show all of it');
    const { reply } = await again.platform.ask('thread', 'only the first ones');
    expect(reply.notices).toEqual([]);
    expect(reply.artifacts.map(({ kind, picture }) => [kind, picture])).toEqual([['table', undefined]]);
  });
});
