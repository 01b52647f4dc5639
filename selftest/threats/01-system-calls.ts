import { type Attack, outcome, verdict } from '../attack.ts';
import { holes } from '../walls.ts';

/**
 * System calls and sockets that user code must not have. Under runc the filter must refuse with EPERM: ENOSYS or EAFNOSUPPORT would only
 * say that this kernel lacks the thing today. gVisor answers some from its own kernel; there, and here, the host must see every wall
 * unmoved while the process that tried is still alive.
 */
interface Call {
  readonly id: string;
  readonly what: string;
  /** Numbers on x86-64 and arm64. */
  readonly numbers: readonly [number, number];
  readonly arguments?: string;
  /** gVisor has to refuse as well, for its own reasons and with its own error. */
  readonly always?: true;
}

const calls: readonly Call[] = [
  { id: 'unshare-user', what: 'unshare(CLONE_NEWUSER)', numbers: [272, 97], arguments: '0x10000000' },
  { id: 'unshare-mount', what: 'unshare(CLONE_NEWNS)', numbers: [272, 97], arguments: '0x20000' },
  { id: 'unshare-net', what: 'unshare(CLONE_NEWUSER | CLONE_NEWNET)', numbers: [272, 97], arguments: '0x50000000' },
  { id: 'clone-user', what: 'clone(CLONE_NEWUSER | SIGCHLD)', numbers: [56, 220], arguments: '0x10000011, 0, 0, 0, 0' },
  {
    id: 'setns',
    what: 'setns into the namespaces of process 1',
    numbers: [308, 268],
    arguments: 'os.open("/proc/self/ns/net", 0), 0',
    always: true,
  },
  {
    id: 'mount',
    what: 'mount a tmpfs',
    numbers: [165, 40],
    arguments: 'b"x", b"/mnt/data", b"tmpfs", 0, None',
    always: true,
  },
  { id: 'umount', what: 'umount2("/tmp", MNT_DETACH)', numbers: [166, 39], arguments: 'b"/tmp", 2', always: true },
  { id: 'fsopen', what: 'the new mount API: fsopen', numbers: [430, 430], arguments: 'b"tmpfs", 0', always: true },
  {
    id: 'open-tree',
    what: 'the new mount API: open_tree(OPEN_TREE_CLONE)',
    numbers: [428, 428],
    arguments: '-100, b"/", 1',
    always: true,
  },
  { id: 'pivot-root', what: 'pivot_root', numbers: [155, 41], arguments: 'b"/mnt/data", b"/mnt/data"', always: true },
  { id: 'chroot', what: 'chroot', numbers: [161, 51], arguments: 'b"/mnt/data"', always: true },
  { id: 'keyctl', what: 'keyctl: the kernel keyring', numbers: [250, 219], arguments: '0, -3, 1' },
  {
    id: 'add-key',
    what: 'add_key: the kernel keyring',
    numbers: [248, 217],
    arguments: 'b"user", b"plotline", b"x", 1, -3',
    always: true,
  },
  { id: 'bpf', what: 'bpf(BPF_MAP_CREATE)', numbers: [321, 280], arguments: '0, bytes(72), 72', always: true },
  { id: 'io-uring', what: 'io_uring_setup', numbers: [425, 425], arguments: '4, bytes(120)' },
  { id: 'userfaultfd', what: 'userfaultfd', numbers: [323, 282], arguments: '1', always: true },
  {
    id: 'ptrace',
    what: 'ptrace(PTRACE_ATTACH) on process 1',
    numbers: [101, 117],
    arguments: '16, 1, 0, 0',
    always: true,
  },
  {
    id: 'pidfd-getfd',
    what: 'pidfd_getfd: a descriptor of process 1',
    numbers: [438, 438],
    arguments: 'os.pidfd_open(1), 0, 0',
    always: true,
  },
  {
    id: 'perf-event',
    what: 'perf_event_open',
    numbers: [298, 241],
    arguments: 'bytes(128), 0, -1, -1, 0',
    always: true,
  },
  {
    id: 'open-by-handle',
    what: 'open_by_handle_at: any inode of the disk',
    numbers: [304, 265],
    arguments: '-100, bytes(32), 0',
    always: true,
  },
  { id: 'kexec', what: 'kexec_load', numbers: [246, 104], arguments: '0, 0, 0, 0', always: true },
  {
    id: 'init-module',
    what: 'init_module: load a kernel module',
    numbers: [175, 105],
    arguments: 'b"x", 1, b""',
    always: true,
  },
  {
    id: 'finit-module',
    what: 'finit_module: load a kernel module',
    numbers: [313, 273],
    arguments: 'os.memfd_create("m"), b"", 0',
    always: true,
  },
  { id: 'personality', what: 'personality(ADDR_NO_RANDOMIZE)', numbers: [135, 92], arguments: '0x40000' },
  {
    id: 'settime',
    what: 'clock_settime: the clock of the machine',
    numbers: [227, 112],
    arguments: '0, bytes(16)',
    always: true,
  },
  {
    id: 'reboot',
    what: 'reboot',
    numbers: [169, 142],
    arguments: '0xfee1dead, 672274793, 0x01234567, 0',
    always: true,
  },
  {
    id: 'syslog',
    what: "syslog: the kernel's log",
    numbers: [103, 116],
    arguments: '3, ctypes.create_string_buffer(64), 64',
  },
];

const families: readonly (readonly [name: string, number: number])[] = [
  ['AF_ALG', 38],
  ['AF_RXRPC', 33],
  ['AF_VSOCK', 40],
  ['AF_NETLINK', 16],
  ['AF_PACKET', 17],
  ['AF_KEY', 15],
];

/** The answer of `action`, tried in an orphan that stays for a second: the host looks at it meanwhile. */
const attempting = (action: string): string => `
import ctypes, errno, os, socket, time
def attempt():
    libc = ctypes.CDLL(None, use_errno=True)
    ${action}
read_end, write_end = os.pipe()
middle = os.fork()
if middle == 0:
    if os.fork() == 0:
        try:
            answer = attempt()
        except OSError as problem:
            answer = errno.errorcode.get(problem.errno, str(problem.errno))
        except BaseException as problem:
            answer = repr(problem)
        os.write(write_end, answer.encode())
        time.sleep(1)
    os._exit(0)
os.close(write_end)
os.waitpid(middle, 0)
print(os.read(read_end, 1000).decode())
os.close(read_end)`;

const callAction = ({ numbers: [x86, arm], arguments: given = '' }: Call): string =>
  `number = ${x86} if os.uname().machine == "x86_64" else ${arm}
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in (${given}${given === '' ? '' : ','})]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *arguments)
    return f"ALLOWED ({result})" if result != -1 else errno.errorcode.get(ctypes.get_errno(), "?")`;

const socketAction = (family: number): string =>
  `answers = set()
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(${family}, kind, 0).close()
            answers.add(f"ALLOWED ({kind})")
        except OSError as problem:
            answers.add(errno.errorcode.get(problem.errno, "?"))
    return " ".join(sorted(answers))`;

function refusal(attack: Pick<Attack, 'id' | 'attack'>, action: string, mustRefuse: boolean): Attack {
  return {
    ...attack,
    threat: 1,
    alone: false,
    async run(stage) {
      const session = await stage.shared();
      const execution = await stage.run(session, attempting(action));
      const answer = execution.stdout.trim();
      const found = await holes(stage, session);
      const isRefused = stage.runtime === 'runc' ? answer === 'EPERM' : !mustRefuse || !answer.includes('ALLOWED');
      return verdict(`${answer}; the host sees every wall as before`, [
        (execution.status !== 'ok' || answer === '') && outcome(execution),
        !isRefused && `the answer is ${answer}, not EPERM`,
        ...found,
      ]);
    },
  };
}

export const systemCallAttacks: readonly Attack[] = [
  refusal(
    { id: 't01-mknod-device', attack: "a node of the machine's disk can be made neither nor read" },
    `path = "/mnt/data/own-disk"
    try:
        os.mknod(path, 0o60666, os.makedev(254, 0))
        return "ALLOWED " + str(open(path, "rb").read(512)[:16])
    finally:
        if os.path.lexists(path): os.remove(path)`,
    true,
  ),
  ...calls.map((call) =>
    refusal({ id: `t01-${call.id}`, attack: `${call.what} is refused` }, callAction(call), call.always ?? false),
  ),
  ...families.map(([name, family]) =>
    refusal(
      { id: `t01-socket-${name.toLowerCase().replace('_', '-')}`, attack: `a socket of family ${name} is refused` },
      socketAction(family),
      // gVisor has an AF_NETLINK of its own that knows its own loopback.
      name !== 'AF_NETLINK',
    ),
  ),
];
