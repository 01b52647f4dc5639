import { createReadStream } from 'node:fs';
import { AppError } from '../errors.ts';
import type { Bytes } from '../ports/blobs.ts';
import type { SandboxLimits, SandboxSession } from '../ports/sandbox.ts';
import type { Execution } from '../types.ts';
import { cardLine, failedLine } from './card-line.ts';
import type { CardLine } from './card-line.ts';
import { fetchCells } from './cells-files.ts';
import { timeoutFor, whyUnreadable } from './files.ts';
import type { NumberedFile } from './files.ts';

/** Of all cards of a batch: one that names every line of a file is large. */
const maxCardsBytes = 256 * 1024 * 1024;

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
  let problem = '';
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

  /** The cards that were made, in order; a line without its end was under way. */
  const madeCards = async (): Promise<readonly CardLine[]> => {
    const text = await textOf(session.read('.card/cards.jsonl', { maxBytes: maxCardsBytes, signal }));
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => cardLine.parse(JSON.parse(line)));
  };

  const withCells = async (card: CardLine, file: NumberedFile): Promise<CardLine> => {
    if (deps.exportDir === null) return card;
    const open = (path: string): Bytes => session.read(path, { maxBytes: limits.workspaceBytes, signal });
    return fetchCells(card, file.number, file.name, { dir: deps.exportDir, open });
  };

  try {
    const sent = await send();
    if (sent.length > 0) {
      execution = await run(codeFor(sent, deps.exportDir !== null), timeoutMs);
      for (const [position, card] of (await madeCards()).entries()) {
        const file = sent[position];
        if (file !== undefined) cards.set(file, await withCells({ ...card, file: file.given }, file));
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    // The others are what a sandbox can do, whose Python a file may have taken over: cards that are not there, or are none.
    if (error instanceof AppError && error.code === 'config') throw error;
    problem = error instanceof AppError ? error.userMessage : 'what came was not a card';
  }
  if (session.alive) await run('from plotline.intake.card_batch import clean\nclean()', cleaningMs);
  const seconds = (execution?.durationMs ?? 0) / 1000;
  const why = session.alive ? whyNot(execution, problem, timeoutMs, limits) : lostWords(limits);
  return { cards, isLost: !session.alive, why, seconds };
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

function whyNot(execution: Execution | null, problem: string, timeoutMs: number, limits: SandboxLimits): string {
  if (execution?.status === 'timeout') {
    return `Looking at this file took longer than ${Math.round(timeoutMs / 1000)} s, so it was stopped. Please give a part of it.`;
  }
  if (execution?.status === 'out-of-memory') {
    return `Looking at this file takes more memory than the ${memoryOf(limits)} of its sandbox. Please give a part of it.`;
  }
  if (execution?.error?.name === 'NoRoom') return execution.error.message;
  if (execution?.status === 'error') {
    return `Looking at this file ended Python (${execution.error?.message.split('. ')[0] ?? 'no reason given'}).`;
  }
  return `The card of this file did not come out of the sandbox (${problem}).`;
}

function lostWords(limits: SandboxLimits): string {
  return `The sandbox was lost while it looked at this file; its ${memoryOf(limits)} of memory may be too little for it.`;
}

function memoryOf({ memoryBytes }: SandboxLimits): string {
  return `${Math.round(memoryBytes / 1024 / 1024).toLocaleString('en-US')} MB`;
}

async function textOf(bytes: Bytes): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
