import type { Cell, MimeBundle } from '../../types.ts';
import { codeFence, plainLine, quotation, tamedMarkdown } from './markdown.ts';
import { codeCell, markdownCell } from './nbformat.ts';
import type { Notebook, NotebookCell } from './nbformat.ts';
import { headerText, stepName } from './header.ts';
import type { HeaderFacts } from './header.ts';
import { outputsOf } from './outputs.ts';
import type { OutputRoom, StepOutput } from './outputs.ts';
import { portableCode, portableOutput } from './portable-code.ts';
import { seedLine } from './set-up-code.ts';
import { timeText } from './time-text.ts';

/** One cell of the thread with what is known of it. */
export interface NotebookStep {
  readonly cell: Cell;
  /** What it showed: as recorded, or of the re-run where nothing was recorded. */
  readonly results: readonly MimeBundle[];
  /** How the re-run differed, as the rest of a sentence that begins with the cell's name; `null`: not at all. */
  readonly difference: string | null;
  /** It raised, there or in the re-run. */
  readonly raises: boolean;
}

/** One question of the thread with everything it led to. */
export interface NotebookQuestion {
  readonly taskId: string;
  readonly text: string;
  readonly personName: string;
  readonly askedAtMs: number;
  /** What was said about its files before the answer. Markdown. */
  readonly cards: readonly string[];
  readonly steps: readonly NotebookStep[];
  /** Markdown; empty where it got none. */
  readonly answer: string;
  readonly notices: readonly string[];
}

export interface NotebookContent extends Omit<HeaderFacts, 'differences'> {
  readonly setUp: { readonly code: string; readonly output: StepOutput };
  readonly questions: readonly NotebookQuestion[];
  /** Room for all outputs, in bytes. */
  readonly outputBytes: number;
}

/** Renders a thread, set-up first, in the order in which it happened. Deterministic: the same content is the same notebook. */
export function renderNotebook(content: NotebookContent): Notebook {
  const room: OutputRoom = { bytes: content.outputBytes };
  const differences: string[] = [];
  let executionCount = 1;
  const setUp = codeCell('set-up', executionCount, content.setUp.code, outputsOf(content.setUp.output, room), {
    hidden: true,
    mayRaise: false,
  });

  const seedCell = (index: number, seed: number): NotebookCell => {
    executionCount += 1;
    return codeCell(`seed-${index + 1}`, executionCount, seedLine(seed), [], { hidden: true, mayRaise: false });
  };

  const cellsOf = ({ cell, results, difference, raises }: NotebookStep): readonly NotebookCell[] => {
    const heading = `**${plainLine(cell.title)}**`;
    if (!runsToItsEnd(cell)) {
      const text = `${heading}\n\n${whyNotRun(cell)}\n\n${codeFence(cell.source, 'python')}`;
      return [markdownCell(`step-${cell.index + 1}`, text)];
    }
    const seeds = cell.seed !== null && !canFollowALine(cell.source) ? [seedCell(cell.index, cell.seed)] : [];
    executionCount += 1;
    if (difference !== null) differences.push(`${stepName(executionCount, cell.title)} ${difference}`);
    const { stdout, stderr, error } = cell.execution;
    const output = {
      stdout: portableOutput(stdout, cell.source),
      stderr: portableOutput(stderr, cell.source),
      results,
      error,
    };
    const marks = { hidden: false, mayRaise: raises };
    return [
      markdownCell(`title-${cell.index + 1}`, heading),
      ...seeds,
      codeCell(`cell-${cell.index + 1}`, executionCount, codeOf(cell), outputsOf(output, room), marks),
    ];
  };

  const body = content.questions.flatMap((question, index) => [
    markdownCell(`question-${index + 1}`, questionText(question)),
    ...question.steps.flatMap(cellsOf),
    ...answerCells(question, index),
  ]);
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
      language_info: { name: 'python', version: content.environment.python, file_extension: '.py' },
      title: content.title.toWellFormed(),
    },
    cells: [markdownCell('header', headerText({ ...content, differences })), setUp, ...body],
  };
}

/** A cell that was killed has no end that running it again could come to. */
export function runsToItsEnd({ execution: { status } }: Cell): boolean {
  return status === 'ok' || status === 'error';
}

function codeOf({ source, seed }: Cell): string {
  const code = portableCode(source).replace(/\n+$/, '');
  return seed !== null && canFollowALine(source) ? `${seedLine(seed)}\n${code}` : code;
}

/** Magics of a whole cell, imports from the future and code that is indented as a whole must come first in their cell. */
function canFollowALine(source: string): boolean {
  return !/^(?:[ \t]*\n)*(?:[ \t]|%%)/.test(source) && !/^from __future__\b/m.test(source);
}

function whyNotRun({ execution: { status, error } }: Cell): string {
  const reason = error === null || error.message === '' ? status : error.message;
  return `Not run here, because it was ended in the thread: ${plainLine(reason)}`;
}

function questionText({ personName, askedAtMs, text, cards }: NotebookQuestion): string {
  const head = `## ${plainLine(personName)}, ${timeText(askedAtMs)}`;
  return [head, text.trim() === '' ? '' : quotation(text), ...cards.map(tamedMarkdown)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function answerCells({ answer, notices }: NotebookQuestion, index: number): readonly NotebookCell[] {
  const list = notices.map((notice) => `- ${tamedMarkdown(notice)}`).join('\n');
  const text = [tamedMarkdown(answer.trim()), list].filter((part) => part !== '').join('\n\n');
  return text === '' ? [] : [markdownCell(`answer-${index + 1}`, text)];
}
