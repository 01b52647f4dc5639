import { setTimeout as sleep } from 'node:timers/promises';
import { graceMs } from '../sandbox/limits.ts';
import type { SandboxSession } from '../src/ports/sandbox.ts';
import type { Execution } from '../src/types.ts';
import { outcome, type Stage } from './attack.ts';
import type { HostProcess } from './host.ts';

/** Over the limits' own times, for a loaded machine and for gVisor, which ends processes more slowly. */
export const marginMs = 4_000;

/** Longest answer of a neighbour while an attack runs: it shares the processor, and nothing else. */
const neighbourMs = 5_000;

/** Driver and kernel: what a sandbox holds at rest. */
const processesAtRest = 2;

/** Nothing can be judged then: the engine may be on another machine. */
export const unseen = 'the host sees no process of the container';

const countProcesses = `import os
def runs(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
print("processes:", sum(1 for name in os.listdir("/proc") if name.isdigit() and runs(name)))`;

/**
 * What is wrong with a sandbox after an attack that it survives: it must answer with nothing left running, by its own count and by
 * the host's. One sentence each; none is good.
 */
export async function notRecovered(stage: Stage, session: SandboxSession): Promise<readonly string[]> {
  const execution = await stage.run(session, countProcesses);
  const count = Number(/^processes: (\d+)$/m.exec(execution.stdout)?.[1] ?? Number.NaN);
  if (execution.status !== 'ok' || Number.isNaN(count)) return [`the next cell: ${outcome(execution)}`];
  const problems = count > processesAtRest ? [`${count - processesAtRest} processes are left inside`] : [];
  // gVisor keeps processes of its own for those that ended inside.
  if (stage.runtime === 'runsc') return problems;
  let seen = 0;
  const isAtRest = await settled(async () => {
    seen = (await live(stage, session)).length;
    return seen > 0 && seen <= processesAtRest;
  });
  if (isAtRest) return problems;
  return [...problems, seen === 0 ? unseen : 'the host sees processes that were left behind'];
}

/** For attacks that may take the whole sandbox with them: a loss must be said in words, and nothing of it may be left on the host. */
export async function notRecoveredNorLost(
  stage: Stage,
  session: SandboxSession,
  execution: Execution,
): Promise<readonly string[]> {
  if (session.alive) return notRecovered(stage, session);
  const problems = [];
  if (execution.status !== 'lost' && execution.status !== 'out-of-memory') {
    problems.push(`the sandbox is gone, but the cell says ${outcome(execution)}`);
  }
  if (execution.error === null || execution.error.message.length < 40) problems.push('the loss is not said in words');
  const isGone = await settled(async () => (await stage.host.processes(session)).length === 0);
  if (!isGone) problems.push('the host still sees its processes');
  return problems;
}

/** Processes of the container on the host, without those that ended and wait to be asked for their exit code. */
async function live(stage: Stage, session: SandboxSession): Promise<readonly HostProcess[]> {
  return (await stage.host.processes(session)).filter(({ state }) => state !== 'Z' && state !== 'X');
}

/**
 * Memory that the container's processes still hold on the host is given back: it falls below `mostBytes`. Files in the workspace are
 * no process's. A sentence, or false.
 */
export async function hungry(stage: Stage, session: SandboxSession, mostBytes: number): Promise<string | false> {
  let heldBytes = 0;
  const isBack = await settled(async () => {
    const processes = await live(stage, session);
    const held = processes.map(({ status }) => Number.parseInt(status['RssAnon'] ?? '0', 10) * 1024);
    heldBytes = held.reduce((sum, bytes) => sum + bytes, 0);
    return heldBytes <= mostBytes;
  });
  return !isBack && `its processes still hold ${Math.round(heldBytes / (1 << 20))} MB of the host's memory`;
}

/** What is wrong with another sandbox of the same machine. */
export async function disturbed(stage: Stage, neighbour: SandboxSession): Promise<readonly string[]> {
  const startedAt = performance.now();
  const execution = await stage.run(neighbour, 'print(6 * 7)', neighbourMs);
  const elapsedMs = Math.round(performance.now() - startedAt);
  if (execution.stdout.trim() !== '42') return [`the neighbour: ${outcome(execution)}`];
  return elapsedMs > neighbourMs ? [`the neighbour answered after ${elapsedMs} ms`] : [];
}

/** What is wrong with how long a cell took: it ends by its time limit, the grace after it, and a margin. */
export function late(timeoutMs: number, elapsedMs: number): string | false {
  const longestMs = timeoutMs + graceMs + marginMs;
  return elapsedMs > longestMs && `it ended after ${Math.round(elapsedMs)} ms, over ${longestMs} ms`;
}

/** Waits until `holds`, at most some seconds: the host sees the end of a process a moment after it was killed. */
export async function settled(holds: () => Promise<boolean>): Promise<boolean> {
  const untilMs = Date.now() + marginMs;
  while (!(await holds())) {
    if (Date.now() > untilMs) return false;
    await sleep(50);
  }
  return true;
}

/** The most that `measure` gave until `running` is over. */
export async function peakDuring(
  running: Promise<unknown>,
  intervalMs: number,
  measure: () => number | Promise<number>,
): Promise<number> {
  const over = new AbortController();
  void running.finally(() => over.abort());
  let peak = 0;
  while (!over.signal.aborted) {
    peak = Math.max(peak, await measure());
    await sleep(intervalMs);
  }
  return peak;
}
