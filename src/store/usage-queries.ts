import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Money, UsageGrouping, UsageLedger, UsageSum } from '../ports/usage.ts';
import { createLimitQueries } from './limit-queries.ts';
import { personKeyOf } from './owners.ts';
import type { Database } from './schema.ts';
import { upsertUsage } from './usage-rows.ts';
import type { WriteGroup } from './write-group.ts';

/** What tasks take, and whether there is room for one more. */
export function createUsageLedger(db: Kysely<Database>, group: WriteGroup): UsageLedger {
  return {
    ...createLimitQueries(db, group),

    addUsage: (taskId, spent) =>
      group.write((shared) =>
        upsertUsage(shared, {
          task_id: taskId,
          input_tokens: spent.inputTokens ?? 0,
          cached_input_tokens: spent.cachedInputTokens ?? 0,
          output_tokens: spent.outputTokens ?? 0,
          reasoning_tokens: spent.reasoningTokens ?? 0,
          model_turns: spent.modelTurns ?? 0,
          sandbox_ms: spent.sandboxMs ?? 0,
          bytes_in: spent.bytesIn ?? 0,
          cost_micros: spent.costMicros ?? 0,
          ...(spent.currency === undefined ? {} : { currency: spent.currency }),
          ...(spent.model === undefined ? {} : { model: spent.model }),
        }),
      ),

    endUsage: (task, { outcome, bytesOut, counts }) =>
      group.write((shared) =>
        upsertUsage(
          shared,
          {
            task_id: task.id,
            at_ms: Math.round(task.receivedAtMs),
            kind: 'uncounted',
            is_open: 0,
            outcome,
            bytes_out: bytesOut,
          },
          counts ? ['at_ms', 'kind'] : ['at_ms'],
        ),
      ),

    moneyOf: async (who, sinceMs) => {
      const rows = await db
        .selectFrom('tasks')
        .innerJoin('usage', 'usage.task_id', 'tasks.id')
        .select(['usage.currency', ({ fn }) => fn.sum('usage.cost_micros').as('micros')])
        .where('tasks.person_key', '=', personKeyOf(who))
        .where('tasks.received_at_ms', '>=', sinceMs)
        .where('usage.currency', '<>', '')
        .groupBy('usage.currency')
        .orderBy('usage.currency')
        .execute();
      return rows.map(({ currency, micros }) => ({ currency, micros: Number(micros) }));
    },

    usageBy: async (by, sinceMs) => {
      const sums = new Map<string, UsageSum>();
      for (const row of await summed(db, by, sinceMs)) {
        const name = groupName(by, row.group);
        const sum = sums.get(name) ?? nothing(name);
        sums.set(name, plus(sum, row));
      }
      const all = [...sums.values()];
      return by === 'day'
        ? all.toSorted((a, b) => (a.group < b.group ? -1 : 1))
        : all.toSorted((a, b) => tokensOf(b) - tokensOf(a) || b.tasks - a.tasks || (a.group < b.group ? -1 : 1));
    },
  };
}

const dayMs = 24 * 60 * 60 * 1000;

/** When a row counts; of one of before that was kept, when its task came. */
const at = sql<number>`case when usage.at_ms = 0 then tasks.received_at_ms else usage.at_ms end`;

/** By what the rows are put together in the database; a channel is put together from its threads. */
const groups = {
  person: sql<string>`tasks.person_key`,
  channel: sql<string>`tasks.thread_key`,
  workspace: sql<string>`tasks.workspace_key`,
  day: sql<number | string>`(${at}) / ${sql.lit(dayMs)}`,
  model: sql<string>`usage.model`,
} as const;

type Summed = Awaited<ReturnType<typeof summed>>[number];

function summed(db: Kysely<Database>, by: UsageGrouping, sinceMs: number) {
  return db
    .selectFrom('usage')
    .innerJoin('tasks', 'tasks.id', 'usage.task_id')
    .select(({ fn }) => [
      sql<string | number>`${groups[by]}`.as('group'),
      'usage.currency',
      fn.count('usage.task_id').distinct().as('tasks'),
      sql<number | string>`sum(case when usage.outcome = 'refused' then 1 else 0 end)`.as('refused'),
      sql<number | string>`sum(case when usage.outcome = 'failed' then 1 else 0 end)`.as('failed'),
      fn.sum('usage.input_tokens').as('input'),
      fn.sum('usage.cached_input_tokens').as('cached'),
      fn.sum('usage.output_tokens').as('output'),
      fn.sum('usage.reasoning_tokens').as('reasoning'),
      fn.sum('usage.model_turns').as('turns'),
      fn.sum('usage.sandbox_ms').as('sandbox'),
      fn.sum('usage.bytes_in').as('bytesIn'),
      fn.sum('usage.bytes_out').as('bytesOut'),
      fn.sum('usage.cost_micros').as('micros'),
    ])
    .where(at, '>=', sinceMs)
    .groupBy([sql`1`, 'usage.currency'])
    .execute();
}

function groupName(by: UsageGrouping, group: string | number): string {
  if (by === 'day') return new Date(Number(group) * dayMs).toISOString().slice(0, 10);
  return by === 'channel' ? String(group).split('/').slice(0, 3).join('/') : String(group);
}

function nothing(group: string): UsageSum {
  return {
    group,
    tasks: 0,
    refused: 0,
    failed: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    modelTurns: 0,
    sandboxMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    money: [],
  };
}

/** PostgreSQL gives sums as text. */
function plus(sum: UsageSum, row: Summed): UsageSum {
  return {
    group: sum.group,
    tasks: sum.tasks + Number(row.tasks),
    refused: sum.refused + Number(row.refused),
    failed: sum.failed + Number(row.failed),
    inputTokens: sum.inputTokens + Number(row.input),
    cachedInputTokens: sum.cachedInputTokens + Number(row.cached),
    outputTokens: sum.outputTokens + Number(row.output),
    reasoningTokens: sum.reasoningTokens + Number(row.reasoning),
    modelTurns: sum.modelTurns + Number(row.turns),
    sandboxMs: sum.sandboxMs + Number(row.sandbox),
    bytesIn: sum.bytesIn + Number(row.bytesIn),
    bytesOut: sum.bytesOut + Number(row.bytesOut),
    money:
      row.currency === '' ? sum.money : withMoney(sum.money, { currency: row.currency, micros: Number(row.micros) }),
  };
}

function withMoney(money: readonly Money[], more: Money): readonly Money[] {
  const known = money.find(({ currency }) => currency === more.currency);
  const others = money.filter(({ currency }) => currency !== more.currency);
  const sum = { currency: more.currency, micros: more.micros + (known?.micros ?? 0) };
  return [...others, sum].toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
}

function tokensOf({ inputTokens, outputTokens }: UsageSum): number {
  return inputTokens + outputTokens;
}
