import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseDemoArguments } from '../../adapters/terminal/arguments.ts';

const dir = mkdtempSync(join(tmpdir(), 'plotline-arguments-'));
for (const name of ['a.csv', 'b c.csv', 'd.csv']) writeFileSync(join(dir, name), 'x\n1\n');
afterAll(() => rmSync(dir, { recursive: true }));

const parse = (...argv: string[]) => parseDemoArguments(argv, dir);

it('gives each ask the files before it, in order', () => {
  expect(
    parse(
      '--file',
      'a.csv',
      '--file=b c.csv',
      '--ask',
      'one',
      '--ask=two = 2',
      '--out',
      'o',
      '--file',
      'd.csv',
      '--ask',
      'three',
    ),
  ).toEqual({
    help: false,
    outDir: join(dir, 'o'),
    asks: [
      { text: 'one', files: [join(dir, 'a.csv'), join(dir, 'b c.csv')] },
      { text: 'two = 2', files: [] },
      { text: 'three', files: [join(dir, 'd.csv')] },
    ],
  });
});

it('is a conversation at the keyboard without asks, in the folder out', () => {
  expect(parse()).toEqual({ help: false, asks: [], outDir: join(dir, 'out') });
});

it.each([
  [['--file', 'missing.csv', '--ask', 'x'], /--file missing\.csv: there is no such file/],
  [['--file', '.', '--ask', 'x'], /--file \.: this is a folder/],
  [['--file', 'a.csv'], /put an --ask behind it/],
  [['--ask'], /--ask needs a question/],
  [['--ask', ' '], /--ask needs a question/],
  [['--out'], /--out needs a path/],
  [['--aks', 'x'], /I do not know "--aks"/],
])('refuses %j in words', (argv, words) => {
  expect(() => parse(...argv)).toThrow(words);
});

it('lists every problem at once, and none beside --help', () => {
  expect(() => parse('--file', 'no1', '--file', 'no2', '--what')).toThrow(/no1[^]*no2[^]*--what/);
  expect(parse('--help', '--what').help).toBe(true);
});
