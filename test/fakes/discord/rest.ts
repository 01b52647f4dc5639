import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { applicationRoutes } from './application-routes.ts';
import { channelRoutes } from './channel-routes.ts';
import type { DiscordFault, DiscordFaults } from './faults.ts';
import { interactionRoutes } from './interaction-routes.ts';
import type { Interactions } from './interactions.ts';
import { fileOfLink, signedLink } from './links.ts';
import { messageRoutes } from './message-routes.ts';
import { readBody } from './multipart.ts';
import type { OpenApiOracle } from './openapi.ts';
import { DiscordRefusal, invalidForm, refusal } from './refusal.ts';
import { ok } from './route.ts';
import type { Answer, Routes } from './route.ts';
import type { Json } from './state.ts';
import type { DiscordWorld } from './world.ts';

/** One request as it came and was answered. `status` 0: the connection was cut. */
export interface RequestRecord {
  /** As in `POST /channels/{channel_id}/messages`; null for what Discord does not have. */
  readonly operation: string | null;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** Names of the uploaded files. */
  readonly files: readonly string[];
  readonly atMs: number;
  status: number;
  /** Discord's code of a refusal, and the refusal itself. */
  code: number | null;
  refusal: Json | null;
}

export interface RestDeps {
  readonly world: DiscordWorld;
  readonly interactions: Interactions;
  readonly oracle: OpenApiOracle;
  readonly faults: DiscordFaults;
  /** Of the gateway, as in `ws://127.0.0.1:4711`. */
  readonly gatewayUrl: () => string;
  readonly sessionStartsLeft: () => number;
  /** Changes an answer before it is checked and sent: to prove that the check sees it. */
  readonly tamper: (operation: string, answer: Answer) => Answer;
}

export interface Rest {
  readonly requests: RequestRecord[];
  /** Answers that Discord could not have given, and requests that it or this fake does not know. */
  readonly violations: string[];
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

const apiPrefix = '/api/v10';

export function createRest({
  world,
  interactions,
  oracle,
  faults,
  gatewayUrl,
  sessionStartsLeft,
  tamper,
}: RestDeps): Rest {
  const { state, limits } = world;
  const requests: RequestRecord[] = [];
  const violations: string[] = [];
  const routes: Routes = {
    'GET /gateway': () => ok({ url: gatewayUrl() }),
    'GET /gateway/bot': () =>
      ok({
        url: gatewayUrl(),
        shards: 1,
        session_start_limit: {
          total: 1000,
          remaining: sessionStartsLeft(),
          reset_after: 14_400_000,
          max_concurrency: 1,
        },
      }),
    ...messageRoutes,
    ...channelRoutes,
    ...interactionRoutes,
    ...applicationRoutes,
  };

  const answerOf = async (
    request: IncomingMessage,
    url: URL,
    bytes: Buffer,
    record: RequestRecord,
  ): Promise<Answer> => {
    if (isRefreshing(record.method, url)) {
      if (request.headers.authorization !== `Bot ${state.token}`) throw refusal('unauthorized');
      return ok(refreshedUrls(world, (await readBody(request.headers['content-type'], bytes)).json));
    }
    const found = oracle.operationOf(record.method, url.pathname.slice(apiPrefix.length));
    if (found === null) {
      violations.push(`Discord has no ${record.method} ${url.pathname}`);
      throw refusal('notFound');
    }
    const { operation } = found;
    if (!found.isOpen && request.headers.authorization !== `Bot ${state.token}`) throw refusal('unauthorized');
    if (bytes.byteLength > limits.maxRequestBytes) throw refusal('tooLarge');
    const given = await readBody(request.headers['content-type'], bytes);
    Object.assign(record, { body: given.json, files: given.files.map(({ name }) => name) });
    const problems = oracle.problemsOfRequest(operation, url.searchParams, given.contentType, given.described);
    if (problems.length > 0) throw invalidForm(problems);
    const route = routes[operation];
    if (route === undefined) {
      violations.push(`the fake has no ${operation}`);
      throw refusal('notFound');
    }
    return route({
      world,
      interactions,
      parameters: found.parameters,
      query: url.searchParams,
      body: given.json,
      files: given.files,
    });
  };

  const api = async (request: IncomingMessage, response: ServerResponse, url: URL, bytes: Buffer): Promise<void> => {
    const method = request.method ?? 'GET';
    const operation = oracle.operationOf(method, url.pathname.slice(apiPrefix.length))?.operation ?? null;
    const record: RequestRecord = {
      operation,
      method,
      path: url.pathname + url.search,
      body: null,
      files: [],
      atMs: state.now(),
      status: 0,
      code: null,
      refusal: null,
    };
    requests.push(record);
    const fault = operation === null ? null : faults.next(operation);
    if (fault?.kind === 'slow') await sleep(fault.ms);
    if (fault?.kind === 'cut') return void request.socket.destroy();
    if (fault?.kind === 'bad-gateway') return badGateway(response, record);
    let answer: Answer;
    try {
      const early = refusedBy(fault);
      answer = early ?? (await answerOf(request, url, bytes, record));
    } catch (error) {
      if (!(error instanceof DiscordRefusal)) throw error;
      answer = { status: error.status, body: error.toBody() };
    }
    if (operation !== null) answer = tamper(operation, answer);
    if (fault?.kind === 'cut-after') return void request.socket.destroy();
    if (fault?.kind === 'bad-gateway-after') return badGateway(response, record);
    record.status = answer.status;
    record.refusal = answer.status >= 400 ? (answer.body as Json) : null;
    record.code = (record.refusal?.['code'] ?? null) as number | null;
    if (operation !== null) {
      const wrong = oracle.problemsOfAnswer(operation, answer.status, answer.body);
      violations.push(...wrong.map((problem) => `${operation} ${answer.status}: ${problem}`));
    }
    send(response, answer);
  };

  const download = (request: IncomingMessage, response: ServerResponse, url: URL): void => {
    const fault = faults.next('download');
    const file = fileOfLink(world, url);
    const type = { 'content-type': file?.contentType ?? 'application/octet-stream' };
    if (fault?.kind === 'cut') return void request.socket.destroy();
    if (fault?.kind === 'bad-gateway' || fault?.kind === 'bad-gateway-after') return void response.writeHead(502).end();
    if (fault?.kind === 'refuse') return void response.writeHead(fault.status).end();
    if (file === null)
      return void response.writeHead(404, { 'content-type': 'text/plain' }).end('This content is no longer available.');
    if (fault?.kind === 'cut-after') {
      response.writeHead(200, { ...type, 'content-length': file.bytes.byteLength });
      response.write(file.bytes.subarray(0, file.bytes.byteLength >> 1), () => request.socket.destroy());
      return;
    }
    const finish = (): void =>
      void response.writeHead(200, { ...type, 'content-length': file.bytes.byteLength }).end(file.bytes);
    if (fault?.kind === 'slow') setTimeout(finish, fault.ms);
    else finish();
  };

  return {
    requests,
    violations,
    handle: async (request, response) => {
      const url = new URL(request.url ?? '/', world.origin());
      if (url.pathname.startsWith('/attachments/')) return download(request, response, url);
      const bytes = await bytesOf(request);
      if (url.pathname.startsWith(`${apiPrefix}/`)) return api(request, response, url, bytes);
      violations.push(`nothing lives at ${request.method} ${url.pathname}`);
      response.writeHead(404).end();
    },
  };
}

/** Clients and bots use it, but neither Discord's documentation nor its OpenAPI file has it: nothing checks its form but this. */
function isRefreshing(method: string, url: URL): boolean {
  return method === 'POST' && url.pathname === `${apiPrefix}/attachments/refresh-urls`;
}

function refreshedUrls(world: DiscordWorld, body: unknown): Json {
  const urls = ((body as Json)['attachment_urls'] ?? []) as readonly string[];
  const refreshed = urls.flatMap((original) => {
    const file = world.state.attachments.get(new URL(original).pathname.split('/')[3] ?? '');
    return file === undefined ? [] : [{ original, refreshed: signedLink(world, file) }];
  });
  return { refreshed_urls: refreshed };
}

/** The answer that takes the place of the real one. */
function refusedBy(fault: DiscordFault | null): Answer | null {
  if (fault?.kind === 'too-large') throw refusal('tooLarge');
  if (fault?.kind === 'refuse') throw new DiscordRefusal(fault.status, fault.code, fault.message);
  if (fault?.kind !== 'rate-limited') return null;
  const { retryAfterMs, global = false } = fault;
  const body = { code: 0, message: 'You are being rate limited.', retry_after: retryAfterMs / 1000, global };
  return { status: 429, body };
}

function badGateway(response: ServerResponse, record: RequestRecord): void {
  record.status = 502;
  response.writeHead(502, { 'content-type': 'text/html' }).end('<html><title>502 Bad Gateway</title></html>');
}

/** An answer without a body has no JSON type either: discord.js would parse it. */
function send(response: ServerResponse, { status, body }: Answer): void {
  const retryAfter = status === 429 ? (body as { readonly retry_after: number; readonly global: boolean }) : null;
  const headers = {
    via: '1.1 google',
    ...(retryAfter === null
      ? {}
      : { 'retry-after': String(retryAfter.retry_after), 'x-ratelimit-scope': retryAfter.global ? 'global' : 'user' }),
    ...(retryAfter?.global === true ? { 'x-ratelimit-global': 'true' } : {}),
  };
  if (body === null) response.writeHead(status, headers).end();
  else response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
