import { readdirSync, readFileSync } from 'node:fs';

/** What this machine's /proc says. Processes that end while they are looked at count as gone. */

/** Processes in the control groups of a container. */
export function processesOf(containerId: string): readonly number[] {
  return allProcesses().filter((pid) => read(pid, 'cgroup').includes(containerId));
}

/** The processes of a container engine on this machine: its daemons, not what they run. Empty where the engine is elsewhere. */
export function engineProcesses(): readonly number[] {
  return allProcesses().filter((pid) => ['dockerd', 'containerd'].includes(read(pid, 'comm').trim()));
}

/** Resident memory of the processes together, in MB. */
export function residentMegabytes(pids: readonly number[]): number {
  return sum(pids.map((pid) => kilobytes(read(pid, 'status'), 'VmRSS'))) / 1024;
}

/**
 * Memory in MB that only these processes hold and that is free once they are gone: their own pages, shared ones among them by their
 * share, without files that others map too. Needs root for the processes of others.
 */
export function uniqueMegabytes(pids: readonly number[]): number {
  const parts = pids.map((pid) => read(pid, 'smaps_rollup'));
  return sum(parts.map((text) => kilobytes(text, 'Pss_Anon') + kilobytes(text, 'Private_Clean'))) / 1024;
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
