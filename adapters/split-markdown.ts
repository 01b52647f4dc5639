import { markdownLines } from './markdown-lines.ts';
import type { MarkdownLine } from './markdown-lines.ts';

/**
 * A piece of a longer text. The bodies of all parts, joined, are the text; `prefix` and `suffix` are what a cut added so that
 * the part stands alone: a code fence closed and opened again, a table's head repeated.
 */
export interface MarkdownPart {
  readonly prefix: string;
  readonly body: string;
  readonly suffix: string;
}

export function partText(part: MarkdownPart): string {
  return part.prefix + part.body + part.suffix;
}

/**
 * Cuts Markdown into parts of at most `maxCharacters` (at least 250) UTF-16 units each, without losing one: between paragraphs
 * where it can, then between lines, between a table's rows or lines of code, between words, and only then inside a word.
 */
export function splitMarkdown(markdown: string, maxCharacters: number): readonly MarkdownPart[] {
  const cutter = createCutter(markdown, Math.max(250, maxCharacters));
  const parts: MarkdownPart[] = [];
  let start = 0;
  while (start < markdown.length) {
    const prefix = cutter.prefixAt(start);
    const end = cutter.nextCut(start, prefix.length);
    parts.push({ prefix, body: markdown.slice(start, end), suffix: cutter.suffixAt(end) });
    start = end;
  }
  return parts;
}

function createCutter(markdown: string, maxCharacters: number) {
  const lines = markdownLines(markdown);

  const lineIndexAt = (position: number): number => {
    let low = 0;
    let high = lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((lines[middle]?.start ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  /** Cuts never fall inside a fence's opening or closing line, so a line's `fence` holds all through it. */
  const fenceAt = (position: number) =>
    position >= markdown.length ? lines.at(-1)?.fenceAfter : lines[lineIndexAt(position)]?.fence;

  const prefixAt = (position: number): string => {
    const line = lines[lineIndexAt(position)];
    if (position === 0 || line === undefined) return '';
    if (line.fence !== null) return `${line.fence.opener}\n`;
    const head = line.start === position ? line.tableHead : null;
    return head !== null && head.length <= maxCharacters / 3 ? head : '';
  };

  const suffixAt = (position: number): string => {
    const fence = fenceAt(position);
    if (fence === null || fence === undefined) return '';
    return `${markdown[position - 1] === '\n' ? '' : '\n'}${fence.marker}`;
  };

  const nextCut = (start: number, prefixLength: number): number => {
    const budget = maxCharacters - prefixLength;
    const fits = (end: number): boolean => end - start + suffixAt(end).length <= budget;
    if (fits(markdown.length)) return markdown.length;

    /** The last fitting line start of each rank; index 0 is the best rank. */
    const last: (number | undefined)[] = [undefined, undefined, undefined];
    for (let index = lineIndexAt(start) + 1; index < lines.length; index += 1) {
      const line = lines[index];
      if (line === undefined || line.start - start > budget) break;
      const rank = rankOf(line, lines[index - 1]);
      if (rank !== null && fits(line.start)) last[rank] = line.start;
    }
    const [betweenParagraphs, betweenLines, insideBlock] = last;
    const fills = (end: number | undefined, share: number): end is number =>
      end !== undefined && end - start >= budget * share;
    if (fills(betweenParagraphs, 0.5)) return betweenParagraphs;
    if (fills(betweenLines, 0.5)) return betweenLines;
    if (fills(betweenParagraphs, 0.2)) return betweenParagraphs;
    if (fills(betweenLines, 0.2)) return betweenLines;
    const anyLine = insideBlock ?? betweenLines ?? betweenParagraphs;
    return anyLine ?? cutInsideLine(start, budget);
  };

  const cutInsideLine = (start: number, budget: number): number => {
    const fence = lines[lineIndexAt(start)]?.fence;
    const latest = start + budget - (fence ? fence.marker.length + 1 : 0);
    const space = /\s\S*$/.exec(markdown.slice(start, latest));
    const afterSpace = start + (space?.index ?? 0) + 1;
    if (afterSpace - start >= budget / 2 && !belongTogether(markdown, afterSpace)) return afterSpace;
    for (let cut = latest; cut > latest - 40; cut -= 1) if (!belongTogether(markdown, cut)) return cut;
    return isLowSurrogate(markdown, latest) ? latest - 1 : latest;
  };

  return { prefixAt, suffixAt, nextCut };
}

/** 0: between blocks, 1: between lines of prose, 2: between rows of a table or lines of code; `null`: not before this line. */
function rankOf(line: MarkdownLine, previous: MarkdownLine | undefined): 0 | 1 | 2 | null {
  if (line.isDelimiterRow) return null;
  if (line.fence !== null || line.tableHead !== null) return 2;
  return previous?.isBlank === true || line.opensFence ? 0 : 1;
}

/** True where a cut would break a character, an emoji sequence or a run of fence characters in two, or make a mention of an address. */
function belongTogether(text: string, position: number): boolean {
  if (isLowSurrogate(text, position)) return true;
  const before = text[position - 1] ?? '';
  const after = text.slice(position, position + 2);
  return /^[\p{M}\u200d`~@]/u.test(after) || /[\u200d`~]/.test(before) || /^\ud83c[\udffb-\udfff]/.test(after);
}

function isLowSurrogate(text: string, position: number): boolean {
  return /^[\udc00-\udfff]$/.test(text[position] ?? '') && /^[\ud800-\udbff]$/.test(text[position - 1] ?? '');
}
