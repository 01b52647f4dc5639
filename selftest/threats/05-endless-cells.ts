import type { Execution } from '../../src/types.ts';
import { late, notRecovered, notRecoveredNorLost } from '../aftermath.ts';
import { type Attack, outcome, verdict } from '../attack.ts';

interface Endless {
  readonly id: string;
  readonly attack: string;
  readonly code: string;
  /** Aims at the driver. Under runc that must live; under gVisor its end is the sandbox's, which must be said, with nothing left. */
  readonly endsSandbox?: true;
  /** It need not last until the time limit: its end is what is attacked. */
  readonly endsItself?: true;
}

const cells: readonly Endless[] = [
  { id: 't05-busy-loop', attack: 'an endless loop', code: 'while True: pass' },
  {
    id: 't05-except-everything',
    attack: 'a loop that catches BaseException, the interrupt included',
    code: `import time
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass`,
  },
  {
    id: 't05-c-loop',
    attack: 'a long computation in C that looks at no signal',
    code: '(3 ** 50_000_000) % 7\n3 ** 400_000_000',
  },
  {
    id: 't05-regular-expression',
    attack: 'a regular expression that backtracks for ever',
    code: 'import re\nre.match(r"(a+)+$", "a" * 60 + "b")',
  },
  {
    id: 't05-signals-ignored',
    attack: 'every signal ignored, then an endless loop',
    code: `import signal
for number in signal.valid_signals():
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass`,
  },
  {
    id: 't05-signals-blocked',
    attack: 'every signal blocked, then an endless loop',
    code: `import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
while True: pass`,
  },
  {
    id: 't05-exit-hook',
    attack: 'an exit hook that never returns',
    code: `import atexit, sys
def forever():
    while True: pass
atexit.register(forever)
sys.exit(0)`,
    endsItself: true,
  },
  {
    id: 't05-threads',
    attack: 'threads, daemon and not, that never end while the cell waits for them',
    code: `import threading
def forever():
    while True:
        try:
            while True: pass
        except BaseException: pass
threads = [threading.Thread(target=forever, daemon=number % 2 == 0) for number in range(8)]
for thread in threads: thread.start()
while True:
    try:
        for thread in threads: thread.join()
    except BaseException: pass`,
  },
  {
    id: 't05-double-fork',
    attack: 'a daemon in a session of its own, forked twice, while the cell ignores the interrupt',
    code: `import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: pass
    os._exit(0)
while True:
    try: time.sleep(60)
    except BaseException: pass`,
  },
  {
    id: 't05-respawning',
    attack: 'two processes that start each other again whenever one is killed',
    code: `import os, time
def guard():
    while True:
        child = os.fork()
        if child == 0:
            os.setsid()
            time.sleep(0.05)
            continue
        try: os.waitpid(child, 0)
        except BaseException: pass
while True:
    try: guard()
    except BaseException: pass`,
  },
  {
    id: 't05-stopped',
    attack: 'a cell that stops its own process group (SIGSTOP)',
    code: 'import os, signal\nos.kill(0, signal.SIGSTOP)\nos.kill(os.getpid(), signal.SIGSTOP)',
  },
  {
    id: 't05-waits-for-input',
    attack: 'a cell that reads from a pipe nobody writes to',
    code: 'import os\nread_end, write_end = os.pipe()\nwhile True:\n    try: os.read(read_end, 1)\n    except BaseException: pass',
  },
  {
    id: 't05-kill-everybody',
    attack: 'kill(-1, SIGKILL) from a cell: the driver too',
    code: 'import os, signal\nos.kill(-1, signal.SIGKILL)',
    endsSandbox: true,
    endsItself: true,
  },
  {
    id: 't05-kill-driver',
    attack: 'SIGKILL for the driver alone',
    code: 'import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)',
    endsSandbox: true,
    endsItself: true,
  },
  {
    id: 't05-signal-driver',
    attack: 'every signal there is for the driver',
    code: `import os, signal
for number in signal.valid_signals():
    os.kill(os.getppid(), number)`,
    endsSandbox: true,
    endsItself: true,
  },
];

const timeoutMs = 1_000;

export const endlessCellAttacks: readonly Attack[] = cells.map(({ id, attack, code, endsSandbox, endsItself }) => ({
  id,
  threat: 5,
  attack: `${attack}: ends in time, nothing is left running, the next cell is clean`,
  alone: false,
  async run(stage) {
    const session = endsSandbox === true ? await stage.session() : await stage.borrowed();
    await stage.run(session, 'open("kept.txt", "w").write("kept")');
    const startedAt = performance.now();
    const execution = await stage.run(session, code, timeoutMs);
    const elapsedMs = performance.now() - startedAt;
    const problems = [
      late(timeoutMs, elapsedMs),
      endsItself !== true && !isEnded(execution) && outcome(execution),
      ...(endsSandbox === true && stage.runtime === 'runsc'
        ? await notRecoveredNorLost(stage, session, execution)
        : await notRecovered(stage, session)),
    ];
    if (session.alive) {
      const kept = await stage.run(session, 'print(open("kept.txt").read())');
      if (kept.stdout.trim() !== 'kept') problems.push(`files are gone: ${outcome(kept)}`);
    }
    return verdict(`${outcome(execution)} after ${Math.round(elapsedMs)} ms`, problems);
  },
}));

/** By the time limit; one that starts processes without end may meet the memory limit first. */
function isEnded({ status }: Execution): boolean {
  return status === 'timeout' || status === 'out-of-memory';
}
