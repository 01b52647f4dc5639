import { parseArgs } from 'node:util';
import { AppError } from '../errors.ts';
import type { UsageGrouping } from '../ports/usage.ts';

export interface UsageArguments {
  readonly help: boolean;
  /** In ms since 1970; `null`: since the month (UTC) began. */
  readonly sinceMs: number | null;
  readonly by: UsageGrouping;
  readonly format: 'table' | 'json' | 'csv';
}

const groupings: readonly UsageGrouping[] = ['person', 'channel', 'workspace', 'day', 'model'];

export const usageUsage = `npm run usage                                  what this month's questions took, by person
npm run usage -- --since 2026-11-01            since that day (UTC), or a moment like 2026-11-01T08:00Z
               [--by person|channel|workspace|day|model]
               [--json | --csv]                for other programs; npm's own lines stay out with npm run --silent`;

/** Reads the arguments behind `npm run usage --`. Throws `AppError` (`config`) that ends with the usage. */
export function parseUsageArguments(argv: readonly string[]): UsageArguments {
  const { help = false, since = null, by = 'person', json = false, csv = false } = parsed(argv);
  const grouping = groupings.find((known) => known === by);
  if (grouping === undefined) throw wrong(`--by ${by}: there is only ${groupings.join(', ')}.`);
  if (json && csv) throw wrong('--json or --csv, not both.');
  return {
    help,
    sinceMs: since === null ? null : momentOf(since),
    by: grouping,
    format: json ? 'json' : csv ? 'csv' : 'table',
  };
}

function parsed(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        since: { type: 'string' },
        by: { type: 'string' },
        json: { type: 'boolean' },
        csv: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/** Only what has one meaning everywhere: a day alone is that of UTC. */
function momentOf(text: string): number {
  const isMoment = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const atMs = isMoment ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs))
    throw wrong(`--since ${text}: write a day like 2026-11-01, or a moment like 2026-11-01T08:00Z.`);
  return atMs;
}

function wrong(problem: string): AppError {
  return new AppError('config', `${problem}\n\n${usageUsage}`);
}
