import { array, assert, boolean, constantFrom, integer, oneof, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairOrder, flowPathOf } from '../../src/queue/fair-order.ts';

interface Asked {
  readonly workspace: string;
  readonly channel: string;
  readonly person: string;
  readonly isFollowUp: boolean;
}

const ask = (order: FairOrder, thread: string, asked: Partial<Asked>): string => {
  const { workspace = 'w', channel = 'c', person = 'p', isFollowUp = false } = asked;
  const threadKey = `test/${workspace}/${channel}/${thread}`;
  order.add(threadKey, flowPathOf(threadKey, { personId: person, isFollowUp }));
  return threadKey;
};

const takeAll = (order: FairOrder): readonly string[] => {
  const taken: string[] = [];
  for (let next = order.take(); next !== null; next = order.take()) taken.push(next);
  return taken;
};

describe('the fair order', () => {
  it('is the order of arrival for one person, and keeps the place of a thread that waits', () => {
    const order = new FairOrder();
    const asked = ['b', 'a', 'c'].map((thread) => ask(order, thread, {}));
    ask(order, 'b', { person: 'q' });
    expect(asked.map((threadKey) => order.place(threadKey))).toEqual([0, 1, 2]);
    expect(takeAll(order)).toEqual(asked);
    expect(order.place(asked[0]!)).toBe(0);
  });

  it.each([
    ['in one channel', () => 'c'],
    ['in forty channels', (index: number) => `c${index % 40}`],
  ])('lets the single question of another be next behind 200 of one person, %s', (_, channelOf) => {
    const order = new FairOrder();
    for (let index = 0; index < 200; index += 1) ask(order, `t${index}`, { person: 'busy', channel: channelOf(index) });
    for (let index = 0; index < 50; index += 1) order.take();
    const single = ask(order, 'single', { person: 'other', channel: channelOf(7) });
    expect(order.place(single)).toBe(0);
    expect(order.take()).toBe(single);
  });

  it('takes turns between a workspace of 50 busy people and a small one', () => {
    const order = new FairOrder();
    for (let index = 0; index < 500; index += 1)
      ask(order, `b${index}`, { workspace: 'big', person: `p${index % 50}` });
    const small = ['s1', 's2', 's3'].map((thread) => ask(order, thread, { workspace: 'small' }));
    expect(small.map((threadKey) => order.place(threadKey))).toEqual([1, 3, 5]);
    const first = Array.from({ length: 6 }, () => order.take());
    expect(first.filter((threadKey) => threadKey?.startsWith('test/small/'))).toEqual(small);
  });

  it('takes turns between the channels of a person, and lets a follow-up pass a batch', () => {
    const order = new FairOrder();
    for (let index = 0; index < 100; index += 1) ask(order, `t${index}`, { channel: 'batch' });
    const elsewhere = ask(order, 'x', { channel: 'other' });
    const followUp = ask(order, 'f', { channel: 'batch', isFollowUp: true });
    const first = Array.from({ length: 4 }, () => order.take());
    expect(first).toContain(elsewhere);
    expect(first).toContain(followUp);
  });

  it('gives nothing to who leaves and comes back', () => {
    const order = new FairOrder();
    for (let index = 0; index < 20; index += 1) ask(order, `b${index}`, { person: 'patient' });
    const turns = { patient: 0, eager: 0 };
    ask(order, 'e', { person: 'eager' });
    for (let step = 0; step < 20; step += 1) {
      const isEager = order.take()?.endsWith('/e') ?? false;
      turns[isEager ? 'eager' : 'patient'] += 1;
      if (isEager) ask(order, 'e', { person: 'eager' });
    }
    expect(Math.abs(turns.patient - turns.eager)).toBeLessThanOrEqual(1);
  });

  const asked = record({
    workspace: constantFrom('w1', 'w2', 'w3'),
    channel: constantFrom('c1', 'c2'),
    person: constantFrom('p1', 'p2', 'p3'),
    isFollowUp: boolean(),
  });
  const step = oneof({ weight: 3, arbitrary: asked }, { weight: 2, arbitrary: integer({ min: 1, max: 1 }) });

  it('says the place at which each thread is taken if nothing comes, takes each once and none twice', () => {
    assert(
      property(array(step, { maxLength: 120 }), (steps) => {
        const order = new FairOrder();
        const waiting = new Set<string>();
        let surprises = 0;
        for (const [index, one] of steps.entries()) {
          if (typeof one === 'object') waiting.add(ask(order, `t${index}`, one));
          else {
            const next = [...waiting].find((threadKey) => order.place(threadKey) === 0) ?? null;
            const taken = order.take();
            surprises += taken === next ? 0 : 1;
            if (taken !== null) waiting.delete(taken);
          }
          expect(order.size).toBe(waiting.size);
        }
        expect(surprises).toBe(0);
        const places = new Map([...waiting].map((threadKey) => [threadKey, order.place(threadKey)]));
        const taken = takeAll(order);
        expect(taken.map((threadKey) => places.get(threadKey))).toEqual(taken.map((_, index) => index));
        expect(new Set(taken)).toEqual(waiting);
      }),
      { numRuns: 300 },
    );
  });

  it('starves nobody: of n who wait all the time, each has every nth turn, whatever the others do', () => {
    assert(
      property(array(asked, { minLength: 30, maxLength: 120 }), constantFrom('w1', 'w2', 'w3'), (others, workspace) => {
        const order = new FairOrder();
        const own = Array.from({ length: 10 }, (_, index) => ask(order, `own${index}`, { workspace, person: 'me' }));
        let came = 0;
        let sinceOwn = 0;
        // Three workspaces, in mine four people with me: a turn of mine in twelve, and one more for each who is new.
        const bound = 3 * 4 + 3 + 4;
        for (let turn = 0; own.length > 0; turn += 1) {
          for (let more = 0; more < 2; more += 1) {
            const other = others[came % others.length]!;
            ask(order, `t${came}`, other);
            came += 1;
          }
          const taken = order.take();
          if (taken === own[0]) {
            own.shift();
            sinceOwn = 0;
          } else sinceOwn += 1;
          expect(sinceOwn).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 100 },
    );
  });
});
