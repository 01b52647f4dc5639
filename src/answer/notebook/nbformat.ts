import type { JsonValue } from '../../types.ts';

/** A notebook as nbformat 4.5 writes it. Its nouns, with underscores, are the format's. */
export interface Notebook {
  readonly nbformat: 4;
  readonly nbformat_minor: 5;
  readonly metadata: { readonly [key: string]: JsonValue };
  readonly cells: readonly NotebookCell[];
}

export type NotebookCell = MarkdownCell | CodeCell;

interface CellBase {
  /** 1–64 letters, digits, `-` and `_`, unique in the notebook. */
  readonly id: string;
  readonly metadata: { readonly [key: string]: JsonValue };
  readonly source: readonly string[];
}

export interface MarkdownCell extends CellBase {
  readonly cell_type: 'markdown';
}

export interface CodeCell extends CellBase {
  readonly cell_type: 'code';
  readonly execution_count: number;
  readonly outputs: readonly Output[];
}

export type Output =
  | { readonly output_type: 'stream'; readonly name: 'stdout' | 'stderr'; readonly text: readonly string[] }
  | {
      readonly output_type: 'display_data';
      readonly data: { readonly [mimeType: string]: JsonValue };
      readonly metadata: { readonly [key: string]: JsonValue };
    }
  | {
      readonly output_type: 'error';
      readonly ename: string;
      readonly evalue: string;
      readonly traceback: readonly string[];
    };

export function markdownCell(id: string, text: string): MarkdownCell {
  return { cell_type: 'markdown', id, metadata: {}, source: linesOf(text) };
}

/** `hidden`: viewers that can, show the cell folded. `mayRaise`: a run from top to bottom goes on after an error in it. */
export function codeCell(
  id: string,
  executionCount: number,
  source: string,
  outputs: readonly Output[],
  marks: { readonly hidden: boolean; readonly mayRaise: boolean },
): CodeCell {
  const tags = [...(marks.hidden ? ['hide-input'] : []), ...(marks.mayRaise ? ['raises-exception'] : [])];
  const metadata = {
    ...(tags.length > 0 ? { tags } : {}),
    ...(marks.hidden ? { jupyter: { source_hidden: true } } : {}),
  };
  return { cell_type: 'code', id, metadata, source: linesOf(source), execution_count: executionCount, outputs };
}

/** Lines with their line breaks, as the format keeps long texts. */
export function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.toWellFormed().split(/(?<=\n)/);
}
