import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deadlineSlackMs } from '../../sandbox/limits.ts';
import { createOwnerId, isOrphan, labelNames, ownerLabels, parseOwner } from '../../sandbox/owner.ts';
import { createSlots } from '../../sandbox/slots.ts';

const self = createOwnerId();
const hour = 3_600_000;

function labelsOf(
  change: Partial<Record<'bootId' | 'pidNamespace' | 'pid' | 'startTicks', string | number>>,
  deadlineMs: number = hour,
) {
  const owner = { ...parseOwner(self), ...change };
  return ownerLabels(`${owner.bootId}:${owner.pidNamespace}:${owner.pid}:${owner.startTicks}`, 0, deadlineMs);
}

describe.skipIf(process.platform !== 'linux')('an orphan', () => {
  it("is not this process's own, nor that of a process that lives", () => {
    expect(isOrphan(labelsOf({}), self, 0)).toBe(false);
    const parent = process.ppid;
    const startTicks = readFileSync(`/proc/${parent}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
    expect(isOrphan(labelsOf({ pid: parent, startTicks }), self, 0)).toBe(false);
  });

  it('is what a process left that died, or whose pid now belongs to a later one', async () => {
    const child = spawn('sleep', ['0']);
    await once(child, 'exit');
    expect(isOrphan(labelsOf({ pid: child.pid ?? 0 }), self, 0)).toBe(true);
    expect(isOrphan(labelsOf({ startTicks: '1' }), self, 0)).toBe(true);
  });

  it('is never judged by pid across machines or pid namespaces, only by its deadline', () => {
    const elsewhere = [
      labelsOf({ bootId: '00000000-0000-4000-8000-000000000000', startTicks: '1' }),
      labelsOf({ pidNamespace: '1', startTicks: '1' }),
    ];
    for (const labels of elsewhere) {
      expect(isOrphan(labels, self, hour + deadlineSlackMs)).toBe(false);
      expect(isOrphan(labels, self, hour + deadlineSlackMs + 1)).toBe(true);
    }
  });

  it('is never something whose labels are not ours', () => {
    const dead = labelsOf({ startTicks: '1' });
    expect(isOrphan({}, self, Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(isOrphan({ [labelNames.owner]: 'somebody' }, self, Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(isOrphan({ ...dead, [labelNames.version]: '2' }, self, 0)).toBe(false);
    expect(isOrphan({ ...dead, [labelNames.deadline]: 'soon' }, self, 0)).toBe(false);
  });
});

describe('slots', () => {
  it('are handed out in the order of asking; who leaves the queue does not hold it up', async () => {
    const slots = createSlots(1);
    const never = new AbortController().signal;
    const leaving = new AbortController();
    const order: string[] = [];
    await slots.take(never);
    const first = slots.take(never).then(() => order.push('first'));
    const left = slots.take(leaving.signal).catch(() => order.push('left'));
    const second = slots.take(never).then(() => order.push('second'));
    leaving.abort();
    await left;
    expect(slots.tryTake()).toBe(false);
    slots.free();
    await first;
    slots.free();
    await second;
    expect(order).toEqual(['left', 'first', 'second']);
    slots.free();
    expect(slots.tryTake()).toBe(true);
    expect(slots.tryTake()).toBe(false);
  });
});
