import { accessSync, constants, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { SandboxLimits } from '../ports/sandbox.ts';

/** A file of the command line, before it is read. */
export interface CardFile {
  /** As it was given. */
  readonly given: string;
  readonly path: string;
  /** Tables are named after it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Why it is not sent to the sandbox, for a person; `null` where it is. */
  readonly problem: string | null;
}

/** With its place among all files, from 1. */
export type NumberedFile = CardFile & { readonly number: number };

const megabyte = 1024 * 1024;

/** Above, a file costs the machine's memory for a table that nobody reads whole: sandboxes keep their files in memory. */
const maxFileBytes = 2048 * megabyte;

/** A batch is one cell: large enough that its cost does not count, small enough that lines come while others are looked at. */
const batchBytes = 32 * megabyte;
const batchFiles = 40;

/** Text of this many bytes is read whole, and takes up to so many times its size; of larger files the loader reads a part. */
const readWholeBytes = 200_000_000;
const memoryPerByte = 6;

/** Cells as text against the file: about as much for CSV, and a workbook unpacks, with its sheets and its tables both written. */
const exportPerByte = 10;
const maxExportBytes = 2048 * megabyte;

/** Python, its libraries and shared memory. */
const besideFilesBytes = 448 * megabyte;

/** Never throws: what stands against a file is its `problem`. */
export function cardFile(given: string): CardFile {
  const path = resolve(given);
  const file = { given, path, name: basename(path), sizeBytes: 0, problem: null };
  try {
    const found = statSync(path);
    if (!found.isFile()) return { ...file, problem: 'This is a folder or a device, not a file.' };
    accessSync(path, constants.R_OK);
    const problem =
      found.size <= maxFileBytes
        ? null
        : `The file has ${inMegabytes(found.size)} MB; the limit is ${inMegabytes(maxFileBytes)} MB. Please give a part of it.`;
    return { ...file, sizeBytes: found.size, problem };
  } catch (error) {
    return { ...file, problem: whyUnreadable(error) };
  }
}

/** A host's error about a file, in words. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'There is no such file.';
  if (code === 'EACCES' || code === 'EPERM') return 'The file may not be read: its permissions do not allow it.';
  return `The file cannot be read (${error instanceof Error ? error.message : String(error)}).`;
}

/** The files in order, cut into what one cell looks at. Files with a problem come along, for their place in the order. */
export function batchesOf(files: readonly NumberedFile[]): readonly (readonly NumberedFile[])[] {
  const batches: NumberedFile[][] = [];
  let current: NumberedFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const cost = file.problem === null ? file.sizeBytes : 0;
    if (current.length === batchFiles || (current.length > 0 && bytes + cost > batchBytes)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(file);
    bytes += cost;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** The operator's limits, raised to what the largest of the files needs. */
export function limitsFor(files: readonly CardFile[], usual: SandboxLimits, isExporting: boolean): SandboxLimits {
  const largest = Math.max(0, ...files.map(({ problem, sizeBytes }) => (problem === null ? sizeBytes : 0)));
  const input = Math.max(largest, batchBytes);
  const exported = isExporting ? Math.min(exportPerByte * input, maxExportBytes) : 0;
  const workspaceBytes = Math.max(usual.workspaceBytes, input + exported + 16 * megabyte);
  // Temporary files may take half of the workspace once more; they hold what is unpacked, so they count for it too.
  const reading = memoryPerByte * Math.min(largest, readWholeBytes) + besideFilesBytes;
  return { ...usual, workspaceBytes, memoryBytes: Math.max(usual.memoryBytes, workspaceBytes + reading) };
}

/** How long one batch may take: the usual time of a cell, and more for what is large. */
export function timeoutFor(files: readonly CardFile[], usualMs: number): number {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + Math.min(sizeBytes, readWholeBytes), 0);
  return usualMs + Math.ceil(bytes / megabyte) * 300;
}

function inMegabytes(bytes: number): string {
  return Math.round(bytes / megabyte).toLocaleString('en-US');
}
