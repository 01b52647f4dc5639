import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import type { IServerAdapter } from '@bull-board/api/typings/app';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from '../log.ts';
import { defaultPrefix, openRedis } from './redis.ts';

/** Where the board is mounted: its pages name their parts by it. */
export const boardPath = '/board';

export interface Board {
  /** To be mounted at `boardPath`. Asks for the operators' password; any user name will do. */
  readonly app: Hono;
  close(): Promise<void>;
}

/**
 * Bull's state, to look at: jobs carry thread keys and no contents, and nothing can be changed here, since a job is only a carrier. Its
 * connections are its own.
 */
export function createBoard(options: {
  readonly redisUrl: string;
  readonly password: string;
  readonly log: Logger;
  readonly prefix?: string;
}): Board {
  const { redisUrl, log, prefix = defaultPrefix } = options;
  const redis = openRedis({ url: redisUrl, prefix, log });
  const server = new HonoAdapter(serveStatic);
  server.setBasePath(boardPath);
  createBullBoard({
    queues: [new BullAdapter(redis.queue, { readOnlyMode: true, description: 'Threads that wait for a worker' })],
    // Typed by the patch release of the API that it brings for itself.
    serverAdapter: server as unknown as IServerAdapter,
    options: { uiConfig: { boardTitle: 'Plotline' } },
  });
  const app = new Hono();
  app.use(basicAuth({ realm: 'Plotline, for operators', verifyUser: (_, given) => isSame(given, options.password) }));
  app.route('/', server.registerPlugin());
  return { app, close: () => redis.close() };
}

/** In a time that says nothing about how much of it is right, nor how long it is. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
