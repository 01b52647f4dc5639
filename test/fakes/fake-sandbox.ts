import { createHash } from 'node:crypto';
import { AppError } from '../../src/errors.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import type { RunOptions, SandboxProvider, SandboxSession } from '../../src/ports/sandbox.ts';
import { cardMime, chartMime } from '../../src/types.ts';
import type { Execution, FileCard, MimeBundle, OutputFile } from '../../src/types.ts';
import { endPython } from '../../src/conversation/replay.ts';
import { executionOf } from './fake-session.ts';
import { bytesOf } from './memory-blobs.ts';

export interface FakeContainer extends SandboxSession {
  readonly files: Map<string, Buffer>;
  /** Code of every cell, cards left out. */
  readonly ran: string[];
  /** Since `suspend` nothing was asked of it. */
  readonly suspended: boolean;
  /** The container goes away from outside. */
  die(): void;
}

export interface FakeSandbox extends SandboxProvider {
  readonly containers: readonly FakeContainer[];
  living(): number;
  /** What `acquire` rejects with from now on; `null`: it works again. */
  failure: AppError | null;
  /** Bytes of the largest file that fits. */
  roomBytes: number;
  /** Told to each caller one after the other, before it gets its container. */
  places: readonly (number | null)[];
}

/**
 * Containers that understand one call per line, with JSON arguments: `print("text")`, `write("name", "text")`, `remove("name")`,
 * `chart("title")`, `raise("text")`, `count()` (prints another number each time), `wait()` (until it is stopped),
 * `die()` (the container ends), `dieOnce()` (only the first one that runs it does), `draw()` (prints a number that the seed decides),
 * `today()` (prints the date of the cell's clock), `show("text")` (a result), `warn("text")` (on stderr),
 * `set("name")` and `get("name")` (a variable of the Python process; a `NameError` without it), the code that ends that process,
 * `list()` (prints the names of the files that are not hidden), `lines("name")` (prints how many lines a file has), `flood()` (prints 1,000 lines), and
 * the call that makes a file's card.
 */
export function createFakeSandbox(cardOf: (name: string) => FileCard = plainCard): FakeSandbox {
  const containers: FakeContainer[] = [];
  let counter = 0;
  let deaths = 0;
  const nextDeath = (): number => (deaths += 1);
  const nextCount = (): number => (counter += 1);

  const sandbox: FakeSandbox = {
    containers,
    living: () => containers.filter(({ alive }) => alive).length,
    failure: null,
    roomBytes: 1_000_000,
    places: [],
    acquire: (_limits, signal, onPlace) => {
      for (const before of sandbox.places) onPlace?.(before);
      if (sandbox.failure !== null) return Promise.reject(sandbox.failure);
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const container = createContainer(
        `c${containers.length + 1}`,
        cardOf,
        nextCount,
        nextDeath,
        () => sandbox.roomBytes,
      );
      containers.push(container);
      return Promise.resolve(container);
    },
    sweep: () => Promise.resolve(0),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return sandbox;
}

function createContainer(
  id: string,
  cardOf: (name: string) => FileCard,
  nextCount: () => number,
  nextDeath: () => number,
  roomBytes: () => number,
): FakeContainer {
  const files = new Map<string, Buffer>();
  const variables = new Set<string>();
  const ran: string[] = [];
  let alive = true;
  let suspended = false;
  // As in a fresh process: unlike in any other.
  let drawn = nextCount() / 7;
  const gone = (): AppError => new AppError('sandbox-failed', 'The sandbox was shut down.', { retryable: true });

  const runLines = async (code: string, options: RunOptions): Promise<Partial<Execution>> => {
    const { signal, onOutput } = options;
    if (options.seed !== undefined) drawn = options.seed;
    const results: MimeBundle[] = [];
    const changed = new Map<string, OutputFile>();
    let stdout = '';
    let stderr = '';
    const say = (text: string): void => {
      stdout += `${text}\n`;
      onOutput('stdout', `${text}\n`);
    };
    const end = (given: Partial<Execution>): Partial<Execution> => ({
      stdout,
      stderr,
      results,
      files: [...changed.values()],
      ...given,
    });
    const lost = (): Partial<Execution> =>
      end({ results: [], files: [], status: 'lost', error: { name: 'SandboxLost', message: 'gone', traceback: '' } });
    if (code === endPython) {
      variables.clear();
      return end({ status: 'error', stateKept: false, error: { name: 'KernelDied', message: '', traceback: '' } });
    }
    for (const line of code.split('\n')) {
      const [, name = '', given = ''] = /(?:.*\.)?(\w+)\((.*)\)$/.exec(line.trim()) ?? [];
      const [first = '', second = ''] = JSON.parse(`[${given}]`) as string[];
      switch (name) {
        case 'show_card':
          results.push({ [cardMime]: cardOf(first) as unknown as string });
          if (!alive) return lost();
          break;
        case 'print':
          say(first);
          break;
        case 'count':
          say(String(nextCount()));
          break;
        case 'draw':
          drawn = (drawn * 16_807) % 2_147_483_647;
          say(String(drawn));
          break;
        case 'set':
          variables.add(first);
          break;
        case 'get':
          if (variables.has(first)) break;
          return end({ status: 'error', error: { name: 'NameError', message: first, traceback: '' } });
        case 'today':
          say(new Date(options.clockMs ?? Date.now()).toISOString().slice(0, 10));
          break;
        case 'list':
          say([...files.keys()].filter((file) => !file.startsWith('.')).join(' '));
          break;
        case 'lines':
          say(String(files.get(first)?.toString().split('\n').length ?? 0));
          break;
        case 'flood':
          for (let number = 0; number < 1000; number += 1) say(`line ${number}`);
          break;
        case 'show':
          results.push({ 'text/plain': first });
          break;
        case 'warn':
          stderr += `${first}\n`;
          break;
        case 'write':
          files.set(first, Buffer.from(second));
          changed.set(first, outputOf(first, second));
          break;
        case 'remove':
          files.delete(first);
          break;
        case 'chart':
          results.push({ 'image/png': Buffer.from(`png ${first}`), [chartMime]: chartOf(first) });
          break;
        case 'raise':
          return end({ status: 'error', error: { name: 'ValueError', message: first, traceback: '' } });
        case 'wait':
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
          return end({ status: 'cancelled', error: { name: 'Cancelled', message: 'stopped', traceback: '' } });
        case 'dieOnce':
          if (nextDeath() > 1) break;
          alive = false;
          return lost();
        case 'die':
          alive = false;
          return lost();
        default:
          throw new Error(`the fake sandbox does not know ${line}`);
      }
    }
    return end({});
  };

  return {
    id,
    files,
    ran,
    imageDigest: 'sha256:fake',
    get suspended() {
      return suspended;
    },
    suspend: async () => {
      suspended = alive;
    },
    get alive() {
      return alive;
    },
    die: () => {
      alive = false;
    },
    write: async (name, bytes) => {
      suspended = false;
      if (!alive) throw gone();
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      if (whole.length > roomBytes()) throw new AppError('file-too-large', 'It does not fit into the workspace.');
      files.set(name, whole);
      return { sizeBytes: whole.length, sha256: sha256Of(whole) };
    },
    run: async (code, options) => {
      suspended = false;
      if (!alive)
        return executionOf({ status: 'lost', error: { name: 'SandboxLost', message: 'gone', traceback: '' } });
      if (!code.includes('show_card')) ran.push(code);
      return executionOf(await runLines(code, options));
    },
    list: async () => {
      suspended = false;
      if (!alive) throw gone();
      return [...files].map(([path, bytes]) => ({ path, sizeBytes: bytes.length }));
    },
    read: (path) => readFile(path, files, () => alive),
    [Symbol.asyncDispose]: async () => {
      alive = false;
    },
  };
}

async function* readFile(path: string, files: ReadonlyMap<string, Buffer>, isAlive: () => boolean): Bytes {
  const bytes = files.get(path);
  if (!isAlive()) throw new AppError('sandbox-failed', 'The sandbox was shut down.', { retryable: true });
  if (bytes === undefined) throw new AppError('file-unavailable', `"${path}" is not in the sandbox any more.`);
  yield* bytesOf(bytes);
}

export function outputOf(path: string, text: string): OutputFile {
  return {
    path,
    sizeBytes: Buffer.byteLength(text),
    sha256: sha256Of(Buffer.from(text)),
    change: 'new',
    formulas: null,
  };
}

export function chartOf(title: string): { readonly [key: string]: string | null | readonly [] } {
  const scales = { xUnit: null, yUnit: null, xScale: 'linear', yScale: 'linear' };
  return { type: 'line', title, xLabel: '', yLabel: '', ...scales, series: [] };
}

/** The card of a sound table with one thing to say about it. */
export function plainCard(file: string): FileCard {
  return {
    file,
    ok: true,
    error: null,
    kind: 'csv',
    size_bytes: 10,
    seconds: 0,
    dialect: null,
    tables: [{ name: 'a', hidden: false, range: '', rows: 3, columns: 2, header_rows: 1, columns_info: [] }],
    rejected: [],
    rejected_count: 0,
    warnings: [{ code: 'totals-row', message: '1 row(s) look like totals.', table: 'a', line: 4 }],
  };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
