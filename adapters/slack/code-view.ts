import type { Cell } from '../../src/types.ts';
import { breakMentions } from '../escape.ts';
import { harmless } from '../format.ts';
import { outputOf, statusOf, titleOf } from '../shown-code.ts';
import { header, plainContext } from './blocks.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';

/** Longer code is read in an editor, not in a modal. Slack documents no length for the text of a `rich_text` block. */
const sourceCharacters = 9000;
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
