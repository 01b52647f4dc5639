import { sql } from 'kysely';
import type { Insertable, Kysely, RawBuilder } from 'kysely';
import type { Database, UsageTable } from './schema.ts';

type Row = Insertable<UsageTable>;

const sums = [
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'reasoning_tokens',
  'model_turns',
  'sandbox_ms',
  'cost_micros',
] as const;
const greatest = ['bytes_in', 'bytes_out'] as const;

/**
 * Writes to the one row of a task, in one statement, which makes it where it is missing: numbers are added (of bytes the greatest
 * counts), everything else that is given takes the place of what was there.
 */
export async function upsertUsage(
  db: Kysely<Database>,
  given: Partial<Row> & Pick<Row, 'task_id'>,
  isNewOnly: readonly (keyof Row)[] = [],
): Promise<void> {
  const row = {
    input_tokens: 0,
    cached_input_tokens: 0,
    output_tokens: 0,
    sandbox_ms: 0,
    kind: 'unclaimed' as const,
    ...given,
  };
  const changes: Record<string, RawBuilder<unknown>> = {};
  for (const name of Object.keys(given) as (keyof Row)[]) {
    if (name === 'task_id' || isNewOnly.includes(name)) continue;
    const [old, added] = [sql.ref(`usage.${name}`), sql.ref(`excluded.${name}`)];
    if ((sums as readonly string[]).includes(name)) changes[name] = sql`${old} + ${added}`;
    else if ((greatest as readonly string[]).includes(name)) {
      changes[name] = sql`case when ${old} > ${added} then ${old} else ${added} end`;
    } else changes[name] = added;
  }
  await db
    .insertInto('usage')
    .values(row)
    // Written out, as in the index: it covers no rows of before.
    .onConflict((conflict) =>
      conflict
        .column('task_id')
        .where(sql<boolean>`kind <> ''`)
        .doUpdateSet(changes),
    )
    .execute();
}
