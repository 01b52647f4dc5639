import { chartMime, tableMime } from '../types.ts';
import type { ChartData, Execution, MimeBundle, TableData } from '../types.ts';
import type { SaveOutput } from './agent-types.ts';
import { oneLine } from './cut.ts';

/** What of one cell's output the model sees at most; the rest is in a file of the sandbox. Bytes are UTF-8. */
const keptLines = 200;
const keptBytes = 12 * 1024;

/** The head says what happened, the tail how it ended: both count, the head a little more. */
const headShare = 0.6;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * An execution as the tool result the model reads. The first line is `status: ok (0.42 s)`; the sections `## error`,
 * `## stdout`, `## stderr`, `## results`, `## files` follow where they are not empty. Binary results are named, never included.
 */
export function executionText(execution: Execution): string {
  const { error } = execution;
  const sections = [
    ['error', error === null ? '' : [`${error.name}: ${error.message}`, error.traceback].join('\n')],
    ['stdout', execution.stdout],
    ['stderr', execution.stderr],
    ['results', execution.results.map(describeBundle).join('\n')],
    [
      'files',
      execution.files.map(({ change, path, sizeBytes }) => `${change} ${path} (${size(sizeBytes)})`).join('\n'),
    ],
  ] as const;
  const filled = sections
    .filter(([, text]) => text.trim() !== '')
    .map(([name, text]) => `## ${name}\n${text.trimEnd()}`);
  return [`status: ${execution.status} (${(execution.durationMs / 1000).toFixed(2)} s)`, ...filled].join('\n');
}

/** The same, cut to what the model may see; the whole is then saved under `.output-<call>.txt`. */
export async function toolOutput(
  execution: Execution,
  callId: string,
  save: SaveOutput,
  signal: AbortSignal,
): Promise<string> {
  const whole = executionText(execution);
  const parts = headAndTail(whole);
  if (parts === null) return whole;
  // The leading dot keeps the file out of what is handed to the person. Names in `.plotline-` are the driver's own.
  const name = `.output-${callId.replace(/[^\w-]/g, '').slice(-40)}.txt`;
  const where = await save(name, whole, signal).then(
    () => `the whole output is in ${name}`,
    () => 'the rest could not be kept, so print less',
  );
  const cut = `[… ${parts.cutLines} lines, ${size(parts.cutBytes)} cut here; ${where} …]`;
  return `${parts.head}\n${cut}\n${parts.tail}`;
}

interface HeadAndTail {
  readonly head: string;
  readonly tail: string;
  readonly cutLines: number;
  readonly cutBytes: number;
}

/** `null` when the text is within both limits. Lines are kept whole unless one alone is over the limit. */
function headAndTail(text: string): HeadAndTail | null {
  const lines = text.split('\n');
  const totalBytes = encoder.encode(text).length;
  if (lines.length <= keptLines && totalBytes <= keptBytes) return null;
  const headLines = takeLines(lines, keptLines * headShare, keptBytes * headShare, firstBytes);
  const rest = lines.slice(headLines.taken).toReversed();
  const tailLines = takeLines(rest, keptLines - keptLines * headShare, keptBytes - keptBytes * headShare, lastBytes);
  const head = headLines.lines.join('\n');
  const tail = tailLines.lines.toReversed().join('\n');
  return {
    head,
    tail,
    cutLines: lines.length - headLines.taken - tailLines.taken,
    cutBytes: totalBytes - encoder.encode(head).length - encoder.encode(tail).length,
  };
}

/** Whole lines within the budget; of a first line that does not fit, its piece, if that is worth showing. */
function takeLines(
  lines: readonly string[],
  maxLines: number,
  maxBytes: number,
  pieceOf: (line: string, bytes: number) => string,
): { readonly lines: readonly string[]; readonly taken: number } {
  const taken: string[] = [];
  let bytes = 0;
  for (const line of lines.slice(0, Math.floor(maxLines))) {
    const lineBytes = encoder.encode(line).length + 1;
    if (bytes + lineBytes > maxBytes) {
      const room = Math.floor(maxBytes) - bytes;
      const isLong = lineBytes > maxBytes / 4;
      return { lines: isLong && room > 80 ? [...taken, pieceOf(line, room)] : taken, taken: taken.length };
    }
    bytes += lineBytes;
    taken.push(line);
  }
  return { lines: taken, taken: taken.length };
}

function firstBytes(text: string, bytes: number): string {
  // Decoding as a stream holds an unfinished last character back.
  return new TextDecoder().decode(encoder.encode(text).subarray(0, bytes), { stream: true });
}

function lastBytes(text: string, bytes: number): string {
  const encoded = encoder.encode(text);
  let start = Math.max(0, encoded.length - bytes);
  while (start < encoded.length && ((encoded[start] ?? 0) & 0b1100_0000) === 0b1000_0000) start += 1;
  return decoder.decode(encoded.subarray(start));
}

function describeBundle(bundle: MimeBundle): string {
  const plain = typeof bundle['text/plain'] === 'string' ? bundle['text/plain'] : '';
  const chart = bundle[chartMime] as unknown as ChartData | undefined;
  if (chart !== undefined) return `[chart] ${oneLine(chart.title || plain || 'without a title', 500)}`;
  const table = bundle[tableMime] as unknown as TableData | undefined;
  if (table !== undefined)
    return `[table ${table.rowCount} rows x ${table.columns.length} columns]\n${plain}`.trimEnd();
  if (Object.keys(bundle).some((type) => type.startsWith('image/'))) return `[image] ${oneLine(plain, 500)}`.trimEnd();
  if ('text/html' in bundle) return `[html] ${oneLine(plain, 500)}`.trimEnd();
  if (plain !== '') return plain;
  const markdown = bundle['text/markdown'];
  return typeof markdown === 'string' ? markdown : `[${Object.keys(bundle).join(', ')}]`;
}

function size(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}
