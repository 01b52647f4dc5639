import { disturbed, hungry, notRecoveredNorLost } from '../aftermath.ts';
import { type Attack, outcome, verdict } from '../attack.ts';

interface Hunger {
  readonly id: string;
  readonly attack: string;
  readonly code: string;
  /** The file system says no before the memory limit does. */
  readonly noSpace?: true;
}

const hungers: readonly Hunger[] = [
  {
    id: 't03-list-growth',
    attack: 'a list that grows for ever ends in words about the memory limit',
    code: 'kept = []\nwhile True: kept.append(bytearray(4 << 20))',
  },
  {
    id: 't03-numpy',
    attack: 'a NumPy array larger than the limit ends in words about the memory limit',
    code: 'import numpy\nkept = [numpy.ones(1 << 24) for _ in range(100_000)]',
  },
  {
    id: 't03-mmap',
    attack: 'anonymous mappings, each page touched, end in words about the memory limit',
    code: `import mmap
kept = []
while True:
    kept.append(mmap.mmap(-1, 32 << 20))
    for offset in range(0, 32 << 20, 4096): kept[-1][offset] = 1`,
  },
  {
    id: 't03-child',
    attack: 'memory taken by a child process ends in words about the memory limit',
    code: `import subprocess, sys
subprocess.run([sys.executable, "-c", "kept = []\\nwhile True: kept.append(bytearray(4 << 20))"], check=True)`,
  },
  {
    id: 't03-many-children',
    attack: 'memory taken by many children in small parts ends in words about the memory limit',
    code: `import os, time
children = []
for _ in range(24):
    child = os.fork()
    if child == 0:
        kept = bytearray(os.urandom(1 << 20)) * 100
        time.sleep(8)
        os._exit(0)
    children.append(child)
ended = [os.waitpid(child, 0)[1] for child in children]
assert not any(ended), "children were killed"`,
  },
  {
    id: 't03-shared-memory',
    attack: '/dev/shm is full at its own small size',
    code: 'with open("/dev/shm/fill", "wb") as file:\n    while True: file.write(bytes(1 << 20))',
    noSpace: true,
  },
  {
    id: 't03-all-file-systems',
    attack:
      'workspace, temporary files and shared memory filled together, then memory: ends in words, files before it survive',
    code: `for path in ("/mnt/data/fill", "/tmp/fill", "/dev/shm/fill"):
    try:
        with open(path, "wb") as file:
            while True: file.write(bytes(1 << 20))
    except OSError as problem:
        print(path, problem.errno)
kept = []
while True: kept.append(bytearray(4 << 20))`,
  },
];

export const memoryAttacks: readonly Attack[] = hungers.map(({ id, attack, code, noSpace }) => ({
  id,
  threat: 3,
  attack,
  alone: true,
  async run(stage) {
    const neighbour = await stage.shared();
    const session = await stage.borrowed();
    await stage.run(session, 'open("/mnt/data/kept.txt", "w").write("kept")');
    const execution = await stage.run(session, code, 30_000);
    const megabytes = Math.round(stage.limits.memoryBytes / (1 << 20));
    // The driver writes 1,024 MB, the bot 1024 MB.
    const message = (execution.error?.message ?? '').replaceAll(',', '');
    const isSaid =
      noSpace === true
        ? execution.status === 'error' && message.includes('No space left')
        : (execution.status === 'out-of-memory' && message.includes(String(megabytes))) ||
          // What the kernel started was ended, and the kernel lives on.
          (execution.status === 'error' && /container ran out of memory/.test(execution.stderr));
    const neighbourProblems = await disturbed(stage, neighbour);
    const clean =
      'import glob, os\nfor path in glob.glob("/*/fill") + glob.glob("/*/*/fill"): os.remove(path)\nprint(open("/mnt/data/kept.txt").read())';
    const after = session.alive ? await stage.run(session, clean) : null;
    // Under gVisor full file systems leave no memory for the next cell either, which says so each time.
    const isFull = stage.runtime === 'runsc' && after?.status === 'out-of-memory';
    const end = isFull ? 'full until it is replaced' : session.alive ? 'files kept' : 'the sandbox ended with it';
    return verdict(`${outcome(execution)}, ${end}`, [
      !isSaid && outcome(execution),
      after !== null && !isFull && after.stdout.trim() !== 'kept' && `files are gone: ${outcome(after)}`,
      stage.runtime === 'runc' && !session.alive && 'the whole sandbox ended, not the cell alone',
      await hungry(stage, session, stage.limits.memoryBytes / 2),
      ...neighbourProblems,
      ...(isFull ? [] : await notRecoveredNorLost(stage, session, execution)),
    ]);
  },
}));
