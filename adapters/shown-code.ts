import type { Cell, CellRecord, ExecutionStatus } from '../src/types.ts';
import { harmless, oneLine, shorten } from './format.ts';

/** The name that code has as a file. */
export const codeFileName = 'code.py';

const outputCharacters = 1500;

const statusWords: Readonly<Record<ExecutionStatus, string>> = {
  ok: 'ran',
  error: 'ended with an error',
  timeout: 'was stopped: out of time',
  'out-of-memory': 'was stopped: out of memory',
  cancelled: 'was cancelled',
  lost: 'was lost with its container',
};

/** Cells as one Python file that runs, in the order they ran: whatever is not code is a comment. Empty for no cells. */
export function codeText(cells: readonly Cell[]): string {
  const texts = cells.map((cell) => {
    const printed = outputOf(cell.execution);
    const comments = printed === '' ? [] : printed.split('\n').map((line) => `# > ${line}`);
    return [`# ${titleOf(cell)}`, `# ${statusOf(cell)}`, harmless(cell.source).trimEnd(), ...comments].join('\n');
  });
  return texts.map((text) => `${text}\n`).join('\n');
}

export function titleOf({ index, title }: Cell): string {
  return shorten(`${index + 1}. ${oneLine(title) || 'Python'}`, 140);
}

export function statusOf({ execution }: Cell): string {
  const seconds = execution.durationMs / 1000;
  return `${statusWords[execution.status]}, ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** What it printed, then what stopped it in one line; without the traceback, whose frames are the source above. */
export function outputOf({ stdout, error }: CellRecord): string {
  const printed = harmless(stdout).trimEnd();
  const cut = printed.length - outputCharacters;
  const shown = cut > 0 ? `${shorten(printed, outputCharacters)}\n(${cut} more characters)` : printed;
  const stopped = error === null ? '' : shorten(oneLine(`${error.name}: ${error.message}`), 500);
  return [shown, stopped].filter((text) => text !== '').join('\n');
}
