import type { Writable } from 'node:stream';
import { cardText } from '../answer/card-text.ts';
import type { SandboxLimits, SandboxSession } from '../ports/sandbox.ts';
import type { CardArguments } from './arguments.ts';
import type { CardLine } from './card-line.ts';
import { describeFiles } from './describe-files.ts';
import { cardFile, limitsFor } from './files.ts';

export interface CardCommandDeps {
  readonly args: CardArguments;
  readonly output: Writable;
  /** What the operator gives a sandbox; large files get more. */
  readonly usualLimits: SandboxLimits;
  readonly cellTimeoutMs: number;
  readonly signal: AbortSignal;
  acquire(limits: SandboxLimits): Promise<SandboxSession>;
}

/** Writes one card for each file. Resolves to the exit code: 1 where a file could not be read. Rejects as `describeFiles`. */
export async function runCardCommand(deps: CardCommandDeps): Promise<number> {
  const { args, signal } = deps;
  const files = args.files.map(cardFile);
  const limits = limitsFor(files, deps.usualLimits, args.exportDir !== null);
  const isWhole = await describeFiles(files, {
    acquire: () => deps.acquire(limits),
    limits,
    cellTimeoutMs: deps.cellTimeoutMs,
    exportDir: args.exportDir,
    signal,
    onCard: (card) => write(deps.output, `${args.json ? JSON.stringify(card) : forPerson(card)}\n`),
  });
  return isWhole ? 0 : 1;
}

/** Resolves when there is room for more: whoever reads the lines sets the pace. */
function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** What a careful colleague would say, or that there is nothing to say. */
function forPerson(card: CardLine): string {
  const text = card.ok
    ? (cardText(card) ?? `${card.file}: ${shapeOf(card)}, nothing to say against it.`)
    : `${card.file}: ${card.error}`;
  return text.replaceAll(obeyedByTerminals, '\u{fffd}');
}

const obeyedByTerminals = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

function shapeOf({ kind, tables }: CardLine): string {
  if (tables.length === 0) return kind;
  return tables.map(({ name, rows, columns }) => `${name} ${rows.toLocaleString('en-US')} × ${columns}`).join(', ');
}
