import { type Attack, verdict } from '../attack.ts';
import { machineNamespaces } from '../walls.ts';

/** What two sandboxes must not have in common. gVisor's processes share the host's process numbers; what runs inside does not see them. */
const separate = { runc: ['ipc', 'mnt', 'net', 'pid', 'uts'], runsc: ['ipc', 'mnt', 'net', 'user', 'uts'] } as const;

export const sideChannelAttacks: readonly Attack[] = [
  {
    id: 't21-own-namespaces',
    threat: 21,
    attack:
      'two sandboxes share no namespace with each other or the host (caches, memory bandwidth and the processor they do share: out of scope)',
    alone: false,
    async run(stage) {
      const sessions = [await stage.shared(), await stage.borrowed()];
      const kinds = separate[stage.runtime];
      const machine = await machineNamespaces(stage);
      const seen = await Promise.all(
        sessions.map(async (session) => {
          // gVisor's file server, which runs as root, is no part of what user code runs in.
          const inside = (await stage.host.processes(session)).find(({ userId }) => userId !== 0);
          if (inside === undefined) throw new Error('the host sees no process of the container');
          return (await stage.host.namespaces(inside.pid)) ?? {};
        }),
      );
      const common = kinds.filter((kind) => new Set([machine, ...seen].map((own) => own[kind])).size !== 3);
      return verdict(`${kinds.join(', ')}: three of each, two sandboxes and the host`, [
        common.length > 0 && `shared: ${common.join(', ')}`,
      ]);
    },
  },
  {
    id: 't21-timers',
    threat: 21,
    attack: "no performance counter, no kernel address and no other sandbox's process can be read",
    alone: false,
    async run(stage) {
      const execution = await stage.run(
        await stage.shared(),
        `import os
found = []
for path in ("/proc/kallsyms", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats", "/sys/kernel/debug", "/sys/kernel/tracing/trace", "/proc/iomem", "/proc/slabinfo", "/proc/pagetypeinfo"):
    try:
        text = " ".join(os.listdir(path)) if os.path.isdir(path) else open(path).read(4096)
        words = [word for word in text.split() if word.strip("0-") != ""]
        if path.endswith(("kallsyms", "iomem")): words = [line for line in text.splitlines() if line.split()[0].strip("0-:") != ""]
        if words: found.append(path)
    except OSError: pass
print("found", found)`,
      );
      return {
        contained: execution.stdout.trim() === 'found []',
        evidence: execution.stdout.trim() || execution.status,
      };
    },
  },
];
