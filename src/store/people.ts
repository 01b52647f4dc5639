import type { Kysely } from 'kysely';
import type { Store } from '../ports/store.ts';
import { entryOf, unfinished } from './inbox.ts';
import { personKeyOf, workspaceKeyOf } from './owners.ts';
import type { Database } from './schema.ts';

type People = Pick<Store, 'tasksOf' | 'threadsBegunBy' | 'load' | 'usageOf' | 'putFeedback'>;

/** What one person asked and what it took; how busy their workspace is. */
export function createPeople(db: Kysely<Database>): People {
  return {
    tasksOf: async (who, limit) => {
      const rows = await db
        .selectFrom('tasks')
        .selectAll()
        .where('person_key', '=', personKeyOf(who))
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute();
      return rows.map(entryOf);
    },

    threadsBegunBy: async (who) => {
      const rows = await db
        .selectFrom('tasks')
        .select('thread_key')
        .where('person_key', '=', personKeyOf(who))
        .where('sequence', '=', (query) =>
          query
            .selectFrom('tasks as first')
            .select((expression) => expression.fn.min('first.sequence').as('sequence'))
            .whereRef('first.thread_key', '=', 'tasks.thread_key'),
        )
        .orderBy('sequence')
        .execute();
      return rows.map((row) => row.thread_key);
    },

    load: async (platform, workspaceId) => {
      const rows = await db
        .selectFrom('tasks')
        .select(['state', (expression) => expression.fn.countAll().as('tasks')])
        .where('workspace_key', '=', workspaceKeyOf(platform, workspaceId))
        .where('state', 'in', unfinished)
        .groupBy('state')
        .execute();
      const countOf = (state: string): number => Number(rows.find((row) => row.state === state)?.tasks ?? 0);
      return { running: countOf('running'), waiting: countOf('waiting') };
    },

    usageOf: async (who, sinceMs) => {
      const asked = db
        .selectFrom('tasks')
        .where('person_key', '=', personKeyOf(who))
        .where('received_at_ms', '>=', sinceMs);
      const { questions } = await asked
        // Refused ones, and those that were stopped before they began, were not asked.
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('usage')
                .select('usage.task_id')
                .whereRef('usage.task_id', '=', 'tasks.id')
                .where('usage.kind', '=', 'uncounted'),
            ),
          ),
        )
        .select((expression) => expression.fn.countAll().as('questions'))
        .executeTakeFirstOrThrow();
      const sums = await asked
        .innerJoin('usage', 'usage.task_id', 'tasks.id')
        .select(({ fn }) => [
          fn.sum('input_tokens').as('input'),
          fn.sum('cached_input_tokens').as('cached'),
          fn.sum('output_tokens').as('output'),
          fn.sum('sandbox_ms').as('sandbox'),
        ])
        .executeTakeFirstOrThrow();
      return {
        questions: Number(questions),
        inputTokens: Number(sums.input ?? 0),
        cachedInputTokens: Number(sums.cached ?? 0),
        outputTokens: Number(sums.output ?? 0),
        sandboxMs: Number(sums.sandbox ?? 0),
      };
    },

    putFeedback: async (taskId, personId, value) => {
      await db
        .insertInto('feedback')
        .values({ task_id: taskId, person_id: personId, value })
        .onConflict((conflict) =>
          conflict
            .columns(['task_id', 'person_id'])
            .doUpdateSet({ value: (expression) => expression.ref('excluded.value') }),
        )
        .execute();
    },
  };
}
