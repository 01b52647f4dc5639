import type { Files, Table } from './cards.ts';
import { compile } from './compile.ts';
import { followUp } from './follow-up.ts';
import { readQuestion } from './parse-analysis.ts';
import { readFileTask, readQr } from './parse-files.ts';
import type { Plan, RunPlan, TalkPlan } from './plan.ts';
import { askForFile, emptyTables, helpText, isGreeting, notUnderstood, unreadableFile } from './talk.ts';
import { compileRowsByPosition } from './positions.ts';
import { withUnmetWishes } from './unmet-wishes.ts';

/**
 * The plan for a question about these files. `previous` is the plan of the thread's last answered question, which a
 * follow-up changes; `fresh`: the question came with files of its own. Pure: the same input gives the same plan.
 */
export function planFor(question: string, files: Files, previous: RunPlan | null, fresh: boolean): Plan {
  const talk = (text: string): TalkPlan => ({ kind: 'talk', text });
  if (isGreeting(question)) return talk(helpText(files));
  const qr = readQr(question);
  if (qr !== null) return qr;
  if (/\bqr[\s-]?codes?\b/i.test(question))
    return talk('What should the QR code say? Ask, for example: make a QR code for https://example.org');
  if (files.cards.length === 0) return talk(askForFile());

  const asked = question.trim() === '' ? 'describe this file' : question;
  const table = previousTable(previous, files);
  const last = fresh ? null : previous;
  const task = readFileTask(asked, files);
  if (task !== null) return task;
  if (files.tables.length === 0) {
    const broken = unreadableFile(files);
    return talk(broken === '' ? notUnderstood(files, [], null) : broken);
  }
  if (files.tables.every(({ rows }) => rows === 0)) return talk(emptyTables(files));
  const position = compileRowsByPosition(asked, files, table);
  if (position !== null) return position;
  const quick = last !== null && (last.kind === 'analysis' || last.kind === 'columns');
  const reading = readQuestion(asked, files, table, quick);
  if (reading === null) return talk(notUnderstood(files, [], null));
  const plan = followUp(reading, last, files) ?? compile(reading, files);
  return plan === null
    ? talk(notUnderstood(files, reading.unknown, reading.table))
    : withUnmetWishes(plan, reading.style.style);
}

function previousTable(previous: RunPlan | null, files: Files): Table | null {
  if (previous === null || !('source' in previous)) return null;
  const { file, table } = previous.source.table;
  return files.tables.find(({ ref }) => ref.file === file && ref.table === table) ?? null;
}
