import type { Cell, CellRecord, ExecutionStatus } from '../../src/types.ts';
import { breakMentions } from '../escape.ts';
import { harmless, oneLine, shorten } from '../format.ts';
import { header, plainContext } from './blocks.ts';
import type { Json } from './json.ts';
import { slackLimits } from './limits.ts';

/** Longer code is read in an editor, not in a modal. Slack documents no length for the text of a `rich_text` block. */
const sourceCharacters = 9000;
const outputCharacters = 1500;

const statusWords: Readonly<Record<ExecutionStatus, string>> = {
  ok: 'ran',
  error: 'ended with an error',
  timeout: 'was stopped: out of time',
  'out-of-memory': 'was stopped: out of memory',
  cancelled: 'was cancelled',
  lost: 'was lost with its container',
};

/**
 * The code as a modal: for each cell its title, how it went, its source and what it printed. Code is never cut: `null` when all
 * of it does not fit; then the caller posts `codeText` as a file.
 */
export function codeView(cells: readonly Cell[]): Json | null {
  const shown = cells.flatMap(cellBlocks);
  const blocks = shown.length > 0 ? shown : [plainContext('No code ran for this.')];
  const view = {
    type: 'modal',
    title: { type: 'plain_text', text: 'Code' },
    close: { type: 'plain_text', text: 'Close' },
    blocks,
  };
  const fits =
    blocks.length <= slackLimits.modalBlocks &&
    cells.every(({ source }) => source.length <= sourceCharacters) &&
    new TextEncoder().encode(JSON.stringify(view)).byteLength <= slackLimits.viewBytes;
  return fits ? view : null;
}

/** The same as one Python file that runs: whatever is not code is a comment. */
export function codeText(cells: readonly Cell[]): string {
  const texts = cells.map((cell) => {
    const printed = outputOf(cell.execution);
    const comments = printed === '' ? [] : printed.split('\n').map((line) => `# > ${line}`);
    return [`# ${titleOf(cell)}`, `# ${statusOf(cell)}`, harmless(cell.source).trimEnd(), ...comments].join('\n');
  });
  return texts.map((text) => `${text}\n`).join('\n');
}

function cellBlocks(cell: Cell): readonly Json[] {
  const source = harmless(cell.source).trimEnd();
  const printed = outputOf(cell.execution);
  return [
    header(titleOf(cell)),
    plainContext(statusOf(cell)),
    preformatted(source),
    ...(printed === '' ? [] : [plainContext('It printed:'), preformatted(printed)]),
  ];
}

/** `rich_text` reads no markup at all: nothing in it can ping, link or end the block. */
function preformatted(text: string): Json {
  const shown = breakMentions(text);
  const elements = [{ type: 'text', text: shown.trim() === '' ? '(nothing)' : shown }];
  return { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements }] };
}

function titleOf({ index, title }: Cell): string {
  return shorten(`${index + 1}. ${oneLine(title) || 'Python'}`, 140);
}

function statusOf({ execution }: Cell): string {
  const seconds = execution.durationMs / 1000;
  return `${statusWords[execution.status]}, ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** What it printed, then what stopped it in one line; without the traceback, whose frames are the source above. */
function outputOf({ stdout, error }: CellRecord): string {
  const printed = harmless(stdout).trimEnd();
  const cut = printed.length - outputCharacters;
  const shown = cut > 0 ? `${shorten(printed, outputCharacters)}\n(${cut} more characters)` : printed;
  const stopped = error === null ? '' : shorten(oneLine(`${error.name}: ${error.message}`), 500);
  return [shown, stopped].filter((text) => text !== '').join('\n');
}
