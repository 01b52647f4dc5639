import { takeLedger } from '../answer/row-ledger.ts';
import { chartMime, tableMime, tablePictureMime } from '../types.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Cell, Execution, MimeBundle, OutputFile, RecordedResult } from '../types.ts';
import { bytesOfPart, cap, sha256Of, sha256OfText } from './cell-record.ts';
import { sameText } from './same-text.ts';

/** One thing in which a cell's replay is not what was recorded. */
export type Difference =
  /** How it ended: the exception's name, `ok`, or another status. */
  | { readonly kind: 'end'; readonly before: string; readonly now: string }
  | { readonly kind: 'printed' }
  /** `number` is the result's place among the cell's results, from 1. */
  | { readonly kind: 'chart' | 'table' | 'result'; readonly number: number }
  | { readonly kind: 'file'; readonly path: string; readonly how: 'changed' | 'missing' | 'added' };

/** Names in one sentence at most. */
const namedFiles = 3;

/**
 * What a cell gave against what it had given: how it ended; where that is the same, what it printed, its results part by part,
 * its files, of which `sameFile` is asked where their hashes differ. Warnings on stderr, the row ledger and pictures of tables do not count. Results of a cell that was stored before they were recorded are not compared.
 */
export async function compareExecutions(
  cell: Cell,
  again: Execution,
  blobs: Blobs,
  sameFile: (now: OutputFile, before: OutputFile) => Promise<boolean>,
): Promise<readonly Difference[]> {
  const recorded = cell.execution;
  const replayed = takeLedger(again).execution;
  const [before, now] = [endOf(recorded), endOf(replayed)];
  if (before !== now) return [{ kind: 'end', before, now }];
  const durationMs = recorded.durationMs + replayed.durationMs;
  const printedSame =
    sameText(recorded.stdout, cap(replayed.stdout), durationMs) &&
    (recorded.stdoutSha256 === null || recorded.stdoutSha256 === (await sha256OfText(replayed.stdout)));
  const printed: readonly Difference[] = printedSame ? [] : [{ kind: 'printed' }];
  const results = cell.startedAtMs > 0 ? await compareResults(recorded.results, replayed, durationMs, blobs) : [];
  const files = await compareFiles(recorded.files, replayed.files, sameFile);
  return [...printed, ...results, ...files];
}

/** The differences of one cell as the rest of a sentence about it: `printed something else and drew another chart`. */
export function differenceWords(differences: readonly Difference[]): string {
  const words = new Set<string>();
  const files = differences.filter((difference) => difference.kind === 'file');
  for (const difference of differences) {
    switch (difference.kind) {
      case 'end':
        words.add(endWords(difference.before, difference.now));
        break;
      case 'printed':
        words.add('printed something else');
        break;
      case 'chart':
        words.add('drew another chart');
        break;
      case 'table':
        words.add('made another table');
        break;
      case 'result':
        words.add('gave another result');
        break;
      case 'file':
        break;
      default:
        difference satisfies never;
    }
  }
  for (const file of files.slice(0, namedFiles)) words.add(fileWords(file.path, file.how));
  if (files.length > namedFiles) words.add(`${files.length - namedFiles} more files differ`);
  return new Intl.ListFormat('en-GB').format(words);
}

function endWords(before: string, now: string): string {
  if (now === 'ok') return `did not end with ${before} as before`;
  return before === 'ok' ? `did not run there as it did before: ${now}` : `ended with ${now} instead of ${before}`;
}

function fileWords(path: string, how: 'changed' | 'missing' | 'added'): string {
  if (how === 'changed') return `wrote another \`${path}\``;
  return how === 'missing' ? `did not write \`${path}\`` : `also wrote \`${path}\``;
}

function endOf({ status, error }: Pick<Execution, 'status' | 'error'>): string {
  return status === 'error' ? (error?.name ?? 'error') : status;
}

async function compareResults(
  recorded: readonly RecordedResult[],
  replayed: Execution,
  durationMs: number,
  blobs: Blobs,
): Promise<readonly Difference[]> {
  const count = Math.max(recorded.length, replayed.results.length);
  const differences: Difference[] = [];
  for (let index = 0; index < count; index += 1) {
    const [before = {}, now = {}] = [recorded[index], replayed.results[index]];
    if (!(await sameResult(before, now, durationMs, blobs))) {
      differences.push({ kind: kindOf({ ...before, ...now }), number: index + 1 });
    }
  }
  return differences;
}

async function sameResult(before: RecordedResult, now: MimeBundle, durationMs: number, blobs: Blobs): Promise<boolean> {
  for (const mime of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (mime === tablePictureMime) continue;
    const [was, is] = [before[mime], now[mime]];
    if (was === undefined || is === undefined) return false;
    const bytes = bytesOfPart(mime, is);
    if ((await sha256Of(bytes)) === was.sha256) continue;
    if (typeof is !== 'string') return false;
    const text = await textOf(was.sha256, blobs);
    if (text === null || !sameText(text, is, durationMs, mime)) return false;
  }
  return true;
}

/** `null` where it was not kept: then the hash alone decides. */
async function textOf(sha256: string, blobs: Blobs): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of blobs.get(sha256)) chunks.push(chunk);
  } catch {
    return null;
  }
  return new Blob(chunks).text();
}

function kindOf(bundle: Readonly<Record<string, unknown>>): 'chart' | 'table' | 'result' {
  if (chartMime in bundle || Object.keys(bundle).some((mime) => mime.startsWith('image/'))) return 'chart';
  return tableMime in bundle ? 'table' : 'result';
}

async function compareFiles(
  recorded: readonly OutputFile[],
  replayed: readonly OutputFile[],
  sameFile: (now: OutputFile, before: OutputFile) => Promise<boolean>,
): Promise<readonly Difference[]> {
  const now = new Map(replayed.map((file) => [file.path, file]));
  const before = new Set(recorded.map(({ path }) => path));
  const differences: Difference[] = [];
  for (const file of recorded) {
    const { path, sha256 } = file;
    const found = now.get(path);
    if (found === undefined) differences.push({ kind: 'file', path, how: 'missing' });
    else if (found.sha256 !== sha256 && !(await sameFile(found, file)))
      differences.push({ kind: 'file', path, how: 'changed' });
  }
  for (const { path } of replayed) if (!before.has(path)) differences.push({ kind: 'file', path, how: 'added' });
  return differences;
}
