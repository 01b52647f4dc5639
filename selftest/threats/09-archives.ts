import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { collectArtifacts } from '../../src/answer/collect.ts';
import { createDirectoryBlobs } from '../../src/blobs/directory-blobs.ts';
import type { Attack, Stage } from '../attack.ts';
import { lookAt, put, words } from '../cards.ts';
import { deflated, tarOf, zipOf } from '../fixtures.ts';
import { judge, take } from '../outside.ts';

/** Threat 9: archives that unpack beside their folder. Nothing outside a sandbox ever unpacks, and no archive call exists. */
export const archiveAttacks: readonly Attack[] = [
  {
    id: 't09-hostile-zip',
    threat: 9,
    attack:
      'an attached zip with absolute names, .., backslashes, duplicates and a link: only its tables are looked at, inside',
    alone: false,
    run: (stage) =>
      unpacked(stage, 'hostile.zip', (canary) => {
        const csv = (text: string) => deflated(`a,b\n${text},2\n`);
        return zipOf([
          { name: canary, data: csv('absolute') },
          { name: `../../../../..${canary}`, data: csv('climbing') },
          { name: '..\\..\\windows.csv', data: csv('backslash') },
          { name: 'same.csv', data: csv('one') },
          { name: 'same.csv', data: csv('two') },
          { name: 'good.csv', data: csv('good') },
        ]);
      }),
  },
  {
    id: 't09-hostile-tar',
    threat: 9,
    attack:
      'an attached tar with absolute names, .., links to / and files through them, a device: it is named, not unpacked',
    alone: false,
    run: (stage) => unpacked(stage, 'hostile.tar', hostileTar),
  },
  {
    id: 't09-unpacked-by-code',
    threat: 9,
    attack: 'code inside unpacks that tar without any filter: it reaches nothing but its own throw-away folders',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const canary = canaryPath();
      await put(session, 'hostile.tar', hostileTar(canary), stage.signal);
      const execution = await stage.run(
        session,
        `import os, tarfile
with tarfile.open('hostile.tar') as archive:
    for member in archive:
        try: archive.extract(member, filter='fully_trusted')
        except Exception as fault: print(member.name, type(fault).__name__)
print('inside', os.path.exists(${JSON.stringify(canary)}))
for place in ('/etc', '/usr', '/opt'):
    try: open(place + '/plotline', 'w'); print('wrote', place)
    except OSError as problem: print(place, problem.strerror)`,
      );
      const through = await take(session, 'root-link/etc/passwd', stage.signal);
      return judge(
        {
          'the tar was unpacked inside': execution.stdout.includes('inside True'),
          'the host has none of it': !existsSync(canary),
          "the container's root is read-only": !execution.stdout.includes('wrote'),
          'its links lead the bot nowhere': through.refused !== null,
          'its links are not handed over': !execution.files.some(({ path }) => /link|dev/.test(path)),
        },
        execution.stdout.trim().replaceAll('\n', ', '),
      );
    },
  },
  {
    id: 't09-archive-as-output',
    threat: 9,
    attack: 'a cell leaves that tar as its output: the bot keeps it as one opaque blob and unpacks nothing',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const canary = canaryPath();
      const tar = hostileTar(canary);
      const execution = await stage.run(
        session,
        `import base64\nopen('result.tar', 'wb').write(base64.b64decode('${tar.toString('base64')}'))`,
      );
      const dir = await mkdtemp(join(tmpdir(), 'plotline-selftest-'));
      try {
        const limits = { fileBytes: 1e6, filesBytes: 1e6 };
        const blobs = createDirectoryBlobs({ dir });
        const kept = await collectArtifacts('Tar', execution, session, blobs, limits, stage.signal);
        const stored = (await readdir(dir, { recursive: true, withFileTypes: true })).filter(
          (found) => !found.isDirectory(),
        );
        return judge(
          {
            'it is kept': kept.artifacts.length === 1 && kept.artifacts[0]?.artifact.file.sizeBytes === tar.length,
            'as one file of the blob store': stored.length === 1 && stored[0]?.isFile() === true,
            'the host has nothing else of it': !existsSync(canary),
          },
          `${stored.length} file of ${tar.length} bytes in the blob store`,
        );
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  },
  {
    id: 't09-no-archive-call',
    threat: 9,
    attack:
      'files go in and out while the engine’s own event log is read: no archive, copy, export or exec call was made',
    alone: false,
    run: async (stage) => {
      const session = await stage.session();
      await put(session, 'in.csv', Buffer.from('a\n1\n'), stage.signal);
      await stage.run(session, "open('out.csv', 'w').write('b')");
      const taken = await take(session, 'out.csv', stage.signal);
      const actions = await engineActions(session.id);
      return judge(
        {
          'a file came out': taken.bytes.toString() === 'b',
          'the engine tells of this container': actions.includes('start'),
          'no call moved files': !actions.some((action) => /archive|extract|copy|export|exec|commit/.test(action)),
        },
        `the engine saw: ${[...new Set(actions)].join(', ')}`,
      );
    },
  },
];

async function unpacked(stage: Stage, name: string, make: (canary: string) => Buffer) {
  const session = await stage.borrowed();
  const canary = canaryPath();
  const before = await stage.run(session, treeInside);
  const { card, goesOn } = await lookAt(stage, session, name, make(canary));
  const after = await stage.run(session, treeInside);
  const text = words(card);
  return judge(
    {
      'a card came back': card.tables.length > 0 || text !== '',
      'the host has none of it': !existsSync(canary),
      'nothing is left outside the working directory': after.stdout === before.stdout,
      'the next cell works': goesOn,
    },
    `${card.tables.length} tables read; ${text}`,
  );
}

/** What lies in every writable place but the working directory. */
const treeInside = `
import os
def below(place): return sorted(os.path.join(root, name) for root, _, names in os.walk(place) for name in names)
print(below('/tmp'), below('/dev/shm'), [name for name in os.listdir('/mnt/data') if name not in ('hostile.zip', 'hostile.tar')])
`;

function hostileTar(canary: string): Buffer {
  return tarOf([
    { name: canary, type: '0', content: 'absolute' },
    { name: `../../../../../..${canary}-climbed`, type: '0', content: 'climbing' },
    { name: 'root-link', type: '2', link: '/' },
    { name: 'root-link/etc/plotline', type: '0', content: 'through a link' },
    { name: 'up-link', type: '2', link: '../..' },
    { name: 'hard', type: '1', link: '/etc/passwd' },
    { name: 'dev-disk', type: '3' },
    { name: 'good.csv', type: '0', content: 'a,b\n1,2\n' },
    { name: 'good.csv', type: '2', link: '/etc/passwd' },
  ]);
}

/** A place that exists on the host as well as inside, so that an archive that got out would leave its file there. */
function canaryPath(): string {
  return `/tmp/plotline-selftest-${randomBytes(8).toString('hex')}.csv`;
}

/** Every action of the engine on one container since it was created, by the engine's event log. */
async function engineActions(id: string): Promise<readonly string[]> {
  const untilSeconds = Math.ceil(Date.now() / 1000);
  const events = await new Docker().getEvents({
    since: untilSeconds - 3600,
    until: untilSeconds,
    filters: { container: [id] },
  });
  let text = '';
  for await (const chunk of events) text += String(chunk);
  return text.split('\n').flatMap((line) => {
    const event: unknown = line.trim() === '' ? null : JSON.parse(line);
    const isEvent =
      typeof event === 'object' && event !== null && 'Action' in event && typeof event.Action === 'string';
    return isEvent ? [String(event.Action)] : [];
  });
}
