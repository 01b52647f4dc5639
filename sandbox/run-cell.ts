import type { Logger } from '../src/log.ts';
import type { RunOptions } from '../src/ports/sandbox.ts';
import type { Execution, MimeBundle } from '../src/types.ts';
import { decodeBundle } from './bundle.ts';
import type { DriverConnection } from './connection.ts';
import { ConnectionLost } from './connection.ts';
import {
  driverIdleMs,
  graceMs,
  maxOutputBytes,
  maxResults,
  maxResultsBytes,
  outputSlackBytes,
  watchdogMarginMs,
} from './limits.ts';
import { MessageError } from './messages.ts';
import { lostError } from './words.ts';

type Collected = Pick<Execution, 'stdout' | 'stderr' | 'results' | 'truncated'>;

/**
 * Runs one cell to its end. Never rejects: a connection that dies gives status `lost` with what had come until then.
 * The driver keeps time; a watchdog here ends the connection of a driver that does not.
 */
export async function runCell(
  connection: DriverConnection,
  id: number,
  code: Uint8Array,
  options: RunOptions,
  log: Logger,
): Promise<Execution> {
  const startedAt = performance.now();
  const collector = createCollector(options, log);
  const deadline = startedAt + options.timeoutMs + graceMs + watchdogMarginMs;
  let interruptWatchdog: NodeJS.Timeout | undefined;
  const interrupt = () => {
    interruptWatchdog = setTimeout(
      () => connection.close('unresponsive', 'the driver did not end an interrupted cell'),
      graceMs + watchdogMarginMs,
    );
    // A lost connection shows in the loop below.
    connection.send({ type: 'interrupt', id }, new Uint8Array(0), driverIdleMs).catch(() => {});
  };
  const lost = (reason: ConnectionLost): Execution => ({
    ...collector.collected(),
    status: 'lost',
    error: lostError(reason.reason),
    stateKept: null,
    files: [],
    durationMs: performance.now() - startedAt,
  });

  try {
    await connection.send(
      {
        type: 'run',
        id,
        timeoutMs: Math.round(options.timeoutMs),
        graceMs,
        maxOutputBytes,
        seed: options.seed ?? null,
        clockMs: options.clockMs ?? null,
      },
      code,
      driverIdleMs,
    );
    if (options.signal.aborted) interrupt();
    else options.signal.addEventListener('abort', interrupt, { once: true });
    for (;;) {
      const { message, payload } = await connection.next(deadline - performance.now());
      if (message.type === 'ready' || message.id !== id) {
        throw new MessageError(`a ${message.type} that belongs to no request`);
      }
      switch (message.type) {
        case 'output':
          collector.output(message.stream, payload);
          break;
        case 'result': {
          const { bundle, rejected } = decodeBundle(message, payload);
          collector.result(bundle, payload.length, rejected);
          break;
        }
        case 'done': {
          const collected = collector.collected();
          return {
            ...collected,
            status: message.status,
            error:
              message.status === 'ok'
                ? null
                : (message.error ?? { name: message.status, message: 'The cell did not finish.', traceback: '' }),
            stateKept: message.stateKept,
            files: message.files,
            durationMs: message.durationMs,
            truncated: collected.truncated || message.truncated,
          };
        }
        case 'written':
        case 'data':
        case 'end':
        case 'listing':
        case 'failed':
        case 'pong':
          throw new MessageError(`a ${message.type} as answer to a run`);
      }
    }
  } catch (error) {
    if (error instanceof ConnectionLost) return lost(error);
    if (!(error instanceof MessageError)) throw error;
    connection.close('protocol', error.message);
    return lost(connection.lost ?? new ConnectionLost('protocol', error.message));
  } finally {
    clearTimeout(interruptWatchdog);
    options.signal.removeEventListener('abort', interrupt);
  }
}

/** Keeps a cell's output and results within this side's own caps: the driver's are not taken on trust. */
function createCollector(options: RunOptions, log: Logger) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const texts = { stdout: [] as string[], stderr: [] as string[] };
  const notes: string[] = [];
  const results: MimeBundle[] = [];
  let outputBytes = 0;
  let resultCount = 0;
  let resultBytes = 0;
  let outputCut = false;
  let resultsLeftOut = 0;

  return {
    output(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
      outputBytes += bytes.length;
      if (outputBytes > maxOutputBytes + outputSlackBytes) {
        outputCut = true;
        return;
      }
      const text = decoder.decode(bytes);
      if (text === '') return;
      texts[stream].push(text);
      try {
        options.onOutput(stream, text);
      } catch (error) {
        log.warn({ error }, 'a listener of cell output failed');
      }
    },
    result(bundle: MimeBundle, bytes: number, rejected: readonly string[]): void {
      resultBytes += bytes;
      resultCount += 1;
      if (resultCount > maxResults || resultBytes > maxResultsBytes) {
        resultsLeftOut += 1;
        return;
      }
      for (const mime of rejected) {
        notes.push(`[a result of type ${mime} was not valid JSON, or nested too deep, and was left out]\n`);
      }
      if (Object.keys(bundle).length > 0) results.push(bundle);
    },
    collected(): Collected {
      const said = [...notes];
      if (outputCut) said.push(`[output over ${maxOutputBytes} bytes was dropped]\n`);
      if (resultsLeftOut > 0) {
        said.push(
          `[${resultsLeftOut} results were left out: at most ${maxResults} and ${maxResultsBytes / 1024 / 1024} MB for one cell]\n`,
        );
      }
      return {
        stdout: texts.stdout.join(''),
        stderr: texts.stderr.join('') + said.join(''),
        results,
        truncated: said.length > 0,
      };
    },
  };
}
