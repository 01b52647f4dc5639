import type { Artifact, FormulaCells } from '../types.ts';
import type { CellOutcome } from './select.ts';

/** Of the first example, as the notice shows it. */
const shownCharacters = 60;

const workbook = /\.(xlsx|xlsm)$/i;

/** `FormulaCells` out of JSON that came from the sandbox; `null` where it is none. */
export function parseFormulaCells(value: unknown): FormulaCells | null {
  if (typeof value !== 'object' || value === null) return null;
  const { count, examples, partial } = value as Record<string, unknown>;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0 || !Array.isArray(examples)) return null;
  const shown = examples.slice(0, 5).flatMap((example: unknown) => {
    const { cell, text } = (example ?? {}) as Record<string, unknown>;
    return typeof cell === 'string' && typeof text === 'string' ? [{ cell, text }] : [];
  });
  return { count, examples: shown, partial: partial === true };
}

/** One sentence or two for each of `posted` whose cells a spreadsheet program would run, or that was too large to look through. */
export function formulaNotices(cells: readonly CellOutcome[], posted: readonly Artifact[]): readonly string[] {
  const known = cells.flatMap((cell) => cell.artifacts);
  return posted.flatMap(({ file }) => {
    const found = known.findLast(({ artifact }) => artifact.file.sha256 === file.sha256)?.formulas ?? null;
    return found === null ? [] : [notice(file.name, found)];
  });
}

function notice(name: string, { count, examples, partial }: FormulaCells): string {
  if (count === 0) {
    return `\`${name}\` was too large to look all of it through for cells that Excel would run as formulas.`;
  }
  const [first] = examples;
  const example = first === undefined ? '' : `, the first in ${plain(first.cell)}: \`${plain(first.text)}\``;
  const counted = `${partial ? 'at least ' : ''}${count.toLocaleString('en-US')} ${count === 1 ? 'cell' : 'cells'}`;
  if (workbook.test(name)) {
    return (
      `\`${name}\` has ${counted} with a formula that reaches outside the workbook (links, pictures or data from the web, other programs)${example}. ` +
      'Do not allow links or updates when Excel asks, unless you expected them.'
    );
  }
  return (
    `\`${name}\` has ${counted} with text that Excel, LibreOffice or Google Sheets would run as a formula${example}. ` +
    'Where you do not expect that, import the file with its columns as text, or ask me for it as .xlsx with text cells.'
  );
}

/** On one line, without what would end its code span. */
function plain(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}`]+/gu, ' ').trim();
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters - 1).toWellFormed()}…`;
}
