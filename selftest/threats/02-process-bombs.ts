import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { disturbed, late, notRecoveredNorLost, peakDuring, unseen } from '../aftermath.ts';
import { type Attack, outcome, type Stage, verdict } from '../attack.ts';

const bombs: readonly { readonly id: string; readonly attack: string; readonly code: string }[] = [
  {
    id: 't02-fork-bomb',
    attack: 'a fork bomb stays below the process limit, its neighbour answers, all of it is killed',
    code: `import os
while True:
    try: os.fork()
    except OSError: pass`,
  },
  {
    id: 't02-shell-bomb',
    attack: 'a fork bomb of the shell in its own session stays below the limit and is killed',
    code: `import subprocess, time
subprocess.Popen(["sh", "-c", "b() { b | b & }; b; while :; do b; done"], start_new_session=True, stderr=subprocess.DEVNULL)
time.sleep(60)`,
  },
  {
    id: 't02-thread-bomb',
    attack: 'a thread bomb stays below the process limit and is killed',
    code: `import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError: pass`,
  },
];

const timeoutMs = 1_500;

/** How long the driver hunts what forks faster than it is killed, at most. */
const huntMs = 3_000;

export const processBombAttacks: readonly Attack[] = bombs.map(({ id, attack, code }) => ({
  id,
  threat: 2,
  attack,
  alone: true,
  async run(stage) {
    const neighbour = await stage.shared();
    const session = await stage.borrowed();
    const startedAt = performance.now();
    const running = stage.run(session, code, timeoutMs);
    const watched = peakDuring(running, 100, () => threadCount(stage, session));
    const neighbourProblems = await disturbed(stage, neighbour);
    const execution = await running;
    const elapsedMs = performance.now() - startedAt;
    const peak = await watched;
    // Under gVisor the limit also counts gVisor's own threads, for which it leaves room.
    const most = stage.runtime === 'runc' ? stage.limits.processes : 128 + 6 * stage.limits.processes;
    return verdict(
      `${execution.status} after ${Math.round(elapsedMs)} ms, at most ${peak} threads on the host (limit ${most})`,
      [
        execution.status === 'ok' && outcome(execution),
        peak === 0 && unseen,
        peak > most && `${peak} threads on the host, over the limit of ${most}`,
        late(timeoutMs + huntMs, elapsedMs),
        ...neighbourProblems,
        ...(await disturbed(stage, neighbour)),
        ...(await notRecoveredNorLost(stage, session, execution)),
      ],
    );
  },
}));

/** Threads of the container that the host sees. */
async function threadCount(stage: Stage, session: SandboxSession): Promise<number> {
  const processes = await stage.host.processes(session);
  return processes.reduce((sum, { status }) => sum + Number(status['Threads'] ?? 1), 0);
}
