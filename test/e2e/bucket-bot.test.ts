import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { runAuditCommand } from '../../src/audit/audit-command.ts';
import { hasS3Server, startS3 } from '../fakes/s3.ts';
import type { S3Server } from '../fakes/s3.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';
import type { TestBot } from '../fakes/test-bot.ts';

const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const engine = createEngine({ endpoint: null, image, runtime: 'runc' });
const isAvailable = await engine.check().then(
  () => hasS3Server(),
  (error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(
      '\nSKIPPED: the bot with its files in a bucket. Docker or the sandbox image is not there.\n\n',
    );
    return false;
  },
);

const rows = Array.from({ length: 50_000 }, (_, index) => `region ${index % 7},${index}`);
const sales = Buffer.from(`region,revenue\n${rows.join('\n')}\n`);
const total = 'print(__import__("pandas").read_csv("sales.csv")["revenue"].sum())';
const copy = 'import pandas as pd\npd.read_csv("sales.csv").head(10).to_csv("top.csv", index=False)';

describe.skipIf(!isAvailable)('with its files in a bucket', () => {
  let server: S3Server;
  let dataDir: string;
  beforeEach(async () => {
    server = await startS3();
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-bucket-'));
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true });
  });

  const start = (): Promise<TestBot> => {
    const model = createScriptedModel([], ({ messages }) => {
      const last = messages.at(-1);
      if (last?.role === 'user' && last.text.includes('COPY')) return { calls: [pythonCall(copy)] };
      if (last?.role === 'user' && last.text.includes('TOTAL')) return { calls: [pythonCall(total)] };
      return { text: last?.role === 'tool' && last.text.includes('1249975000') ? 'The total is right.' : 'Done.' };
    });
    const { bucket, endpoint, credentials } = server.place;
    const env = {
      DATA_DIR: dataDir,
      BLOB_URL: `s3://${bucket}/threads?endpoint=${endpoint}&region=us-east-1`,
      S3_ACCESS_KEY_ID: credentials?.accessKeyId,
      S3_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
      SANDBOX_RUNTIME: 'runc',
      SANDBOX_IMAGE: image,
    };
    return startTestBot(env, model);
  };
  const objects = async (): Promise<readonly string[]> => {
    const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket: server.place.bucket }));
    return Contents.map(({ Key = '' }) => Key);
  };
  const auditFiles = (): readonly string[] =>
    readdirSync(dataDir)
      .filter((name) => name.startsWith('audit.'))
      .map((name) => join(dataDir, name));

  it('a thread goes on in the next process from there, and leaves nothing there when it is forgotten', async () => {
    {
      await using bot = await start();
      const { reply, files } = await bot.platform.ask('thread', 'COPY', [{ name: 'sales.csv', bytes: sales }]);
      expect(reply).toMatchObject({ outcome: 'answered', notices: [] });
      expect(files.map(({ file, bytes }) => [file.name, bytes.toString().split('\n').length])).toEqual([
        ['top.csv', 12],
      ]);
    }
    expect((await objects()).length).toBeGreaterThanOrEqual(2);
    for (const key of await objects()) expect(key).toMatch(/^threads\/[0-9a-f]{64}$/);
    expect(existsSync(join(dataDir, 'blobs'))).toBe(false);
    await using bot = await start();
    // The platform counts its messages anew in each process: this one has the number of the first question.
    await bot.platform.ask('other', 'Hello');
    const { reply } = await bot.platform.ask('thread', 'TOTAL');
    expect(reply).toMatchObject({ outcome: 'answered', text: expect.stringContaining('The total is right.') });
    expect(await bot.platform.forget('thread')).toBe(1);
    expect(await objects()).toEqual([]);
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([]);

    const files = auditFiles();
    expect(files).toHaveLength(2);
    const said: string[] = [];
    expect(await runAuditCommand(files, (line) => said.push(line))).toBe(0);
    const lines = files.flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
    const events = lines
      .map((line) => JSON.parse(line) as { event: string; thread?: string })
      .filter(({ thread }) => thread === 'thread')
      .map(({ event }) => event);
    const first = ['task-accepted', 'task-started', 'file-in', 'cell-run', 'file-out', 'task-ended'];
    expect(events.slice(0, first.length)).toEqual(first);
    // A reply can be read before its task is put away.
    const second = ['cell-run', 'forgot', 'task-accepted', 'task-ended', 'task-started'];
    expect(events.slice(first.length).toSorted()).toEqual(second);
  }, 120_000);
});
