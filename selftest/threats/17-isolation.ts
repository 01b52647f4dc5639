import { type Attack, outcome, verdict } from '../attack.ts';

/** One thing that a thread can leave behind: how it is left, and how another thread would look for it. */
interface Trace {
  readonly id: string;
  readonly what: string;
  readonly leave: string;
  /** Prints a list that must be empty. */
  readonly look: string;
}

const traces: readonly Trace[] = [
  {
    id: 'file',
    what: 'files in the workspace and in /tmp',
    leave: 'for path in ("/mnt/data/marker-17", "/tmp/marker-17"): open(path, "w").write("marker")',
    look: 'import os\nprint([path for path in ("/mnt/data/marker-17", "/tmp/marker-17") if os.path.exists(path)])',
  },
  {
    id: 'variable',
    what: 'variables',
    leave: 'marker_17 = "marker"',
    look: 'print([name for name in globals() if name == "marker_17"])',
  },
  {
    id: 'module-patch',
    what: 'patched modules',
    leave: 'import json, builtins, pandas\njson.marker_17 = builtins.marker_17 = pandas.marker_17 = True',
    look: 'import json, builtins, pandas\nprint([module.__name__ for module in (json, builtins, pandas) if hasattr(module, "marker_17")])',
  },
  {
    id: 'shared-memory',
    what: 'POSIX shared memory and semaphores',
    leave:
      'open("/dev/shm/marker-17", "w").write("marker")\nimport multiprocessing.shared_memory as memory\nkept_17 = memory.SharedMemory("marker17", create=True, size=64)',
    look: 'import os\nprint([name for name in os.listdir("/dev/shm") if "marker" in name])',
  },
  {
    id: 'abstract-socket',
    what: 'an abstract unix socket',
    leave:
      'import socket\nlistener_17 = socket.socket(socket.AF_UNIX)\nlistener_17.bind("\\0marker-17")\nlistener_17.listen()',
    look: 'import socket\none = socket.socket(socket.AF_UNIX)\ntry:\n    one.connect("\\0marker-17")\n    print(["reached"])\nexcept OSError:\n    print([])',
  },
  {
    id: 'loopback',
    what: 'a listener on loopback',
    leave: 'import socket\nopen_17 = socket.create_server(("127.0.0.1", 17017))',
    look: 'import socket\ntry:\n    socket.create_connection(("127.0.0.1", 17017), 1)\n    print(["reached"])\nexcept OSError:\n    print([])',
  },
  {
    id: 'process',
    what: 'a running process',
    leave: 'import subprocess\nrunning_17 = subprocess.Popen(["sleep", "17.17"])',
    look: 'import os\ndef line(pid):\n    try: return open(f"/proc/{pid}/cmdline").read()\n    except OSError: return ""\nprint([pid for pid in filter(str.isdigit, os.listdir("/proc")) if "17.17" in line(pid)])',
  },
];

const leaveAll = traces.map(({ leave }) => leave).join('\n');
const lookForAll = traces.map(({ look }) => look).join('\n');

export const isolationAttacks: readonly Attack[] = [
  ...traces.map(
    ({ id, what, leave, look }) =>
      ({
        id: `t17-${id}`,
        threat: 17,
        attack: `${what} of one thread cannot be seen by another that runs at the same time`,
        alone: false,
        async run(stage) {
          const own = await stage.borrowed();
          const other = await stage.borrowed();
          const left = await stage.run(own, leave);
          const there = await stage.run(own, look);
          const found = await stage.run(other, look);
          // A process of its own would count as left behind; variables and patches go with the kernel.
          await stage.run(own, 'import os\nos._exit(0)');
          return verdict(`where it was left: ${there.stdout.trim()}; beside it: ${found.stdout.trim()}`, [
            left.status !== 'ok' && outcome(left),
            (there.stdout.trim() === '[]' || there.status !== 'ok') && `it was not left: ${outcome(there)}`,
            found.stdout.trim() !== '[]' && outcome(found),
          ]);
        },
      }) satisfies Attack,
  ),
  {
    id: 't17-next-thread',
    threat: 17,
    attack: 'a thread finds nothing of the one before it: each gets a container that nobody had, the pool too',
    alone: true,
    async run(stage) {
      const first = await stage.session();
      const left = await stage.run(first, leaveAll);
      await first[Symbol.asyncDispose]();
      const second = await stage.session();
      const found = await stage.run(second, lookForAll);
      const third = await stage.session();
      const foundAgain = await stage.run(third, lookForAll);
      const nothing = traces.map(() => '[]').join('\n');
      return verdict(`three containers: ${[first, second, third].map(({ id }) => id.slice(0, 8)).join(', ')}`, [
        left.status !== 'ok' && outcome(left),
        new Set([first.id, second.id, third.id]).size !== 3 && 'a container was handed out twice',
        found.stdout.trim() !== nothing && outcome(found),
        foundAgain.stdout.trim() !== nothing && outcome(foundAgain),
      ]);
    },
  },
];
