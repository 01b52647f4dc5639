import { inodes } from '../../sandbox/limits.ts';
import { notRecovered } from '../aftermath.ts';
import { type Attack, outcome, type Runtime, verdict } from '../attack.ts';

/** Others write to the same disk meanwhile; an attack that reached it would go far above. */
const otherBytes = 96 * 1024 * 1024;
const otherInodes = 8_000;

interface Fill {
  readonly id: string;
  readonly attack: string;
  /** Prints what it wrote as a number in its last line, and leaves it in place. */
  readonly code: string;
  /** What the number must not go over. */
  readonly most: (workspaceBytes: number, runtime: Runtime) => number;
  readonly unit: string;
}

const fills: readonly Fill[] = [
  {
    id: 't04-bytes',
    attack: 'the workspace takes its size and no more; the disk of the host does not notice',
    code: `written = 0
try:
    for part in range(100_000):
        with open(f"fill-{part}", "wb") as file:
            for _ in range(16):
                file.write(bytes(1 << 20))
                file.flush()
                written += 1 << 20
except OSError as problem:
    print(problem)
print(written)`,
    most: (workspaceBytes) => workspaceBytes,
    unit: 'bytes',
  },
  {
    id: 't04-temporary-files',
    attack: '/tmp takes its size and no more; the disk of the host does not notice',
    code: `written = 0
try:
    with open("/tmp/fill", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
            file.flush()
            written += 1 << 20
except OSError as problem:
    print(problem)
print(written)`,
    most: (workspaceBytes) => workspaceBytes / 2,
    unit: 'bytes',
  },
  {
    id: 't04-inodes',
    attack: 'the number of files is bounded, by their number or by memory; the disk of the host does not notice',
    code: `made = 0
try:
    while made < 40_000:
        open(f"f{made}", "w").close()
        made += 1
except OSError as problem:
    print(problem)
print(made)`,
    // gVisor's tmpfs counts no inodes: they are its own memory, which has its limit, and none of the host's.
    most: (_, runtime) => (runtime === 'runc' ? inodes : Number.POSITIVE_INFINITY),
    unit: 'files',
  },
  {
    id: 't04-allocate',
    attack: 'space allocated without writing it counts as well',
    code: `import os
taken = 0
try:
    for part in range(10_000):
        with open(f"fill-{part}", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 64 << 20)
            taken += 64 << 20
except OSError as problem:
    print(problem)
print(taken)`,
    most: (workspaceBytes) => workspaceBytes,
    unit: 'bytes',
  },
  {
    id: 't04-sparse',
    attack: 'a file that says it has a tebibyte takes no disk of the host',
    code: `import os
try:
    with open("sparse", "wb") as file:
        file.truncate(1 << 40)
        file.seek((1 << 40) - 1)
        file.write(b"x")
except OSError as problem:
    print(problem)
print(os.stat("sparse").st_blocks * 512)`,
    most: (workspaceBytes) => workspaceBytes,
    unit: 'bytes on disk',
  },
];

const clean =
  'import glob, os\nfor path in glob.glob("/mnt/data/*") + ["/tmp/fill"]:\n    if os.path.exists(path): os.remove(path)';

const fillAttacks: readonly Attack[] = fills.map(({ id, attack, code, most, unit }) => ({
  id,
  threat: 4,
  attack,
  alone: true,
  async run(stage) {
    const session = await stage.borrowed();
    const before = await stage.host.disk();
    const execution = await stage.run(session, code, 20_000);
    const full = await stage.host.disk();
    const took = Number(execution.stdout.trim().split('\n').at(-1) || Number.NaN);
    const bytes = full.usedBytes - before.usedBytes;
    const files = full.usedInodes - before.usedInodes;
    await stage.run(session, clean, 30_000);
    const limit = most(stage.limits.workspaceBytes, stage.runtime);
    return verdict(
      `${took} ${unit} at most ${limit}; on the host's disk ${bytes} bytes and ${files} files by everybody`,
      [
        // Memory may be the limit that is met first; that is said as such.
        (execution.status !== 'ok' || Number.isNaN(took)) && execution.status !== 'out-of-memory' && outcome(execution),
        took > limit && `${took} ${unit}, over ${limit}`,
        bytes > otherBytes && `the host's disk has ${bytes} bytes less`,
        files > otherInodes && `the host's disk has ${files} files more`,
        ...(await notRecovered(stage, session)),
      ],
    );
  },
}));

export const diskAttacks: readonly Attack[] = [
  ...fillAttacks,
  {
    id: 't04-elsewhere',
    threat: 4,
    attack: 'nothing can be written outside of the workspace, /tmp and /dev/shm, each of which is memory with a size',
    alone: false,
    async run(stage) {
      const session = await stage.shared();
      const execution = await stage.run(
        session,
        `import os
writable, tried = set(), 0
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys", "/mnt/data", "/tmp", "/dev/shm")]
    tried += 1
    try:
        os.close(os.open(os.path.join(folder, "t04"), os.O_CREAT | os.O_WRONLY))
        writable.add(folder)
        os.remove(os.path.join(folder, "t04"))
    except OSError:
        pass
kinds = {line.split()[1]: line.split()[2] for line in open("/proc/mounts")}
print(tried, sorted(writable), *(kinds.get(place) for place in ("/mnt/data", "/tmp", "/dev/shm")))`,
        30_000,
      );
      const text = execution.stdout.trim();
      return {
        contained: /^\d{3,} \[\] tmpfs tmpfs tmpfs$/.test(text),
        evidence: text === '' ? outcome(execution) : text,
      };
    },
  },
];
