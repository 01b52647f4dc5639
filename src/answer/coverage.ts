import type { LedgerPage, LedgerSource, LedgerStep } from './row-ledger.ts';

/** The line under an answer that says which rows it is made of. */

const linesNamed = 3;
const namesNamed = 3;
const partsNamed = 6;
const nothingLost = 'All rows used.';

/** The built-in analyst says it in more words, with reasons. */
const saidAlready = /^(?:All rows used\.|(?:Rows|Values) used: \d)/m;

interface Table extends LedgerSource {
  readonly key: string;
  /** Rows left after those that were dropped from the whole table. */
  left: number;
  readonly drops: LedgerStep[];
}

type Step = Omit<LedgerStep, 'source'> & { readonly table: Table | null };

/** `text` with the line behind it, unless it has one of its own or there is nothing to say. */
export function withCoverage(text: string, pages: readonly LedgerPage[]): string {
  const line = text.trim() === '' || saidAlready.test(text) ? null : coverageLine(pages);
  return line === null ? text : `${text.trimEnd()}\n\n${line}`;
}

/**
 * One sentence about the rows that the cells of an answer loaded, lost, kept and joined: `Used 12,431 of 12,440 rows (9 rejected:
 * lines 88, 91, 95 …); join matched 96.2 %.` The same step in two cells counts once. `null`: no table was loaded or used, or
 * rows of tables made by code were counted and none was lost.
 */
export function coverageLine(pages: readonly LedgerPage[]): string | null {
  const { tables, steps } = together(pages);
  const others = steps.filter((step) => !isDropOfWhole(step) && !isOfSummary(step, tables));
  const parts = [
    ...usedPart(tables),
    ...filterParts(others),
    ...dropParts(others),
    ...others.flatMap(joinPart),
    ...others.flatMap(otherPart),
  ];
  const more = pages.reduce((sum, page) => sum + page.more, 0) + Math.max(0, parts.length - partsNamed);
  if (parts.length === 0) return tables.length > 0 && more === 0 ? nothingLost : null;
  const said = parts.slice(0, partsNamed).join('; ');
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${more > 0 ? `; and ${counted(more, 'more step')}` : ''}.`;
}

function together(pages: readonly LedgerPage[]): {
  readonly tables: readonly Table[];
  readonly steps: readonly Step[];
} {
  const tables = new Map<string, Table>();
  const steps = new Map<string, Step>();
  for (const page of pages) {
    const byId = new Map<number, Table>();
    for (const source of page.sources) {
      const key = JSON.stringify([source.file, source.table, source.rows, source.loaded]);
      const table = tables.get(key) ?? { ...source, key, left: source.loaded, drops: [] };
      tables.set(key, table);
      byId.set(source.id, table);
    }
    for (const { source, ...step } of page.steps) {
      const table = source === null ? null : (byId.get(source) ?? null);
      const key = JSON.stringify([table?.key, step]);
      if (!steps.has(key)) steps.set(key, { ...step, table });
    }
  }
  return { tables: [...tables.values()], steps: [...steps.values()] };
}

/** Drops one after the other from the whole of a loaded table say what was used of it; noted with the table. */
function isDropOfWhole(step: Step): boolean {
  const { table } = step;
  if (table === null || !isDrop(step) || step.before !== table.left) return false;
  table.left = step.after;
  if (step.lost > 0) table.drops.push({ ...step, source: table.id });
  return true;
}

/** Groups and sums that the code goes on with: what it leaves out of them is the answer, and no rows of the file. */
function isOfSummary({ op, table, before }: Step, tables: readonly Table[]): boolean {
  return table === null && op !== 'join' && 2 * before <= Math.max(0, ...tables.map(({ loaded }) => loaded));
}

function isDrop({ op }: Pick<Step, 'op'>): boolean {
  return op === 'dropna' || op === 'dropna-all' || op === 'dedupe' || op === 'drop';
}

function usedPart(tables: readonly Table[]): readonly string[] {
  const cut = tables.filter((table) => table.left < table.rows || table.uncounted);
  if (cut.length === 0) return [];
  const isOnly = tables.length === 1;
  const parts = cut.slice(0, namesNamed).map((table) => {
    const reasons = [...rejectedWords(table), ...table.drops.map(dropWords)];
    if (table.uncounted) reasons.push('read in part: lines were skipped, uncounted');
    const name = isOnly ? '' : ` of ${labelOf(table, tables)}`;
    return `${figure(table.left)} of ${figure(table.rows)} rows${name}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`;
  });
  if (cut.length > namesNamed) parts.push(`not all of ${counted(cut.length - namesNamed, 'other table')}`);
  const whole = tables.filter((table) => !cut.includes(table));
  const [first] = whole;
  if (first !== undefined) {
    parts.push(whole.length === 1 ? `all of ${labelOf(first, tables)}` : `all of ${whole.length} other tables`);
  }
  return [`used ${new Intl.ListFormat('en-GB').format(parts)}`];
}

function rejectedWords({ rejected, lines }: Table): readonly string[] {
  if (rejected === 0) return [];
  const named = lines.slice(0, linesNamed).map(String).join(', ');
  const more = rejected > Math.min(lines.length, linesNamed) ? ' …' : '';
  const where = named === '' ? '' : `: ${rejected === 1 ? 'line' : 'lines'} ${named}${more}`;
  return [`${figure(rejected)} rejected${where}`];
}

function dropWords({ op, lost, names }: Pick<LedgerStep, 'op' | 'lost' | 'names'>): string {
  if (op === 'dropna') return `dropped ${figure(lost)} with missing ${names.length === 0 ? 'values' : namesOf(names)}`;
  if (op === 'dropna-all') return `dropped ${counted(lost, 'empty row')}`;
  if (op !== 'dedupe') return `dropped ${counted(lost, 'row')}`;
  return `dropped ${counted(lost, 'duplicate')}${names.length === 0 ? '' : ` by ${namesOf(names)}`}`;
}

function dropParts(steps: readonly Step[]): readonly string[] {
  return steps.filter((step) => isDrop(step) && step.lost > 0).map(dropWords);
}

/** Filters of the same table together: a model may look at many parts of it. */
function filterParts(steps: readonly Step[]): readonly string[] {
  const kept = new Map<string, Step[]>();
  for (const step of steps.filter(({ op, lost }) => op === 'filter' && lost > 0)) {
    const key = JSON.stringify([step.table?.key, step.before]);
    kept.set(key, [...(kept.get(key) ?? []), step]);
  }
  return [...kept.values()].map((same) => {
    const sizes = same.map(({ after }) => after);
    const before = figure(same[0]?.before ?? 0);
    if (sizes.length === 1) return `filter kept ${figure(sizes[0] ?? 0)} of ${before}`;
    if (sizes.length <= 3) return `filters kept ${new Intl.ListFormat('en-GB').format(sizes.map(figure))} of ${before}`;
    return `${sizes.length} filters kept ${figure(Math.min(...sizes))} to ${figure(Math.max(...sizes))} of ${before}`;
  });
}

function joinPart({ op, before, matched, extra, names }: Step): readonly string[] {
  if (op !== 'join' || matched === null) return [];
  const on = names.length === 0 ? '' : ` on ${namesOf(names)}`;
  const lacking = matched < before ? [`join${on} matched ${percent(matched, before)}`] : [];
  return extra > 0 ? [...lacking, `join${on} added ${counted(extra, 'row')} (repeated keys)`] : lacking;
}

function otherPart({ op, before, after, lost, names }: Step): readonly string[] {
  if (lost === 0) return [];
  if (op === 'sample') return [`sample of ${figure(after)} from ${figure(before)}`];
  if (op === 'groupby') {
    return [`grouping left out ${figure(lost)} with missing ${names.length === 0 ? 'keys' : namesOf(names)}`];
  }
  return op === 'concat' ? [`putting tables side by side left out ${counted(lost, 'row')}`] : [];
}

/** Never rounded up to all, nor down to none. */
function percent(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %';
  const tenths = Math.floor((1000 * part) / whole);
  return tenths === 0 ? 'under 0.1 %' : `${tenths / 10} %`;
}

/** The file, and its table where another one of the same file is spoken of. */
function labelOf({ file, table, key }: Table, tables: readonly Table[]): string {
  const isAlone = tables.every((other) => other.key === key || other.file !== file);
  return plain(isAlone || table === null ? file : `${file} / ${table}`);
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, namesNamed).map(plain);
  const more = names.length - shown.length;
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(more > 0 ? [...shown, `${more} others`] : shown);
}

/** Names come from the file: on one line, short, without anything that Markdown or a platform would act on. */
function plain(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  const cut = line.length <= 60 ? line : `${line.slice(0, 59).toWellFormed()}…`;
  return cut.replaceAll(/([\\`*_~[\]|<>])/g, '\\$1');
}

function counted(number: number, noun: string): string {
  return `${figure(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function figure(number: number): string {
  return number.toLocaleString('en-US');
}
