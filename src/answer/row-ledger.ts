import { z } from 'zod';
import { ledgerMime } from '../types.ts';
import type { Execution } from '../types.ts';

/** The row ledger as it comes from the sandbox: what a cell's tables came from, and the steps that changed their rows. */

/** Of one cell; the kernel tells fewer. */
const sourcesLimit = 50;
const stepsLimit = 100;
const pageBytes = 256 * 1024;

const count = z.int().nonnegative();
const name = z.string().transform((text) => text.slice(0, 200).toWellFormed());
const id = z.int();

const source = z.object({
  id,
  file: name,
  table: name.nullable(),
  /** Of the file, rejected ones included. */
  rows: count,
  loaded: count,
  rejected: count,
  /** The first lines that were rejected. */
  lines: z.array(count).max(50),
  /** Lines may be missing that nobody counted. */
  uncounted: z.boolean(),
});

const step = z.object({
  op: z.enum(['filter', 'sample', 'dropna', 'dropna-all', 'dedupe', 'drop', 'join', 'groupby', 'concat']),
  /** A source's id; `null` where the table is of none or of several. */
  source: id.nullable(),
  before: count,
  after: count,
  /** How many of `before` are not in the result. */
  lost: count,
  /** Columns or keys it went by. */
  names: z.array(name).max(20),
  /** Joins: how many of `before` found a partner. */
  matched: count.nullable(),
  /** Joins: rows more than there were, by repeated keys. */
  extra: count,
});

const page = z.object({ sources: z.array(z.unknown()), steps: z.array(z.unknown()), more: count });

export type LedgerSource = z.infer<typeof source>;
export type LedgerStep = z.infer<typeof step>;

/** What one cell counted. */
export interface LedgerPage {
  readonly sources: readonly LedgerSource[];
  readonly steps: readonly LedgerStep[];
  /** Steps that are not told. */
  readonly more: number;
}

/** A page out of JSON that any cell could have displayed; entries that are none are left out. `null`: no page. */
export function parseLedger(value: unknown): LedgerPage | null {
  const found = page.safeParse(value);
  if (!found.success || JSON.stringify(value).length > pageBytes) return null;
  const { sources, steps, more } = found.data;
  return {
    sources: sources.slice(0, sourcesLimit).flatMap((entry) => source.safeParse(entry).data ?? []),
    steps: steps.slice(0, stepsLimit).flatMap((entry) => step.safeParse(entry).data ?? []),
    more,
  };
}

/** The execution as everything else knows it, and its ledger. Only the last result can be the kernel's own page. */
export function takeLedger(execution: Execution): {
  readonly execution: Execution;
  readonly ledger: LedgerPage | null;
} {
  const results = execution.results.filter((bundle) => !(ledgerMime in bundle));
  if (results.length === execution.results.length) return { execution, ledger: null };
  return { execution: { ...execution, results }, ledger: parseLedger(execution.results.at(-1)?.[ledgerMime]) };
}
