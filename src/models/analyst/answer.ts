import { sayAnalysis } from './answer-analysis.ts';
import type { Said } from './answer-analysis.ts';
import {
  sayColumns,
  sayConvert,
  sayListing,
  sayMedia,
  sayPalette,
  sayProfile,
  sayQr,
  sayRows,
  sayText,
} from './answer-files.ts';
import { footer } from './answer-rows.ts';
import type { Facts, ToolOutcome } from './facts.ts';
import { listed, plainText } from './format.ts';
import type { RunPlan } from './plan.ts';

/** The answer as Markdown: headline, bullets, then what was assumed and which rows were used. */
export function answerText(plan: RunPlan, facts: Facts): string {
  const nothing = noMatchText(facts);
  if (nothing !== null) return nothing;
  if (facts.number('kept') === 0) return `No row is left after the filter. ${footer(plan, facts).join(' ')}`;
  const said = say(plan, facts);
  const notes = footer(plan, facts);
  return [said.headline, said.bullets.map((line) => `- ${line}`).join('\n'), notes.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n');
}

function say(plan: RunPlan, facts: Facts): Said {
  switch (plan.kind) {
    case 'analysis':
      return sayAnalysis(plan, facts);
    case 'columns':
      return sayColumns(plan, facts);
    case 'rows':
      return sayRows(plan, facts);
    case 'profile':
      return sayProfile(plan, facts);
    case 'convert':
      return sayConvert(plan, facts);
    case 'video':
    case 'gif':
      return sayMedia(plan, facts);
    case 'palette':
      return sayPalette(facts);
    case 'text':
      return sayText(plan, facts);
    case 'listing':
      return sayListing(facts);
    case 'qr':
      return sayQr(facts);
    default:
      return plan satisfies never;
  }
}

/** A value that stands nowhere is said, never replaced by another. */
function noMatchText(facts: Facts): string | null {
  const miss = facts.object('no_match');
  if (miss === null) return null;
  const value = plainText(miss.text('value') ?? '');
  const column = miss.text('column');
  const closest = miss.texts('closest').map((name) => `“${plainText(name)}”`);
  const where = column === null ? 'in no text column of the file' : `not in the column ${plainText(column)}`;
  return `“${value}” stands ${where}, so I computed nothing. ${closest.length > 0 ? `The closest I found: ${listed(closest)}. Ask again with one of them.` : 'I found nothing similar either; “show columns” lists what is there.'}`;
}

/** For a person, after the second attempt failed too. The traceback stays with *Show code*. */
export function failureText(plan: RunPlan, outcome: ToolOutcome): string {
  const file = plainText('source' in plan ? plan.source.table.file : 'file' in plan ? plan.file : 'the file');
  switch (outcome.status) {
    case 'timeout':
      return `The computation on ${file} took longer than a cell may, so it was stopped. A smaller question (one group, one year) may fit.`;
    case 'out-of-memory':
      return `${file} needs more memory than the sandbox has, so the computation was stopped. Fewer rows or columns may fit.`;
    case 'cancelled':
      return 'Stopped.';
    default: {
      const reason = plainText(outcome.error.replace(/^\w+(?:Error|Exception): /, ''));
      return `I could not compute that from ${file}, also not on a second try${reason === '' ? '' : `: ${reason}`}. The code and its output are in *Show code*.`;
    }
  }
}
