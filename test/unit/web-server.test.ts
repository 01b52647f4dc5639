import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createWebServer } from '../../src/web/server.ts';
import type { WebServer } from '../../src/web/server.ts';

let lines: string[] = [];
const log = createLogger('debug', (line) => lines.push(line));
let server: WebServer | null = null;

const page = new Hono()
  .get('/page', (context) => context.text('seen'))
  .get('/own', (context) => context.body('', 200, { 'cache-control': 'max-age=5', 'x-frame-options': 'SAMEORIGIN' }))
  .get('/broken', () => {
    throw new Error('a canary of the page');
  })
  .get('/files/:token/:name', () => {
    throw new Error('the store is away');
  })
  .get('/closed', () => {
    throw new HTTPException(401, { res: new Response('Who asks?', { status: 401 }) });
  });

const serve = async (app = page): Promise<string> => {
  server = await createWebServer({ host: '127.0.0.1', port: 0, routes: [{ path: '/', app }], log });
  return `http://127.0.0.1:${server.port}`;
};

afterEach(async () => {
  await server?.close();
  server = null;
  lines = [];
});

describe('the web server', () => {
  it('serves what is mounted, with headers that keep a browser from more', async () => {
    const base = await serve();
    const response = await fetch(`${base}/page`);
    expect(await response.text()).toBe('seen');
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const own = await fetch(`${base}/own`);
    expect(Object.fromEntries(own.headers)).toMatchObject({
      'cache-control': 'max-age=5',
      'x-frame-options': 'SAMEORIGIN',
    });
  });

  it('says what is not there, and keeps why a page failed to the log', async () => {
    const base = await serve();
    const missing = await fetch(`${base}/nothing`);
    expect([missing.status, await missing.json()]).toEqual([404, { error: 'There is no such page.' }]);
    const broken = await fetch(`${base}/broken`);
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('canary');
    expect(lines.join('')).toContain('canary');
  });

  it('logs no link that lets in whoever has it', async () => {
    const base = await serve();
    expect((await fetch(`${base}/files/00ff.${'5a'.repeat(32)}/a.csv`)).status).toBe(500);
    expect(lines.join('')).toContain('/files/[redacted]/a.csv');
    expect(lines.join('')).not.toContain('5a5a');
  });

  it('answers as a page refuses, which is no failure', async () => {
    const closed = await fetch(`${await serve()}/closed`);
    expect([closed.status, await closed.text(), closed.headers.get('x-frame-options')]).toEqual([
      401,
      'Who asks?',
      'DENY',
    ]);
    expect(lines.join('')).not.toContain('a page failed');
  });

  it('takes no bodies, whole or in pieces', async () => {
    const base = await serve();
    const whole = await fetch(`${base}/page`, { method: 'POST', body: 'x' });
    expect(whole.status).toBe(413);
    const stream = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const pieces = await fetch(`${base}/page`, { method: 'POST', body: stream, duplex: 'half' });
    expect(pieces.status).toBe(413);
  });

  it('refuses headers that are too large', async () => {
    const base = await serve();
    const response = await fetch(`${base}/page`, { headers: { 'x-long': 'x'.repeat(20_000) } });
    expect(response.status).toBe(431);
  });

  it('lets a client go that does not get to the end of its request', async () => {
    await serve();
    const socket = await dial(server);
    const startedAtMs = performance.now();
    socket.write('GET /page HTTP/1.1\r\nHost: x\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(performance.now() - startedAtMs).toBeLessThan(8000);
  }, 15_000);

  it('ends connections that are kept alive, and one whose answer never ends, when it closes', async () => {
    const endless = new Hono().get('/endless', (context) => {
      context.header('content-type', 'text/plain');
      return context.body(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([65])) }));
    });
    const base = await serve(endless);
    const idle = await dial(server);
    idle.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    const answer = await fetch(`${base}/endless`);
    const reader = answer.body?.getReader();
    await reader?.read();
    const rest = reader?.read().then(
      () => 'more',
      () => 'cut',
    );
    const startedAtMs = performance.now();
    await server?.close();
    server = null;
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
    expect(await rest).toBe('cut');
    expect(idle.closed || idle.readableEnded || (await once(idle, 'close')) !== null).toBe(true);
  }, 15_000);

  it('says in words what is wrong with a port or host', async () => {
    await serve();
    const port = server?.port ?? 0;
    const again = (host: string, at: number) => createWebServer({ host, port: at, routes: [], log });
    await expect(again('127.0.0.1', port)).rejects.toMatchObject({
      code: 'config',
      userMessage: `The port ${port} of 127.0.0.1 is in use by another program: set another HTTP_PORT.`,
    });
    await expect(again('203.0.113.1', 0)).rejects.toThrow(/no address 203\.0\.113\.1: set HTTP_HOST/);
  });
});

async function dial(at: WebServer | null): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: at?.port ?? 0 });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}
