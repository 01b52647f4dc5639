/** What a Markdown text is made of, line by line: just enough to cut it, and to change it, without breaking code or tables. */

export interface Fence {
  /** The line that opens it, without its line break. */
  readonly opener: string;
  /** The characters that close it. */
  readonly marker: string;
}

export interface MarkdownLine {
  readonly start: number;
  /** After the line break. */
  readonly end: number;
  /** The fence that is open where the line starts: `null` for its opening line, set for its closing line. */
  readonly fence: Fence | null;
  readonly opensFence: boolean;
  /** The fence that is open where the line ends. Differs from `fence` on opening and closing lines only, which are short. */
  readonly fenceAfter: Fence | null;
  /** For rows below a table's delimiter row: header and delimiter row, line breaks included. */
  readonly tableHead: string | null;
  /** The delimiter row itself, which must stay with the header above it. */
  readonly isDelimiterRow: boolean;
  readonly isBlank: boolean;
}

// Indents up to 8 columns: fences inside list items are indented by their item. Longer markers and infos are not code that anyone wrote.
const fencePattern = /^ {0,8}(`{3,20}|~{3,20})([^\n]{0,60})$/;
const delimiterRowPattern = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

export function markdownLines(markdown: string): readonly MarkdownLine[] {
  const lines: MarkdownLine[] = [];
  let start = 0;
  let fence: Fence | null = null;
  let tableHead: string | null = null;
  while (start < markdown.length) {
    const newline = markdown.indexOf('\n', start);
    const end = newline === -1 ? markdown.length : newline + 1;
    const text = markdown.slice(start, newline === -1 ? end : newline).replace(/\r$/, '');
    const previous = lines.at(-1);
    const match = fencePattern.exec(text);
    const closes: boolean = fence !== null && match !== null && closesFence(fence, match[1] ?? '', match[2] ?? '');
    const opensFence: boolean = fence === null && match !== null && opens(match[1] ?? '', match[2] ?? '');
    const isDelimiterRow: boolean =
      fence === null && tableHead === null && previous !== undefined && isTableHead(markdown, previous, text);
    if (fence !== null || opensFence || !text.includes('|')) tableHead = null;
    const fenceAfter: Fence | null = closes ? null : opensFence ? { opener: text, marker: match?.[1] ?? '```' } : fence;
    lines.push({ start, end, fence, opensFence, fenceAfter, tableHead, isDelimiterRow, isBlank: text.trim() === '' });
    if (isDelimiterRow && previous !== undefined) tableHead = markdown.slice(previous.start, end);
    fence = fenceAfter;
    start = end;
  }
  return lines;
}

/** How certain it is that a platform reads a piece of Markdown as code, too. */
export type CodeKind = 'fence' | 'maybe';

/**
 * Applies `prose` to whatever is neither in a fenced block nor in an inline code span, and `code` to the rest. `fence`: every
 * reader of Markdown takes it for code; `maybe`: spans, whose backticks may be escaped or cut off, and fences that are indented,
 * made of tildes, or behind something that another reader takes for a fence.
 */
export function mapMarkdown(
  markdown: string,
  prose: (text: string) => string,
  code: (text: string, kind: CodeKind) => string,
): string {
  let result = '';
  let open = '';
  let kind: CodeKind = 'fence';
  const flush = (): void => {
    result += mapSpans(open, prose, (span) => code(span, 'maybe'));
    open = '';
  };
  for (const line of markdownLines(markdown)) {
    const text = markdown.slice(line.start, line.end);
    const isProse = line.fence === null && !line.opensFence;
    if (isProse ? readsOtherwise.test(text) : line.fence !== line.fenceAfter && !certainFence.test(text))
      kind = 'maybe';
    if (isProse) {
      open += text;
    } else {
      flush();
      result += code(text, kind);
    }
  }
  flush();
  return result;
}

const certainFence = /^ {0,3}`/;
/** A fence in a list or quote, one of unusual length, or an HTML block, in which fences do not count. */
const readsOtherwise = /^[\s>*+\-\d.)]*(?:`{3}|~{3})|^ {0,3}<[a-z!?/]/i;

/** A span ends with as many backticks as it began with, within its paragraph. */
const codeSpanPattern = /(?<!`)(`{1,10})(?!`)((?:[^`\n]|\n(?!\s*\n)|`(?!\1)){0,4000}?)(?<!`)\1(?!`)/g;

function mapSpans(text: string, prose: (text: string) => string, span: (text: string) => string): string {
  let result = '';
  let from = 0;
  for (const match of text.matchAll(codeSpanPattern)) {
    result += prose(text.slice(from, match.index)) + span(match[0]);
    from = match.index + match[0].length;
  }
  return result + prose(text.slice(from));
}

function opens(marker: string, info: string): boolean {
  return !(marker.startsWith('`') && info.includes('`'));
}

function closesFence(fence: Fence, marker: string, info: string): boolean {
  return marker.startsWith(fence.marker) && info.trim() === '';
}

function isTableHead(markdown: string, header: MarkdownLine, text: string): boolean {
  return (
    header.fence === null &&
    !header.opensFence &&
    !header.isBlank &&
    text.includes('-') &&
    markdown.slice(header.start, header.end).includes('|') &&
    text.length <= 2000 &&
    delimiterRowPattern.test(text)
  );
}
