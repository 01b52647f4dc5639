import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../errors.ts';
import type { Bytes } from '../ports/blobs.ts';
import type { CardLine } from './card-line.ts';

/** Characters of a name that are kept: with the numbers before it well below the 255 bytes that file systems allow. */
const nameCharacters = 48;

export interface CellsFilesDeps {
  /** As it was given, so that the paths in the cards lead there from where the person is. */
  readonly dir: string;
  /** One file of the sandbox that the card names. */
  open(path: string): Bytes;
}

/**
 * Fetches what a card names and gives the card with the paths on this machine: a folder for each file, whose number among
 * the files keeps equal names apart. Rejects with `config` where the folder cannot be written.
 */
export async function fetchCells(
  card: CardLine,
  number: number,
  name: string,
  deps: CellsFilesDeps,
): Promise<CardLine> {
  const folder = join(deps.dir, `${String(number).padStart(5, '0')}-${plainName(name)}`);
  const fetched = async <T extends { readonly name: string; readonly cells_file: string | null }>(
    kind: string,
    entries: readonly T[],
  ): Promise<T[]> => {
    const out: T[] = [];
    for (const [index, entry] of entries.entries()) {
      if (entry.cells_file === null) {
        out.push(entry);
        continue;
      }
      const path = join(folder, `${kind}-${index + 1}-${plainName(entry.name)}.csv`);
      await onHost(path, async () => {
        await mkdir(folder, { recursive: true });
      });
      await save(deps.open(entry.cells_file), path);
      out.push({ ...entry, cells_file: path });
    }
    return out;
  };
  const tables = await fetched('table', card.tables);
  if (card.sheets === undefined) return { ...card, tables };
  return { ...card, tables, sheets: await fetched('sheet', card.sheets) };
}

/** Errors of the sandbox pass as they are; those of this machine's disk become words. */
async function save(bytes: Bytes, path: string): Promise<void> {
  await onHost(path, () => pipeline(Readable.from(bytes, { objectMode: true }), createWriteStream(path)));
}

async function onHost(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError || !(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new AppError('config', `The cells cannot be written to ${path}: ${error.message}.`, { cause: error });
  }
}

/** Letters, digits and a few marks, which every file system and shell takes. */
function plainName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N}._-]+/gu, '_')
    .replace(/^\.+/, '_');
  return Array.from(plain).slice(0, nameCharacters).join('') || '_';
}
