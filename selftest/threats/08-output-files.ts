import type { Execution } from '../../src/types.ts';
import type { Attack, Stage, Verdict } from '../attack.ts';
import { judge, listed, looksLikeLoot, take } from '../outside.ts';

/**
 * Threat 8, first half: entries of the working directory that are no plain files. Each is made with names of its own in a shared
 * session, and then tried by all three ways out: the execution's files, the listing, and reading.
 */
export const outputFileAttacks: readonly Attack[] = [
  entry('t08-absolute-link', 'a link to /etc/passwd and one to /proc/1/environ: neither is listed or read', {
    make: "os.symlink('/etc/passwd', 'abs-a'); os.symlink('/proc/1/environ', 'abs-b')",
    paths: ['abs-a', 'abs-b'],
  }),
  entry('t08-relative-link', 'links that climb out with ..: nothing above the working directory is read', {
    make: "os.symlink('../../etc/passwd', 'rel-a'); os.symlink('../../..', 'rel-up')",
    paths: ['rel-a', 'rel-up', 'rel-up/etc/passwd'],
  }),
  entry('t08-looping-link', 'links that lead to themselves: refused at once', {
    make: "os.symlink('loop-b', 'loop-a'); os.symlink('loop-a', 'loop-b'); os.symlink('.', 'loop-dot')",
    paths: ['loop-a', 'loop-b', 'loop-dot', 'loop-dot/loop-dot/loop-a'],
  }),
  entry('t08-linked-folder', 'a link to the folder /etc: nothing below it is listed or read', {
    make: "os.symlink('/etc', 'folder-link')",
    paths: ['folder-link', 'folder-link/passwd', 'folder-link/hostname'],
    folder: 'folder-link',
  }),
  entry('t08-hard-link', 'a second name for a system file, and two names for one of its own: none comes out', {
    make:
      "for target in ('/etc/passwd', '/proc/self/environ', '/usr/bin/python3'):\n" +
      "    try: os.link(target, 'hard-system')\n    except OSError: pass\n" +
      "open('hard-a', 'w').write('root:x:0:0'); os.chmod('hard-a', 0o400); os.link('hard-a', 'hard-b')",
    paths: ['hard-system', 'hard-a', 'hard-b'],
  }),
  entry('t08-fifo', 'a FIFO that nobody writes to: the reader does not wait on it', {
    make: "os.mkfifo('fifo'); os.mkdir('fifo-in'); os.mkfifo('fifo-in/fifo')",
    paths: ['fifo', 'fifo-in/fifo'],
  }),
  entry('t08-socket', 'a unix socket that listens: it is not opened', {
    make: "import socket\nlistener = socket.socket(socket.AF_UNIX); listener.bind('sock'); listener.listen()",
    paths: ['sock'],
  }),
  {
    id: 't08-device',
    threat: 8,
    attack: 'device nodes of a disk, of memory and of /dev/null: none leads to a device, and nothing comes out',
    alone: false,
    run: async (stage) => {
      const session = await stage.shared();
      // gVisor lets anyone make a node, but of the machine's devices it knows none: there the opening is what must fail.
      const execution = await stage.run(
        session,
        `import os, stat
reached = []
for kind, major, minor in ((stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 1, 3)):
    name = f'dev-{major}-{minor}'
    try:
        os.mknod(name, kind | 0o666, os.makedev(major, minor))
        os.open(name, os.O_RDONLY)
        reached.append(name)
    except OSError as problem: print(name, problem.strerror)
print('reached', [name for name in reached if name != 'dev-1-3'])`,
      );
      const names = ['dev-8-0', 'dev-254-0', 'dev-1-1', 'dev-1-3'];
      const tried = await Promise.all(names.map((path) => take(session, path, stage.signal)));
      await tidy(stage, names);
      return judge(
        {
          'no device of the machine is reached': execution.stdout.endsWith('reached []\n'),
          'no file is reported': !execution.files.some(({ path }) => path.startsWith('dev-')),
          'nothing is read': tried.every(({ refused, bytes }) => refused === 'file-unavailable' && bytes.length === 0),
        },
        execution.stdout.trim().replaceAll('\n', ', '),
      );
    },
  },
  {
    id: 't08-paths',
    threat: 8,
    attack: 'the paths /etc/passwd, ../../etc/passwd, a//b and names with NUL, asked for from outside: refused',
    alone: false,
    run: async (stage) => {
      const session = await stage.shared();
      const paths = [
        '/etc/passwd',
        '../../etc/passwd',
        'a/../../../etc/passwd',
        '.',
        '..',
        '',
        'a//b',
        'a\0b',
        '//etc',
      ];
      const read = await Promise.all(paths.map((path) => take(session, path, stage.signal)));
      const folders = await Promise.all(['/etc', '..', '../..', 'x/../../..'].map((dir) => listed(session, dir)));
      return judge(
        {
          'no path is read': read.every(({ refused, bytes }) => refused !== null && bytes.length === 0),
          'no folder is listed': folders.every((found) => typeof found === 'string'),
          'the session goes on': (await stage.run(session, "print('on')")).stdout === 'on\n',
        },
        `${paths.length} paths and ${folders.length} folders refused`,
      );
    },
  },
  {
    id: 't08-write-through-link',
    threat: 8,
    attack:
      'an attachment arrives under a name that is a link to another place: the link is replaced, its target untouched',
    alone: false,
    run: async (stage) => {
      const session = await stage.shared();
      await stage.run(
        session,
        "import os\nopen('/tmp/target', 'w').write('untouched'); os.symlink('/tmp/target', 'arriving.csv')",
      );
      const bytes = async function* (): AsyncIterable<Uint8Array> {
        yield Buffer.from('from outside');
      };
      await session.write('arriving.csv', bytes(), stage.signal);
      const after = await stage.run(
        session,
        "print(open('/tmp/target').read(), os.path.islink('arriving.csv'), open('arriving.csv').read()); os.remove('arriving.csv')",
      );
      return judge(
        { 'the target is as it was': after.stdout === 'untouched False from outside\n' },
        `target, link, file: ${after.stdout.trim()}`,
      );
    },
  },
];

/** Longest that refusing an entry may take: a reader that opened it would wait for ever. */
const refusalMs = 5000;

function entry(
  id: string,
  attack: string,
  trick: { readonly make: string; readonly paths: readonly string[]; readonly folder?: string },
): Attack {
  return {
    id,
    threat: 8,
    attack,
    alone: false,
    run: async (stage) => {
      const session = await stage.shared();
      const names = [...new Set(trick.paths.map((path) => path.split('/')[0] ?? ''))];
      const isOurs = (path: string): boolean => names.includes(path.split('/')[0] ?? '');
      const execution = await stage.run(session, `import os\n${trick.make}`);
      const all = await listed(session);
      const below = trick.folder === undefined ? 'file-unavailable' : await listed(session, trick.folder);
      const taken = [];
      for (const path of trick.paths) taken.push(await take(session, path, stage.signal));
      await tidy(stage, names);
      return verdictOf(execution, {
        reported: execution.files.filter(({ path }) => isOurs(path)).map(({ path }) => path),
        listed: typeof all === 'string' ? [all] : all.filter(isOurs),
        below,
        taken,
      });
    },
  };
}

function verdictOf(
  execution: Execution,
  seen: {
    readonly reported: readonly string[];
    readonly listed: readonly string[];
    readonly below: readonly string[] | string;
    readonly taken: readonly {
      readonly bytes: Buffer;
      readonly refused: string | null;
      readonly milliseconds: number;
    }[];
  },
): Verdict {
  const slowest = Math.max(...seen.taken.map(({ milliseconds }) => milliseconds));
  return judge(
    {
      'the entries were made': execution.status === 'ok',
      'no file is reported': seen.reported.length === 0,
      'none is listed': seen.listed.length === 0,
      'the folder is not listed': seen.below === 'file-unavailable',
      'every read is refused': seen.taken.every(({ refused }) => refused === 'file-unavailable'),
      'not a byte came': seen.taken.every(({ bytes }) => bytes.length === 0 && !looksLikeLoot(bytes.toString())),
      'nobody waited': slowest < refusalMs,
    },
    `${seen.taken.length} reads refused, the slowest in ${slowest.toFixed(0)} ms${execution.error === null ? '' : `; ${execution.error.message}`}`,
  );
}

async function tidy(stage: Stage, names: readonly string[]): Promise<void> {
  await stage.run(
    await stage.shared(),
    `import os, shutil\nfor name in ${JSON.stringify(names)}:\n` +
      '    if os.path.isdir(name) and not os.path.islink(name): shutil.rmtree(name)\n' +
      '    elif os.path.lexists(name): os.remove(name)',
  );
}
