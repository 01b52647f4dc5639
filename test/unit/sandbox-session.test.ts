import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createConnection } from '../../sandbox/connection.ts';
import type { Frame } from '../../sandbox/framing.ts';
import { maxOutputBytes, maxResults } from '../../sandbox/limits.ts';
import { createSession } from '../../sandbox/session.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { createFakeDriver, doneHeader, type FakeDriver, sha256Of } from '../fakes/fake-driver.ts';

const log = createLogger('silent');
const never = new AbortController().signal;
const limits = { memoryBytes: 256 * 1024 * 1024, workspaceBytes: 4 * 1024 * 1024, cpus: 1, processes: 64 };

function open(
  answer: (frame: Frame, driver: FakeDriver) => void,
  ranOutOfMemory: boolean = false,
): { readonly session: SandboxSession; readonly driver: FakeDriver; readonly engine: FakeEngine } {
  let lastRequestId = 0;
  const engine: FakeEngine = {
    calls: [],
    refuses: null,
    call: async (name) => {
      engine.calls.push(name);
      if (engine.refuses === name) throw new Error(`${name} refused`);
    },
  };
  const driver = createFakeDriver(answer);
  const connection = createConnection(driver.stream, log, () => {});
  const session = createSession({
    id: 'fake',
    imageDigest: 'sha256:fake',
    nextRequestId: () => (lastRequestId += 1),
    pause: () => engine.call('pause'),
    unpause: () => engine.call('unpause'),
    connection,
    limits,
    ranOutOfMemory: async () => ranOutOfMemory,
    log,
  });
  return { session, driver, engine };
}

/** What the session asks of the engine while it lives. */
interface FakeEngine {
  readonly calls: string[];
  refuses: 'pause' | 'unpause' | null;
  call(name: 'pause' | 'unpause'): Promise<void>;
}

function run(session: SandboxSession, code: string = '1', signal: AbortSignal = never) {
  const heard: string[] = [];
  const execution = session.run(code, {
    timeoutMs: 1000,
    signal,
    onOutput: (stream, text) => heard.push(`${stream}:${text}`),
  });
  return { execution, heard };
}

async function* pieces(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return 'none';
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('run', () => {
  it('sends the code with its limits and gives what the driver said', async () => {
    const { session, driver } = open(({ header }, fake) => {
      fake.send({ type: 'output', id: header.id, stream: 'stdout' }, Buffer.from('häl'));
      fake.send({ type: 'output', id: header.id, stream: 'stderr' }, Buffer.from('oops'));
      fake.send({ type: 'output', id: header.id, stream: 'stdout' }, Buffer.from('lo'));
      const html = Buffer.from('<b>é</b>');
      const json = Buffer.from('{"a":[1,null]}');
      const png = Buffer.from([0x89, 0x50, 0xff]);
      const parts = [
        { mime: 'text/html', bytes: html.length, encoding: 'utf8' },
        { mime: 'application/json', bytes: json.length, encoding: 'json' },
        { mime: 'image/png', bytes: png.length, encoding: 'binary' },
      ];
      fake.send({ type: 'result', id: header.id, parts }, Buffer.concat([html, json, png]));
      fake.send(doneHeader(header.id));
    });
    const { execution, heard } = run(session, 'prînt(1)');
    expect(await execution).toMatchObject({
      status: 'ok',
      stdout: 'hällo',
      stderr: 'oops',
      error: null,
      truncated: false,
    });
    const [bundle] = (await execution).results;
    expect(bundle).toMatchObject({ 'text/html': '<b>é</b>', 'application/json': { a: [1, null] } });
    expect(Buffer.from(bundle?.['image/png'] as Uint8Array)).toEqual(Buffer.from([0x89, 0x50, 0xff]));
    expect(heard).toEqual(['stdout:häl', 'stderr:oops', 'stdout:lo']);
    expect(driver.received[0]?.header).toMatchObject({ type: 'run', id: 1, timeoutMs: 1000 });
    expect(Buffer.from(driver.received[0]?.payload ?? []).toString()).toBe('prînt(1)');
  });

  it('is one at a time, in order', async () => {
    const order: string[] = [];
    const { session } = open(({ header, payload }, fake) => {
      order.push(`start ${Buffer.from(payload).toString()}`);
      setTimeout(() => {
        order.push(`end ${Buffer.from(payload).toString()}`);
        fake.send(doneHeader(header.id));
      }, 5);
    });
    await Promise.all(['a', 'b', 'c'].map((code) => run(session, code).execution));
    expect(order).toEqual(['start a', 'end a', 'start b', 'end b', 'start c', 'end c']);
  });

  it('interrupts on abort, and a cell that waits is never started', async () => {
    const stop = new AbortController();
    const { session, driver } = open(({ header }, fake) => {
      if (header.type === 'interrupt')
        fake.send(doneHeader(header.id, 'cancelled', { name: 'cancelled', message: 'm', traceback: '' }));
      else setTimeout(() => stop.abort(), 5);
    });
    const first = run(session, 'a', stop.signal).execution;
    const second = run(session, 'b', stop.signal).execution;
    expect((await first).status).toBe('cancelled');
    expect(await second).toMatchObject({ status: 'cancelled', durationMs: 0 });
    expect(driver.received.map(({ header }) => header.type)).toEqual(['run', 'interrupt']);
  });

  it('answers lost, with what had come, when the container ends, and lost ever after', async () => {
    const { session } = open(({ header }, fake) => {
      fake.send({ type: 'output', id: header.id, stream: 'stdout' }, Buffer.from('so far'));
      setTimeout(() => fake.end(), 20);
    });
    const execution = await run(session).execution;
    expect(execution).toMatchObject({ status: 'lost', stdout: 'so far', error: { name: 'SandboxLost' } });
    expect(execution.error?.message).toContain('files of this thread');
    expect(session.alive).toBe(false);
    expect((await run(session).execution).status).toBe('lost');
    expect(await codeOf(session.list(''))).toBe('sandbox-failed');
  });

  it('says out of memory where the engine saw it end the container', async () => {
    const { session } = open((_frame, fake) => fake.end(), true);
    const execution = await run(session).execution;
    expect(execution.status).toBe('out-of-memory');
    expect(execution.error?.message).toContain('256 MB');
  });

  it('notices a container that ends while nothing runs', async () => {
    const { session, driver } = open(() => {});
    expect(session.alive).toBe(true);
    driver.end();
    await expect.poll(() => session.alive).toBe(false);
  });

  it.each([
    ['a type nobody knows', { type: 'surprise', id: 1 }],
    ["another request's answer", doneHeader(99)],
    ['an answer of the wrong kind', { type: 'pong', id: 1 }],
    ['a status nobody knows', doneHeader(1, 'splendid')],
    [
      'a path that climbs',
      { ...doneHeader(1), files: [{ path: '../x', sizeBytes: 1, sha256: 'a'.repeat(64), change: 'new' }] },
    ],
    ['parts that do not fit', { type: 'result', id: 1, parts: [{ mime: 'text/plain', bytes: 5, encoding: 'utf8' }] }],
  ])('ends the session on %s', async (_name, header) => {
    const { session } = open((_frame, fake) => fake.send(header));
    expect((await run(session).execution).status).toBe('lost');
    expect(session.alive).toBe(false);
  });

  it('ends the session on bytes that are no frame', async () => {
    const { session } = open((_frame, fake) => fake.sendRaw(Buffer.alloc(64, 0xff)));
    expect((await run(session).execution).status).toBe('lost');
  });

  it('keeps its own cap on output and results', async () => {
    const { session } = open(({ header }, fake) => {
      const text = Buffer.alloc(256 * 1024, 'x');
      for (let sent = 0; sent < 40; sent += 1) fake.send({ type: 'output', id: header.id, stream: 'stdout' }, text);
      const parts = [{ mime: 'text/plain', bytes: 1, encoding: 'utf8' }];
      for (let sent = 0; sent < maxResults + 5; sent += 1)
        fake.send({ type: 'result', id: header.id, parts }, Buffer.from('x'));
      fake.send(doneHeader(header.id));
    });
    const execution = await run(session).execution;
    expect(execution.status).toBe('ok');
    expect(execution.stdout.length).toBeLessThanOrEqual(maxOutputBytes * 1.1);
    expect(execution.results).toHaveLength(maxResults);
    expect(execution.truncated).toBe(true);
    expect(execution.stderr).toContain('5 results were left out');
  });

  it('leaves out JSON that is none, and says so', async () => {
    const { session } = open(({ header }, fake) => {
      fake.send(
        { type: 'result', id: header.id, parts: [{ mime: 'application/json', bytes: 3, encoding: 'json' }] },
        Buffer.from('NaN'),
      );
      fake.send(doneHeader(header.id));
    });
    expect(await run(session).execution).toMatchObject({ status: 'ok', results: [], truncated: true });
  });

  it('leaves out JSON that nothing here could walk, and takes brackets in text for text', async () => {
    const deep = Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    const flat = Buffer.from(JSON.stringify({ text: `\\"${'['.repeat(500)}` }));
    const { session } = open(({ header }, fake) => {
      for (const json of [deep, flat]) {
        const parts = [{ mime: 'application/json', bytes: json.length, encoding: 'json' }];
        fake.send({ type: 'result', id: header.id, parts }, json);
      }
      fake.send(doneHeader(header.id));
    });
    const { results, stderr } = await run(session).execution;
    expect(results).toEqual([{ 'application/json': JSON.parse(flat.toString()) }]);
    expect(stderr).toContain('nested too deep');
  });

  it('holds nothing for results that are refused without end', async () => {
    const { session } = open(({ header }, fake) => {
      const parts = [{ mime: 'application/json', bytes: 3, encoding: 'json' }];
      for (let sent = 0; sent < 20 * maxResults; sent += 1)
        fake.send({ type: 'result', id: header.id, parts }, Buffer.from('NaN'));
      fake.send(doneHeader(header.id));
    });
    const { stderr } = await run(session).execution;
    expect(stderr.split('\n').length).toBeLessThan(maxResults + 5);
    expect(stderr).toContain(`${19 * maxResults} results were left out`);
  });

  it('counts the characters of a formula as Python does', async () => {
    const formulas = { count: 1, examples: [{ cell: 'A1', text: `=1+${'😀'.repeat(97)}` }], partial: false };
    const file = { path: 'a.csv', sizeBytes: 1, sha256: 'a'.repeat(64), change: 'new', formulas };
    const { session } = open(({ header }, fake) => fake.send({ ...doneHeader(header.id), files: [file] }));
    expect(await run(session).execution).toMatchObject({ status: 'ok', files: [{ formulas }] });
  });

  it('refuses code over the cap without sending it', async () => {
    const { session, driver } = open(() => {});
    expect(await run(session, 'x'.repeat(5_000_000)).execution).toMatchObject({
      status: 'error',
      error: { name: 'CodeTooLong' },
    });
    expect(driver.received).toEqual([]);
  });
});

/** Answers like the driver: writes into a map, reads from it. */
function fileDriver(files: Map<string, Buffer>) {
  let name = '';
  let chunks: Uint8Array[] = [];
  return ({ header, payload }: Frame, fake: FakeDriver): void => {
    if (header.type === 'write') {
      name = String(header.path);
      chunks = [];
    } else if (header.type === 'write-data') chunks.push(payload);
    else if (header.type === 'write-end' && header.abort === true) {
      fake.send({ type: 'failed', id: header.id, code: 'aborted', message: '' });
    } else if (header.type === 'write-end') {
      const whole = Buffer.concat(chunks);
      files.set(name, whole);
      fake.send({ type: 'written', id: header.id, sizeBytes: whole.length, sha256: sha256Of(whole) });
    } else if (header.type === 'read') {
      const whole = files.get(String(header.path));
      if (whole === undefined) {
        fake.send({ type: 'failed', id: header.id, code: 'not-found', message: '' });
        return;
      }
      for (let offset = 0; offset < whole.length; offset += 1_048_576) {
        fake.send({ type: 'data', id: header.id }, whole.subarray(offset, offset + 1_048_576));
      }
      fake.send({ type: 'end', id: header.id, sizeBytes: whole.length, sha256: sha256Of(whole) });
    } else fake.send(doneHeader(header.id));
  };
}

describe('files', () => {
  it('go in and come back the same, with hash and size', async () => {
    const files = new Map<string, Buffer>();
    const { session } = open(fileDriver(files));
    const bytes = randomBytes(3_000_000);
    const written = await session.write(
      'Ünï cödé.csv',
      pieces(bytes.subarray(0, 7), bytes.subarray(7, 2_500_000), bytes.subarray(2_500_000)),
      never,
    );
    expect(written).toEqual({ sizeBytes: bytes.length, sha256: sha256Of(bytes) });
    const read = await readAll(session.read('Ünï cödé.csv', { maxBytes: 4_000_000, signal: never }));
    expect(read.equals(bytes)).toBe(true);
  });

  it('in small pieces travel together, large ones in frames of at most 1 MiB', async () => {
    const { session, driver } = open(fileDriver(new Map()));
    const small = Array.from({ length: 1000 }, (_, index) => Buffer.alloc(1000, index));
    await session.write('small', pieces(...small), never);
    const sizes = () =>
      driver.received.filter(({ header }) => header.type === 'write-data').map((f) => f.payload.length);
    expect(sizes()).toHaveLength(4);
    driver.received.length = 0;
    await session.write('large', pieces(Buffer.alloc(3_500_000)), never);
    expect(sizes()).toEqual([1_048_576, 1_048_576, 1_048_576, 354_272]);
  });

  it('over the workspace, from a broken source or aborted leave the session usable', async () => {
    const { session } = open(fileDriver(new Map()));
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new AppError('file-unavailable', 'gone');
    }
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      await new Promise(() => {});
    }
    expect(await codeOf(session.write('big', pieces(Buffer.alloc(limits.workspaceBytes + 1)), never))).toBe(
      'file-too-large',
    );
    expect(await codeOf(session.write('broken', broken(), never))).toBe('file-unavailable');
    expect(await codeOf(session.write('hanging', hanging(), AbortSignal.timeout(20)))).toBe('cancelled');
    expect((await run(session).execution).status).toBe('ok');
  });

  it('are refused under a name that is no name', async () => {
    const { session, driver } = open(() => {});
    for (const name of ['', '.', '..', 'a/b', 'a\0', 'x'.repeat(256)]) {
      expect(await codeOf(session.write(name, pieces(), never))).toBe('file-rejected');
    }
    expect(driver.received).toEqual([]);
  });

  it('whose hash differs are not accepted', async () => {
    const { session } = open(({ header }, fake) => {
      if (header.type === 'write-end')
        fake.send({ type: 'written', id: header.id, sizeBytes: 1, sha256: 'a'.repeat(64) });
      if (header.type === 'read') {
        fake.send({ type: 'data', id: header.id }, Buffer.from('x'));
        fake.send({ type: 'end', id: header.id, sizeBytes: 1, sha256: 'a'.repeat(64) });
      }
    });
    expect(await codeOf(session.write('a', pieces(Buffer.from('x')), never))).toBe('sandbox-failed');
    expect(await codeOf(readAll(session.read('a', { maxBytes: 10, signal: never })))).toBe('sandbox-failed');
  });

  it('past the cap that was asked for end the session: the driver lied', async () => {
    const { session } = open(fileDriver(new Map([['a', Buffer.alloc(100)]])));
    expect(await codeOf(readAll(session.read('a', { maxBytes: 99, signal: never })))).toBe('sandbox-failed');
    expect(session.alive).toBe(false);
  });

  it('that are missing are named, and a reader that stops early leaves the session usable', async () => {
    const { session } = open(fileDriver(new Map([['a', Buffer.alloc(5_000_000)]])));
    expect(await codeOf(readAll(session.read('b', { maxBytes: 10, signal: never })))).toBe('file-unavailable');
    for await (const _chunk of session.read('a', { maxBytes: 6_000_000, signal: never })) break;
    expect((await run(session).execution).status).toBe('ok');
  });
});

it('dispose is idempotent, ends a running cell and leaves nothing alive', async () => {
  const { session } = open(() => {});
  const { execution } = run(session);
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  expect((await execution).status).toBe('lost');
  expect(session.alive).toBe(false);
});

describe('suspend', () => {
  const answerRun = ({ header }: Frame, fake: FakeDriver): void => fake.send(doneHeader(header.id));

  it('lets the container stand still once, until the next call wakes it before it says anything', async () => {
    const said: string[] = [];
    const { session, driver, engine } = open((frame, fake) => {
      said.push([...engine.calls, frame.header.type].join(' '));
      if (frame.header.type === 'list') fake.send({ type: 'listing', id: frame.header.id, entries: [] });
      else answerRun(frame, fake);
    });
    await session.suspend();
    await session.suspend();
    expect(engine.calls).toEqual(['pause']);
    expect(driver.received).toEqual([]);
    expect((await run(session).execution).status).toBe('ok');
    await session.list('');
    await session.suspend();
    await session.list('');
    expect(said).toEqual(['pause unpause run', 'pause unpause list', 'pause unpause pause unpause list']);
  });

  it('waits for the call that is under way', async () => {
    const { session, driver, engine } = open(() => {});
    const { execution } = run(session);
    const suspended = session.suspend();
    await new Promise((resolve) => setImmediate(resolve));
    expect(engine.calls).toEqual([]);
    driver.send(doneHeader(1));
    await execution;
    await suspended;
    expect(engine.calls).toEqual(['pause']);
  });

  it('never rejects: what was refused may have happened all the same and is undone by the next call', async () => {
    const { session, engine } = open(answerRun);
    engine.refuses = 'pause';
    await session.suspend();
    expect((await run(session).execution).status).toBe('ok');
    expect(engine.calls).toEqual(['pause', 'unpause']);
  });

  it('a container that cannot be woken, or went away meanwhile, is lost', async () => {
    const stuck = open(answerRun);
    await stuck.session.suspend();
    stuck.engine.refuses = 'unpause';
    expect((await run(stuck.session).execution).status).toBe('lost');
    expect(stuck.session.alive).toBe(false);

    const gone = open(answerRun);
    await gone.session.suspend();
    gone.driver.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(gone.session.alive).toBe(false);
    expect((await run(gone.session).execution).status).toBe('lost');
    await gone.session.suspend();
    expect(gone.engine.calls).toEqual(['pause']);
  });
});
