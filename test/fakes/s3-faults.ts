import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to one call on its way. `after`: of the body, in bytes; then the connection is cut. */
export type S3Fault = 'slow-down' | { readonly cutRequestAfter: number } | { readonly cutAnswerAfter: number };

/** A way to an S3 server on which things break. */
export interface S3Faults extends AsyncDisposable {
  readonly endpoint: string;
  /** For the next calls, in order; then all go through. */
  plan(faults: readonly S3Fault[]): void;
  /** Method and range of the calls since the last plan. */
  readonly calls: readonly { readonly method: string; readonly range: string | null }[];
}

const slowDown =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>';

/** In front of `endpoint`. Headers pass unchanged, so signatures stay valid. */
export async function startS3Faults(endpoint: string): Promise<S3Faults> {
  const target = new URL(endpoint);
  let planned: S3Fault[] = [];
  let calls: { method: string; range: string | null }[] = [];

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, fault: S3Fault | undefined): void => {
    const cutRequestAfter = typeof fault === 'object' && 'cutRequestAfter' in fault ? fault.cutRequestAfter : null;
    const cutAnswerAfter = typeof fault === 'object' && 'cutAnswerAfter' in fault ? fault.cutAnswerAfter : null;
    const { method = 'GET', url: path = '/', headers } = incoming;
    const onward = request({ host: target.hostname, port: target.port, method, path, headers, agent: false });
    const cut = (): void => {
      onward.destroy();
      incoming.socket.destroy();
    };
    onward.on('error', cut);
    incoming.on('error', cut);
    let taken = 0;
    incoming.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      if (cutRequestAfter !== null && taken > cutRequestAfter) {
        cut();
      } else if (!onward.write(bytes)) {
        incoming.pause();
        onward.once('drain', () => incoming.resume());
      }
    });
    incoming.on('end', () => onward.end());
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      let given = 0;
      answer.on('data', (bytes: Buffer) => {
        given += bytes.length;
        if (cutAnswerAfter === null || given <= cutAnswerAfter) {
          outgoing.write(bytes);
          return;
        }
        // What came until then is let through first.
        outgoing.write(bytes.subarray(0, Math.max(0, bytes.length - (given - cutAnswerAfter))), cut);
        answer.pause();
      });
      answer.on('end', () => outgoing.end());
      answer.on('error', cut);
    });
  };

  const server = createServer((incoming, outgoing) => {
    calls.push({ method: incoming.method ?? '', range: incoming.headers.range ?? null });
    const fault = planned.shift();
    if (fault !== 'slow-down') return pass(incoming, outgoing, fault);
    incoming.resume();
    incoming.on('end', () => outgoing.writeHead(503, { 'content-type': 'application/xml' }).end(slowDown));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan: (faults) => {
      planned = [...faults];
      calls = [];
    },
    get calls() {
      return calls;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
