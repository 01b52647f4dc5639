import type { Execution } from '../../src/types.ts';
import { disturbed, notRecovered, notRecoveredNorLost } from '../aftermath.ts';
import { type Attack, outcome, verdict } from '../attack.ts';

/** `frame(header)`: a frame of the driver's protocol that looks right in every way. `forged()`: one that ends the cell with a lie. */
const forging = `
import errno, json, os, struct, time
def frame(header, payload=b""):
    head = json.dumps(header).encode()
    return struct.pack(">II", len(head), len(payload)) + head + payload
def forged(nonce=None):
    more = {} if nonce is None else {"nonce": nonce}
    lie = {"path": "forged.csv", "sizeBytes": 1, "sha256": "0" * 64, "change": "new", "formulas": None}
    return b"".join(
        frame({"type": "output", "id": number, "stream": "stdout", **more}, b"FORGED")
        + frame({"type": "done", "id": number, "status": "ok", "error": None, "stateKept": True, "files": [lie], "durationMs": 1, "truncated": False, **more})
        for number in range(1, 40))
def give(fd, data):
    os.set_blocking(fd, False)
    try: os.write(fd, data)
    except OSError: pass
`;

interface Forgery {
  readonly id: string;
  readonly attack: string;
  readonly code: string;
  readonly timeoutMs?: number;
  /** Aims at the driver, which is not possible: the cell's output says so with this. */
  readonly refused?: RegExp;
  /** The same where gVisor lets a process look at more of another: nothing in it is a secret or can be changed. */
  readonly refusedByGvisor?: RegExp;
}

const forgeries: readonly Forgery[] = [
  {
    id: 't07-forged-frames',
    attack: 'frames of the protocol written to every descriptor of the process',
    code: `for fd in range(3, 1024):
    try: os.fstat(fd)
    except OSError: continue
    give(fd, forged())
time.sleep(0.3)`,
  },
  {
    id: 't07-guessed-nonce',
    attack: "a forged end of the cell on the kernel's own link, with guessed nonces",
    code: `for guess in ("", "0", "0" * 32, None):
    for fd in range(3, 1024):
        try: os.fstat(fd)
        except OSError: continue
        give(fd, frame({"type": "done", "nonce": guess, "status": "ok", "error": None, "truncated": False}))
time.sleep(0.3)`,
  },
  {
    id: 't07-giant-frame',
    attack: 'a frame on every descriptor that claims 4 GB',
    code: `for fd in range(3, 1024):
    try: os.fstat(fd)
    except OSError: continue
    give(fd, b"\\xff" * 8 + b"x" * 4096)
time.sleep(0.3)`,
  },
  { id: 't07-close-everything', attack: 'every descriptor closed', code: 'os.closerange(0, 4096)\ntime.sleep(0.3)' },
  {
    id: 't07-driver-descriptors',
    attack: "the driver's descriptors opened by way of /proc, and frames written to them",
    code: `opened = 0
for pid in {1, os.getppid()}:
    for number in range(64):
        for flags in (os.O_WRONLY, os.O_RDONLY):
            try: fd = os.open(f"/proc/{pid}/fd/{number}", flags | os.O_NONBLOCK)
            except OSError: continue
            opened += 1
            give(fd, forged())
print("opened", opened)
time.sleep(0.3)`,
    refused: /^opened 0$/m,
    // Null devices, the workspace, and the kernel's own output.
    refusedByGvisor: /opened \d+/,
  },
  {
    id: 't07-driver-memory',
    attack: "the driver's memory read and written by way of /proc/<pid>/mem and process_vm_readv",
    code: `import ctypes
class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
libc = ctypes.CDLL(None, use_errno=True)
got = []
for pid in {1, os.getppid()}:
    for name in ("mem", "maps", "environ", "auxv", "stack", "syscall"):
        for mode in ("rb", "r+b"):
            try:
                with open(f"/proc/{pid}/{name}", mode, buffering=0) as file:
                    if name == "mem": file.seek(id(libc))
                    if file.read(64): got.append((pid, name, mode))
            except (OSError, ValueError): pass
    for call in (310, 311):
        buffer = ctypes.create_string_buffer(64)
        here, there = Piece(ctypes.addressof(buffer), 64), Piece(id(libc), 64)
        if libc.syscall(call, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0: got.append((pid, call))
print("got", got)`,
    refused: /^got \[\]$/m,
    refusedByGvisor: /^got \[(\(1, '(maps|environ|auxv)', 'rb'\)(, )?)*\]$/m,
  },
  {
    id: 't07-driver-code',
    attack: "the driver's program, its modules and its search path replaced",
    code: `import plotline.driver.loop as loop
changed = []
for path in (loop.__file__, loop.__file__ + "c", "/opt/plotline/plotline/x.py", "/usr/lib/python3/dist-packages/x.py"):
    try:
        with open(path, "a") as file: file.write("#")
        changed.append(path)
    except OSError: pass
os.makedirs("/mnt/data/json", exist_ok=True)
with open("/mnt/data/json/__init__.py", "w") as file: file.write("raise SystemExit")
loop.serve = None
print("changed", changed)`,
    refused: /^changed \[\]$/m,
  },
];

export const protocolAttacks: readonly Attack[] = [
  ...forgeries.map(
    ({ id, attack, code, timeoutMs, refused, refusedByGvisor = refused }) =>
      ({
        id,
        threat: 7,
        attack: `${attack}: no lie is believed, no neighbour notices`,
        alone: false,
        async run(stage) {
          const neighbour = await stage.shared();
          const session = await stage.borrowed();
          const must = stage.runtime === 'runc' ? refused : refusedByGvisor;
          const execution = await stage.run(session, forging + code, timeoutMs);
          const next = session.alive ? await stage.run(session, 'print("after")') : null;
          const problems = await disturbed(stage, neighbour);
          return verdict(outcome(execution), [
            ...problems,
            believed(execution),
            next !== null && believed(next),
            // The kernel of that cell may be gone by now, and its replacement says so; the answer itself must be right.
            next !== null && next.status === 'ok' && next.stdout !== 'after\n' && `the next cell says ${outcome(next)}`,
            must !== undefined && !must.test(execution.stdout) && outcome(execution),
            ...(await notRecovered(stage, session)),
          ]);
        },
      }) satisfies Attack,
  ),
  {
    id: 't07-stalled-driver',
    threat: 7,
    attack: 'the driver stopped with SIGSTOP: it goes on, or the bot notices and says so; it never waits for ever',
    alone: false,
    async run(stage) {
      const session = await stage.session();
      const startedAt = performance.now();
      const execution = await stage.run(
        session,
        'import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(0.2)\nprint("goes on")',
        2_000,
      );
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      return verdict(`${outcome(execution)} after ${seconds} s`, [
        seconds > 30 && `it took ${seconds} s`,
        session.alive && execution.stdout.trim() !== 'goes on' && outcome(execution),
        ...(await disturbed(stage, await stage.shared())),
        ...(await notRecoveredNorLost(stage, session, execution)),
      ]);
    },
  },
];

/** A sentence where the bot took a forged frame for the driver's word. */
function believed({ stdout, files }: Execution): string | false {
  const isLie = files.some(({ path }) => path === 'forged.csv') || stdout === 'FORGED';
  return isLie && 'a forged frame was believed';
}
