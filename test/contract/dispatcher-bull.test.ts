import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createBullDispatcher } from '../../src/queue/bull-dispatcher.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';
import { describeDispatcher } from './dispatcher.ts';

describe.skipIf(skipsRedis)('on Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const log = createLogger(process.env['TEST_LOG_LEVEL'] ?? 'silent');
  describeDispatcher('Bull', async () =>
    createBullDispatcher({ redisUrl: redis.url, prefix: `{${randomUUID()}}`, log }),
  );
});
