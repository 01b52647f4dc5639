import type { Cell } from '../src/types.ts';
import { oneLine } from './format.ts';

/** The name that code has as a file. */
export const codeFileName = 'code.py';

/** Cells as one Python text, in the order they ran, each under its title. */
export function codeOf(cells: readonly Cell[]): string {
  return cells.map(cellText).join('\n\n');
}

function cellText(cell: Cell): string {
  const { status } = cell.execution;
  const note = status === 'ok' ? '' : ` (${status})`;
  return `# ${cell.index + 1}. ${oneLine(cell.title)}${note}\n${cell.source.trimEnd()}`;
}
