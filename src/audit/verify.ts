import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { noHash, readLine } from './audit-line.ts';

/** What was found in one file of an audit log. */
export interface AuditCheck {
  readonly file: string;
  /** Whole ones, until the first that is broken. */
  readonly lines: number;
  /** The first line that is not as it was written or not where it was, from 1. */
  readonly broken: { readonly line: number; readonly reason: string } | null;
  /** It ends in the midst of a line: a crash while it was written. */
  readonly isCut: boolean;
  /** The file it says it follows, and the hash from which it goes on. */
  readonly after: { readonly file: string; readonly hash: string } | null;
  readonly lastHash: string;
  readonly hashes: ReadonlySet<string>;
}

/** Checks the chain within one file. Rejects where it cannot be read. */
export async function checkFile(path: string): Promise<AuditCheck> {
  const stream = createReadStream(path, 'utf8');
  let hasEnd = true;
  stream.on('data', (text) => {
    hasEnd = text.at(-1) === '\n';
  });
  let count = 0;
  let after: AuditCheck['after'] = null;
  let broken: AuditCheck['broken'] = null;
  let lastHash = noHash;
  const hashes = new Set<string>();
  for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
    count += 1;
    if (broken !== null) continue;
    const line = readLine(text);
    const reason = line === null ? 'it is not as it was written' : misplaced(line, count, lastHash);
    if (line === null || reason !== null) {
      broken = { line: count, reason: reason ?? '' };
      continue;
    }
    const { after: file } = line.fields;
    if (count === 1 && typeof file === 'string') after = { file, hash: line.previous };
    lastHash = line.hash;
    hashes.add(line.hash);
  }
  const isCut = !hasEnd && broken?.line === count;
  return {
    file: basename(path),
    lines: hashes.size,
    broken: isCut ? null : broken,
    isCut,
    after,
    lastHash,
    hashes,
  };
}

function misplaced(line: NonNullable<ReturnType<typeof readLine>>, number: number, lastHash: string): string | null {
  if (number > 1) {
    return line.previous === lastHash
      ? null
      : 'it does not follow the line before it: lines were removed, added or moved';
  }
  if (line.fields['event'] !== 'began') return 'the lines before it are missing';
  return typeof line.fields['after'] === 'string' || line.previous === noHash
    ? null
    : 'the file it follows is not named';
}

/** Of files that are checked together: those that go on from a line which the file they follow does not have any more. */
export function missingEnds(
  checks: readonly AuditCheck[],
): readonly { readonly file: string; readonly reason: string }[] {
  return checks.flatMap(({ file, after }) => {
    const before = checks.find((check) => check.file === after?.file);
    if (after === null || before === undefined || before.broken !== null) return [];
    if (before.hashes.has(after.hash) || (after.hash === noHash && before.lines === 0)) return [];
    return [{ file: before.file, reason: `its last lines are missing: ${file} went on from one that is not there` }];
  });
}
