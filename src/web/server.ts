import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';

/** Pages that the server mounts at `path` (`/` or `/board`). What they need beyond the server's headers they set themselves. */
export interface WebRoute {
  readonly path: string;
  readonly app: Hono;
}

export interface WebServer {
  readonly port: number;
  /** Takes no more connections and ends the idle ones; answers under way have three seconds. */
  close(): Promise<void>;
}

/** A client that sends its request slower than this, or takes nothing of the answer for as long as `idleMs`, is let go. */
const headersMs = 5000;
const requestMs = 10_000;
const idleMs = 30_000;
const keepAliveMs = 5000;
const closeMs = 3000;
const headerBytes = 8192;
const connectionsAtMost = 256;

/**
 * The one web server of a process, for operators and for links to files. Nobody sends it anything: a request with a body is refused.
 * `port` 0 takes any free one. Resolves when it listens; rejects with `config` where it cannot.
 */
export async function createWebServer(options: {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly WebRoute[];
  readonly log: Logger;
}): Promise<WebServer> {
  const { host, port, routes, log } = options;
  const server = createAdaptorServer({
    fetch: pages(routes, log).fetch,
    hostname: host,
    serverOptions: {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: headerBytes,
    },
  }) as Server;
  server.maxConnections = connectionsAtMost;
  server.setTimeout(idleMs, (socket) => socket.destroy());
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(host, port, error);
  }
  // Without a listener an error of the socket would end the process.
  server.on('error', (error) => log.error({ error: String(error) }, 'the web server failed'));
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  log.info({ host, port: actual }, 'serving pages for operators');
  return { port: actual, close: () => close(server) };
}

function pages(routes: readonly WebRoute[], log: Logger): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      overwrite: false,
      xFrameOptions: 'DENY',
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        frameAncestors: ["'none'"],
      },
    }),
  );
  app.use(async (context, next) => {
    const { req } = context;
    if (Number(req.header('content-length') ?? 0) > 0 || req.header('transfer-encoding') !== undefined) {
      return context.json({ error: 'Nothing can be sent here: ask without a body.' }, 413, { connection: 'close' });
    }
    await next();
    if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-store');
    return undefined;
  });
  for (const { path, app: mounted } of routes) app.route(path, mounted);
  app.notFound((context) => context.json({ error: 'There is no such page.' }, 404));
  app.onError((error, context) => {
    // How Hono's own parts refuse, a missing password among them.
    if (error instanceof HTTPException) return error.getResponse();
    log.error({ path: context.req.path, error: error.stack ?? String(error) }, 'a page failed');
    return context.json({ error: 'This page failed; the log says why.' }, 500);
  });
  return app;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeMs);
  await closed;
  clearTimeout(timer);
}

function listenError(host: string, port: number, cause: unknown): AppError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: `The port ${port} of ${host} is in use by another program: set another HTTP_PORT.`,
    EACCES: `The port ${port} may not be used without more rights: set HTTP_PORT to 1024 or above.`,
    EADDRNOTAVAIL: `This machine has no address ${host}: set HTTP_HOST to one it has, or to 0.0.0.0 for all.`,
    ENOTFOUND: `The host ${host} is not known: set HTTP_HOST to an address of this machine, or to 0.0.0.0 for all.`,
  };
  return new AppError(
    'config',
    words[code] ?? `The pages for operators cannot be served at ${host}:${port} (${code}).`,
    {
      cause,
    },
  );
}
