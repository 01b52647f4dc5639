import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import type { Dispatcher } from '../../src/ports/dispatcher.ts';
import { boardPath, createBoard } from '../../src/queue/board.ts';
import type { Board } from '../../src/queue/board.ts';
import { createBullDispatcher } from '../../src/queue/bull-dispatcher.ts';
import { eventually } from '../fakes/eventually.ts';
import { skipsRedis, startRedis } from '../fakes/redis.ts';
import type { RedisServer } from '../fakes/redis.ts';

const log = createLogger('silent');
const password = 'für Betreiber: 1';

describe.skipIf(skipsRedis)('the board', () => {
  const prefix = `{${randomUUID()}}`;
  const site = new Hono();
  let redis: RedisServer;
  let dispatcher: Dispatcher;
  let board: Board;
  beforeAll(async () => {
    redis = await startRedis();
    dispatcher = createBullDispatcher({ redisUrl: redis.url, prefix, log });
    board = createBoard({ redisUrl: redis.url, password, prefix, log });
    site.route(boardPath, board.app);
  });
  afterAll(async () => {
    await board.close();
    await dispatcher.close({ graceMs: 0 });
    await redis[Symbol.asyncDispose]();
  });

  const ask = (path: string, given: string | null = password, method = 'GET'): Promise<Response> => {
    const authorization = `Basic ${Buffer.from(`operator:${given}`).toString('base64')}`;
    return Promise.resolve(site.request(path, { method, ...(given === null ? {} : { headers: { authorization } }) }));
  };

  it.each([null, '', 'wrong', `${password}x`, password.slice(1)])('lets nobody in with %j', async (given) => {
    for (const path of ['/board', '/board/', '/board/api/queues', '/board/static/js/main.js']) {
      const response = await ask(path, given);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(await response.text()).not.toContain('wakes');
    }
  });

  it('shows its page with all parts of it', async () => {
    const page = await ask('/board');
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain('<base href="/board/"');
    const parts = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, part]) => part);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect((await ask(`/board/${part}`)).status).toBe(200);
  });

  it('shows which thread a job runs and how it ended, and no contents', async () => {
    dispatcher.process(
      async (threadKey) => {
        if (threadKey.endsWith('bad')) throw new Error('the salaries of Ada');
        return null;
      },
      { concurrency: 1 },
    );
    await dispatcher.wake('test/w/c/good', { personId: 'ada', isFollowUp: false });
    await dispatcher.wake('test/w/c/bad', { personId: 'ada', isFollowUp: false });
    await eventually(async () => {
      const text = await (await ask('/board/api/queues?activeQueue=wakes&status=failed')).text();
      expect(text).toContain('test/w/c/bad');
      expect(text).not.toContain('salaries');
      expect(JSON.parse(text)).toMatchObject({ queues: [{ name: 'wakes', counts: { completed: 1, failed: 1 } }] });
    });
    const done = await (await ask('/board/api/queues?activeQueue=wakes&status=completed')).text();
    expect(done).toContain('test/w/c/good');
  });

  it('lets nothing be changed', async () => {
    for (const action of ['pause', 'clean/failed', 'retry/failed', 'empty']) {
      const response = await ask(`/board/api/queues/wakes/${action}`, password, 'PUT');
      expect([403, 404, 405]).toContain(response.status);
    }
    expect(await (await ask('/board/api/queues')).json()).toMatchObject({
      queues: [{ isPaused: false, readOnlyMode: true, counts: { failed: 1 } }],
    });
  });
});
