import { createReadStream } from 'node:fs';
import { AppError } from '../errors.ts';
import type { Bytes, SandboxLimits, SandboxSession } from '../ports.ts';
import type { Execution } from '../types.ts';
import { cardLine, failedLine } from './card-line.ts';
import type { CardLine } from './card-line.ts';
import { fetchCells } from './cells-files.ts';
import { timeoutFor, whyUnreadable } from './files.ts';
import type { NumberedFile } from './files.ts';

/** Of one card: one that names every line of a file is large. */
const maxCardBytes = 256 * 1024 * 1024;

const cleaningMs = 30_000;

export interface BatchDeps {
  /** Of the session. */
  readonly limits: SandboxLimits;
  readonly cellTimeoutMs: number;
  /** `null`: the cells are not wanted. */
  readonly exportDir: string | null;
  readonly signal: AbortSignal;
}

export interface BatchOutcome {
  /** Of the files that were looked at, and of those that could not be sent. */
  readonly cards: ReadonlyMap<NumberedFile, CardLine>;
  /** The sandbox is gone, and with it cards that were made. */
  readonly isLost: boolean;
  /** For a file without a card: what ended the cell, for a person, and after how long. */
  readonly why: string;
  readonly seconds: number;
}

/** One cell for all of `files`. Rejects where the cells cannot be written to this machine, and on an abort. */
export async function describeBatch(
  session: SandboxSession,
  files: readonly NumberedFile[],
  deps: BatchDeps,
): Promise<BatchOutcome> {
  const { signal, limits } = deps;
  const cards = new Map<NumberedFile, CardLine>();
  let execution: Execution | null = null;
  const timeoutMs = timeoutFor(files, deps.cellTimeoutMs);

  const run = async (code: string, ms: number): Promise<Execution> => {
    const ended = await session.run(code, { timeoutMs: ms, signal, onOutput: () => {} });
    signal.throwIfAborted();
    return ended;
  };

  const send = async (): Promise<readonly NumberedFile[]> => {
    const sent: NumberedFile[] = [];
    for (const file of files) {
      try {
        await session.write(sentName(file), createReadStream(file.path), signal);
        sent.push(file);
      } catch (error) {
        signal.throwIfAborted();
        if (!session.alive) throw error;
        const words = error instanceof AppError ? error.userMessage : whyUnreadable(error);
        cards.set(file, failedLine(file.given, words, file.sizeBytes, 0));
      }
    }
    return sent;
  };

  const fetchCard = async (file: NumberedFile, position: number): Promise<CardLine | null> => {
    let text: string;
    try {
      text = await textOf(session.read(`.card/${position}.json`, { maxBytes: maxCardBytes, signal }));
    } catch (error) {
      if (error instanceof AppError && error.code === 'file-unavailable') return null;
      throw error;
    }
    const card = { ...cardLine.parse(JSON.parse(text)), file: file.given };
    if (deps.exportDir === null) return card;
    const open = (path: string): Bytes => session.read(path, { maxBytes: limits.workspaceBytes, signal });
    return fetchCells(card, file.number, file.name, { dir: deps.exportDir, open });
  };

  try {
    const sent = await send();
    if (sent.length > 0) execution = await run(codeFor(sent, deps.exportDir !== null), timeoutMs);
    for (const [position, file] of sent.entries()) {
      const card = await fetchCard(file, position);
      if (card !== null) cards.set(file, card);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (session.alive) throw error;
  }
  if (session.alive) await run('from plotline.intake.card_batch import clean\nclean()', cleaningMs);
  const seconds = (execution?.durationMs ?? 0) / 1000;
  return { cards, isLost: !session.alive, why: whyNot(execution, timeoutMs, limits), seconds };
}

/** Hidden, as all that the cell leaves: the driver then does not look at it as at files for a person. */
function sentName(file: NumberedFile): string {
  return `.card-${file.number}`;
}

/** A JSON text of strings and lists is a Python expression too: same quotes, same escapes. */
function codeFor(sent: readonly NumberedFile[], isExporting: boolean): string {
  const jobs = JSON.stringify(sent.map((file) => [sentName(file), file.name]));
  return `from plotline.intake.card_batch import describe\ndescribe(${jobs}, export=${isExporting ? 'True' : 'False'})`;
}

function whyNot(execution: Execution | null, timeoutMs: number, limits: SandboxLimits): string {
  const memory = `${Math.round(limits.memoryBytes / 1024 / 1024).toLocaleString('en-US')} MB`;
  if (execution?.status === 'timeout') {
    return `Looking at this file took longer than ${Math.round(timeoutMs / 1000)} s, so it was stopped. Please give a part of it.`;
  }
  if (execution?.status === 'out-of-memory') {
    return `Looking at this file takes more memory than the ${memory} of its sandbox. Please give a part of it.`;
  }
  if (execution?.error?.name === 'NoRoom') return execution.error.message;
  if (execution?.status === 'error') {
    return `Looking at this file ended Python (${execution.error?.message.split('. ')[0] ?? 'no reason given'}).`;
  }
  return `The sandbox was lost while it looked at this file; its ${memory} of memory may be too little for it.`;
}

async function textOf(bytes: Bytes): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
