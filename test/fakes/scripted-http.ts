import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What to do with one request: bytes, a broken connection, silence. */
export type Script = (response: ServerResponse) => void | Promise<void>;

export interface ScriptedHttp extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: unknown;
  }[];
  /** Connections that the client closed before the script had ended its response. */
  readonly abandoned: () => number;
  /** Scripts for the next requests, in order; a request without a script gets a 500 that says so. */
  script(...scripts: readonly Script[]): void;
}

/** A server on loopback that answers with exactly the bytes it is told to. */
export async function startScriptedHttp(): Promise<ScriptedHttp> {
  const scripts: Script[] = [];
  const requests: { path: string; headers: IncomingHttpHeaders; body: unknown }[] = [];
  let abandoned = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    requests.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) });
    response.on('close', () => {
      if (!response.writableEnded) abandoned += 1;
    });
    const script = scripts.shift() ?? refuse(500, { error: { message: 'no script for this request' } });
    await script(response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    abandoned: () => abandoned,
    script: (...more) => {
      scripts.push(...more);
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A whole answer that is no stream. */
export function refuse(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Script {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Server-sent events, then the end: closed as it should be, cut off at the socket, or left open without another byte. */
export function events(frames: readonly string[], end: 'close' | 'break' | 'silence' = 'close'): Script {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(frames.join(''));
    if (end === 'close') response.end();
    if (end !== 'break') return;
    // The frames must have left before the socket goes.
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    response.socket?.resetAndDestroy();
  };
}
