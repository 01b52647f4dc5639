import {
  fdatasync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Logger } from '../log.ts';
import type { Audit } from '../ports/audit.ts';
import { fieldsOf, noHash, readLine, writeLine } from './audit-line.ts';
import type { LineFields } from './audit-line.ts';

/** Past it the chain goes on in a new file. */
const defaultMaxBytes = 64 * 1024 * 1024;

/** What a power cut may take; a process that dies takes nothing. */
const flushEveryMs = 1000;

/** The end of a file in which its last whole line is: lines have some hundred bytes. */
const tailBytes = 64 * 1024;

/** What a new file goes on from. */
interface FileEnd {
  readonly file: string;
  readonly hash: string;
  /** It ends in the midst of a line. */
  readonly isCut: boolean;
}

interface OpenFile {
  readonly descriptor: number;
  readonly name: string;
  size: number;
  /** The hash of its last line. */
  hash: string;
}

/**
 * The audit log as files `NAME.<host>.<time>-<process>-<number>.jsonl` beside the given path. Each process writes its own, so lines of
 * several never mix; each file begins with a line that says which file of this machine it follows, with that one's last hash, and whether
 * a crash had cut that one's last line. So the chain outlives restarts, and a file that goes missing shows.
 *
 * A line is handed to the operating system at once, within microseconds, and flushed to the disk once a second: what a killed process
 * did is there, and only a power cut may cost the last second. A flush for each line would cost every cell of every task a few
 * milliseconds, for lines that repeat what the store, which does flush each, holds as well.
 *
 * Throws where the folder cannot be written; later failures are logged, and the line after them says how many are missing.
 */
export function openAuditFiles(deps: {
  /** `data/audit.jsonl`: its folder is made where missing. */
  readonly path: string;
  /** Different on every machine. */
  readonly host: string;
  readonly processId: number;
  readonly log: Logger;
  readonly maxBytes?: number;
  readonly now?: () => Date;
}): Audit & Disposable {
  const { path, log, processId, maxBytes = defaultMaxBytes, now = () => new Date() } = deps;
  const folder = dirname(path);
  const extension = extname(path) || '.jsonl';
  const prefix = `${basename(path, extname(path))}.${deps.host.replaceAll(/[^A-Za-z0-9-]/g, '-')}.`;
  let number = 0;
  let missing = 0;

  const append = (file: OpenFile, fields: LineFields): void => {
    const { line, hash } = writeLine({ at: now().toISOString(), ...fields }, file.hash);
    const bytes = Buffer.from(`${line}\n`);
    if (writeSync(file.descriptor, bytes) !== bytes.length) throw new Error('the disk took a part of a line only');
    file.size += bytes.length;
    file.hash = hash;
  };

  /** In a container every process has the same id: one that starts again within the second takes the next number. */
  const openNext = (): { readonly name: string; readonly descriptor: number } => {
    const time = now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '');
    for (;;) {
      number += 1;
      const name = `${prefix}${time}-${processId}-${number}${extension}`;
      try {
        return { name, descriptor: openSync(join(folder, name), 'wx', 0o600) };
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
    }
  };

  const begin = (after: FileEnd | null): OpenFile => {
    const { name, descriptor } = openNext();
    const file = { descriptor, name, size: 0, hash: after?.hash ?? noHash };
    try {
      const cut = after?.isCut === true ? { cut: true } : {};
      append(file, { event: 'began', process: processId, after: after?.file ?? null, ...cut });
      return file;
    } catch (error) {
      closeSync(file.descriptor);
      rmSync(join(folder, name), { force: true });
      throw error;
    }
  };

  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let current = begin(newestOf(folder, prefix));
  let isBroken = false;
  let isDisposed = false;
  const flush = createFlush(log);

  const goOn = (after: FileEnd): void => {
    const next = begin(after);
    flush.now(current.descriptor);
    current = next;
    isBroken = false;
  };

  /** Where no new file can be made, this one grows on. */
  const rotate = (): void => {
    try {
      goOn({ file: current.name, hash: current.hash, isCut: false });
    } catch (error) {
      log.error({ error: String(error) }, 'the audit log could not begin a new file');
    }
  };

  return {
    record: (entry) => {
      if (isDisposed) return log.error({ event: entry.event }, 'the audit log is closed: a line is missing');
      try {
        // What a failed write left in the file is not known.
        if (isBroken) goOn(endOf(folder, current.name));
        if (missing > 0) {
          append(current, { event: 'lines-missing', lines: missing });
          missing = 0;
        }
        append(current, fieldsOf(entry));
        flush.soon(current.descriptor);
      } catch (error) {
        isBroken = true;
        missing += 1;
        log.error({ event: entry.event, error: String(error) }, 'a line of the audit log could not be written');
      }
      if (!isBroken && current.size >= maxBytes) rotate();
    },
    [Symbol.dispose]: () => {
      // The number of a closed file may be another's by then.
      if (!isDisposed) flush.now(current.descriptor);
      isDisposed = true;
    },
  };
}

/** `now` also closes the file, once it is on disk. */
function createFlush(log: Logger): { soon(descriptor: number): void; now(descriptor: number): void } {
  let timer: NodeJS.Timeout | null = null;
  const flush = (descriptor: number, next: () => void): void =>
    fdatasync(descriptor, (error) => {
      if (error !== null) log.error({ error: String(error) }, 'the audit log could not be flushed');
      next();
    });
  return {
    soon: (descriptor) => {
      timer ??= setTimeout(() => {
        timer = null;
        flush(descriptor, () => {});
      }, flushEveryMs).unref();
    },
    now: (descriptor) => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      flush(descriptor, () => closeSync(descriptor));
    },
  };
}

/** The file of this machine that was written last. */
function newestOf(folder: string, prefix: string): FileEnd | null {
  const files = readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ name, modifiedMs: statSync(join(folder, name)).mtimeMs }))
    .toSorted((one, other) => one.modifiedMs - other.modifiedMs || (one.name < other.name ? -1 : 1));
  const last = files.at(-1);
  return last === undefined ? null : endOf(folder, last.name);
}

/** Its last whole line's hash, and whether something else stands after that. */
function endOf(folder: string, name: string): FileEnd {
  const lines = readFileSync(join(folder, name)).subarray(-tailBytes).toString().split('\n');
  const rest = lines.pop() ?? '';
  const last = lines.map(readLine).findLast((line) => line !== null);
  return { file: name, hash: last?.hash ?? noHash, isCut: rest !== '' };
}
