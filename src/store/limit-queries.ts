import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely, RawBuilder } from 'kysely';
import type { PersonRef } from '../ports/platforms.ts';
import type { Limit, LimitKind, LimitScope, LimitUse, TaskKind, UsageLedger } from '../ports/usage.ts';
import { personKeyOf, workspaceKeyOf } from './owners.ts';
import { unfinished } from './inbox.ts';
import type { Database } from './schema.ts';
import { upsertUsage } from './usage-rows.ts';
import type { WriteGroup } from './write-group.ts';

/** The last 24 hours: what is that old to the millisecond counts no more. */
const dayMs = 24 * 60 * 60 * 1000;

/** In the order in which claims hold them; two claims that took theirs in another order could wait for each other for ever. */
const scopes: readonly LimitScope[] = ['workspace', 'channel', 'person'];

/** What a task of the kind can use up. */
const limitedBy: Readonly<Record<TaskKind, readonly LimitKind[]>> = {
  question: ['tasks-at-once', 'tasks-per-day', 'tokens-per-day', 'sandbox-ms-per-day'],
  notebook: ['tasks-at-once', 'sandbox-ms-per-day'],
  details: [],
};

type ScopeKeys = Readonly<Record<LimitScope, string>>;

export function createLimitQueries(db: Kysely<Database>, group: WriteGroup): Pick<UsageLedger, 'claim' | 'limitUses'> {
  return {
    claim: async (task, { kind, limits, nowMs }) => {
      const { platform, workspaceId, channelId } = task.thread;
      const keys = scopeKeysOf({ platform, workspaceId, channelId, personId: task.person.id });
      const begun = {
        task_id: task.id,
        at_ms: Math.round(nowMs),
        person_scope: keys.person,
        channel_scope: keys.channel,
        workspace_scope: keys.workspace,
      };
      const begin = (on: Kysely<Database>, as: TaskKind | 'uncounted') =>
        upsertUsage(on, { ...begun, kind: as, is_open: limitedBy[kind].length > 0 && as === kind ? 1 : 0 });
      const relevant = limits.filter((limit) => limitedBy[kind].includes(limit.kind));
      if (relevant.length === 0) {
        await group.write((shared) => begin(shared, kind));
        return [];
      }
      return await db.transaction().execute(async (transaction) => {
        await hold(transaction, keys, relevant);
        const known = await transaction
          .selectFrom('usage')
          .select('kind')
          .where('task_id', '=', task.id)
          .where('kind', '=', kind)
          .executeTakeFirst();
        if (known !== undefined) return [];
        const uses = await usesOf(transaction, keys, relevant, nowMs, task.id);
        const reached = uses.filter(({ used, value }) => used >= value);
        await begin(transaction, reached.length === 0 ? kind : 'uncounted');
        return reached;
      });
    },

    limitUses: (who, limits, nowMs) => {
      const keys = scopeKeysOf({ ...who, channelId: who.channelId ?? '' });
      const meant = limits.filter(({ scope }) => scope !== 'channel' || who.channelId !== null);
      return usesOf(db, keys, meant, nowMs, '');
    },
  };
}

/** The person's is a hash: their name goes from the store when they want it, but not what they used today. */
function scopeKeysOf({ platform, workspaceId, channelId, personId }: PersonRef & { channelId: string }): ScopeKeys {
  const workspace = workspaceKeyOf(platform, workspaceId);
  return {
    workspace,
    channel: `${workspace}/${encodeURIComponent(channelId)}`,
    person: createHash('sha256').update(personKeyOf({ platform, workspaceId, personId })).digest('hex').slice(0, 32),
  };
}

/**
 * Lets one claim of a scope in at a time, until its transaction ends: PostgreSQL runs two side by side, and each would count without the
 * other. SQLite has one writer anyway.
 */
async function hold(db: Kysely<Database>, keys: ScopeKeys, limits: readonly Limit[]): Promise<void> {
  const held = scopes.filter((scope) => limits.some((limit) => limit.scope === scope));
  await db
    .insertInto('limit_scopes')
    .values(held.map((scope) => ({ scope: `${scope}:${keys[scope]}`, claims: 1 })))
    .onConflict((conflict) =>
      conflict.column('scope').doUpdateSet({ claims: sql`limit_scopes.claims + 1` as RawBuilder<number> }),
    )
    .execute();
}

async function usesOf(
  db: Kysely<Database>,
  keys: ScopeKeys,
  limits: readonly Limit[],
  nowMs: number,
  exceptTaskId: string,
): Promise<readonly LimitUse[]> {
  const uses: LimitUse[] = [];
  for (const scope of scopes) {
    const ofScope = limits.filter((limit) => limit.scope === scope);
    const daily = ofScope.some(({ kind }) => kind !== 'tasks-at-once')
      ? await usedInDay(db, scope, keys[scope], nowMs)
      : null;
    for (const limit of ofScope) {
      const used =
        limit.kind === 'tasks-at-once'
          ? await openTasks(db, scope, keys[scope], exceptTaskId)
          : (daily?.[limit.kind] ?? 0);
      const freesAtMs = used < limit.value ? null : await freesAt(db, limit, keys[scope], nowMs);
      uses.push({ ...limit, used, freesAtMs });
    }
  }
  return uses;
}

/** Of one row. */
const amounts: Readonly<Record<Exclude<LimitKind, 'tasks-at-once'>, RawBuilder<number>>> = {
  'tasks-per-day': sql<number>`case when kind = 'question' then 1 else 0 end`,
  'tokens-per-day': sql<number>`input_tokens + output_tokens`,
  'sandbox-ms-per-day': sql<number>`sandbox_ms`,
};

async function usedInDay(
  db: Kysely<Database>,
  scope: LimitScope,
  key: string,
  nowMs: number,
): Promise<Readonly<Record<keyof typeof amounts, number>>> {
  const sums = await db
    .selectFrom('usage')
    .select([
      sql<number | string | null>`sum(${amounts['tasks-per-day']})`.as('tasks'),
      sql<number | string | null>`sum(${amounts['tokens-per-day']})`.as('tokens'),
      sql<number | string | null>`sum(${amounts['sandbox-ms-per-day']})`.as('sandbox'),
    ])
    .where(`${scope}_scope`, '=', key)
    .where('at_ms', '>', nowMs - dayMs)
    .executeTakeFirstOrThrow();
  return {
    'tasks-per-day': Number(sums.tasks ?? 0),
    'tokens-per-day': Number(sums.tokens ?? 0),
    'sandbox-ms-per-day': Number(sums.sandbox ?? 0),
  };
}

/** A task that has ended, or was forgotten, takes no room, whatever its row says. */
async function openTasks(db: Kysely<Database>, scope: LimitScope, key: string, exceptTaskId: string): Promise<number> {
  const { open } = await db
    .selectFrom('usage')
    .innerJoin('tasks', 'tasks.id', 'usage.task_id')
    .select((expression) => expression.fn.countAll().as('open'))
    .where(`usage.${scope}_scope`, '=', key)
    // Written out, as in the index.
    .where(sql<boolean>`usage.is_open = 1`)
    .where('usage.task_id', '<>', exceptTaskId)
    .where('tasks.state', 'in', unfinished)
    .executeTakeFirstOrThrow();
  return Number(open);
}

/** When the newest row leaves the day from which on, counted backwards, the limit is reached. */
async function freesAt(db: Kysely<Database>, limit: Limit, key: string, nowMs: number): Promise<number | null> {
  if (limit.kind === 'tasks-at-once') return null;
  const backwards = db
    .selectFrom('usage')
    .select(['at_ms', sql<number>`sum(${amounts[limit.kind]}) over (order by at_ms desc)`.as('total')])
    .where(`${limit.scope}_scope`, '=', key)
    .where('at_ms', '>', nowMs - dayMs);
  const { last } = await db
    .selectFrom(backwards.as('backwards'))
    .select((expression) => expression.fn.max('at_ms').as('last'))
    .where('total', '>=', limit.value)
    .executeTakeFirstOrThrow();
  return Number(last) + dayMs;
}
