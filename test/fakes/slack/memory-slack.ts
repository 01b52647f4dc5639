import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebApi, SlackRefusal } from './web-api.ts';
import type { WebApiOptions } from './web-api.ts';
import { createWorkspaceState } from './workspace.ts';
import type { Json, SlackWorkspaceState } from './workspace.ts';

/**
 * A Slack in this process, on loopback: strict where the real one is (limits, threads, streams, metadata, asynchronous shares) and
 * quick enough for hundreds of schedules. What it does wrong on purpose comes from the fault layer in front of it.
 */
export interface MemorySlack extends AsyncDisposable {
  readonly apiUrl: string;
  readonly state: SlackWorkspaceState;
  readonly calls: readonly { readonly method: string; readonly args: Json }[];
}

export async function startMemorySlack(given: Partial<Omit<WebApiOptions, 'origin'>> = {}): Promise<MemorySlack> {
  const state = createWorkspaceState();
  const calls: { method: string; args: Json }[] = [];
  let port = 0;
  const origin = (): string => `http://127.0.0.1:${port}`;
  const methods = createWebApi(state, { problemsOf: () => [], hasStreams: false, shareDelayMs: 0, ...given, origin });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, folder = '', name = ''] = (request.url ?? '').split('?')[0]?.split('/') ?? [];
    const body = await bytesOf(request);
    if (folder === 'upload') return upload(name, body, response);
    if (folder === 'files') return download(name, request, response);
    const args = argumentsOf(body.toString());
    calls.push({ method: name, args });
    const method = methods[name];
    try {
      if (request.headers.authorization !== `Bearer ${state.botToken}`) throw new SlackRefusal('invalid_auth');
      if (method === undefined) throw new SlackRefusal('unknown_method');
      send(response, { ok: true, ...method(args) });
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      send(response, { ok: false, error: error.message });
    }
  };

  const upload = (id: string, body: Buffer, response: ServerResponse): void => {
    const file = state.files.get(id);
    const isWhole = file !== undefined && body.byteLength === file.sizeBytes;
    if (isWhole) file.bytes = body;
    response.writeHead(isWhole ? 200 : 400).end();
  };

  const download = (id: string, request: IncomingMessage, response: ServerResponse): void => {
    const bytes = state.files.get(id)?.bytes ?? null;
    if (bytes === null) response.writeHead(404).end();
    else if (request.headers.authorization !== `Bearer ${state.botToken}`) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>');
    } else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
  return {
    apiUrl: `${origin()}/api/`,
    state,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, body: Json): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Slack's SDK sends forms whose structured values are JSON. */
function argumentsOf(form: string): Json {
  return Object.fromEntries(
    [...new URLSearchParams(form)].map(([name, value]) => {
      if (value === 'true' || value === 'false') return [name, value === 'true'];
      return [name, /^[[{]/.test(value) && structured.has(name) ? JSON.parse(value) : value];
    }),
  );
}

const structured = new Set(['blocks', 'metadata', 'files', 'chunks', 'view', 'prompts', 'loading_messages']);
