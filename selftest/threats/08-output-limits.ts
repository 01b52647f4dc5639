import { createHash } from 'node:crypto';
import { collectArtifacts } from '../../src/answer/collect.ts';
import { selectArtifacts } from '../../src/answer/select.ts';
import { createMemoryBlobs } from '../../test/fakes/memory-blobs.ts';
import type { Attack } from '../attack.ts';
import { judge, listed, looksLikeLoot, take } from '../outside.ts';

const mebibyte = 1024 * 1024;

/** What the bot may hold more after an attack than before; what one cell may hand over is far below. */
const botGrowthBytes = 96 * mebibyte;

/** Threat 8, second half: plain files that are too large, too many, too deep, oddly named, or changed while they are read. */
export const outputLimitAttacks: readonly Attack[] = [
  {
    id: 't08-sparse',
    threat: 8,
    attack: 'sparse files of 1 TiB and of all that may be: made or not, none is read past the size that was asked for',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const before = stage.host.botMemoryBytes();
      const execution = await stage.run(session, sparse);
      const kept = await collectArtifacts(
        'Sparse',
        execution,
        session,
        createMemoryBlobs(),
        { fileBytes: 32 * mebibyte, filesBytes: 64 * mebibyte },
        stage.signal,
      );
      const terabyte = await take(session, 'tib', stage.signal);
      const largest = await take(session, 'largest', stage.signal);
      const grown = stage.host.botMemoryBytes() - before;
      return judge(
        {
          'a large one was made': /largest \d{9}/.test(execution.stdout),
          'none is handed over': kept.artifacts.length === 0,
          'not a byte of the TiB came': terabyte.refused !== null && terabyte.bytes.length === 0,
          'the largest is refused by its size': largest.refused === 'file-too-large' && largest.bytes.length === 0,
          'at once': Math.max(terabyte.milliseconds, largest.milliseconds) < 5000,
          'the bot stays small': grown < botGrowthBytes,
          'the cell ends soon': execution.durationMs < 9000,
        },
        `${execution.stdout.trim().replaceAll('\n', ', ')}; reading: ${terabyte.refused}, ${largest.refused}`,
      );
    },
  },
  {
    id: 't08-ten-thousand-files',
    threat: 8,
    attack: '10,000 files in one cell: a bounded number is reported and listed, the rest is said, in bounded time',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const before = stage.host.botMemoryBytes();
      const startedAt = performance.now();
      const execution = await stage.run(
        session,
        "for number in range(10_000): open(f'file-{number:05d}.txt', 'w').write('x')",
        20_000,
      );
      const all = await listed(session);
      const seconds = (performance.now() - startedAt) / 1000;
      const grown = stage.host.botMemoryBytes() - before;
      return judge(
        {
          'the cell worked': execution.status === 'ok',
          'at most 200 are reported': execution.files.length > 0 && execution.files.length <= 200,
          'at most 5,000 are listed': typeof all !== 'string' && all.length > 0 && all.length <= 5000,
          'the rest is said': execution.truncated && execution.stderr.includes('not collected'),
          'the bot stays small': grown < botGrowthBytes,
          'it ends soon': seconds < 25,
        },
        `${execution.files.length} reported, ${all.length} listed, ${seconds.toFixed(1)} s`,
      );
    },
  },
  {
    id: 't08-thousand-levels',
    threat: 8,
    attack: 'folders 1,000 levels deep with a file at the bottom: looking ends, nothing below the limit comes out',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const execution = await stage.run(
        session,
        "import os\nfor level in range(1000):\n    os.mkdir('d'); os.chdir('d')\nopen('bottom.txt', 'w').write('x')\nos.chdir('/mnt/data'); open('top.txt', 'w').write('x')",
      );
      const deep = Array.from({ length: 1000 }, () => 'd').join('/');
      const taken = await take(session, `${deep}/bottom.txt`, stage.signal);
      const below = await listed(session, deep);
      return judge(
        {
          'only the top is reported': execution.files.map(({ path }) => path).join() === 'top.txt',
          'the bottom is not read': taken.refused !== null,
          'the bottom is not listed': typeof below === 'string',
          'it is said': execution.stderr.includes('not collected'),
          'it ends soon': execution.durationMs < 8000,
        },
        execution.stderr.trim(),
      );
    },
  },
  {
    id: 't08-names',
    threat: 8,
    attack:
      'names with bad bytes, a line break, ESC, .., right-to-left override, reserved words, 255 bytes: only harmless names go out',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const execution = await stage.run(session, hostileNames);
      const kept = await collectArtifacts(
        'Names',
        execution,
        session,
        createMemoryBlobs(),
        { fileBytes: mebibyte, filesBytes: 16 * mebibyte },
        stage.signal,
      );
      const sent = selectArtifacts([{ status: execution.status, artifacts: kept.artifacts }], null);
      const names = sent.map(({ file }) => file.name);
      return judge(
        {
          'the files were made': /made [12]\d/.test(execution.stdout),
          'some go out': names.length >= 5,
          'none of them leads anywhere': names.every((name) => !/[/\\\0]/.test(name) && name !== '.' && name !== '..'),
          'none is longer than 255 bytes': names.every((name) => Buffer.byteLength(name) <= 255),
          // oxlint-disable-next-line no-control-regex
          'none holds controls': names.every((name) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)),
          'none turns text around or hides it': names.every(
            (name) => !/[\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(name),
          ),
          'all of them are valid text': names.every((name) => name.isWellFormed()),
          'none comes twice': new Set(names).size === names.length,
        },
        `${names.length} go out: ${names.map((name) => name.slice(0, 20)).join(' | ')}`,
      );
    },
  },
  {
    id: 't08-swap',
    threat: 8,
    attack:
      'a thread swaps a file, and a folder, for links to /etc while both are read again and again: never a foreign byte',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      await stage.run(session, swapping, 5000);
      const counts = { whole: 0, refused: 0, foreign: 0 };
      const startedAt = performance.now();
      const isEnough = (attempt: number, ms: number): boolean => ms > 8000 || (attempt >= 400 && ms > 1500);
      for (let attempt = 0; !isEnough(attempt, performance.now() - startedAt); attempt += 1) {
        const { bytes, refused } = await take(session, attempt % 2 === 0 ? 'swap' : 'dir/passwd', stage.signal);
        const text = bytes.toString();
        if (looksLikeLoot(text) || (refused === null && text !== 'own')) counts.foreign += 1;
        else if (refused === null) counts.whole += 1;
        else counts.refused += 1;
      }
      const found = await listed(session, 'dir');
      const after = await stage.run(session, "swapping = False\nprint('swaps', swaps > 100)");
      return judge(
        {
          'the swapping went on': after.stdout === 'swaps True\n',
          'both faces were met': counts.whole > 0 && counts.refused > 0,
          'no foreign byte came': counts.foreign === 0,
          'no foreign name came': typeof found === 'string' || found.every((path) => path === 'dir/passwd'),
        },
        `${counts.whole} read as they were, ${counts.refused} refused, ${counts.foreign} foreign`,
      );
    },
  },
  {
    id: 't08-growing',
    threat: 8,
    attack: 'a file that a thread makes longer while it is read: the reading ends at its cap',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const cap = 16 * mebibyte;
      const execution = await stage.run(session, growing, 5000);
      const taken = await take(session, 'grow', stage.signal, cap);
      const after = await stage.run(session, "growing = False\nprint('on')");
      const refusedInTime = taken.refused === 'file-too-large' && taken.milliseconds < 10_000;
      return judge(
        {
          'the cell ended soon': execution.durationMs < 9000,
          'at most the cap came': taken.bytes.length <= cap,
          'it is refused, or whole': refusedInTime || taken.refused === null,
          'the session goes on': after.stdout === 'on\n',
        },
        `${taken.refused ?? 'whole'} after ${(taken.bytes.length / mebibyte).toFixed(1)} MiB and ${taken.milliseconds.toFixed(0)} ms`,
      );
    },
  },
  {
    id: 't08-other-bytes',
    threat: 8,
    attack:
      'a thread rewrites a file between its report and its reading: what comes out is at most what was announced, and whole',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const blobs = createMemoryBlobs();
      const execution = await stage.run(session, rewriting, 5000);
      const limits = { fileBytes: mebibyte, filesBytes: mebibyte };
      const kept = await collectArtifacts('Rewritten', execution, session, blobs, limits, stage.signal);
      await stage.run(session, 'rewriting = False');
      const announced = execution.files[0]?.sizeBytes ?? 0;
      const files = kept.artifacts.map(({ artifact }) => artifact.file);
      const stored = [...blobs.stored].every(
        ([hash, bytes]) => createHash('sha256').update(bytes).digest('hex') === hash,
      );
      return judge(
        {
          'the file was reported': execution.files.length === 1,
          'not more than announced': files.every(({ sizeBytes }) => sizeBytes <= announced),
          'what is kept is what its hash says': stored,
          'kept or said': files.length === 1 || kept.notices.length === 1,
        },
        kept.notices[0] ?? `${files[0]?.sizeBytes} of ${announced} announced bytes kept`,
      );
    },
  },
];

const sparse = `
import os, resource
for name, sizes in (('tib', (1 << 40,)), ('largest', [mebibytes << 20 for mebibytes in (4000, 1000, 500, 400, 250)])):
    for size in sizes:
        fd = os.open(name, os.O_CREAT | os.O_RDWR)
        try:
            os.truncate(fd, size); print(name, os.fstat(fd).st_size); break
        except OSError as problem: os.unlink(name); print(name, problem.strerror)
`;

const hostileNames = `
import os
names = [
    b'bad\\xff\\xfe.txt', b'line\\nbreak.txt', b'esc\\x1b[2J.txt', 'photo\\u202egnp.exe'.encode(), 'zero\\u200bwidth.txt'.encode(),
    b'..hidden', b'...', b'.. .txt', b'CON', b'NUL.txt', b'aux.csv', b'back\\\\slash.txt', b'..\\\\..\\\\up.txt', b'C:colon.txt', b' blank ',
    b'-rf', b'$(id).txt', b'\`id\`.txt', b'<!channel>.txt', b'x' * 255, 'ü'.encode() * 127, b'a|b?c*.txt', b'trailing.', b'%2e%2e%2fup.txt',
]
made = 0
for name in names:
    try: open(name, 'w').write(repr(name)); made += 1
    except OSError as problem: print(name, problem.strerror)
os.makedirs('..b/c'); open('..b/c/same.txt', 'w').write('1'); os.makedirs('other'); open('other/same.txt', 'w').write('2')
print('made', made)
`;

const swapping = `
import os, shutil, threading, time
os.mkdir('dir'); open('dir/passwd', 'w').write('own'); os.symlink('/etc', 'other-dir')
open('swap', 'w').write('own'); os.symlink('/etc/passwd', 'other-swap')
swapping, swaps = True, 0
def swap():
    global swaps
    while swapping:
        for name in ('swap', 'dir'):
            os.rename(name, 'spare-' + name); os.rename('other-' + name, name); time.sleep(0.0005)
            os.rename(name, 'other-' + name); os.rename('spare-' + name, name); time.sleep(0.0005)
        swaps += 1
threading.Thread(target=swap, daemon=True).start()
`;

const growing = `
import threading, time
growing, file = True, open('grow', 'wb', buffering=0)
file.write(bytes(8 << 20))
def grow():
    while growing and file.tell() < 200 << 20:
        file.write(bytes(1 << 20)); time.sleep(0.001)
threading.Thread(target=grow, daemon=True).start()
`;

const rewriting = `
import os, threading, time
rewriting = True
open('report.csv', 'w').write('a,b\\n1,2\\n')
def rewrite():
    time.sleep(0.02)
    while rewriting:
        open('report.csv', 'w').write('x' * 500_000); time.sleep(0.001)
threading.Thread(target=rewrite, daemon=True).start()
`;
