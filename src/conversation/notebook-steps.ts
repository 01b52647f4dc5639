import type { NotebookStep } from '../answer/notebook/notebook.ts';
import { outputsOf } from '../answer/notebook/outputs.ts';
import type { OutputRoom, ShownBundle, ShownPart } from '../answer/notebook/outputs.ts';
import { portableOutput } from '../answer/notebook/portable-code.ts';
import { codeSpan } from '../answer/notebook/markdown.ts';
import type { Blobs, Bytes } from '../ports/blobs.ts';
import type { Cell, Execution, JsonValue, MimeBundle, RecordedResult } from '../types.ts';
import { bytesOfPart, cap } from './cell-record.ts';
import { differenceWords } from './replay-comparison.ts';
import { isClockKnown, isReplayable } from './replay.ts';
import type { ReplayedCell } from './replay.ts';

/** Of a line that was printed differently, in characters. */
const quotedCharacters = 80;

export interface RerunStep extends NotebookStep {
  /** Its results are those of the re-run, because the thread's own were not kept. */
  readonly resultsOfRerun: boolean;
}

/** One cell and its re-run as a step of the notebook: what was recorded is what is shown. */
export async function rerunStep(
  { cell, replayed, differences }: ReplayedCell,
  room: OutputRoom,
  blobs: Blobs,
): Promise<RerunStep> {
  const { stdout, stderr, error, results: recorded, status } = cell.execution;
  if (replayed === null) return { ...stepOf(cell), isRun: false, resultsOfRerun: false };
  const isRecorded = isClockKnown(cell);
  const results = isRecorded
    ? recorded.map((result, index) => recordedBundle(result, replayed.results[index] ?? {}, blobs))
    : replayed.results.map(shownBundle);
  const printed = {
    stdout: portableOutput(stdout, cell.source),
    stderr: portableOutput(stderr, cell.source),
    error: status === 'error' ? error : null,
  };
  return {
    ...stepOf(cell),
    outputs: await outputsOf(printed, results, room),
    difference: differences.length === 0 ? null : differenceText(differences, cell, replayed),
    raises: status === 'error' || replayed.status !== 'ok',
    resultsOfRerun: !isRecorded && results.length > 0,
  };
}

/** A cell that the re-run did not come to. */
export async function unreachedStep(cell: Cell, room: OutputRoom, blobs: Blobs): Promise<RerunStep> {
  if (!isReplayable(cell)) return { ...stepOf(cell), isRun: false, resultsOfRerun: false };
  const results = cell.execution.results.map((result) => recordedBundle(result, {}, blobs));
  return {
    ...stepOf(cell),
    outputs: await outputsOf(cell.execution, results, room),
    difference: 'was not run again, because the sandbox had ended before it',
    raises: cell.execution.status === 'error',
    resultsOfRerun: false,
  };
}

function stepOf(cell: Cell): NotebookStep {
  return { cell, isRun: true, outputs: [], difference: null, raises: false };
}

function differenceText(differences: ReplayedCell['differences'], cell: Cell, replayed: Execution): string {
  const words = differenceWords(differences);
  if (!differences.some(({ kind }) => kind === 'printed')) return words;
  const [before, now] = [cell.execution.stdout.split('\n'), cap(replayed.stdout).split('\n')];
  const line = before.findIndex((text, index) => text !== now[index]);
  const [was, is] = [before[line] ?? '', now[line] ?? ''];
  if (line === -1 || was === '' || is === '') return words;
  return `${words} (${codeSpan(is.slice(0, quotedCharacters))} where ${codeSpan(was.slice(0, quotedCharacters))} is shown)`;
}

/** What was recorded; a part whose bytes were not kept comes from the re-run. */
function recordedBundle(result: RecordedResult, replayed: MimeBundle, blobs: Blobs): ShownBundle {
  const parts = Object.entries(result).map(([mime, { sha256, sizeBytes }]): [string, ShownPart] => [
    mime,
    {
      sizeBytes,
      read: async () => {
        try {
          return valueOf(mime, await wholeOf(blobs.get(sha256)));
        } catch {
          return replayed[mime] ?? null;
        }
      },
    },
  ]);
  return Object.fromEntries(parts);
}

function shownBundle(bundle: MimeBundle): ShownBundle {
  const parts = Object.entries(bundle).map(([mime, value]): [string, ShownPart] => [
    mime,
    { sizeBytes: bytesOfPart(mime, value).length, read: () => Promise.resolve(value) },
  ]);
  return Object.fromEntries(parts);
}

/** As a bundle holds it; `recorded` says how parts are stored. */
function valueOf(mime: string, bytes: Uint8Array): string | Uint8Array | JsonValue {
  if (/^image\/(?!svg)|^application\/pdf$/.test(mime)) return bytes;
  const text = new TextDecoder().decode(bytes);
  return mime.endsWith('json') ? (JSON.parse(text) as JsonValue) : text;
}

export async function wholeOf(bytes: Bytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
