import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is an error. */
  readonly status: { readonly code: number; readonly message?: string };
  readonly ms: number;
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Of the process that sent them. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Everything that was sent, as it came. */
  readonly bodies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
}

interface WireAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface WireRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface WireSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly WireAttribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** A collector that takes OTLP's traces over HTTP as JSON, as the protocol's own description has it, and keeps them. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let resource: Readonly<Record<string, unknown>> = {};

  const take = (body: string): void => {
    const request = JSON.parse(body) as WireRequest;
    for (const { resource: from, scopeSpans } of request.resourceSpans) {
      resource = plain(from.attributes);
      spans.push(...scopeSpans.flatMap((scope) => scope.spans).map(toSpan));
    }
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isTraces = request.method === 'POST' && request.url === '/v1/traces';
      if (!isTraces || request.headers['content-type'] !== 'application/json') return response.writeHead(415).end();
      const body = Buffer.concat(chunks).toString();
      bodies.push(body);
      headers.push(request.headers);
      take(body);
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    headers,
    get resource() {
      return resource;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function toSpan(span: WireSpan): ReceivedSpan {
  const { name, traceId, spanId, parentSpanId = '', attributes, status } = span;
  const ms = Number((BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1000n) / 1000;
  return { name, traceId, spanId, parentSpanId, attributes: plain(attributes), status: { code: 0, ...status }, ms };
}

/** `{stringValue: "a"}` as `"a"`; 64-bit integers may come as text. */
function plain(attributes: readonly WireAttribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [kind = '', given] = Object.entries(value)[0] ?? [];
      return [key, kind === 'intValue' ? Number(given) : given];
    }),
  );
}
