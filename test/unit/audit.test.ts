import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runAuditCommand } from '../../src/audit/audit-command.ts';
import { openAuditFiles } from '../../src/audit/audit-files.ts';
import { createLogger } from '../../src/log.ts';
import type { AuditEntry } from '../../src/ports/audit.ts';
import { exampleTask } from '../fakes/store-examples.ts';

const task = exampleTask('t1');
const entries: readonly AuditEntry[] = [
  { event: 'task-accepted', task },
  { event: 'task-started', task, attempt: 1 },
  { event: 'file-in', task, sha256: 'a'.repeat(64), bytes: 5 },
  { event: 'cell-run', task, code: 'print("secret code")', status: 'ok', ms: 12.4 },
  { event: 'file-out', task, sha256: 'b'.repeat(64), bytes: 7 },
  { event: 'task-ended', task, outcome: 'answered' },
  { event: 'stop-asked', threadKey: 'test/W%2F1/C1/1.5', personId: 'U2', tasks: 1 },
  { event: 'forgot', threadKey: 'test/W%2F1/C1/1.5', personId: 'U1', reason: 'person' },
];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'plotline-audit-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (options: { processId?: number; maxBytes?: number; second?: number } = {}) =>
  openAuditFiles({
    path: join(dir, 'deep', 'audit.jsonl'),
    host: 'machine one',
    processId: options.processId ?? 7,
    log: createLogger('silent'),
    now: () => new Date(Date.UTC(2026, 10, 28, 10, 0, options.second ?? 0)),
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
  });
const folder = () => join(dir, 'deep');
const files = (): readonly string[] => readdirSync(folder()).map((name) => join(folder(), name));
const only = (): string => files()[0] ?? '';
const check = async (paths = files()): Promise<{ code: number; said: string }> => {
  const said: string[] = [];
  const code = await runAuditCommand(paths, (line) => said.push(line));
  return { code, said: said.join('\n') };
};
const writeAll = (options = {}): void => {
  using audit = open(options);
  for (const entry of entries) audit.record(entry);
};

it('says who ran what when by ids and hashes, and nothing that was said or sent', async () => {
  writeAll();
  const text = readFileSync(only(), 'utf8');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ event }) => event)).toEqual(['began', ...entries.map(({ event }) => event)]);
  expect(lines[4]).toMatchObject({
    at: '2026-11-28T10:00:00.000Z',
    platform: 'test',
    workspace: 'W/1',
    channel: 'C1',
    thread: '1.5',
    person: 'U1',
    task: 't1',
    status: 'ok',
    ms: 12,
    code: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(lines[7]).toMatchObject({ workspace: 'W/1', channel: 'C1', person: 'U2', tasks: 1 });
  expect(text).not.toMatch(/question|Ada|\.csv|secret|url/);
  expect(statSync(only()).mode & 0o077).toBe(0);
  expect(await check()).toMatchObject({
    code: 0,
    said: expect.stringMatching(/^ok .*: 9 lines; the last hash is [0-9a-f]{64}$/),
  });
});

it.each<[string, (lines: string[]) => void, number]>([
  ['changed', (lines) => lines.splice(3, 1, (lines[3] ?? '').replace('"bytes":5', '"bytes":6')), 4],
  ['removed', (lines) => lines.splice(3, 1), 4],
  ['moved', (lines) => lines.splice(3, 2, lines[4] ?? '', lines[3] ?? ''), 4],
  ['repeated', (lines) => lines.splice(3, 0, lines[2] ?? ''), 4],
  ['put between', (lines) => lines.splice(3, 0, '{"event":"task-accepted"}'), 4],
  ['removed at the beginning', (lines) => lines.splice(0, 1), 1],
  ['emptied', (lines) => lines.splice(2, 1, ''), 3],
])('names the first line that is wrong where one was %s', async (_, change, line) => {
  writeAll();
  const lines = readFileSync(only(), 'utf8').split('\n');
  change(lines);
  writeFileSync(only(), lines.join('\n'));
  const { code, said } = await check();
  expect(code).toBe(1);
  expect(said).toContain(`: line ${line}: `);
});

it('a forged line with a hash of its own breaks the chain after it', async () => {
  writeAll();
  const lines = readFileSync(only(), 'utf8').split('\n');
  rmSync(folder(), { recursive: true });
  using other = open({ processId: 8 });
  other.record({ event: 'task-accepted', task: { ...task, person: { id: 'U9', displayName: '' } } });
  const forged = readFileSync(only(), 'utf8').split('\n');
  writeFileSync(only(), [...lines.slice(0, 2), forged[1], ...lines.slice(3)].join('\n'));
  expect((await check()).said).toContain(': line 3: ');
});

it('goes on after a crash that cut a line, in a new file that says so', async () => {
  writeAll();
  const [first = ''] = files();
  const whole = readFileSync(first);
  writeFileSync(first, whole.subarray(0, whole.length - 30));
  expect(await check()).toMatchObject({
    code: 0,
    said: expect.stringContaining('8 lines, then a line that a crash cut'),
  });
  writeAll({ processId: 8, second: 5 });
  expect(files()).toHaveLength(2);
  const began = JSON.parse(readFileSync(files()[1] ?? '', 'utf8').split('\n')[0] ?? '') as object;
  expect(began).toMatchObject({ event: 'began', after: readdirSync(folder())[0], cut: true });
  expect((await check()).code).toBe(0);
  // The rest of the cut line, or one more, was removed afterwards: the next file knows better.
  const lines = readFileSync(first, 'utf8').split('\n').slice(0, -2);
  writeFileSync(first, `${lines.join('\n')}\n`);
  expect(await check()).toMatchObject({ code: 1, said: expect.stringContaining('its last lines are missing') });
});

it('several processes write files of their own, which one chain joins', async () => {
  {
    using one = open({ processId: 7 });
    using two = open({ processId: 8 });
    for (const entry of entries) {
      one.record(entry);
      two.record(entry);
    }
  }
  writeAll({ processId: 9, second: 3 });
  expect(files()).toHaveLength(3);
  expect(await check()).toMatchObject({ code: 0 });
});

it('a process that starts again within the second, under the same id, goes on in a file of its own', async () => {
  writeAll();
  writeAll();
  expect(files()).toHaveLength(2);
  expect(await check()).toMatchObject({ code: 0 });
});

it('begins a new file at its size', async () => {
  writeAll({ maxBytes: 1000 });
  expect(files().length).toBeGreaterThan(2);
  for (const file of files()) expect(statSync(file).size).toBeLessThan(1500);
  expect((await check()).code).toBe(0);
  const lines = files().flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
  expect(lines.filter((line) => !line.includes('"began"'))).toHaveLength(entries.length);
});

it('has every line of a process that was killed', async () => {
  const program = `
    import { openAuditFiles } from './src/audit/audit-files.ts';
    import { createLogger } from './src/log.ts';
    const audit = openAuditFiles({ path: process.argv[1], host: 'm', processId: process.pid, log: createLogger('silent') });
    for (let tasks = 1; tasks <= 100; tasks += 1) audit.record({ event: 'stop-asked', threadKey: 'a/b/c/d', personId: 'U', tasks });
    process.kill(process.pid, 'SIGKILL');`;
  const { signal } = spawnSync(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    program,
    join(dir, 'deep', 'audit.jsonl'),
  ]);
  expect(signal).toBe('SIGKILL');
  expect(await check()).toMatchObject({ code: 0, said: expect.stringContaining(': 101 lines; ') });
});

it('says how many lines are missing where the disk took a part of one only', async () => {
  const program = `
    import { openAuditFiles } from './src/audit/audit-files.ts';
    import { createLogger } from './src/log.ts';
    using audit = openAuditFiles({ path: process.argv[1], host: 'm', processId: 1, log: createLogger('silent') });
    for (let tasks = 1; tasks <= 8; tasks += 1) audit.record({ event: 'stop-asked', threadKey: 'a/b/c/d', personId: 'U', tasks });`;
  // No file above 2 kB: the sixth does not fit whole, the next file takes what follows.
  const limited = `ulimit -f 2; exec "$0" --input-type=module-typescript -e "$1" "$2"`;
  const run = spawnSync('bash', ['-c', limited, process.execPath, program, join(dir, 'deep', 'audit.jsonl')], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  expect(files()).toHaveLength(2);
  const second = readFileSync(files()[1] ?? '', 'utf8')
    .trimEnd()
    .split('\n');
  expect(second.slice(0, 2).map((line) => JSON.parse(line) as object)).toMatchObject([
    { event: 'began', cut: true },
    { event: 'lines-missing', lines: 1 },
  ]);
  expect(await check()).toMatchObject({ code: 0, said: expect.stringContaining('a line that a crash cut') });
});

it('goes on in the file it has where no new one can be made', async () => {
  {
    using audit = open({ maxBytes: 1 });
    renameSync(folder(), join(dir, 'away'));
    for (const entry of entries) audit.record(entry);
  }
  const [name = ''] = readdirSync(join(dir, 'away'));
  expect((await check([join(dir, 'away', name)])).said).toContain(': 9 lines; ');
});

it('a file that is not there, or is no log, is said', async () => {
  appendFileSync(join(dir, 'other.txt'), 'hello\n');
  const { code, said } = await check([join(dir, 'nothing.jsonl'), join(dir, 'other.txt')]);
  expect(code).toBe(1);
  expect(said).toMatch(/UNREAD .*ENOENT[^]*BROKEN .*other\.txt: line 1/);
});
