import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import type { Environment } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { createBot } from '../../src/bot.ts';
import type { Logger } from '../../src/log.ts';
import type { Model } from '../../src/ports/model.ts';
import type { PlatformClient } from '../../src/ports/platforms.ts';
import { createRecordingPlatform } from './recording-platform.ts';
import type { RecordingPlatform } from './recording-platform.ts';

export interface TestBot extends AsyncDisposable {
  readonly platform: RecordingPlatform;
  readonly dataDir: string;
}

/** The whole bot in this process, with real containers of `SANDBOX_IMAGE`, heard and answered through a recording platform. */
export async function startTestBot(
  env: Environment = {},
  model?: Model,
  given: { readonly log?: Logger; readonly client?: (client: PlatformClient) => PlatformClient } = {},
): Promise<TestBot> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-test-'));
  const platform = createRecordingPlatform();
  const image = process.env['SANDBOX_IMAGE'];
  const config = readConfig({
    DATA_DIR: dataDir,
    SANDBOX_POOL_SIZE: '1',
    SANDBOX_MAX: '4',
    ...(image === undefined ? {} : { SANDBOX_IMAGE: image }),
    ...env,
  });
  const log = given.log ?? createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const bot = await createBot(
    config,
    new Map([['recording', { ...platform, client: given.client?.(platform.client) ?? platform.client }]]),
    log,
    model === undefined ? {} : { model },
  );
  await bot.start();
  return {
    platform,
    dataDir,
    [Symbol.asyncDispose]: async () => {
      await bot[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
