import { DatabaseSync } from 'node:sqlite';
import type { PersonRef } from '../../src/ports/platforms.ts';
import type { Limit, LimitKind, LimitScope } from '../../src/ports/usage.ts';

const dayMs = 86_400_000;

/** Every limit there is, none of them reached by `fillUsage`. */
export const everyLimit: readonly Limit[] = (['person', 'channel', 'workspace'] satisfies LimitScope[]).flatMap(
  (scope) =>
    (['tasks-at-once', 'tasks-per-day', 'tokens-per-day', 'sandbox-ms-per-day'] satisfies LimitKind[]).map((kind) => ({
      scope,
      kind,
      value: 1_000_000_000,
    })),
);

/** One whose rows `fillUsage` writes. */
export const user: PersonRef & { readonly channelId: string } = {
  platform: 'test',
  workspaceId: 'W',
  personId: 'P7',
  channelId: 'C7',
};

/**
 * Writes ended tasks of one workspace, 200 people and 40 channels with their usage straight into a store's SQLite file, spread evenly over
 * the 30 days before `nowMs`; `scopeOf` gives what the store calls a person.
 */
export function fillUsage(path: string, rows: number, nowMs: number, scopeOf: (personId: string) => string): void {
  const database = new DatabaseSync(path);
  database.exec('begin');
  const task = database.prepare(
    `insert into tasks (id, thread_key, state, attempts, task, workspace_key, person_key, received_at_ms)
     values (?, ?, 'done', 1, '{}', 'test/W', ?, ?)`,
  );
  const usage = database.prepare(
    `insert into usage (task_id, input_tokens, cached_input_tokens, output_tokens, sandbox_ms, kind, at_ms, person_scope, channel_scope, workspace_scope)
     values (?, 1000, 0, 100, 50, 'question', ?, ?, ?, 'test/W')`,
  );
  for (let row = 0; row < rows; row += 1) {
    const atMs = Math.round(nowMs - (30 * dayMs * (rows - row)) / rows);
    const [person, channel] = [`P${row % 200}`, `C${row % 40}`];
    task.run(`t${row}`, `test/W/${channel}/${row % 1000}`, `test/W/${person}`, atMs);
    usage.run(`t${row}`, atMs, scopeOf(person), `test/W/${channel}`);
  }
  database.exec('commit; analyze;');
  database.close();
}
