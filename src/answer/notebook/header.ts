import { codeSpan, plainLine } from './markdown.ts';
import { timeText } from './time-text.ts';

/** What the notebook was made with. */
export interface NotebookEnvironment {
  /** `plotline-sandbox:latest` */
  readonly imageName: string;
  /** `sha256:…` */
  readonly imageDigest: string;
  readonly plotlineVersion: string;
  readonly python: string;
  /** `pandas 2.2.3`: those the cells import. */
  readonly packages: readonly string[];
}

export interface HeaderFacts {
  /** The first question, as it was asked. */
  readonly title: string;
  readonly reranAtMs: number;
  /** Code cells beside the set-up. */
  readonly cellCount: number;
  /** One sentence for each cell whose re-run differed; Markdown. */
  readonly differences: readonly string[];
  /** Sentences about what else a reader must know: results that were not kept, files that are gone. */
  readonly remarks: readonly string[];
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[];
  readonly environment: NotebookEnvironment;
}

const headingCharacters = 120;

/** The notebook's first cell: title, outcome of the re-run, files, environment. Markdown. */
export function headerText(facts: HeaderFacts): string {
  const parts = [`# ${headingText(facts.title)}`, outcomeText(facts)];
  if (facts.remarks.length > 0) parts.push(facts.remarks.map((remark) => `- ${remark}`).join('\n'));
  parts.push(filesText(facts.files), environmentText(facts.environment));
  return parts.join('\n\n');
}

/** A text of a person as one line that is not too long for a heading. */
export function headingText(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return plainLine(line.length <= headingCharacters ? line : `${line.slice(0, headingCharacters - 1).toWellFormed()}…`);
}

/** How a cell is named, as viewers number it. */
export function stepName(executionCount: number, title: string): string {
  return `Cell \\[${executionCount}\\] (${plainLine(title)})`;
}

function outcomeText({ differences, reranAtMs, cellCount }: HeaderFacts): string {
  const when =
    `On ${timeText(reranAtMs)} the cells were run again in a fresh container, from top to bottom, ` +
    'the clock set to when each had run first';
  if (cellCount === 0) return '**Nothing to run again:** no step of this thread came to its end.';
  if (differences.length === 0) return `**Re-ran, identical.** ${when}; each gave what is shown here.`;
  const count = differences.length === 1 ? '1 cell differs' : `${differences.length} cells differ`;
  const list = differences.map((difference) => `- ${difference}`).join('\n');
  return `**Re-ran, ${count}.** ${when}; these gave something else than is shown here:\n\n${list}`;
}

function filesText(files: HeaderFacts['files']): string {
  if (files.length === 0) return 'It needs no files.';
  const rows = files.map(
    ({ name, sizeBytes, sha256 }) => `| ${plainLine(name)} | ${sizeBytes.toLocaleString('en-US')} | \`${sha256}\` |`,
  );
  const noun = files.length === 1 ? 'this file' : 'these files';
  const how = `To run it, put ${noun} into the notebook's folder and run all cells from top to bottom.`;
  return `${how}\n\n| File | Bytes | SHA-256 |\n|---|---:|---|\n${rows.join('\n')}`;
}

function environmentText({ imageName, imageDigest, plotlineVersion, python, packages }: NotebookEnvironment): string {
  const needs = packages.length === 0 ? '' : ` with ${packages.join(', ')}`;
  return (
    `Made by Plotline ${plotlineVersion} in the image ${codeSpan(imageName)} (\`${imageDigest}\`), Python ${python}${needs}. ` +
    'Other versions may draw and round differently.'
  );
}
