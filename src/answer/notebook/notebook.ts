import type { Cell } from '../../types.ts';
import { headerText, headingText, stepName } from './header.ts';
import type { HeaderFacts } from './header.ts';
import { codeFence, plainLine, plainText, quotation, tamedMarkdown } from './markdown.ts';
import { codeCell, markdownCell } from './nbformat.ts';
import type { Notebook, NotebookCell, Output } from './nbformat.ts';
import { portableCode } from './portable-code.ts';
import { seedLine } from './set-up-code.ts';
import { timeText } from './time-text.ts';

/** One cell of the thread with what is known of it. */
export interface NotebookStep {
  readonly cell: Cell;
  /** False for a cell that was killed: it is shown, but a run from top to bottom must not meet it. */
  readonly isRun: boolean;
  readonly outputs: readonly Output[];
  /** How the re-run differed, as the rest of a sentence that begins with the cell's name, Markdown; `null`: not at all. */
  readonly difference: string | null;
  /** It raised, in the thread or in the re-run. */
  readonly raises: boolean;
}

/** One question of the thread with everything it led to. */
export interface NotebookQuestion {
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

export interface NotebookContent extends Omit<HeaderFacts, 'differences' | 'cellCount'> {
  /** `difference` as of a step. */
  readonly setUp: Pick<NotebookStep, 'outputs' | 'difference'> & { readonly code: string };
  readonly questions: readonly NotebookQuestion[];
}

/** Renders a thread, set-up first, in the order in which it happened. The same content gives the same notebook. */
export function renderNotebook(content: NotebookContent): Notebook {
  const differences: string[] = [];
  let executionCount = 0;
  const code = (id: string, source: string, outputs: readonly Output[], hidden: boolean, raises: boolean) => {
    executionCount += 1;
    return codeCell(id, executionCount, source, outputs, { hidden, mayRaise: raises });
  };

  const stepCells = ({ cell, isRun, outputs, difference, raises }: NotebookStep): readonly NotebookCell[] => {
    const number = cell.index + 1;
    const heading = `**${plainLine(cell.title)}**`;
    if (!isRun) return [markdownCell(`step-${number}`, `${heading}\n\n${shownOnly(cell)}`)];
    const seeds =
      cell.seed === null || canFollowALine(cell.source)
        ? []
        : [code(`seed-${number}`, seedLine(cell.seed), [], true, false)];
    const cells = [
      markdownCell(`title-${number}`, heading),
      ...seeds,
      code(`cell-${number}`, codeOf(cell), outputs, false, raises),
    ];
    if (difference !== null) differences.push(`${stepName(executionCount, cell.title)} ${difference}.`);
    return cells;
  };

  const setUp = code('set-up', content.setUp.code, content.setUp.outputs, true, false);
  if (content.setUp.difference !== null) differences.push(`${stepName(1, 'set-up')} ${content.setUp.difference}.`);
  const body = content.questions.flatMap((question, index) => [
    markdownCell(`question-${index + 1}`, questionText(question)),
    ...question.steps.flatMap(stepCells),
    ...answerCells(question, index + 1),
  ]);
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
      language_info: { name: 'python', version: content.environment.python, file_extension: '.py' },
    },
    cells: [
      markdownCell('header', headerText({ ...content, differences, cellCount: executionCount - 1 })),
      setUp,
      ...body,
    ],
  };
}

function codeOf({ source, seed }: Cell): string {
  const code = portableCode(source).replace(/\n+$/, '');
  return seed !== null && canFollowALine(source) ? `${seedLine(seed)}\n${code}` : code;
}

/** Magics of a whole cell, imports from the future and code that is indented as a whole must come first in their cell. */
function canFollowALine(source: string): boolean {
  return !/^(?:[ \t]*\n)*(?:[ \t]|%%)/.test(source) && !/^from __future__\b/m.test(source);
}

function shownOnly({ source, execution: { status, error } }: Cell): string {
  const reason = error === null || error.message === '' ? status : error.message;
  return `Not to be run: it was ended in the thread. ${plainLine(reason)}\n\n${codeFence(source, 'python')}`;
}

/** The question as a heading; the whole of it below where a heading cannot hold it. */
function questionText({ personName, askedAtMs, text, cards }: NotebookQuestion): string {
  const asked = text.trim();
  const heading = headingText(asked);
  const isWhole = heading === plainText(asked);
  return [
    `## ${heading === '' ? 'A file without a question' : heading}`,
    `*${plainLine(personName)}, ${timeText(askedAtMs)}*`,
    ...(isWhole ? [] : [quotation(asked)]),
    ...cards.map(cardMarkdown),
  ].join('\n\n');
}

/** Cards are written for chats, which have no lists. */
function cardMarkdown(card: string): string {
  return tamedMarkdown(card).replace(/^• /gm, '- ');
}

function answerCells({ answer, notices }: NotebookQuestion, number: number): readonly NotebookCell[] {
  const list = notices.map((notice) => `- ${tamedMarkdown(notice)}`).join('\n');
  const text = [tamedMarkdown(answer.trim()), list].filter((part) => part !== '').join('\n\n');
  return text === '' ? [] : [markdownCell(`answer-${number}`, text)];
}
