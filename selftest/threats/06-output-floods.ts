import { notRecovered, notRecoveredNorLost, peakDuring } from '../aftermath.ts';
import { type Attack, outcome, verdict } from '../attack.ts';
import { maxOutputBytes, outputSlackBytes } from '../../sandbox/limits.ts';

/** What the bot may grow by meanwhile; the issue of it is that a flood does not pile up here. */
const growthBytes = 32 * 1024 * 1024;

interface Flood {
  readonly id: string;
  readonly attack: string;
  readonly code: string;
  /** Floods past the output limit: the cut must be said. */
  readonly isCut: boolean;
  readonly toInit?: true;
  /** What the output must show. */
  readonly shows?: RegExp;
}

const floods: readonly Flood[] = [
  { id: 't06-print', attack: 'print without end', code: 'while True: print("flood " * 100)', isCut: true },
  { id: 't06-giant-line', attack: 'one line of 200 MB', code: 'print("x" * (200 << 20))', isCut: true },
  {
    id: 't06-stderr',
    attack: 'stderr without end',
    code: 'import sys\nwhile True: sys.stderr.write("flood " * 100)',
    isCut: true,
  },
  {
    id: 't06-binary',
    attack: '100 MB of random bytes past Python, straight to the descriptors',
    code: 'import os\npiece = os.urandom(1 << 20)\nfor _ in range(50):\n    os.write(1, piece)\n    os.write(2, piece)',
    isCut: true,
  },
  {
    id: 't06-child',
    attack: 'a child process that floods its inherited output',
    code: 'import subprocess\nsubprocess.run(["yes", "flood flood flood"])',
    isCut: true,
  },
  {
    id: 't06-invalid-utf8',
    attack: 'bytes that are no UTF-8, cut in the middle of a character',
    code: String.raw`import os
for piece in (b"begin \xff\xfe \xc3", b"\x28 \xf0\x9f", b" \xed\xa0\x80 end"):
    os.write(1, piece)`,
    isCut: false,
    shows: /begin [^\uD800-\uDFFF]*�[^\uD800-\uDFFF]* end/,
  },
  {
    id: 't06-lone-surrogates',
    attack: 'lone surrogates in text, in a result and in an error',
    code: String.raw`print("begin \ud800 end")
raise ValueError("\udfff in an error")`,
    isCut: false,
    shows: /begin .*end/,
  },
  {
    id: 't06-init-stdout',
    attack: "a flood into the standard streams of the container's first process, past the driver",
    code: `import os
opened = 0
for number in (0, 1, 2):
    try:
        fd = os.open(f"/proc/1/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError as problem:
        print("refused", problem.errno)
        continue
    opened += 1
    for _ in range(20_000):
        try: os.write(fd, b"flood " * 600)
        except OSError: pass
print("opened", opened)`,
    isCut: false,
    toInit: true,
    shows: /opened 0/,
  },
];

const timeoutMs = 2_000;

export const outputFloodAttacks: readonly Attack[] = floods.map(({ id, attack, code, isCut, toInit, shows }) => ({
  id,
  threat: 6,
  attack: `${attack}: the bot's memory stays flat, the text is valid and cut with a word`,
  alone: true,
  async run(stage) {
    const session = toInit === true ? await stage.session() : await stage.borrowed();
    const before = stage.host.botMemoryBytes();
    const running = stage.run(session, code, timeoutMs);
    const peak = await peakDuring(running, 200, () => stage.host.botMemoryBytes());
    const execution = await running;
    const text = execution.stdout + execution.stderr + (execution.error?.message ?? '');
    const bytes = Buffer.byteLength(execution.stdout) + Buffer.byteLength(execution.stderr);
    const most = maxOutputBytes + outputSlackBytes;
    const growth = Math.max(0, peak - before);
    return verdict(
      `${execution.status}, ${bytes} bytes of output kept, the bot grew by ${(growth / (1 << 20)).toFixed(1)} MB`,
      [
        growth > growthBytes && `the bot grew by ${Math.round(growth / (1 << 20))} MB`,
        bytes > most && `${bytes} bytes of output, over ${most}`,
        isCut &&
          (!execution.truncated || !/output .*(cut|dropped|left out|limit)/i.test(text)) &&
          'the cut is not said',
        !text.isWellFormed() && 'the text holds half characters',
        // gVisor lets a process open what another of its user has open; what it writes there is no frame, and ends its own session.
        shows !== undefined && !shows.test(text) && !(toInit && stage.runtime === 'runsc') && outcome(execution),
        ...(stage.runtime === 'runc' || toInit !== true
          ? await notRecovered(stage, session)
          : await notRecoveredNorLost(stage, session, execution)),
      ],
    );
  },
}));
