import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCardArguments } from '../../src/card-command/arguments.ts';
import { batchesOf, cardFile, limitsFor, timeoutFor } from '../../src/card-command/files.ts';
import type { NumberedFile } from '../../src/card-command/files.ts';

const megabyte = 1024 * 1024;
const dir = mkdtempSync(join(tmpdir(), 'plotline-card-unit-'));
afterAll(() => rmSync(dir, { recursive: true }));

const usual = { memoryBytes: 1024 * megabyte, workspaceBytes: 512 * megabyte, cpus: 2, processes: 128 };

const files = (sizes: readonly (number | 'missing')[]): readonly NumberedFile[] =>
  sizes.map((size, index) => ({
    given: `${index}`,
    path: `/${index}`,
    name: `${index}`,
    number: index + 1,
    sizeBytes: size === 'missing' ? 0 : size * megabyte,
    problem: size === 'missing' ? 'There is no such file.' : null,
  }));

const numbers = (sizes: readonly (number | 'missing')[]) =>
  batchesOf(files(sizes)).map((batch) => batch.map(({ number }) => number));

describe('the arguments of the card command', () => {
  it('takes files in order, those of a list after them', () => {
    const list = join(dir, 'list');
    writeFileSync(list, 'c d.csv\r\n\n./e.csv\n');
    expect(parseCardArguments(['--json', 'b.csv', '--export', 'out', 'a.csv', '--files-from', list])).toEqual({
      help: false,
      json: true,
      exportDir: 'out',
      files: ['b.csv', 'a.csv', 'c d.csv', './e.csv'],
    });
  });

  it('splits a list with NUL bytes only there', () => {
    const list = join(dir, 'list0');
    writeFileSync(list, 'one\nname.csv\0two.csv\0');
    expect(parseCardArguments(['--files-from', list]).files).toEqual(['one\nname.csv', 'two.csv']);
  });

  it('takes names that look like options behind --', () => {
    expect(parseCardArguments(['--', '--json']).files).toEqual(['--json']);
  });

  it.each([
    [[]],
    [['--json']],
    [['--export', 'x']],
    [['--export=', 'a']],
    [['--what', 'a']],
    [['--files-from', '/nope']],
  ])('refuses %j with the usage', (argv) => {
    expect(() => parseCardArguments(argv)).toThrow(/npm run card -- FILE…/);
  });
});

describe('batches', () => {
  it('are bounded by bytes, a large file alone', () => {
    expect(numbers([10, 10, 10, 10, 400, 1, 'missing', 31])).toEqual([[1, 2, 3], [4], [5], [6, 7, 8]]);
  });

  it('are bounded by their number of files, and hold each file once', () => {
    const cut = numbers(Array.from({ length: 1001 }, () => 0));
    expect(Math.max(...cut.map(({ length }) => length))).toBe(40);
    expect(cut.flat()).toEqual(Array.from({ length: 1001 }, (_, index) => index + 1));
  });
});

describe('the limits of the sandbox', () => {
  it('are the usual ones for small files', () => {
    expect(limitsFor(files([1, 2]), usual, true)).toEqual(usual);
  });

  it('hold the largest file, what is written of it, and the memory to read it', () => {
    const limits = limitsFor(files([1, 400]), usual, true);
    expect(limits.workspaceBytes).toBeGreaterThanOrEqual((400 + 2048) * megabyte);
    expect(limits.memoryBytes - limits.workspaceBytes).toBeGreaterThan(5 * 200_000_000);
    expect(limitsFor(files([400]), usual, false).workspaceBytes).toBe(512 * megabyte);
  });

  it('ignore files that are not sent', () => {
    expect(limitsFor(files(['missing']), usual, true)).toEqual(usual);
  });

  it('give large files more time', () => {
    expect(timeoutFor(files([0]), 60_000)).toBe(60_000);
    expect(timeoutFor(files([100]), 60_000)).toBe(90_000);
    expect(timeoutFor(files([2000]), 60_000)).toBeLessThan(120_000);
  });
});

it('says why a file is not sent', () => {
  expect(cardFile(dir).problem).toBe('This is a folder or a device, not a file.');
  expect(cardFile('/dev/zero').problem).toBe('This is a folder or a device, not a file.');
  expect(cardFile(join(dir, 'no\0name')).problem).toMatch(/cannot be read/);
  expect(cardFile(join(dir, 'none.csv'))).toMatchObject({ name: 'none.csv', problem: 'There is no such file.' });
});
