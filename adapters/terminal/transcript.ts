import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../src/errors.ts';
import type { OutgoingFile } from '../../src/ports/platforms.ts';
import type { Attachment } from '../../src/types.ts';
import { safeName, withCounter } from './names.ts';

/** A file as `thread.json` names it; `path` is relative to the folder of `thread.json`. */
export interface TranscriptFile {
  readonly kind: 'chart' | 'table' | 'file';
  readonly name: string;
  readonly mimeType: string;
  readonly size: number | null;
  readonly path: string;
  readonly altText: string;
}

export interface TranscriptEntry {
  readonly messageId: string;
  readonly from: 'person' | 'bot';
  readonly kind: 'message' | 'progress' | 'card' | 'reply';
  readonly text: string;
  readonly files: readonly TranscriptFile[];
  /** What `files` of a person was made from. */
  readonly attachments: readonly Attachment[];
  readonly code: readonly { readonly title: string; readonly source: string; readonly status: string }[];
}

/** What was said, in order, and the folder it is kept in: `thread.json`, replaced as a whole after each change, and every file. */
export interface Transcript {
  /** Makes the folder and an empty `thread.json`. Rejects with `config` where that cannot be done. */
  prepare(): Promise<void>;
  entries(): readonly TranscriptEntry[];
  /** Adds the entry, or replaces the one of the same `messageId` in its place. Resolves when it is on disk. */
  put(entry: TranscriptEntry): Promise<void>;
  /** Saves a file under its own name, made safe and unique; never over another one. Resolves to its absolute path. */
  save(outgoing: OutgoingFile, signal: AbortSignal): Promise<string>;
  /** An absolute path as `thread.json` writes it. */
  relativePath(path: string): string;
}

export function createTranscript(outDir: string): Transcript {
  const entries = new Map<string, TranscriptEntry & { readonly at: string }>();
  let written: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    await mkdir(outDir, { recursive: true });
    const temporary = join(outDir, '.thread.json.tmp');
    await writeFile(temporary, `${JSON.stringify([...entries.values()].map(asJson), null, 2)}\n`);
    await rename(temporary, join(outDir, 'thread.json'));
  };

  return {
    prepare: () =>
      write().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new AppError('config', `I cannot write to ${outDir} (${reason}). Choose another folder with --out.`, {
          cause: error,
        });
      }),

    entries: () => [...entries.values()],

    put: (entry) => {
      const at = entries.get(entry.messageId)?.at ?? new Date().toISOString();
      entries.set(entry.messageId, { ...entry, at });
      // One after the other, also after one that failed.
      written = written.catch(() => {}).then(write);
      return written;
    },

    save: async (outgoing, signal) => {
      await mkdir(outDir, { recursive: true });
      const name = safeName(outgoing.file.name);
      for (let counter = 1; ; counter += 1) {
        const path = join(outDir, withCounter(name, counter));
        if (path === join(outDir, 'thread.json')) continue;
        const file = createWriteStream(path, { flags: 'wx' });
        try {
          await pipeline(outgoing.open(), file, { signal });
          return path;
        } catch (error) {
          const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
          if (isTaken) continue;
          await rm(path, { force: true });
          throw error;
        }
      }
    },

    relativePath: (path) => relative(outDir, path).split(sep).join('/'),
  };
}

function asJson({ at, from, kind, text, files, code }: TranscriptEntry & { readonly at: string }): object {
  return { at, from, kind, text, [from === 'person' ? 'attachments' : 'artifacts']: files, code };
}
