import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import type { Limit, LimitKind, LimitScope, LimitUse, TaskKind } from '../../src/ports/usage.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Task } from '../../src/types.ts';
import { exampleTask, exampleThread } from './store.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 10, 28, 12);
const ada = { platform: 'test', workspaceId: 'W/1', personId: 'U1' };
const scopes: readonly LimitScope[] = ['person', 'channel', 'workspace'];
const dailyKinds = ['tasks-per-day', 'tokens-per-day', 'sandbox-ms-per-day'] as const;

/** One of a scope beside the example's own. */
const elsewhere: Readonly<Record<LimitScope, Partial<Pick<Task, 'person' | 'thread'>>>> = {
  person: { person: { id: 'U2', displayName: 'Bob' } },
  channel: { thread: { ...exampleThread, channelId: 'C2', threadId: 'x' } },
  workspace: { thread: { ...exampleThread, workspaceId: 'W', threadId: 'y' } },
};

/** What a `Store` promises about limits and about what tasks took. */
export function describeStoreLimits(name: string, create: () => Promise<Store>): void {
  describe(`Store: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await create();
    });
    afterEach(() => store[Symbol.asyncDispose]());

    const ask = async (
      id: string,
      limits: readonly Limit[],
      nowMs = start,
      given: Partial<Task> = {},
      kind: TaskKind = 'question',
    ): Promise<readonly LimitUse[]> => {
      const task = { ...exampleTask(id), receivedAtMs: nowMs, ...given };
      await store.accept(task);
      return store.claim(task, { kind, limits, nowMs });
    };
    const usesOfAda = (limits: readonly Limit[], nowMs = start) =>
      store.limitUses({ ...ada, channelId: exampleThread.channelId }, limits, nowMs);

    describe.each(scopes)('limits of a %s', (scope) => {
      const other = elsewhere[scope];

      it('tasks per day: the oldest question that leaves the 24 hours makes room, to the millisecond', async () => {
        const limits: Limit[] = [{ scope, kind: 'tasks-per-day', value: 3 }];
        for (const [index, id] of ['a', 'b', 'c'].entries()) expect(await ask(id, limits, start + index)).toEqual([]);
        const refusal = [{ scope, kind: 'tasks-per-day', value: 3, used: 3, freesAtMs: start + dayMs }];
        expect(await ask('d', limits, start + 10)).toEqual(refusal);
        expect(await ask('other', limits, start + 10, other)).toEqual([]);
        expect(await ask('d', limits, start + dayMs - 1)).toEqual(refusal);
        expect(await ask('d', limits, start + dayMs)).toEqual([]);
        // b and c are in it still, and d now.
        expect(await ask('e', limits, start + dayMs)).toMatchObject([{ used: 3, freesAtMs: start + 1 + dayMs }]);
      });

      it.each([
        ['tokens-per-day', { inputTokens: 60, outputTokens: 40, cachedInputTokens: 50 }],
        ['sandbox-ms-per-day', { sandboxMs: 100 }],
      ] as const)('%s: as much as is over must leave first', async (kind, spent) => {
        const limits: Limit[] = [{ scope, kind, value: 250 }];
        for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
          expect(await ask(id, limits, start + index)).toEqual([]);
        }
        for (const id of ['a', 'b', 'c', 'd']) await store.addUsage(id, spent);
        // 400 of 250: with b's going it is 200.
        const refusal = [{ scope, kind, value: 250, used: 400, freesAtMs: start + 1 + dayMs }];
        expect(await ask('e', limits, start + 10)).toEqual(refusal);
        expect(await ask('other', limits, start + 10, other)).toEqual([]);
        expect(await ask('e', limits, start + dayMs)).toMatchObject([{ used: 300, freesAtMs: start + 1 + dayMs }]);
        expect(await ask('e', limits, start + dayMs + 1)).toEqual([]);
      });

      it('tasks at once: one that ends or is forgotten makes room, whatever the day is', async () => {
        const limits: Limit[] = [{ scope, kind: 'tasks-at-once', value: 2 }];
        expect(await ask('a', limits, start - 3 * dayMs)).toEqual([]);
        expect(await ask('b', limits)).toEqual([]);
        const refusal = [{ scope, kind: 'tasks-at-once', value: 2, used: 2, freesAtMs: null }];
        expect(await ask('c', limits)).toEqual(refusal);
        expect(await ask('other', limits, start, other)).toEqual([]);
        await store.takeNext(threadKeyOf(exampleThread));
        expect(await ask('c', limits)).toEqual(refusal);
        await store.finish('a', 'done');
        expect(await ask('c', limits)).toEqual([]);
        expect(await ask('d', limits)).toEqual(refusal);
        await store.forgetTask('b');
        expect(await ask('d', limits)).toEqual([]);
      });

      it('of 20 questions at the same moment, as many pass as there is room for', async () => {
        for (const kind of ['tasks-per-day', 'tasks-at-once'] as const) {
          const limits: Limit[] = [{ scope, kind, value: 5 }];
          const ids = Array.from({ length: 20 }, (_, index) => `${kind}${index}`);
          const given = {
            person: { id: kind, displayName: '' },
            thread: { ...exampleThread, channelId: kind, workspaceId: kind },
          };
          const claims = await Promise.all(ids.map((id) => ask(id, limits, start, given)));
          expect(claims.filter((reached) => reached.length === 0)).toHaveLength(5);
        }
      });
    });

    it('asks for the same place twice and has it once; a kind that changed is looked at anew', async () => {
      const limits: Limit[] = [
        { scope: 'person', kind: 'tasks-per-day', value: 2 },
        { scope: 'person', kind: 'tasks-at-once', value: 2 },
      ];
      for (let again = 0; again < 3; again += 1) expect(await ask('a', limits)).toEqual([]);
      expect(await usesOfAda(limits)).toMatchObject([{ used: 1 }, { used: 1 }]);
      expect(await ask('b', limits, start, {}, 'details')).toEqual([]);
      expect(await usesOfAda(limits)).toMatchObject([{ used: 1 }, { used: 1 }]);
      expect(await ask('b', limits)).toEqual([]);
      expect(await usesOfAda(limits)).toMatchObject([{ used: 2 }, { used: 2 }]);
      expect(await ask('a', limits)).toEqual([]);
    });

    it('details are never refused; a notebook only for places at once and for seconds', async () => {
      const all = (value: number): Limit[] => [
        { scope: 'person', kind: 'tasks-at-once', value: 2 },
        ...dailyKinds.map((kind) => ({ scope: 'person' as const, kind, value })),
      ];
      await ask('a', []);
      await store.addUsage('a', { inputTokens: 5, sandboxMs: 5 });
      await ask('b', []);
      const kinds = (uses: readonly LimitUse[]): readonly LimitKind[] => uses.map(({ kind }) => kind);
      expect(kinds(await ask('c', all(1), start, {}, 'details'))).toEqual([]);
      expect(kinds(await ask('d', all(1), start, {}, 'notebook'))).toEqual(['tasks-at-once', 'sandbox-ms-per-day']);
      await store.finish('b', 'done');
      expect(kinds(await ask('d', all(6), start, {}, 'notebook'))).toEqual([]);
      expect(kinds(await ask('e', all(6), start))).toEqual(['tasks-at-once']);
      expect(await usesOfAda(all(6))).toMatchObject([{ used: 2 }, { used: 2 }, { used: 5 }, { used: 5 }]);
    });

    it('what was refused, or ended without counting, was not asked', async () => {
      const limits: Limit[] = [{ scope: 'person', kind: 'tasks-per-day', value: 1 }];
      const end = { outcome: 'cancelled' as const, bytesOut: 0 };
      await ask('a', limits);
      await ask('b', limits);
      await store.endUsage(exampleTask('b'), { ...end, outcome: 'refused', counts: false });
      expect(await usesOfAda(limits)).toMatchObject([{ used: 1 }]);
      expect(await store.usageOf(ada, 0)).toMatchObject({ questions: 1 });
      await store.endUsage(exampleTask('a'), { ...end, counts: true });
      expect(await usesOfAda(limits)).toMatchObject([{ used: 1 }]);
      await store.endUsage(exampleTask('a'), { ...end, counts: false });
      expect(await usesOfAda(limits)).toMatchObject([{ used: 0, freesAtMs: null }]);
      expect(await store.usageOf(ada, 0)).toMatchObject({ questions: 0 });
    });

    it('what was used today stays used when its thread is forgotten', async () => {
      const limits: Limit[] = dailyKinds.map((kind) => ({ scope: 'person', kind, value: 10 }));
      await ask('a', limits);
      await store.addUsage('a', { inputTokens: 2, outputTokens: 2, sandboxMs: 3.5 });
      await store.forgetThread(threadKeyOf(exampleThread));
      expect(await usesOfAda(limits)).toMatchObject([{ used: 1 }, { used: 4 }, { used: 3.5 }]);
    });

    it('without a channel, its limits are left out', async () => {
      const limits: Limit[] = scopes.map((scope) => ({ scope, kind: 'tasks-per-day', value: 1 }));
      const uses = await store.limitUses({ ...ada, channelId: null }, limits, start);
      expect(uses.map(({ scope }) => scope).toSorted()).toEqual(['person', 'workspace']);
    });

    it('in any order of questions, ends and spending, no count passes its limit, and the time that is said is exact', async () => {
      let run = 0;
      const step = fc.oneof(
        { weight: 5, arbitrary: fc.record({ do: fc.constant('ask' as const), person: fc.nat(1), channel: fc.nat(1) }) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(30) }) },
        {
          weight: 2,
          arbitrary: fc.record({ do: fc.constant('spend' as const), which: fc.nat(30), tokens: fc.nat(40) }),
        },
        { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(dayMs / 2) }) },
      );
      const limit = fc.record({
        scope: fc.constantFrom(...scopes),
        kind: fc.constantFrom('tasks-at-once' as const, 'tasks-per-day' as const, 'tokens-per-day' as const),
        value: fc.integer({ min: 1, max: 4 }),
      });
      const property = fc.asyncProperty(
        fc.uniqueArray(limit, { minLength: 1, maxLength: 4, selector: ({ scope, kind }) => `${scope}${kind}` }),
        fc.array(step, { minLength: 5, maxLength: 30 }),
        async (drawn, steps) => {
          run += 1;
          const limits = drawn.map((each) =>
            each.kind === 'tokens-per-day' ? { ...each, value: each.value * 25 } : each,
          );
          let now = start;
          const passed: { readonly task: Task; readonly atMs: number; tokens: number; ended: boolean }[] = [];
          /** Counted by hand. */
          const used = ({ scope, kind }: Limit, of: Task, at: number): number => {
            const same = passed.filter(
              ({ task }) =>
                scope === 'workspace' ||
                (scope === 'person' ? task.person.id === of.person.id : task.thread.channelId === of.thread.channelId),
            );
            if (kind === 'tasks-at-once') return same.filter(({ ended }) => !ended).length;
            const today = same.filter(({ atMs }) => atMs > at - dayMs);
            return kind === 'tasks-per-day' ? today.length : today.reduce((sum, { tokens }) => sum + tokens, 0);
          };
          const claim = async (task: Task, at: number): Promise<readonly LimitUse[]> => {
            const expected = limits.filter((each) => used(each, task, at) >= each.value);
            const reached = await store.claim(task, { kind: 'question', limits, nowMs: at });
            expect(new Set(reached.map(({ scope, kind, used: count }) => `${scope} ${kind} ${count}`))).toEqual(
              new Set(expected.map((each) => `${each.scope} ${each.kind} ${used(each, task, at)}`)),
            );
            if (reached.length === 0) passed.push({ task, atMs: at, tokens: 0, ended: false });
            return reached;
          };
          for (const [index, each] of steps.entries()) {
            const chosen = 'which' in each && passed.length > 0 ? passed[each.which % passed.length] : undefined;
            if (each.do === 'wait') now += each.ms;
            if (each.do === 'end' && chosen !== undefined) {
              chosen.ended = true;
              await store.finish(chosen.task.id, 'done');
            }
            if (each.do === 'spend' && chosen !== undefined) {
              chosen.tokens += each.tokens;
              await store.addUsage(chosen.task.id, { outputTokens: each.tokens });
            }
            if (each.do !== 'ask') continue;
            const thread = {
              ...exampleThread,
              workspaceId: `w${run}`,
              channelId: `c${each.channel}`,
              threadId: `t${index}`,
            };
            const task = {
              ...exampleTask(`r${run}-${index}`),
              thread,
              person: { id: `p${each.person}`, displayName: '' },
            };
            await store.accept(task);
            const reached = await claim(task, now);
            if (reached.length === 0 || reached.some(({ kind }) => kind === 'tasks-at-once')) continue;
            const frees = Math.max(...reached.map(({ freesAtMs }) => freesAtMs ?? 0));
            expect((await claim(task, frees - 1)).length).toBeGreaterThan(0);
            expect(await claim(task, frees)).toEqual([]);
            now = frees;
          }
          return true;
        },
      );
      await expect(fc.assert(property, { numRuns: 40 })).resolves.toBeUndefined();
    }, 60_000);

    describe('what tasks took', () => {
      const usd = { currency: 'USD', model: 'm' };

      it('adds up in one row for a task; of its attachments the whole counts once', async () => {
        await ask('a', [], start);
        await store.addUsage('a', {
          inputTokens: 10,
          cachedInputTokens: 4,
          modelTurns: 1,
          costMicros: 7,
          ...usd,
          bytesIn: 100,
        });
        await store.addUsage('a', {
          outputTokens: 3,
          reasoningTokens: 2,
          modelTurns: 1,
          costMicros: 5,
          ...usd,
          bytesIn: 100,
        });
        await store.addUsage('a', { sandboxMs: 1.5 });
        await store.endUsage(exampleTask('a'), { outcome: 'answered', bytesOut: 50, counts: true });
        expect(await store.usageBy('model', start)).toEqual([
          {
            group: 'm',
            tasks: 1,
            refused: 0,
            failed: 0,
            inputTokens: 10,
            cachedInputTokens: 4,
            outputTokens: 3,
            reasoningTokens: 2,
            modelTurns: 2,
            sandboxMs: 1.5,
            bytesIn: 100,
            bytesOut: 50,
            money: [{ currency: 'USD', micros: 12 }],
          },
        ]);
        expect(await store.moneyOf(ada, start)).toEqual([{ currency: 'USD', micros: 12 }]);
        expect(await store.moneyOf(ada, start + 1)).toEqual([]);
        expect(await store.moneyOf({ ...ada, personId: 'U2' }, 0)).toEqual([]);
      });

      it('every task has a row, also one that nobody claimed', async () => {
        await store.accept({ ...exampleTask('a'), receivedAtMs: start });
        await store.endUsage(exampleTask('a'), { outcome: 'failed', bytesOut: 0, counts: true });
        expect(await store.usageBy('workspace', start - dayMs)).toEqual([]);
        await store.accept({ ...exampleTask('b'), receivedAtMs: start });
        await store.addUsage('b', { inputTokens: 1 });
        expect(await store.usageBy('workspace', start)).toMatchObject([{ group: 'test/W%2F1', tasks: 1 }]);
        expect(await store.usageBy('workspace', 0)).toMatchObject([{ tasks: 2, failed: 1, inputTokens: 1 }]);
      });

      it('is put together by person, channel, workspace, day and model', async () => {
        await ask('a', [], start);
        await ask('b', [], start + dayMs, elsewhere.person);
        await ask('c', [], start + dayMs, elsewhere.channel);
        await ask('d', [{ scope: 'workspace', kind: 'tasks-per-day', value: 1 }], start + dayMs + 1);
        await store.endUsage(exampleTask('d'), { outcome: 'refused', bytesOut: 0, counts: false });
        await store.addUsage('a', { inputTokens: 1, costMicros: 1, currency: 'EUR', model: 'm' });
        await store.addUsage('b', { inputTokens: 5, costMicros: 2, ...usd });
        await store.addUsage('c', { inputTokens: 2, costMicros: 3, ...usd, model: 'n' });
        const by = async (grouping: Parameters<Store['usageBy']>[0], since = 0) =>
          (await store.usageBy(grouping, since)).map((sum) => [sum.group, sum.tasks, sum.refused, sum.inputTokens]);
        expect(await by('person')).toEqual([
          ['test/W%2F1/U2', 1, 0, 5],
          ['test/W%2F1/U1', 3, 1, 3],
        ]);
        expect(await by('channel')).toEqual([
          [`test/W%2F1/${encodeURIComponent(exampleThread.channelId)}`, 3, 1, 6],
          ['test/W%2F1/C2', 1, 0, 2],
        ]);
        expect(await by('workspace')).toEqual([['test/W%2F1', 4, 1, 8]]);
        expect(await by('day')).toEqual([
          ['2026-11-28', 1, 0, 1],
          ['2026-11-29', 3, 1, 7],
        ]);
        expect(await by('model')).toEqual([
          ['m', 2, 0, 6],
          ['n', 1, 0, 2],
          ['', 1, 1, 0],
        ]);
        expect(await by('workspace', start + 1)).toEqual([['test/W%2F1', 3, 1, 7]]);
        expect((await store.usageBy('workspace', 0))[0]?.money).toEqual([
          { currency: 'EUR', micros: 1 },
          { currency: 'USD', micros: 5 },
        ]);
        await store.forgetThread(threadKeyOf(exampleThread));
        expect(await by('person')).toEqual([
          ['', 3, 1, 6],
          ['test/W%2F1/U1', 1, 0, 2],
        ]);
      });
    });
  });
}
