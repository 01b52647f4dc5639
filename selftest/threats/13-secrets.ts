import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { type Attack, outcome, type Stage, verdict } from '../attack.ts';

/**
 * In the environment of this process, as the bot's tokens are in its own, before the first sandbox of the run is started. Nothing of
 * it may be found on the other side.
 */
const canary = `canary-${randomBytes(12).toString('hex')}`;
process.env['SLACK_BOT_TOKEN_CANARY'] = canary;
process.env['OPENAI_API_KEY_CANARY'] = canary;

interface Look {
  readonly id: string;
  readonly attack: string;
  /** Prints what it found; each line is evidence. */
  readonly code: string;
}

const looks: readonly Look[] = [
  {
    id: 't13-environment',
    attack: 'the environment holds only names of an allow list, and no value of the bot',
    code: `import os
known = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "HOME", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TERM", "NO_COLOR"}
known_starts = ("PYTHON", "PYGAME_", "SDL_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "BLIS_", "KMP_")
odd = [name for name in os.environ if name not in known and not name.startswith(known_starts)]
print("others:", odd)
print(*(f"{name}={value}" for name, value in os.environ.items()))`,
  },
  {
    id: 't13-process-environments',
    attack: "no process's /proc/<pid>/environ or command line shows a value of the bot",
    code: `import os
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline"):
        try: print(open(f"/proc/{pid}/{name}", "rb").read())
        except OSError as problem: print(pid, name, problem.strerror)
print("others: []")`,
  },
  {
    id: 't13-host-name',
    attack: 'neither host name nor hosts file nor kernel settings name the machine',
    code: `import os, platform, socket
print(socket.gethostname(), os.uname().nodename, platform.node(), open("/etc/hosts").read(), open("/proc/sys/kernel/hostname").read())
for path in ("/etc/hostname", "/etc/machine-id", "/var/lib/dbus/machine-id", "/sys/class/dmi/id/product_uuid", "/sys/class/dmi/id/product_serial"):
    try: print(path, open(path).read())
    except OSError as problem: print(path, problem.strerror)
print("others:", [name for name in (socket.gethostname(), os.uname().nodename) if name != "sandbox"])`,
  },
  {
    id: 't13-resolvers',
    attack: "resolv.conf names neither the host's resolvers nor its search domains",
    code: `lines = [line.split() for line in open("/etc/resolv.conf") if line.strip() and not line.startswith("#")]
print(lines)
print("others:", [line for line in lines if line[0] == "nameserver" and not line[1].startswith("127.") or line[0] == "search" and line[1:] not in ([], ["."])])`,
  },
  {
    id: 't13-mounts',
    attack: 'no folder of the host, no volume and no socket is mounted',
    code: `allowed = {"overlay", "tmpfs", "proc", "sysfs", "devtmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "9p", "gofer", "none"}
rows = [line.split() for line in open("/proc/mounts")]
print("others:", [row[1] for row in rows if row[2] not in allowed and row[1] not in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/sbin/docker-init")])
print([row[1:3] for row in rows])`,
  },
  {
    id: 't13-canary-everywhere',
    attack: 'every readable file outside of the programs, memory files included, is free of the bot and its token',
    code: `import os
found, looked = [], 0
for top in ("/etc", "/proc", "/run", "/dev/shm", "/mnt", "/tmp", "/var", "/root", "/home", "/opt", "/srv"):
    for folder, folders, names in os.walk(top):
        if folder.startswith("/proc/") and folder.count("/") > 2: folders.clear()
        for name in names:
            path = os.path.join(folder, name)
            try:
                if not os.path.isfile(path): continue
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                try: data = os.read(fd, 1 << 20)
                finally: os.close(fd)
            except OSError: continue
            looked += 1
            if b"canary-" + HALVES[0].encode() + HALVES[1].encode() in data: found.append(path)
print("files looked at:", looked)
print("others:", found)`,
  },
];

async function seen(
  stage: Stage,
  session: SandboxSession,
  code: string,
): Promise<readonly [string, readonly string[]]> {
  // In two halves, so that the search does not find itself.
  const secret = canary.slice('canary-'.length);
  const halves = `HALVES = ("${secret.slice(0, 12)}", "${secret.slice(12)}")\n`;
  const execution = await stage.run(session, halves + code, 30_000);
  const text = execution.stdout;
  const problems: string[] = [];
  if (execution.status !== 'ok') problems.push(outcome(execution));
  if (text.includes(canary)) problems.push("a value of the bot's environment is there");
  if (text.includes(hostname()) && hostname().length > 3) problems.push(`the machine's name (${hostname()}) is there`);
  if (!text.includes('others: []')) problems.push(/^others: .*$/m.exec(text)?.[0] ?? 'nothing was printed');
  return [text, problems];
}

export const secretAttacks: readonly Attack[] = [
  ...looks.map(
    ({ id, attack, code }) =>
      ({
        id,
        threat: 13,
        attack,
        alone: false,
        async run(stage) {
          const [text, problems] = await seen(stage, await stage.shared(), code);
          return verdict(text.trim().replaceAll(/\s+/g, ' ').slice(0, 200), problems);
        },
      }) satisfies Attack,
  ),
  {
    id: 't13-labels',
    threat: 13,
    attack: "the container's labels say whose it is and until when, and nothing else",
    alone: false,
    async run(stage) {
      const { id } = await stage.shared();
      const labels = (await stage.engine.list()).find((container) => container.id === id)?.labels ?? {};
      const text = JSON.stringify(labels);
      const other = Object.keys(labels).filter((name) => !/^(plotline|org\.opencontainers)\./.test(name));
      return verdict(text, [
        Object.keys(labels).length === 0 && 'the engine shows no labels',
        other.length > 0 && `other labels: ${other.join(', ')}`,
        text.includes(canary) && "a value of the bot's environment is there",
        hostname().length > 3 && text.includes(hostname()) && "the machine's name is there",
      ]);
    },
  },
];
