import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { createOtlpTracer } from '../../src/observe/otlp-tracer.ts';
import type { Tracer } from '../../src/observe/tracer.ts';
import { freePort } from '../fakes/free-port.ts';
import { startOtlpReceiver } from '../fakes/otlp-receiver.ts';

const lines: string[] = [];
const log = createLogger('info', (line) => lines.push(line));
const tracerTo = (endpoint: string): Tracer =>
  createOtlpTracer({ traces: { endpoint, serviceName: 's', headers: {} }, version: '1.2.3', log });
const plain = { attributes: {} };

it('spans within a span are its children, also beside each other and after waiting; a root is nobody’s', async () => {
  await using collector = await startOtlpReceiver();
  const tracer = tracerTo(collector.endpoint);
  await tracer.span('outer', { attributes: { n: 1, yes: true, word: 'w' } }, async () => {
    await Promise.all(
      ['a', 'b'].map((name) =>
        tracer.span(name, plain, async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          tracer.start(`${name}-inner`, {}).end();
        }),
      ),
    );
    await tracer.span('another', { attributes: {}, isRoot: true }, () => Promise.resolve());
  });
  await tracer[Symbol.asyncDispose]();
  const nameOf = new Map(collector.spans.map(({ spanId, name }) => [spanId, name]));
  const parents = Object.fromEntries(
    collector.spans.map(({ name, parentSpanId }) => [name, nameOf.get(parentSpanId) ?? null]),
  );
  expect(parents).toEqual({ outer: null, a: 'outer', b: 'outer', 'a-inner': 'a', 'b-inner': 'b', another: null });
  expect(collector.spans.find(({ name }) => name === 'outer')?.attributes).toEqual({ n: 1, yes: true, word: 'w' });
  expect(collector.resource).toMatchObject({ 'service.name': 's', 'service.version': '1.2.3' });
  const traces = new Set(collector.spans.map(({ traceId }) => traceId));
  expect(traces.size).toBe(2);
});

it('a failure passes; its span tells its code and nothing else', async () => {
  await using collector = await startOtlpReceiver();
  const tracer = tracerTo(collector.endpoint);
  const failure = new AppError('file-too-large', 'CANARY of a user', { cause: new Error('CANARY of a cause') });
  await expect(tracer.span('fails', plain, () => Promise.reject(failure))).rejects.toBe(failure);
  await expect(tracer.span('breaks', plain, () => Promise.reject(new Error('CANARY')))).rejects.toThrow('CANARY');
  await tracer[Symbol.asyncDispose]();
  expect(collector.spans.map(({ name, status }) => [name, status])).toEqual([
    ['fails', { code: 2, message: 'file-too-large' }],
    ['breaks', { code: 2, message: 'internal' }],
  ]);
  expect(collector.bodies.join('')).not.toContain('CANARY');
});

it('a collector that is away costs a line of the log, and no time', async () => {
  lines.length = 0;
  const tracer = tracerTo(`http://127.0.0.1:${await freePort()}`);
  const startedAtMs = performance.now();
  for (let index = 0; index < 5000; index += 1) await tracer.span('task', plain, () => Promise.resolve());
  expect(performance.now() - startedAtMs).toBeLessThan(3000);
  const complaints = (): number => lines.filter((line) => line.includes('took no spans')).length;
  await expect.poll(complaints, { timeout: 15_000 }).toBe(1);
  await tracer[Symbol.asyncDispose]();
  expect(complaints()).toBe(1);
}, 20_000);

it('one that takes the connection and never answers holds up the end by a second and a half at most', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const tracer = tracerTo(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  await tracer.span('task', plain, () => Promise.resolve());
  const startedAtMs = performance.now();
  await tracer[Symbol.asyncDispose]();
  expect(performance.now() - startedAtMs).toBeLessThan(2500);
  silent.close();
}, 20_000);
