import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { normalize } from 'node:path';
import { parse } from 'yaml';

/** One call to the engine as it came. */
export interface EngineRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly isAllowed: boolean;
}

/** What the socket proxy's arguments in compose.yaml allow. */
export interface AllowList {
  allows(method: string, path: string): boolean;
  /** Whether a container may have this folder of the machine. */
  allowsBind(source: string): boolean;
}

/**
 * The list of compose.yaml itself, read as the proxy there reads it: a pattern for each method, the whole path, no query, nothing by
 * default. Its patterns mean the same in Go's regexp as in JavaScript's: classes, groups, counts.
 */
export function composeAllowList(): AllowList {
  const { services } = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
    readonly services: { readonly 'engine-proxy': { readonly command: readonly string[] } };
  };
  const patterns = new Map<string, RegExp>();
  let folders: readonly string[] = [];
  for (const argument of services['engine-proxy'].command) {
    const [, method = '', pattern = ''] = /^-allow([A-Z]+)=(.*)$/.exec(argument) ?? [];
    if (method !== '') patterns.set(method, new RegExp(`^${pattern}$`));
    const binds = /^-allowbindmountfrom=(.*)$/.exec(argument)?.[1];
    if (binds !== undefined) folders = binds.split(',');
  }
  return {
    allows: (method, path) => patterns.get(method)?.test(path) ?? false,
    allowsBind: (source) =>
      !source.startsWith('/') || folders.some((folder) => `${normalize(source)}/`.startsWith(`${folder}/`)),
  };
}

export interface SocketProxy extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly EngineRequest[];
}

/**
 * The socket proxy of compose.yaml with the list that stands there, in this process and on loopback: the image itself may be out of reach.
 * As that one's, a connection that an attach took over is closed in both directions when either ends.
 */
export async function startSocketProxy(enginePath: string): Promise<SocketProxy> {
  const list = composeAllowList();
  const requests: EngineRequest[] = [];
  const sockets = new Set<Socket>();

  const admit = (asked: IncomingMessage): boolean => {
    const method = asked.method ?? '';
    const path = decodeURIComponent((asked.url ?? '').split('?')[0] ?? '');
    const isAllowed = list.allows(method, path);
    requests.push({ method, path, isAllowed });
    return isAllowed;
  };
  const forward = (asked: IncomingMessage) =>
    request({ socketPath: enginePath, method: asked.method, path: asked.url, headers: asked.headers, agent: false });

  const server = createServer((asked, answer) => {
    if (!admit(asked)) {
      answer.writeHead(403).end('Forbidden\n');
      return;
    }
    const passOn = (body: Buffer | null): void => {
      const passed = forward(asked);
      passed.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        answer.flushHeaders();
        response.pipe(answer);
        response.on('error', () => answer.destroy());
      });
      passed.on('error', () => answer.destroy());
      answer.on('close', () => passed.destroy());
      passed.end(body ?? undefined);
    };
    if (asked.method !== 'POST') return passOn(null);
    const pieces: Buffer[] = [];
    asked.on('data', (piece: Buffer) => pieces.push(piece));
    asked.on('end', () => {
      const body = Buffer.concat(pieces);
      if (bindsOf(body).every(list.allowsBind)) return passOn(body);
      answer.writeHead(403).end('Forbidden\n');
    });
  });
  server.on('upgrade', (asked: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => client.destroy());
    if (!admit(asked)) {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const passed = forward(asked);
    passed.on('error', () => client.destroy());
    passed.on('response', (response) => {
      client.write(`HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\nConnection: close\r\n\r\n`);
      response.pipe(client);
    });
    passed.on('upgrade', (response, engine, firstBytes) => {
      const lines = response.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []));
      client.write(`HTTP/1.1 101 ${response.statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`);
      client.write(firstBytes);
      engine.write(head);
      engine.pipe(client);
      client.pipe(engine);
      for (const [one, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        one.on('end', () => other.destroySoon());
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroySoon());
      }
    });
    passed.end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Folders of the machine that a body asks for; empty where it is no container's. */
function bindsOf(body: Buffer): readonly string[] {
  try {
    const { HostConfig: wanted } = JSON.parse(body.toString()) as {
      readonly HostConfig?: {
        readonly Binds?: readonly string[];
        readonly Mounts?: readonly { readonly Type?: string; readonly Source?: string }[];
      };
    };
    const mounts = (wanted?.Mounts ?? []).filter(({ Type }) => Type === 'bind').map(({ Source = '' }) => Source);
    return [...(wanted?.Binds ?? []).map((bind) => bind.split(':')[0] ?? ''), ...mounts];
  } catch {
    return [];
  }
}
