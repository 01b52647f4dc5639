import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { noMeasures } from '../../src/observe/measures.ts';
import type { Measures } from '../../src/observe/measures.ts';
import { observeClient } from '../../src/observe/observed-client.ts';
import { observeModel } from '../../src/observe/observed-model.ts';
import { observeSandboxes } from '../../src/observe/observed-sandboxes.ts';
import { createTelemetry } from '../../src/observe/telemetry.ts';
import { noTracer } from '../../src/observe/tracer.ts';
import type { PlatformClient } from '../../src/ports/platforms.ts';
import type { SandboxProvider } from '../../src/ports/sandbox.ts';
import { attachmentOf, sandboxLimits, taskOf, testThread } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import { bytesOf } from '../fakes/memory-blobs.ts';
import { createRecordingPlatform } from '../fakes/recording-platform.ts';
import { createScriptedModel } from '../fakes/scripted-model.ts';

let seen: (readonly [name: string, of: unknown])[];
let lines: string[];

/** What was measured, in order. */
const measures = new Proxy(noMeasures, {
  get: (_, name: string) => (of: unknown) => void seen.push([name, of]),
}) satisfies Measures;
const log = createLogger('info', (line) => lines.push(line));
const tracer = noTracer;
const observers = () => ({ log, measures, tracer, telemetry: createTelemetry({ log, measures, tracer }) });
const signal = AbortSignal.timeout(5000);
const names = (): readonly string[] => seen.map(([name]) => name);

beforeEach(() => {
  seen = [];
  lines = [];
});

describe('a task', () => {
  const entry = { task: taskOf('t1', { receivedAtMs: Date.now() - 2000 }), state: 'running', attempts: 1 } as const;

  it('that is interrupted, by a rejection or without one, has not ended', async () => {
    const { telemetry } = observers();
    await telemetry.task(entry, () => Promise.resolve(null));
    const failure = new AppError('platform-failed', 'away', { retryable: true });
    await expect(telemetry.task({ ...entry, attempts: 2 }, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(names()).toEqual(['taskStarted', 'taskInterrupted', 'taskStarted', 'taskInterrupted']);
    expect(seen[0]?.[1]).toMatchObject({ platform: 'test', isRetry: false });
    expect(seen[2]?.[1]).toMatchObject({ isRetry: true });
  });

  it('is counted from when its event came', async () => {
    const { telemetry } = observers();
    await telemetry.task(entry, () => {
      telemetry.progressPosted();
      telemetry.progressPosted();
      return Promise.resolve('partial');
    });
    telemetry.progressPosted();
    expect(names()).toEqual(['taskStarted', 'firstProgress', 'taskEnded']);
    for (const [, of] of seen) {
      const { waitMs, afterMs = waitMs } = of as { readonly waitMs?: number; readonly afterMs?: number };
      expect(afterMs).toBeGreaterThanOrEqual(2000);
      expect(afterMs).toBeLessThan(10_000);
    }
    expect(seen[2]?.[1]).toMatchObject({ outcome: 'partial' });
  });
});

describe('a platform', () => {
  const failing = (failure: unknown): PlatformClient => {
    const fail = (): Promise<never> => Promise.reject(failure);
    const { client } = createRecordingPlatform();
    async function* download() {
      yield* bytesOf('four');
      await fail();
    }
    return { ...client, admit: fail, post: fail, edit: fail, upload: fail, download };
  };
  const context = { postId: 'p', alreadyPosted: [], isRepeat: false, onPosted: () => Promise.resolve(), signal };
  const notice = { kind: 'notice', text: 'x' } as const;

  it.each([
    [new AppError('platform-rate-limited', 'slow'), 'rate-limited'],
    [new AppError('cancelled', 'Stopped.'), 'cancelled'],
    [new AppError('platform-failed', 'no'), 'failed'],
    [new TypeError('a bug'), 'failed'],
  ])('whose calls fail with %s is counted so, and the failure passes', async (failure, result) => {
    const client = observeClient('p', failing(failure), observers());
    await expect(client.post(testThread, notice, context)).rejects.toBe(failure);
    await expect(client.upload(testThread, [], '', { ...context, isRepeat: true })).rejects.toBe(failure);
    await expect(client.edit(testThread, 'm', notice, signal)).rejects.toBe(failure);
    await expect(client.admit(taskOf('t'), signal)).rejects.toBe(failure);
    const read = async (): Promise<void> => {
      for await (const chunk of client.download(attachmentOf('f', 'a.csv'), { maxBytes: 9, signal }))
        expect(chunk.length).toBe(4);
    };
    await expect(read()).rejects.toBe(failure);
    expect(seen).toEqual([
      ['post', { platform: 'p', kind: 'notice', result, isRepeat: false }],
      ['post', { platform: 'p', kind: 'upload', result, isRepeat: true }],
      ['edit', { platform: 'p', result }],
      ['download', { platform: 'p', result, bytes: 4 }],
    ]);
  });

  it('is left otherwise as it is, and a reader may stop early', async () => {
    const { client } = createRecordingPlatform();
    const endless: PlatformClient = {
      ...client,
      async *download() {
        for (;;) yield Buffer.from('four');
      },
    };
    const observed = observeClient('p', endless, observers());
    expect(observed.limits).toBe(client.limits);
    for await (const chunk of observed.download(attachmentOf('f', 'a.csv'), { maxBytes: 9, signal })) {
      expect(chunk.length).toBe(4);
      break;
    }
    expect(seen).toEqual([['download', { platform: 'p', result: 'cancelled', bytes: 4 }]]);
  });
});

it('a model is the same with its turns counted, each once', async () => {
  const scripted = createScriptedModel([{ text: 'a' }, { text: 'b' }]);
  const model = observeModel(scripted, observers());
  expect([model.name, model.builtIn]).toEqual(['scripted', false]);
  const request = { instructions: '', messages: [], tools: [], toolChoice: 'auto', maxOutputTokens: 9 } as const;
  const types: string[] = [];
  for await (const event of model.stream(request, signal)) types.push(event.type);
  expect(types).toEqual(['text-delta', 'finish']);
  for await (const event of model.stream(request, signal)) if (event.type === 'text-delta') break;
  expect(seen).toMatchObject([['modelTurn', { reason: 'stop', usage: { inputTokens: 10, outputTokens: 5 } }]]);
});

it('the waiting for a sandbox is timed, and who got which is logged', async () => {
  const fake = createFakeSandbox();
  const failure = new AppError('docker-unavailable', 'no Docker');
  let isAway = false;
  const provider: SandboxProvider = {
    sweep: () => fake.sweep(),
    acquire: (...call) => (isAway ? Promise.reject(failure) : fake.acquire(...call)),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
  const observed = observeSandboxes(provider, observers());
  const session = await log.within({ taskId: 't1' }, () => observed.acquire(sandboxLimits, signal));
  isAway = true;
  await expect(observed.acquire(sandboxLimits, signal)).rejects.toBe(failure);
  expect(seen).toMatchObject([
    ['sandbox', { result: 'ok' }],
    ['sandbox', { result: 'failed' }],
  ]);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { msg: 'sandbox taken', taskId: 't1', container: session.id.slice(0, 12) },
  ]);
});
