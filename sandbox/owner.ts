import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { deadlineSlackMs } from './limits.ts';

/**
 * Who may remove whose container.
 *
 * A container ends by itself when its owner's attached stream ends. The sweep is for what slips through: a driver that hangs, a
 * container that was created and never started, one whose automatic removal failed.
 *
 * Invariants:
 * 1. An owner is one process: boot id of the machine, pid namespace, pid, start time. The four together never repeat.
 * 2. Only in the same boot and the same pid namespace can another process tell whether an owner lives; there it does so exactly.
 * 3. No owner keeps a container past the container's deadline label. So a container past it (and past the slack for clocks that
 *    differ) belongs to nobody, wherever its owner runs.
 * 4. A container without our labels, or with labels that do not parse, is somebody else's and is left alone.
 */

export const labelNames = {
  owner: 'plotline.owner',
  version: 'plotline.version',
  created: 'plotline.created',
  deadline: 'plotline.deadline',
} as const;

const labelVersion = '1';

export interface Owner {
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly pid: number;
  /** In the kernel's clock ticks since boot: tells a process from an earlier one with the same pid. */
  readonly startTicks: string;
}

/** The label text of this process, made once per process. Where there is no /proc, it matches no other process. */
export function createOwnerId(): string {
  const owner = readSelf() ?? { bootId: randomUUID(), pidNamespace: '0', pid: process.pid, startTicks: '0' };
  return `${owner.bootId}:${owner.pidNamespace}:${owner.pid}:${owner.startTicks}`;
}

export function parseOwner(label: string): Owner | null {
  const match = /^([0-9a-f-]{36}):(\d+):(\d+):(\d+)$/.exec(label);
  if (match === null) return null;
  const [, bootId = '', pidNamespace = '', pid = '', startTicks = ''] = match;
  return { bootId, pidNamespace, pid: Number(pid), startTicks };
}

/** Labels of a new container. Times are milliseconds since 1970 on the owner's clock. */
export function ownerLabels(
  ownerId: string,
  createdAtMs: number,
  deadlineMs: number,
): Readonly<Record<string, string>> {
  return {
    [labelNames.owner]: ownerId,
    [labelNames.version]: labelVersion,
    [labelNames.created]: String(createdAtMs),
    [labelNames.deadline]: String(deadlineMs),
  };
}

/** True when nobody owns the container any more, by the invariants above. `self` is the asking process's owner id. */
export function isOrphan(
  labels: Readonly<Record<string, string>>,
  self: string,
  nowMs: number,
  isProcessGone: (owner: Owner) => boolean = processIsGone,
): boolean {
  const owner = parseOwner(labels[labelNames.owner] ?? '');
  if (owner === null || !isOurs(labels)) return false;
  if (nowMs > Number(labels[labelNames.deadline]) + deadlineSlackMs) return true;
  const asking = parseOwner(self);
  const visible = asking !== null && asking.bootId === owner.bootId && asking.pidNamespace === owner.pidNamespace;
  return visible && isProcessGone(owner);
}

/** The labels are whole and of this version: made by this program. */
export function isOurs(labels: Readonly<Record<string, string>>): boolean {
  const deadlineMs = Number(labels[labelNames.deadline]);
  const hasOwner = parseOwner(labels[labelNames.owner] ?? '') !== null;
  return hasOwner && labels[labelNames.version] === labelVersion && Number.isFinite(deadlineMs) && deadlineMs > 0;
}

function readSelf(): Owner | null {
  const startTicks = readStat(process.pid)?.startTicks;
  if (startTicks === undefined) return null;
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const pidNamespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
    return pidNamespace === undefined ? null : { bootId, pidNamespace, pid: process.pid, startTicks };
  } catch {
    return null;
  }
}

function processIsGone({ pid, startTicks }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Any other refusal means that it is there: another user's process, which /proc may hide.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
  const stat = readStat(pid);
  return stat !== null && (stat.startTicks !== startTicks || stat.state === 'Z' || stat.state === 'X');
}

/** Fields 3 and 22 of proc_pid_stat(5); the name before them may hold spaces and parentheses. */
function readStat(pid: number): { readonly state: string; readonly startTicks: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const startTicks = fields[19];
    return state === undefined || startTicks === undefined ? null : { state, startTicks };
  } catch {
    return null;
  }
}
