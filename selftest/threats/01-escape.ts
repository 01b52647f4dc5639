import { type Attack, outcome, verdict } from '../attack.ts';
import { holes } from '../walls.ts';
import { systemCallAttacks } from './01-system-calls.ts';

/** Code that must end in one of the errors; what it says on success is the escape. */
interface Attempt {
  readonly id: string;
  readonly attack: string;
  readonly code: string;
}

const refused = 'EACCES|EPERM|EROFS|ENOENT|EIO|ENXIO|EINVAL|ENOSYS|ENODEV|EBADFD';

const attempts: readonly Attempt[] = [
  {
    id: 't01-proc-sys',
    attack: 'kernel settings (/proc/sys, /proc/sysrq-trigger) cannot be written',
    code: `for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger"):
    attempt(path, lambda: open(path, "w").write("|/mnt/data/x"))`,
  },
  {
    id: 't01-sys',
    attack: '/sys cannot be written: no uevent helper, no control group of its own, no release agent',
    code: `for path in ("/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", "/sys/power/state"):
    attempt(path, lambda: open(path, "w").write("1"))
for path in ("/sys/fs/cgroup/x", "/sys/fs/cgroup/memory/x"):
    attempt(path, lambda: os.mkdir(path))`,
  },
  {
    id: 't01-kernel-memory',
    attack: 'memory of the machine (/proc/kcore, /dev/mem, /dev/kmem, /dev/port) cannot be read',
    code: `for path in ("/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port", "/proc/kmsg"):
    attempt(path, lambda: open(path, "rb").read(4096))`,
  },
  {
    id: 't01-disks',
    attack: "the machine's disks, fuse, kvm and tun devices are not there",
    code: `for path in ("/dev/sda", "/dev/vda", "/dev/xvda", "/dev/nvme0n1", "/dev/loop0", "/dev/loop-control", "/dev/dm-0", "/dev/fuse", "/dev/kvm", "/dev/net/tun"):
    attempt(path, lambda: open(path, "rb").read(512))`,
  },
  {
    id: 't01-read-only-root',
    attack: 'the root file system is read-only, also where its permissions would allow writing',
    code: `for path in ("/x", "/etc/passwd", "/usr/bin/x", "/opt/x", "/var/tmp/x", "/run/x", "/home/x", "/root/x", "/mnt/x", "/lib/x"):
    attempt(path, lambda: open(path, "a").write("x"))`,
  },
  {
    id: 't01-execute-own-binary',
    attack: 'a program brought along in a file cannot be executed (noexec)',
    code: `import shutil, subprocess
for folder in ("/mnt/data", "/tmp", "/dev/shm"):
    path = shutil.copy("/bin/true", folder + "/own-program")
    os.chmod(path, 0o755)
    attempt(path, lambda: subprocess.run([path], check=True))
    os.remove(path)`,
  },
];

const attempting = `
import errno, os
def attempt(name, action):
    try:
        action()
        print(f"ALLOWED {name}")
    except OSError as problem:
        print(errno.errorcode.get(problem.errno, "?"), name)
`;

const outside: readonly Attack[] = [
  {
    id: 't01-walls',
    threat: 1,
    attack:
      'from outside: no capability, no new privileges, system call filter on, not root, namespaces of its own, no network device',
    alone: false,
    async run(stage) {
      const session = await stage.shared();
      const execution = await stage.run(session, 'import subprocess\nrunning = subprocess.Popen(["sleep", "2"])');
      const found = await holes(stage, session);
      const { length } = await stage.host.processes(session);
      return verdict(`${length} processes of the container, each behind every wall`, [
        execution.status !== 'ok' && outcome(execution),
        ...found,
      ]);
    },
  },
  {
    id: 't01-inside-view',
    threat: 1,
    attack: 'from inside: no capability in any set, not root, no other group',
    alone: false,
    async run(stage) {
      const execution = await stage.run(
        await stage.shared(),
        `import os
lines = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(lines["CapEff"], lines["CapPrm"], lines["CapInh"], os.getresuid(), os.getresgid(), set(os.getgroups()) - {os.getgid()})`,
      );
      const none = '0'.repeat(16);
      const contained = new RegExp(
        `^${none} ${none} ${none} \\((\\d{5,}), \\1, \\1\\) \\((\\d{5,}), \\2, \\2\\) set\\(\\)$`,
      );
      return {
        contained: contained.test(execution.stdout.trim()),
        evidence: execution.stdout.trim() || outcome(execution),
      };
    },
  },
  {
    id: 't01-setuid-binaries',
    threat: 1,
    attack: 'the image holds no setuid or setgid program and no file with capabilities',
    alone: false,
    async run(stage) {
      const execution = await stage.run(
        await stage.shared(),
        `import os, stat
found, looked = [], 0
for folder, folders, names in os.walk("/"):
    if folder in ("/proc", "/sys"):
        folders.clear()
        continue
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        looked += 1
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            found.append(path)
        elif stat.S_ISREG(mode) and mode & 0o111:
            try:
                if "security.capability" in os.listxattr(path, follow_symlinks=False): found.append(path)
            except OSError:
                pass
print(looked, found)`,
        30_000,
      );
      const text = execution.stdout.trim();
      return {
        contained: /^\d{4,} \[\]$/.test(text),
        evidence: text === '' ? outcome(execution) : `files looked at, and found: ${text}`,
      };
    },
  },
  {
    id: 't01-device-nodes',
    threat: 1,
    attack: '/dev holds only the harmless ones: null, zero, full, random, urandom, tty, ptmx',
    alone: false,
    async run(stage) {
      // gVisor has a fuse of its own, which takes no request from the machine.
      const also = stage.runtime === 'runsc' ? ', "fuse"' : '';
      const execution = await stage.run(
        await stage.shared(),
        `import os, stat
harmless = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"${also}}
print("other devices:", sorted(entry.name for entry in os.scandir("/dev")
    if entry.name not in harmless and stat.S_IFMT(os.lstat(entry.path).st_mode) in (stat.S_IFCHR, stat.S_IFBLK)))`,
      );
      const text = execution.stdout.trim();
      return { contained: text === 'other devices: []', evidence: text || outcome(execution) };
    },
  },
];

function refusedAttempt({ id, attack, code }: Attempt): Attack {
  return {
    id,
    threat: 1,
    attack,
    alone: false,
    async run(stage) {
      const session = await stage.shared();
      const execution = await stage.run(session, attempting + code);
      const answers = execution.stdout.trim().split('\n');
      const other = answers.filter((answer) => !new RegExp(`^(${refused}) `).test(answer));
      const { stdout } = await stage.run(session, 'print("still here")');
      return verdict(answers.join(', ').slice(0, 300), [
        execution.status !== 'ok' && outcome(execution),
        other.length > 0 && other.join(', '),
        !stdout.includes('still here') && 'the sandbox does not answer any more',
        ...(await holes(stage, session)),
      ]);
    },
  };
}

export const escapeAttacks: readonly Attack[] = [...outside, ...attempts.map(refusedAttempt), ...systemCallAttacks];
