import type { Files, Table } from './cards.ts';
import type { RowsPlan } from './plan.ts';
import { chooseTable } from './source.ts';

/** `first 10 rows`, `last five lines`, `a sample`, `show the data`: rows by their place in the file. */
export function compileRowsByPosition(question: string, files: Files, preferred: Table | null): RowsPlan | null {
  const match =
    /\b(first|top|last|bottom|random|\bsample)\s*(?:of\s+)?(\d{1,4}|five|ten|few|some)?\s*(?:random\s+)?(?:rows?|lines?|records?|entries)\b(?!\s+(?:by|with|where|for|in)\b)|\b(\d{1,4})\s+(random|sample)\s+(?:rows?|lines?|records?)\b|^\W*(?:show|preview|display|print)\s+(?:me\s+)?(?:the\s+|this\s+|my\s+)?(?:data|file|table|sheet|rows|head|preview)\W*$|\bpreview\b/i.exec(
      question,
    );
  if (match === null) return null;
  const table = chooseTable(question, [], files.tables, preferred);
  if (table === null) return null;
  const word = (match[1] ?? match[4] ?? 'first').toLowerCase();
  const size =
    { five: 5, ten: 10, few: 5, some: 5 }[match[2]?.toLowerCase() ?? ''] ?? Number(match[2] ?? match[3] ?? 10);
  return {
    kind: 'rows',
    source: { table: table.ref, joins: [] },
    filters: [],
    sortBy: null,
    order: 'desc',
    count: Math.min(100, Math.max(1, size)),
    part: word === 'last' || word === 'bottom' ? 'tail' : word === 'random' || word === 'sample' ? 'random' : 'head',
    assumptions: [],
  };
}
