import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerOptions } from '../../sandbox/container.ts';
import { createEngine, type Engine } from '../../sandbox/engine.ts';
import { createLogger } from '../../src/log.ts';

const limits = { memoryBytes: 2 ** 28, workspaceBytes: 2 ** 27, cpus: 1, processes: 64 };
const image = 'plotline-sandbox:latest';

/** As much of a Docker engine's API as a start needs. It has gVisor; containers on it start as long as `works`. */
describe('an engine with gVisor', () => {
  let folder = '';
  let works = true;
  let removes = true;
  let creates: { readonly url: string; readonly body: unknown }[] = [];
  let runtimes: string[] = [];
  let lines: string[] = [];
  let server: Server;
  let engine: Engine;

  beforeEach(async () => {
    // One for each test: connections to the last one may still be kept for later.
    folder = mkdtempSync(join(tmpdir(), 'plotline-engine-'));
    const path = join(folder, 'docker.sock');
    works = true;
    removes = true;
    creates = [];
    runtimes = [];
    lines = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        const [url = ''] = request.url?.split('?') ?? [];
        const answer = (status: number, value?: object): void => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
        };
        if (url.endsWith('/info')) return answer(200, { Runtimes: { runc: {}, runsc: {} }, DefaultRuntime: 'runc' });
        if (url.endsWith('/create')) {
          creates.push({ url: request.url ?? '', body: JSON.parse(body) });
          runtimes.push((JSON.parse(body) as { HostConfig: { Runtime?: string } }).HostConfig.Runtime ?? 'default');
          return answer(201, { Id: runtimes.at(-1) });
        }
        if (url.endsWith('/start')) return url.includes('/runsc/') && !works ? answer(500, {}) : answer(204);
        if (request.method === 'DELETE') return removes ? answer(204) : answer(500, {});
        answer(200, { Image: 'sha256:image', Components: [] });
      });
    });
    server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.on('end', () => socket.end()).resume();
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const log = createLogger('info', (line) => lines.push(line));
    engine = createEngine({ endpoint: { kind: 'unix', path }, image, runtime: 'auto' }, log);
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const left: string[] = [];
  const launch = async (): Promise<void> => {
    const { runtime } = await engine.check();
    left.length = 0;
    const settings = { image, runtime, limits, seccomp: '{}', labels: {} };
    const { stream } = await engine.launch(settings, (id) => left.push(id));
    stream.destroy();
  };

  it('that does not work runs sandboxes on the default runtime, says so once, and tells it of its walls', async () => {
    works = false;
    expect((await engine.check()).protection.runtime).toBe('runsc');
    await launch();
    await launch();
    expect(runtimes).toEqual(['runsc', 'default', 'default']);
    expect(lines.filter((line) => line.includes('could not start a sandbox'))).toHaveLength(1);
    expect((await engine.check()).protection.runtime).toBe('runc');
  });

  it('that has worked is not given up for one container that does not start', async () => {
    await launch();
    works = false;
    await expect(launch()).rejects.toMatchObject({ code: 'sandbox-failed' });
    expect(runtimes).toEqual(['runsc', 'runsc']);
    expect(left).toEqual([]);
  });

  it('tells of a container that neither started nor could be removed', async () => {
    works = false;
    removes = false;
    await launch();
    expect(left).toEqual(['runsc']);
  });

  it('gets the options of a container as a body alone, not in the URL', async () => {
    await launch();
    const settings = { image, runtime: 'runsc', limits, seccomp: '{}', labels: {} };
    expect(creates).toEqual([
      { url: expect.stringMatching(/^\/containers\/create\??$/), body: containerOptions(settings) },
    ]);
  });
});
