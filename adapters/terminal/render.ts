import type { FileDetails } from '../../src/ports/platforms.ts';
import type { Artifact, Cell, Progress, TableData } from '../../src/types.ts';
import { displayWidth, fitToWidth } from '../display-width.ts';
import { formatBytes, formatCount, harmless, oneLine } from '../format.ts';
import { tableText } from '../table-text.ts';
import { highlightPython } from './style.ts';
import type { Style } from './style.ts';

const maxTableRows = 15;
const maxCellWidth = 40;
const maxTableCharacters = 50_000;

/** Markdown, lightly: headings, lists, quotes, bold, italic, code, links, signs behind a backslash. Everything else stays as it was written. */
export function renderMarkdown(markdown: string, style: Style): string {
  let language: string | null = null;
  const lines: string[] = [];
  for (const line of harmless(markdown).split('\n')) {
    const fence = /^\s*(?:```|~~~)\s*(\w*)/.exec(line);
    if (fence !== null) language = language === null ? (fence[1] ?? '') : null;
    else if (language !== null)
      lines.push(`  ${language === 'python' ? highlightPython(line, style) : style.cyan(line)}`);
    else lines.push(renderLine(line, style));
  }
  return lines.join('\n');
}

function renderLine(line: string, style: Style): string {
  const heading = /^#{1,6}\s+(.*)$/.exec(line);
  if (heading !== null) return style.bold(renderInline(heading[1] ?? '', style));
  const item = /^(\s*)[-*+]\s+(.*)$/.exec(line);
  if (item !== null) return `${item[1] ?? ''}• ${renderInline(item[2] ?? '', style)}`;
  const quote = /^>\s?(.*)$/.exec(line);
  if (quote !== null) return `${style.dim('│')} ${renderInline(quote[1] ?? '', style)}`;
  return renderInline(line, style);
}

// Bounded repetitions: an unbounded one would be quadratic in a text that a model wrote.
const inlinePattern =
  /\\([!-/:-@[-`{-~])|`([^`]{1,500})`|\*\*([^*]{1,500})\*\*|(?<![\w*])[*_]([^*_\s](?:[^*_]{0,500}[^*_\s])?)[*_](?![\w*])|\[([^\]]{1,500})\]\(([^()\s]{1,2000})\)/g;

function renderInline(text: string, style: Style): string {
  return text.replace(
    inlinePattern,
    (whole: string, escaped?: string, code?: string, bold?: string, italic?: string, label?: string, url?: string) => {
      if (escaped !== undefined) return escaped;
      if (code !== undefined) return style.hasColour ? style.cyan(code) : whole;
      if (bold !== undefined) return style.bold(bold);
      if (italic !== undefined) return style.hasColour ? style.italic(italic) : whole;
      return `${label} (${url})`;
    },
  );
}

/** A table in a frame, at most `width` columns wide; what is not shown is said below it. `wholeAt` is where all of it is. */
export function renderTable(table: TableData, wholeAt: string, width: number, style: Style): string {
  const { lines, shownRows, shownColumns } = tableText(table, {
    maxRows: maxTableRows,
    maxWidth: width - 4,
    maxCellWidth,
    maxCharacters: maxTableCharacters,
  });
  const inner = Math.max(...lines.map(displayWidth));
  const [header = '', , ...rows] = lines.map((line) => line + ' '.repeat(inner - displayWidth(line)));
  const rule = '─'.repeat(inner + 2);
  const more = [
    ...(table.rowCount > shownRows ? [`${formatCount(table.rowCount - shownRows)} more rows`] : []),
    ...(table.columns.length > shownColumns ? [`${table.columns.length - shownColumns} more columns`] : []),
  ];
  return [
    `┌${rule}┐`,
    `│ ${style.bold(header)} │`,
    `├${rule}┤`,
    ...rows.map((row) => `│ ${row} │`),
    `└${rule}┘`,
    ...(more.length > 0 ? [style.dim(`… ${more.join(' and ')} in ${wholeAt}`)] : []),
  ].join('\n');
}

/** An artifact whose file was saved as `path`: title, what it shows, where it is. */
export function renderArtifact(artifact: Artifact, path: string, width: number, style: Style): string {
  const place = `${path} ${style.dim(`(${formatBytes(artifact.file.sizeBytes)})`)}`;
  const title = style.bold(harmless(oneLine(artifact.title)));
  switch (artifact.kind) {
    case 'chart':
      return [
        `📈 ${title}`,
        `   ${place}`,
        ...(artifact.altText === '' ? [] : [`   ${style.dim(harmless(oneLine(artifact.altText)))}`]),
      ].join('\n');
    case 'table': {
      const drawn = artifact.table === null ? [] : [renderTable(artifact.table, path, width, style)];
      return [title, ...drawn, `   ${place}`].join('\n');
    }
    case 'file':
      return `📄 ${place}`;
    default:
      return artifact.kind satisfies never;
  }
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** One line per step, none wider than `width`; `frame` turns the spinner of the running one, `null` where nothing is redrawn. */
export function renderProgress(
  progress: Progress,
  width: number,
  style: Style,
  frame: number | null,
): readonly string[] {
  const fit = (text: string): string => fitToWidth(harmless(oneLine(text)), width - 3);
  const turning = frame === null ? '…' : (spinner[frame % spinner.length] ?? '…');
  if (progress.note !== '') return [`${style.cyan(turning)} ${fit(progress.note)}`];
  const symbols = { running: style.cyan(turning), done: style.green('✓'), failed: style.red('✗') };
  if (progress.steps.length === 0) return [`${symbols.running} ${fit('Working on it')}`];
  return progress.steps.map(({ title, state }) => `${symbols[state]} ${fit(title)}`);
}

/** Executed cells, for `/code`. */
export function renderCells(cells: readonly Cell[], style: Style): string {
  if (cells.length === 0) return 'No code was run yet.';
  return cells
    .map(({ title, source, execution }) => {
      const status = execution.status === 'ok' ? '' : ` ${style.red(`(${execution.status})`)}`;
      return `${style.bold(`# ${harmless(oneLine(title))}`)}${status}\n${highlightPython(harmless(source).trimEnd(), style)}`;
    })
    .join('\n\n');
}

/** Everything known about the files, for `/details`. */
export function renderDetails(files: readonly FileDetails[], style: Style): string {
  if (files.length === 0) return 'No file was looked at yet.';
  return files
    .map(({ file, sections }) => {
      const parts = sections.map(({ title, lines }) =>
        [style.bold(harmless(oneLine(title))), ...lines.map((line) => `  • ${harmless(oneLine(line))}`)].join('\n'),
      );
      return [style.cyan(harmless(oneLine(file))), ...parts].join('\n');
    })
    .join('\n\n');
}
